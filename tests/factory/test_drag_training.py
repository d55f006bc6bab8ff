"""The drag network taught shapes with known coefficients: ellipsoids, whose length is the answer."""

from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from data.nearest import NO_FACE
from factory.drag import mean_network, train_drag_network
from gnn.regdgcnn import RegDGCNN
from gnn.training.clouds import Cloud
from gnn.training.loop import Optimisation
from gnn.training.losses import Scale

SMALL = {"k": 6, "conv_channels": [8, 8], "emb_dims": 16, "mlp": [16, 8], "dropout": 0.0}


@dataclass(frozen=True)
class Ellipsoid:
    length: float

    def draw(self, n: int, rng: np.random.Generator) -> Cloud:
        normals = rng.normal(size=(n, 3))
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        points = (normals * [self.length, 1.0, 1.0]).astype(np.float32)
        return Cloud(points, normals.astype(np.float32), np.full(n, NO_FACE))


LENGTHS = np.linspace(0.5, 3.0, 24)
SHAPES = [Ellipsoid(float(length)) for length in LENGTHS]
TARGETS = np.column_stack([LENGTHS, -LENGTHS])


SCALE = Scale(tuple(TARGETS.mean(axis=0).tolist()), tuple(TARGETS.std(axis=0).tolist()))


def fresh() -> RegDGCNN:
    torch.manual_seed(0)
    return RegDGCNN(out_channels=2, **SMALL)


def taught(folder, name, steps, rate, start=None):
    how = Optimisation(steps, rate=rate, warm_up=5, average=0.9)
    network, on = (fresh(), {}) if start is None else (deepcopy(start), {"keep_statistics": True})
    return train_drag_network(network, SHAPES, TARGETS, SCALE, how, folder / f"{name}.ckpt", n_points=64, **on)


def error(network):
    rng = np.random.default_rng(5)
    clouds = torch.from_numpy(np.stack([shape.draw(64, rng).points for shape in SHAPES]))
    with torch.inference_mode():
        predicted = network(clouds).numpy() * TARGETS.std(axis=0) + TARGETS.mean(axis=0)
    return np.abs(predicted - TARGETS).mean()


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    return taught(tmp_path_factory.mktemp("drag"), "begun", 60, 5e-3)


def test_going_on_from_a_network_betters_it_and_keeps_its_batch_statistics(begun, tmp_path):
    network = begun
    further = taught(tmp_path, "further", 60, 2e-3, start=network)
    assert error(further) < error(network) < np.abs(TARGETS - TARGETS.mean(axis=0)).mean()
    before, after = network.state_dict(), further.state_dict()
    statistics = [name for name in before if "running" in name]
    assert statistics and all(torch.equal(before[name], after[name]) for name in statistics)


def test_a_network_from_nothing_learns_batch_statistics(begun):
    network = begun
    assert not torch.equal(network.bn1.running_mean, torch.zeros_like(network.bn1.running_mean))


def test_side_tasks_teach_the_encoder_and_are_left_behind(tmp_path):
    """From a side task alone (Cd and Cl are the same for all) the features come to tell how long the car is."""
    targets = np.column_stack([np.full((24, 2), 0.3), LENGTHS])
    how, checkpoint = Optimisation(60, rate=5e-3, warm_up=5, average=0.9), tmp_path / "side.ckpt"
    scale = Scale((0.3, 0.3), (1.0, 1.0))
    network = train_drag_network(fresh(), SHAPES, targets, scale, how, checkpoint, n_points=64)
    assert not any("side" in name for name in network.state_dict())
    state = torch.load(checkpoint, weights_only=True)["averaged"]
    with torch.inference_mode():
        rng = np.random.default_rng(5)
        clouds = torch.from_numpy(np.stack([shape.draw(64, rng).points for shape in SHAPES]))
        predicted = network.features(clouds) @ state["side.weight"].T + state["side.bias"]
    assert np.corrcoef(predicted[:, 0].numpy(), LENGTHS)[0, 1] > 0.95


def test_the_mean_of_networks_that_went_on_from_one_another_is_a_network(begun, tmp_path):
    network = begun
    further = taught(tmp_path, "further", 60, 2e-3, start=network)
    mean = mean_network([network, further])
    assert torch.allclose(mean.linear1.weight, (network.linear1.weight + further.linear1.weight) / 2, atol=1e-7)
    assert error(mean) < max(error(network), error(further))
