"""The morphed DrivAers that come with the program, made from the bundled model's own template."""

from __future__ import annotations

import json

import numpy as np
import pytest

from drivaer_app.lab.learning import MORPHS
from drivaer_app.models import find_model
from drivaer_app.paths import built_in_corpus
from gnn.checkpoints import METRICS, read_model
from gnn.surrogate import Surrogate
from gnn.training.replay import read_replay, replay_cars

N = 4096


@pytest.fixture(scope="module")
def model():
    return read_model(find_model())


@pytest.fixture(scope="module")
def held_out(model):
    cars = replay_cars(read_replay(model.path), model.templates(), built_in_corpus() / MORPHS)
    return [car for car in cars if car.is_test]


def test_an_even_draw_spreads_less_along_the_car_than_a_random_one(held_out):
    shape = held_out[0].shape

    def scatter(draw):
        """Of the points in each of twenty slices, over eight draws."""
        ends = np.linspace(-2.5, 2.5, 21)
        counts = [np.histogram(draw(N, np.random.default_rng(seed))[0][:, 0], ends)[0] for seed in range(8)]
        return np.std(counts, axis=0).mean()

    assert scatter(shape.draw_evenly) < 0.7 * scatter(shape.draw)


def test_an_even_draw_lies_on_the_faces_that_it_names(held_out):
    shape = held_out[0].shape
    points, normals, faces = shape.draw_evenly(N, np.random.default_rng(0))
    centres, _ = shape.template.bent(shape.code)
    mirrored = points * np.where(points[:, 1:2] < 0, -1.0, 1.0) ** [0, 1, 0]
    known = faces >= 0
    assert known.mean() > 0.95
    assert np.median(np.linalg.norm(mirrored[known] - centres[faces[known]], axis=1)) < 0.02
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1.0, atol=1e-5)


def test_the_network_says_of_the_bent_template_nearly_what_it_said_of_the_mesh(model, held_out):
    on_mesh = {d["name"]: d["predicted"] for d in json.loads((model.path / METRICS).read_text("utf-8"))["designs"]}
    surrogate = Surrogate.of_folder(model, "cpu")
    cars = held_out[:: len(held_out) // 6]
    predicted = [surrogate.predict(car.sample()[0], car.frontal_area).compared for car in cars]
    apart = np.array(predicted) - [on_mesh[car.case.name] for car in cars]
    assert np.abs(apart).mean() < 0.003
