"""The training loop: a run that was killed goes on as if it had not been."""

import numpy as np
import pytest
import torch
from torch import nn

from gnn.training.loop import Schedule, designs_learnt, fit, load_averaged


def test_a_killed_training_ends_as_an_unbroken_one(tmp_path):
    def draw(step):
        return (torch.from_numpy(np.random.default_rng(step).normal(size=(16, 4)).astype(np.float32)),)

    def loss(network, x):
        return (network(x) - x.sum(dim=1, keepdim=True)).square().mean()

    class Killed(Exception):
        pass

    def deadly(step):
        if step == 27:
            raise Killed
        return draw(step)

    def network():
        torch.manual_seed(1)
        return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 1))

    schedule = Schedule(steps=40, warm_up=5, save_every=10)
    unbroken = fit(network(), draw, loss, schedule, tmp_path / "one.ckpt", designs=["3", "5"])
    assert designs_learnt(tmp_path / "one.ckpt") == 2
    with pytest.raises(Killed):
        fit(network(), deadly, loss, schedule, tmp_path / "two.ckpt")
    resumed = fit(network(), draw, loss, schedule, tmp_path / "two.ckpt")
    for a, b in zip(unbroken.state_dict().values(), resumed.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    stored = load_averaged(network(), tmp_path / "two.ckpt").state_dict()
    assert all(torch.equal(stored[name], value) for name, value in unbroken.state_dict().items())
