"""A model that learnt from a published corpus says under which licence that is, wherever it tells of itself."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from benchmarks.drivaernet_corpus import ids_of, write_large_corpus
from data.catalogue import open_catalogue
from data.catalogue.licences import licences_of
from data.catalogue.scan import scan
from data.corpora import drivaernet
from data.corpora.case_files import read_cases
from data.download.licences import accept_licences
from drivaer_app.cli.app import main
from gnn.checkpoints import read_model
from gnn.training.cars import PointCar
from gnn.training.corpora import licences_of_corpora
from gnn.training.fine_tune import FineTuning, FineTuningRecipe, fine_tune

DRIVAERNET = "CC BY-NC 4.0, not for training of commercial tools"
TINY = """
n_points = 64
pool = 256
epochs = 1
batch = 4
draws = 1
[architecture]
k = 4
conv_channels = [8, 8]
emb_dims = 16
mlp = [8]
"""


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Where the program keeps its own files."""
    for name in ("drivaer_app.lab.training.cache", "drivaer_app.lab.learning.cache"):
        monkeypatch.setattr(name, lambda: tmp_path / "cache")
    for name in ("drivaer_app.paths.own_models", "drivaer_app.models.own_models"):
        monkeypatch.setattr(name, lambda: tmp_path / "models")
    return tmp_path


def test_a_network_trained_on_drivaernet_carries_its_licence(places, capfd):
    corpus = places / "corpus"
    assert write_large_corpus(corpus, 14) == ids_of(14)
    (places / "tiny.toml").write_text(TINY)
    command = ["train", "--corpus", str(corpus), "--model", "drag", "--config", str(places / "tiny.toml")]
    assert main([*command, "--name", "bound"]) == 0
    folder = places / "models" / "bound"
    assert json.loads((folder / "config.json").read_text())["licences"] == [DRIVAERNET]
    capfd.readouterr()
    assert main(["models", "show", "bound"]) == 0
    assert DRIVAERNET in capfd.readouterr().out
    assert main(["models", "list"]) == 0
    printed = capfd.readouterr().out.splitlines()
    assert [DRIVAERNET in line for line in printed if line.split()[0] in ("bound", "drivaer")] == [False, True]


def test_a_taught_model_is_bound_by_what_it_was_taught_and_by_what_its_base_was(tiny_model, make_cases, tmp_path):
    (case,) = read_cases(make_cases(tmp_path / "one", 1))
    base = read_model(tiny_model)
    base = replace(base, config=replace(base.config, licences=("CC BY-SA 4.0",)))
    tuning = FineTuning(base, [PointCar(case)], [], FineTuningRecipe(drag_steps=1, field_steps=1), [DRIVAERNET])
    fine_tune(tuning, tmp_path / "taught")
    config = json.loads((tmp_path / "taught" / "config.json").read_text())
    assert config["licences"] == ["CC BY-SA 4.0", DRIVAERNET]
    card = (tmp_path / "taught" / "card.md").read_text()
    assert DRIVAERNET in card and "CC BY-SA 4.0" in card and "are Apache-2.0" not in card


def test_cars_of_ones_own_bind_nobody(make_cases, tmp_path):
    corpus = make_cases(tmp_path / "own", 2)
    assert licences_of_corpora([corpus], tmp_path / "catalogues") == ()
    scan(corpus)
    assert licences_of_corpora([corpus], tmp_path / "catalogues") == ()


def test_what_was_accepted_for_a_download_binds_cases_too(make_cases, tmp_path):
    corpus = make_cases(tmp_path / "own", 2)
    scan(corpus)
    with open_catalogue(corpus) as catalogue:
        accept_licences(catalogue, [("CC0 1.0", ""), (drivaernet.LICENCE_TEXT, drivaernet.LICENCE_URL)], "flag")
        assert licences_of(catalogue) == ("CC0 1.0", DRIVAERNET)
    assert licences_of_corpora([corpus], tmp_path / "catalogues") == ("CC0 1.0", DRIVAERNET)
