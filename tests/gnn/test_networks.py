"""The registry of networks: a new one is a class with its SPEC and one line, and the whole program knows it."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from data.errors import DrivAerError
from drivaer_app.export import export_model
from drivaer_app.models import summary
from drivaer_app.predict import Predictor
from gnn.model_config import DRAG, FIELD
from gnn.network_spec import NetworkSpec
from gnn.networks import NETWORKS, build_network
from gnn.surrogate import Surrogate
from gnn.training.by_recipe import train_by_recipe
from gnn.training.distributed import ALONE
from gnn.training.recipe import TrainingRecipe, recipe_of
from gnn.training.recipe_model import write_recipe_model
from tests.training.stored_cars import ellipsoids


class PointNet(nn.Module):
    """A network that the program has never heard of: (B, N, 3) points and normals to (B, 1), or (B, N, 1)."""

    def __init__(self, width: int = 8, of_points: bool = False):
        super().__init__()
        self.of_points = of_points
        self.of_point = nn.Sequential(nn.Linear(6, width), nn.GELU(), nn.Linear(width, width))
        self.head = nn.Linear(2 * width, 1)

    def forward(self, points: Tensor, normals: Tensor) -> Tensor:
        h = self.of_point(torch.cat([points, normals], dim=-1))
        pooled = torch.cat([h.amax(dim=1), h.mean(dim=1)], dim=-1)
        if not self.of_points:
            return self.head(pooled)
        return self.head(torch.cat([h, pooled[:, None, : h.shape[2]].expand_as(h)], dim=-1))


def call(network, points, normals):
    return network(points, normals)


SPEC = NetworkSpec("pointnet", PointNet, DRAG, call, inputs=("points", "normals"), plain=lambda network: network)
OWN = dict(NETWORKS)
FIELD_SPEC = replace(SPEC, name="pointnet-field", target=FIELD, columns=1)


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    for spec in (SPEC, FIELD_SPEC):
        monkeypatch.setitem(NETWORKS, spec.name, spec)  # what its one line does


def trained(folder, recipe):
    cars = {"train": ellipsoids(30), "val": ellipsoids(8, first=100), "test": ellipsoids(12, first=200)}
    network = train_by_recipe(recipe, cars["train"], cars["val"], folder / "run", ALONE)
    metrics = write_recipe_model(folder / recipe.network, recipe.network, recipe, network, cars, ["ellipsoids"])
    return folder / recipe.network, metrics


@pytest.fixture
def recipe(tmp_path) -> TrainingRecipe:
    file = tmp_path / "mine.toml"
    file.write_text("network = 'pointnet'\nepochs = 12\nbatch = 6\nrate = 0.02\nn_points = 64\ndraws = 2\n")
    return recipe_of("drag", config=file)


def test_it_is_trained_judged_described_and_asked_like_any_other(tmp_path, recipe, sample_file):
    assert recipe.architecture == {}  # the preset's is another network's
    folder, metrics = trained(tmp_path, recipe)
    assert metrics["test"]["cd"]["all"]["mae"] < 0.02
    assert summary(folder)["gives"] == "drag (pointnet)" and "by pointnet" in (folder / "card.md").read_text()
    predictor = Predictor(folder, "cpu")
    prediction = predictor.predict(sample_file)
    assert np.isfinite(prediction.cd) and prediction.cd_low < prediction.cd < prediction.cd_high
    assert np.isfinite(predictor.sensitivity(predictor.sample(prediction.car)).density).all()


def test_it_is_exported(tmp_path, recipe):
    folder, _ = trained(tmp_path, replace(recipe, epochs=1))
    notes = export_model(str(folder), tmp_path / "net.pt2", "pt2", "drag")
    assert "normals (2, 64, 3)" in notes[0] and (tmp_path / "net.pt2").exists()


def test_one_that_predicts_a_field_is_trained_and_asked_too(tmp_path, recipe):
    architecture = {"of_points": True}
    recipe = replace(recipe, model="field", network="pointnet-field", architecture=architecture, n_points=128)
    folder, metrics = trained(tmp_path, recipe)
    assert metrics["test"]["fields"]["cp_l2"]["value"] < 0.9
    sample, _ = ellipsoids(1)[0].sample()
    answer = Surrogate.load(folder, "cpu").predict(sample, 2.0)
    assert answer.cp.shape == (2 * 128,) and answer.cf is None and answer.cd is None


def test_what_the_model_folder_says_of_it_is_all_that_it_takes(tmp_path, recipe):
    folder, _ = trained(tmp_path, replace(recipe, epochs=1))
    section = json.loads((folder / "config.json").read_text())["drag"]
    assert section["network"] == "pointnet" and section["architecture"] == {}


@pytest.mark.parametrize("name", OWN)
def test_an_argument_that_a_network_has_not_is_one_line(name):
    with pytest.raises(DrivAerError, match="n_moons"):
        build_network(name, {"n_moons": 2}, error=DrivAerError)


@pytest.mark.parametrize("spec", OWN.values(), ids=OWN)
def test_every_network_answers_in_the_shape_that_its_spec_says(spec):
    normals = torch.nn.functional.normalize(torch.randn(2, 50, 3, generator=torch.Generator().manual_seed(0)), dim=2)
    with torch.inference_mode():
        output = spec.call(spec.build(k=4).eval(), 2 * normals, normals)
    assert output.shape == ((2, 1) if spec.target == DRAG else (2, 50, spec.columns))
