"""The training loop: a run that was killed goes on as if it had not been, with and without validation."""

import numpy as np
import pytest
import torch
from torch import nn

from data.errors import DrivAerError
from gnn.training import loop
from gnn.training.loop import Epochs, Optimisation, by_step, fit, read_checkpoint


class Killed(Exception):
    pass


def network() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 1))


def loss(net, x):
    return (net(x) - x.sum(dim=1, keepdim=True)).square().mean()


def batches(dies_at=None):
    def draw(step):
        if step == dies_at:
            raise Killed
        return (torch.from_numpy(np.random.default_rng(step).normal(size=(16, 4)).astype(np.float32)),)

    return by_step(draw)


@pytest.fixture(autouse=True)
def saved_every_step(monkeypatch):
    monkeypatch.setattr(loop, "SAVE_SECONDS", 0.0)


def weights(trained):
    return trained.network.state_dict().values()


def validation(seen=None):
    x = torch.randn(64, 4, generator=torch.Generator().manual_seed(9))
    return Epochs(5, lambda net: -loss(net, x).item(), on_epoch=(seen or []).append)


@pytest.mark.parametrize("epochs", [None, validation()], ids=["to the end", "by epochs"])
@pytest.mark.parametrize(
    "how",
    [
        Optimisation(40, warm_up=5),
        Optimisation(40, rate=1e-3, schedule="plateau", optimiser="adam", average=0.0, clip=0.0),
    ],
    ids=["ours", "published"],
)
def test_a_killed_training_ends_as_an_unbroken_one(tmp_path, how, epochs):
    unbroken = fit(network(), batches(), loss, how, tmp_path / "one.ckpt", epochs=epochs)
    with pytest.raises(Killed):
        fit(network(), batches(dies_at=27), loss, how, tmp_path / "two.ckpt", epochs=epochs)
    assert read_checkpoint(tmp_path / "two.ckpt")["step"] == 27
    resumed = fit(network(), batches(), loss, how, tmp_path / "two.ckpt", epochs=epochs)
    assert all(torch.equal(a, b) for a, b in zip(weights(unbroken), weights(resumed), strict=True))


def test_a_finished_training_takes_no_more_steps(tmp_path):
    how = Optimisation(10, warm_up=2)
    first = fit(network(), batches(), loss, how, tmp_path / "a.ckpt")
    again = fit(network(), batches(dies_at=0), loss, how, tmp_path / "a.ckpt")
    assert all(torch.equal(a, b) for a, b in zip(weights(first), weights(again), strict=True))


def test_the_checkpoint_says_what_was_learnt_from(tmp_path):
    fit(network(), batches(), loss, Optimisation(2), tmp_path / "a.ckpt", learnt_from=["3", "5"])
    assert read_checkpoint(tmp_path / "a.ckpt")["learnt_from"] == ["3", "5"]


@pytest.mark.parametrize(
    "other", [{"how": Optimisation(10, rate=1e-4)}, {"learnt_from": ["3"]}, {"key": "another recipe"}]
)
def test_another_training_does_not_go_on_from_it(tmp_path, other):
    same = {"how": Optimisation(10), "checkpoint": tmp_path / "a.ckpt"}
    fit(network(), batches(), loss, **same)
    with pytest.raises(DrivAerError, match="another training"):
        fit(network(), batches(), loss, **{**same, **other})


def test_the_weights_of_the_best_epoch_are_kept(tmp_path):
    scores, states = iter([0.1, 0.9, 0.5]), []

    def score(net):
        states.append([value.clone() for value in net.state_dict().values()])
        return next(scores)

    trained = fit(network(), batches(), loss, Optimisation(15), tmp_path / "a.ckpt", epochs=Epochs(5, score))
    assert trained.epochs == 3
    assert all(torch.equal(a, b) for a, b in zip(weights(trained), states[1], strict=True))


def test_only_parameters_that_ask_for_it_are_moved(tmp_path):
    net = network()
    net[0].requires_grad_(False)
    before = net[0].weight.clone()
    trained = fit(net, batches(), loss, Optimisation(10, rate=0.1), tmp_path / "a.ckpt").network
    assert torch.equal(trained[0].weight, before)
