"""CFD of a variant from the desk: the real solver on a mesh far too coarse to mean anything."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from data.errors import DrivAerError
from drivaer_app.cfd.find import find_openfoam
from drivaer_app.conditions import Conditions
from drivaer_app.desk.desk import Desk
from drivaer_app.desk.layers import CFD, SENSITIVITY
from drivaer_app.desk.verification import DONE, RUNNING, STOPPED

PATIENCE = 300.0
PRESET, ITERATIONS = "trial", 4


@pytest.fixture(scope="module")
def openfoam():
    try:
        return find_openfoam()
    except DrivAerError as error:
        pytest.skip(f"needs OpenFOAM: {error.what}")


@pytest.fixture(scope="module")
def desk(engine, sample_file, tmp_path_factory):
    """One predicted car in a folder of the test's own."""
    file = tmp_path_factory.mktemp("cars") / "fastback.stl"
    shutil.copy(sample_file, file)
    desk = Desk(engine=engine)
    (key,) = desk.open([file])
    desk.focus([key])
    assert desk.wait(PATIENCE)
    yield desk
    desk.close()


def until(condition) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def solvers(folder: Path) -> list[str]:
    """Names of OpenFOAM's programs that run in a folder (Linux)."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(process / "cwd") == str(folder):
                found.append((process / "comm").read_text().strip())
        except OSError:
            continue
    return found


def test_a_run_is_stopped_goes_on_and_its_result_stands_beside_the_prediction(openfoam, desk):
    key = desk.study.state.variants[0].key
    assert "no CFD of this variant" in desk.layers.lacking(CFD, key)
    desk.verify(key, PRESET, iterations=400)
    until(lambda: (run := desk.verifications.of(key)).progress and run.progress.iteration >= 2 or run.error)
    run = desk.verifications.of(key)
    assert run.status == RUNNING and run.error == ""
    assert run.progress.cd is not None and set(run.residuals[-1][1]) >= {"p", "k"}
    desk.verifications.stop(key)
    until(lambda: not desk.verifications.of(key).is_active)
    assert desk.verifications.of(key).status == STOPPED
    until(lambda: solvers(run.folder) == [])

    reached = desk.verifications.of(key).progress.iteration
    desk.verify(key, PRESET, iterations=10 * (reached // 10 + 5))
    until(lambda: not desk.verifications.of(key).is_active)
    done = desk.verifications.of(key)
    assert (done.status, done.error) == (DONE, "") and done.folder == run.folder
    assert done.finished.numbers.cd == pytest.approx(
        done.finished.numbers.cd_pressure + done.finished.numbers.cd_friction, rel=0.02
    )
    assert done.finished.numbers.on(Conditions(area=1.0)).cd == pytest.approx(
        done.finished.numbers.cd * done.finished.numbers.frontal_area
    )

    desk.layers.want(CFD, key)
    assert desk.wait(PATIENCE)
    error, drawn = desk.layers.get(CFD, key), desk.drawn(key)
    known = np.isfinite(error)
    assert known.mean() > 0.5
    simulated = (drawn.cp - error)[known]
    nose = drawn.points[known][:, 0] < drawn.points[:, 0].min() + 0.05
    assert simulated[nose].max() > 0.7 and np.abs(simulated).max() < 4


def test_the_sensitivity_is_worked_out_on_the_drawn_points(desk):
    key = desk.study.state.variants[0].key
    assert desk.layers.get(SENSITIVITY, key) is None
    desk.layers.want(SENSITIVITY, key)
    assert desk.wait(PATIENCE)
    layer, drawn = desk.layers.get(SENSITIVITY, key), desk.drawn(key)
    assert layer.shape == (len(drawn.points),) and np.isfinite(layer[drawn.exposed]).mean() > 0.99
    tail = drawn.exposed & (drawn.points[:, 0] > drawn.points[:, 0].max() - 0.1)
    assert np.nanmean(layer[tail]) < 0  # a longer tail lowers drag


def test_a_layer_that_cannot_be_had_says_why_and_is_not_tried_for_ever(desk, tmp_path, sample_file):
    file = tmp_path / "gone.stl"
    shutil.copy(sample_file, file)
    (key,) = [k for k in desk.open([file])]
    desk.focus([key])
    assert desk.wait(PATIENCE)
    file.unlink()
    desk.layers.want(SENSITIVITY, key)
    assert desk.wait(PATIENCE)
    assert "gone.stl" in desk.layers.lacking(SENSITIVITY, key)
    desk.layers.want(SENSITIVITY, key)
    assert not desk.jobs.active
