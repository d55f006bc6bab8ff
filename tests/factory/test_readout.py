"""The drag network's last layers, trained alone."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from factory.cloud_pool import CloudPool
from factory.readout import CLOUDS, cached_features, pooled_features, readout_parameters, train_readout
from gnn.regdgcnn import RegDGCNN
from gnn.training.clouds import Cloud

N_POINTS = 24


@dataclass(frozen=True)
class Box:
    """A box of some length, which is its label."""

    length: float

    def draw(self, n: int, rng: np.random.Generator) -> Cloud:
        points = rng.uniform(-1, 1, (n, 3)).astype(np.float32) * np.float32([self.length, 1, 1])
        return Cloud(points, points, np.zeros(n, int))


@pytest.fixture
def network() -> RegDGCNN:
    torch.manual_seed(1)
    return RegDGCNN(k=4, conv_channels=(8, 8), emb_dims=16, mlp=(16,), dropout=0.0, out_channels=2).eval()


@pytest.fixture
def shapes() -> list[Box]:
    return [Box(length) for length in np.linspace(1.0, 3.0, 40)]


def test_features_go_on_where_they_were_stopped(network, shapes, tmp_path):
    cache = tmp_path / "features.npy"
    cached_features(network, shapes[:7], N_POINTS, cache)
    resumed = cached_features(network, shapes, N_POINTS, cache)
    assert resumed.shape == (40, CLOUDS, 32)
    assert torch.equal(resumed, cached_features(network, shapes, N_POINTS, tmp_path / "anew.npy"))


def test_the_readout_learns_and_the_encoder_stays(network, shapes, tmp_path):
    features = cached_features(network, shapes, N_POINTS, tmp_path / "features.npy")
    length = np.array([shape.length - 2.0 for shape in shapes])
    targets = np.column_stack([length, -length])
    own = {id(p) for p in readout_parameters(network)}
    encoder = [p.clone() for p in network.parameters() if id(p) not in own]

    def error() -> float:
        with torch.inference_mode():
            predicted = network.head(features.flatten(0, 1)).view(40, CLOUDS, 2).mean(1).numpy()
        return float(np.abs(predicted - targets).mean())

    before = error()
    train_readout(network, features, targets, tmp_path / "readout.ckpt", steps=1500)
    assert error() < 0.5 * before
    kept = [p for p in network.parameters() if id(p) not in own]
    assert all(torch.equal(one, other) for one, other in zip(encoder, kept, strict=True))


def test_at_a_small_rate_the_readout_stays_near_what_it_was(network, shapes, tmp_path):
    features = cached_features(network, shapes, N_POINTS, tmp_path / "features.npy")
    targets = np.ones((len(shapes), 2))

    def moved(rate: float) -> float:
        taught = train_readout(deepcopy(network), features, targets, tmp_path / f"{rate}.ckpt", steps=20, rate=rate)
        with torch.inference_mode():
            predicted, before = (net.head(features.flatten(0, 1)) for net in (taught, network))
            return float((predicted - before).abs().mean())

    assert 0 < moved(1e-4) < 0.2 * moved(1e-2)


def test_layers_learn_from_the_features_of_a_pool(network, shapes, tmp_path):
    """Of 40 boxes, in their order, although they are worked out many at once."""
    features = pooled_features(network, CloudPool.of(shapes, "cpu", held=60), N_POINTS)
    assert features.shape == (40, CLOUDS, 32)
    lengths = np.array([box.length for box in shapes])
    targets = np.column_stack([lengths, lengths])
    standard = (targets - targets.mean()) / targets.std()
    network = train_readout(network, features, standard, tmp_path / "readout.ckpt", steps=300)
    with torch.inference_mode():
        predicted = network.head(features.mean(dim=1))[:, 0].numpy()
    assert np.corrcoef(predicted, lengths)[0, 1] > 0.95
