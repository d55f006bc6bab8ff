"""One network trained by a recipe: it learns, it comes out the same twice, killed or not, in one process or two."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from data.errors import DrivAerError
from gnn.training.by_recipe import CHECKPOINT, EVENTS, HISTORY, subset, train_by_recipe
from gnn.training.distributed import ALONE
from gnn.training.recipe import recipe_of
from tests.conftest import ROOT
from tests.training.stored_cars import DRAG, FIELD, ellipsoids

TRAIN, VAL = ellipsoids(24), ellipsoids(8, first=100)


def run(folder, recipe=DRAG, on_epoch=lambda _: None, train=TRAIN, val=VAL):
    return train_by_recipe(recipe, train, val, folder, ALONE, on_epoch=on_epoch)


def same(one, two) -> bool:
    states = one.state_dict(), two.state_dict()
    return all(torch.equal(a, b) for a, b in zip(*(state.values() for state in states), strict=True))


def test_the_validation_cars_are_predicted_after_some_epochs(tmp_path):
    seen = []
    run(tmp_path, replace(DRAG, epochs=20), seen.append)
    assert seen[-1].best > 0.7


def test_fields_are_learnt_too(tmp_path):
    seen = []
    run(tmp_path, replace(FIELD, epochs=8), seen.append)
    assert seen[-1].loss < 0.5 * seen[0].loss and seen[-1].best > 0.5


def test_the_same_training_twice_ends_with_the_same_weights(tmp_path):
    assert same(run(tmp_path / "one").network, run(tmp_path / "two").network)


def test_clouds_from_a_process_of_their_own_are_the_same(tmp_path):
    beside = train_by_recipe(DRAG, TRAIN, VAL, tmp_path / "beside", ALONE, workers=1)
    assert same(beside.network, run(tmp_path / "here").network)


def test_another_seed_ends_with_other_weights(tmp_path):
    assert not same(run(tmp_path / "one").network, run(tmp_path / "two", replace(DRAG, seed=1)).network)


def test_stopped_after_an_epoch_it_goes_on_as_if_it_had_not_been(tmp_path):
    class Stop(Exception):
        pass

    def stop(epoch):
        if epoch.number == 3:
            raise Stop

    with pytest.raises(Stop):
        run(tmp_path / "stopped", on_epoch=stop)
    assert same(run(tmp_path / "stopped").network, run(tmp_path / "unbroken").network)


SCRIPT = """
import sys
import torch
torch.set_num_threads(1)
from dataclasses import replace
from pathlib import Path
from gnn.training import loop
from gnn.training.by_recipe import train_by_recipe
from gnn.training.distributed import processes
from tests.training.stored_cars import DRAG, FIELD, ellipsoids
loop.SAVE_SECONDS = 0.0
recipe = {"drag": replace(DRAG, epochs=12), "field": FIELD}[sys.argv[2]]
with processes("cpu") as together:
    trained = train_by_recipe(recipe, ellipsoids(24), ellipsoids(8, first=100), Path(sys.argv[1]), together)
    if together.is_first:
        torch.save(trained.network.state_dict(), Path(sys.argv[1]) / "trained.pt")
"""


def start(folder, what="drag", launcher=()):
    folder.parent.mkdir(exist_ok=True, parents=True)
    script = folder.parent / "script.py"
    script.write_text(SCRIPT)
    env = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, *launcher, str(script), str(folder), what], cwd=ROOT, env=env)


def weights(folder):
    return torch.load(folder / "trained.pt", weights_only=True)


def test_killed_in_an_epoch_it_ends_with_the_weights_of_an_unbroken_run(tmp_path):
    assert start(tmp_path / "unbroken").wait(120) == 0
    killed = start(tmp_path / "killed")
    checkpoint = tmp_path / "killed" / CHECKPOINT
    while killed.poll() is None and not checkpoint.exists():
        time.sleep(0.002)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert 0 < torch.load(checkpoint, weights_only=True)["step"] < 72
    assert start(tmp_path / "killed").wait(120) == 0
    one, two = weights(tmp_path / "unbroken"), weights(tmp_path / "killed")
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_two_processes_learn_what_one_does(tmp_path):
    """Their gradients are averaged: FieldNet, which knows no batch, takes the same steps but for rounding."""
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    assert start(tmp_path / "two", "field", torchrun).wait(180) == 0
    assert start(tmp_path / "one", "field").wait(120) == 0
    one, two = weights(tmp_path / "one"), weights(tmp_path / "two")
    assert all(torch.allclose(one[name], two[name], atol=2e-3) for name in one)


def test_the_published_recipe_runs_as_it_is_but_for_its_size(tmp_path):
    small = {"k": 8, "conv_channels": [8, 8], "emb_dims": 16, "mlp": [8]}
    recipe = recipe_of("drag", "drivaernet-paper", epochs=2, n_points=64, batch=4, pool=512, architecture=small)
    assert recipe.augment == "published" and not recipe.standardise and recipe.optimiser == "adam"
    trained = run(tmp_path, recipe)
    assert trained.config.mean == (0.0,) and trained.config.spread == (1.0,) and trained.epochs == 2


def test_the_published_pressure_network_is_trained_too(tmp_path):
    recipe = recipe_of("field", "drivaernet-paper", epochs=1, n_points=64, batch=4, pool=512, architecture={"k": 4})
    seen = []
    run(tmp_path, replace(recipe, architecture={**recipe.architecture, "emb_dims": 16}), seen.append)
    assert np.isfinite(seen[0].loss)


def test_training_ends_where_validation_gains_no_more(tmp_path):
    trained = run(tmp_path, replace(DRAG, epochs=50, rate=0.0, patience=3))
    assert trained.epochs == 4


def test_history_and_tensorboard_events_are_kept(tmp_path):
    run(tmp_path, replace(DRAG, epochs=2))
    assert (tmp_path / HISTORY).read_text().splitlines()[0] == "epoch,loss,score,rate"
    assert len((tmp_path / HISTORY).read_text().splitlines()) == 3
    assert any(path.stat().st_size > 50 for path in (tmp_path / EVENTS).iterdir())


def test_another_training_does_not_go_on_from_it(tmp_path):
    run(tmp_path, replace(DRAG, epochs=1))
    with pytest.raises(DrivAerError, match="another training"):
        run(tmp_path, replace(DRAG, epochs=1, rate=1e-3))


def test_smaller_shares_lie_within_larger_ones():
    def names(share):
        return {car.name for car in subset(TRAIN, replace(DRAG, subset=share))}

    assert len(names(0.25)) == 6 and names(0.25) < names(0.5) < names(1.0)


def test_bfloat16_trains(tmp_path):
    seen = []
    run(tmp_path, replace(DRAG, epochs=2, precision="bf16"), seen.append)
    assert np.isfinite(seen[-1].loss)
