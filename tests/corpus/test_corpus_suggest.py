"""Which designs are worth a simulation."""

from __future__ import annotations

import json

import numpy as np

from drivaer_app.cli.app import main
from drivaer_app.corpus.suggest import spread_apart


def test_the_one_that_is_worth_most_comes_first():
    assert spread_apart(np.array([1.0, 3.0, 2.0]), np.eye(3), 1) == [1]


def test_a_twin_of_a_chosen_one_is_not_chosen():
    features = np.array([[0.0, 0], [0.001, 0], [1, 0], [0, 1]])
    assert set(spread_apart(np.array([3.0, 2.9, 1.0, 1.1]), features, 3)) == {0, 2, 3}


def test_no_more_are_named_than_there_are():
    assert sorted(spread_apart(np.ones(2), np.eye(2), 5)) == [0, 1]


def test_meshes_are_named_with_what_the_model_says(sample_file, capfd):
    assert main(["corpus", "suggest", "1", str(sample_file)]) == 0
    assert "fastback.stl  Cd 0." in capfd.readouterr().out


def test_designs_to_go_are_suggested_with_their_handles(corpus, capfd):
    assert main(["corpus", "suggest", "1", "--from", str(corpus), "--look-at", "2", "--json"]) == 0
    printed = json.loads(capfd.readouterr().out)
    assert printed["name"] in ("hatchback_0002", "hatchback_0003") and "backlight_angle" in printed["values"]


def test_either_meshes_or_a_corpus_must_be_given():
    assert main(["corpus", "suggest", "3"]) == 2
