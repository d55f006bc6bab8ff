"""A model is taught a user's own cars: what it learns, what its card says, and that a stopped training goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from data.corpora.case_files import read_cases
from data.errors import DrivAerError
from drivaer_app.cli.app import main
from drivaer_app.paths import CORPUS_VARIABLE
from gnn.checkpoints import read_model
from gnn.evaluation import CarEvaluation
from gnn.model_config import Interval
from gnn.surrogate import Surrogate
from gnn.training.cars import FamilyCar, FamilyClouds, PointCar, split
from gnn.training.fine_tune import FineTuning, FineTuningRecipe, fine_tune, new_interval
from tests.conftest import ROOT

SHORT = FineTuningRecipe(drag_steps=2, field_steps=2)
QUICK = FineTuningRecipe(drag_steps=100, field_steps=4, drag_rate=1e-2, drag_batch=8, field_batch=2)


@pytest.fixture(scope="module")
def five(make_cases, tmp_path_factory):
    return make_cases(tmp_path_factory.mktemp("five") / "corpus", 5)


@pytest.fixture(scope="module")
def ours(families):
    by_name, cases = families
    clouds = {name: FamilyClouds(family, pool=2048) for name, family in by_name.items()}
    return [FamilyCar(case, clouds[case.family]) for case in cases[:2]]


@pytest.fixture(scope="module")
def taught(tiny_model, five, ours, tmp_path_factory):
    """The metrics and the folder of a model that learnt five cars."""
    own = [PointCar(case) for case in read_cases(five)]
    out = tmp_path_factory.mktemp("taught") / "mine"
    return fine_tune(FineTuning(read_model(tiny_model), own, ours, QUICK), out), out


def test_the_new_model_knows_the_cars_it_learnt_better(taught, tiny_model, five):
    def error(folder):
        surrogate = Surrogate.load(folder, "cpu")
        cars = [PointCar(case) for case in read_cases(five)]
        return np.mean([abs(surrogate.predict(c.sample()[0], c.frontal_area).cd - c.coefficients["cd"]) for c in cars])

    assert error(taught[1]) < 0.7 * error(tiny_model)


def test_few_cars_are_each_judged_by_a_training_that_had_not_seen_them(taught):
    after = taught[0]["after"]["own"]
    assert sorted(row["name"] for row in after) == [f"car{i:02d}" for i in range(5)]
    assert taught[0]["counts"]["crossed"] and taught[0]["counts"]["own_learnt"] == 5


def test_the_interval_holds_for_every_held_out_car_where_they_are_few(taught):
    errors = [abs(row["cd_predicted"] - row["cd"]) for row in taught[0]["after"]["own"]]
    config = json.loads((taught[1] / "config.json").read_text())
    assert config["interval"]["off_template"] >= max(errors) - 1e-12  # this model has no template


def test_an_interval_is_as_wide_as_the_neediest_of_its_group():
    def judged(errors, on_template):
        return [CarEvaluation("c", "k", None, 0.3, None, 0.3 + e, *(None,) * 6, None, on_template, 0.1) for e in errors]

    ours = judged([0.001 * i for i in range(1, 12)], True)
    own = judged([0.05, -0.07], False)
    found = new_interval(Interval(0.02), ours, own)
    assert found["half_width"] == pytest.approx(0.011)  # eleven cars of ours: the largest of them
    assert found["off_template"] == pytest.approx(0.07)  # two of the user's, and none of ours


def test_own_cars_are_no_strangers_any_more(taught, tiny_model, five):
    car = PointCar(read_cases(five)[0])
    sample = car.sample()[0]
    before, after = (Surrogate.load(f, "cpu").predict(sample, car.frontal_area) for f in (tiny_model, taught[1]))
    assert before.novelty > 1 > after.novelty


def test_the_card_says_what_was_gained_and_how_that_is_known(taught):
    card = (taught[1] / "card.md").read_text()
    assert "taught 5 cars" in card and "held out in turn" in card and "What it lost on ours" in card


def test_no_work_is_left_behind(taught):
    assert [path.name for path in taught[1].parent.iterdir()] == ["mine"]


def test_a_model_is_never_written_over(taught, tiny_model, five, ours):
    own = [PointCar(case) for case in read_cases(five)]
    with pytest.raises(DrivAerError, match="of that name"):
        fine_tune(FineTuning(read_model(tiny_model), own, ours, QUICK), taught[1])


def test_of_one_car_nothing_is_claimed(tiny_model, five, tmp_path):
    own = [PointCar(read_cases(five)[0])]
    metrics = fine_tune(FineTuning(read_model(tiny_model), own, [], SHORT), tmp_path / "m")
    assert metrics["after"]["own"] == []
    assert "what was gained is unknown" in (tmp_path / "m" / "card.md").read_text()


def test_of_many_cars_a_fifth_is_held_out_by_name(tiny_model, make_cases, tmp_path):
    corpus = make_cases(tmp_path / "many", 14)
    own = [PointCar(case) for case in read_cases(corpus)]
    learnt, held_out = split(own)
    assert len(held_out) >= 2  # by these names
    tuning = FineTuning(read_model(tiny_model), own, [], SHORT)
    metrics = fine_tune(tuning, tmp_path / "model")
    assert tuning.learnt == learnt
    assert [row["name"] for row in metrics["after"]["own"]] == [car.name for car in held_out]


SCRIPT = """
import sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from data.corpora.case_files import read_cases
from gnn.checkpoints import read_model
from gnn.training.cars import PointCar
from gnn.training import loop
from gnn.training.fine_tune import FineTuning, FineTuningRecipe, fine_tune
loop.SAVE_SECONDS = 0.0
model, corpus, out = map(Path, sys.argv[1:])
own = [PointCar(case) for case in read_cases(corpus)][:1]
fine_tune(FineTuning(read_model(model), own, [], FineTuningRecipe(drag_steps=40, field_steps=8)), out)
"""


def test_killed_and_started_again_it_ends_with_the_same_weights(tiny_model, five, tmp_path):
    def start(out):
        command = [sys.executable, "-c", SCRIPT, str(tiny_model), str(five), str(out)]
        return subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})

    assert start(tmp_path / "unbroken").wait(120) == 0
    killed = start(tmp_path / "killed")
    checkpoint = tmp_path / "killed.unfinished" / "final" / "drag.ckpt"
    while not checkpoint.exists() and killed.poll() is None:
        time.sleep(0.005)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert not (tmp_path / "killed").exists()
    step = torch.load(checkpoint, weights_only=True)["step"]
    assert step < 40
    assert start(tmp_path / "killed").wait(120) == 0
    one, two = (load_file(tmp_path / name / "weights.safetensors") for name in ("unbroken", "killed"))
    assert one.keys() == two.keys() and all(torch.equal(one[key], two[key]) for key in one)


def test_the_command_makes_a_model_that_predict_finds_by_name(
    tiny_model, five, make_cases, tmp_path, monkeypatch, capfd, sample_file
):
    from drivaer_app import models
    from drivaer_app.lab import learning

    other = make_cases(tmp_path / "other", 3)
    monkeypatch.setattr(learning, "shipped_cars", lambda base: [])
    monkeypatch.setattr("drivaer_app.paths.own_models", lambda: tmp_path / "models")
    monkeypatch.setattr(models, "own_models", lambda: tmp_path / "models")
    command = ["train", "--from", str(tiny_model), "--add", str(five), "--corpus", str(other), "--name", "mine"]
    assert main([*command, "--steps", "2"]) == 0
    assert "your cars" in capfd.readouterr().out
    metrics = json.loads((tmp_path / "models" / "mine" / "metrics.json").read_text())
    assert metrics["counts"]["own"] == 5 and metrics["counts"]["ours_learnt"] > 0
    assert main(["predict", str(sample_file), "--model", "mine", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["model"].startswith("mine@")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--add", "x", "--name", "m"], "which model to start from"),
        (["--from", "drivaer", "--add", "x"], "either a --name or a folder"),
        (["--from", "drivaer", "--add", "x", "--name", "drivaer"], "bundled model's"),
        (["--from", "drivaer", "--add", "x", "--name", "../x"], "letters, digits"),
    ],
)
def test_a_senseless_command_is_one_line_and_status_2(arguments, message, capfd):
    assert main(["train", *arguments]) == 2
    error = capfd.readouterr().err
    assert message in error and error.count("\n") == 1


def test_without_the_built_in_corpus_nothing_is_learnt_and_it_says_where_to_get_it(
    tiny_model, five, tmp_path, monkeypatch, capfd
):
    monkeypatch.setenv(CORPUS_VARIABLE, str(tmp_path / "none"))
    command = ["train", "--from", str(tiny_model), "--add", str(five), "-o", str(tmp_path / "m")]
    assert main(command) == 1
    error = capfd.readouterr().err
    assert "not here" in error and "checkout" in error and not (tmp_path / "m").exists()


def test_a_corpus_without_cases_is_one_line(tiny_model, tmp_path, capfd):
    command = ["train", "--from", str(tiny_model), "--add", str(tmp_path / "none"), "-o", str(tmp_path / "m")]
    assert main(command) == 1
    assert "no such folder" in capfd.readouterr().err
