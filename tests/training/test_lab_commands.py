"""``train --corpus``, ``evaluate`` and ``models`` as a user types them."""

from __future__ import annotations

import json

import pytest

from data.errors import DrivAerError
from drivaer_app.cli.app import main
from drivaer_app.export import export_model

TINY = """
n_points = 128
pool = 1024
epochs = 2
batch = 4
draws = 2
[architecture]
k = 4
conv_channels = [8, 8]
emb_dims = 16
mlp = [8]
"""


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """Where the program keeps its own files, for this module's tests."""
    folder = tmp_path_factory.mktemp("places")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("drivaer_app.lab.training.cache", lambda: folder / "cache")
        patch.setattr("drivaer_app.paths.own_models", lambda: folder / "models")
        patch.setattr("drivaer_app.models.own_models", lambda: folder / "models")
        yield folder


@pytest.fixture(scope="module")
def corpus(make_cases, places):
    return make_cases(places / "corpus", 30)


@pytest.fixture(scope="module")
def trained(corpus, places):
    recipe = places / "tiny.toml"
    recipe.write_text(TINY)
    command = ["train", "--corpus", str(corpus), "--model", "drag", "--config", str(recipe), "--name", "tiny"]
    assert main([*command, "--learning-curve", "0.5"]) == 0
    return places / "models" / "tiny"


def test_a_trained_model_has_a_card_with_its_test_cars(trained):
    card = (trained / "card.md").read_text()
    assert "test cars" in card and "| all |" in card and "validation cars chose the epoch" in card


def test_predict_finds_it_by_its_name(trained, sample_file, capfd):
    assert main(["predict", str(sample_file), "--model", "tiny", "--json"]) == 0
    record = json.loads(capfd.readouterr().out)
    assert record["model"].startswith("tiny@") and record["cl"] is None


def test_the_learning_curve_is_kept_and_drawn(trained, corpus, places):
    curve = json.loads((trained / "learning_curve.json").read_text())
    assert [point["share"] for point in curve] == [0.5, 1.0] and curve[0]["cars"] < curve[1]["cars"]
    page = places / "page.html"
    assert main(["evaluate", "tiny", "--corpus", str(corpus), "--split", "all", "--html", str(page)]) == 0
    html = page.read_text()
    assert html.count("<svg") == 4 and "http" not in html


def test_evaluate_as_json_has_every_car(trained, corpus, capfd):
    assert main(["evaluate", "tiny", "--corpus", str(corpus), "--split", "test", "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert len(found["cars"]) == found["n"] > 0 and "mae" in found["cd"]["all"]


def test_without_a_corpus_it_is_judged_on_ours(trained, families, monkeypatch, capfd):
    from gnn.training.cars import FamilyCar, FamilyClouds

    cars = [FamilyCar(case, FamilyClouds(families[0][case.family], pool=1024)) for case in families[1][:2]]
    monkeypatch.setattr("drivaer_app.lab.learning.shipped_cars", lambda base: cars)
    assert main(["evaluate", "tiny", "--split", "train", "--json"]) == 0
    printed = capfd.readouterr()
    assert [car["name"] for car in json.loads(printed.out)["cars"]] == [car.name for car in cars]
    assert "template bent to each case" in printed.err


def test_models_are_compared_on_the_same_cars(trained, corpus, capfd):
    assert main(["models", "compare", "tiny", str(trained), "--corpus", str(corpus), "--split", "all"]) == 0
    assert "may be chance" in capfd.readouterr().out


def test_models_are_listed_with_whose_they_are(trained, capfd):
    assert main(["models", "list"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert any(line.startswith("drivaer ") and "bundled" in line for line in lines)
    assert any(line.startswith("tiny ") and "yours" in line for line in lines)


def test_a_wrong_name_names_the_nearest(trained, capfd):
    assert main(["models", "show", "tinny"]) == 1
    assert "did you mean tiny" in capfd.readouterr().err


def test_a_models_card_is_shown(trained, capfd):
    assert main(["models", "show", "tiny"]) == 0
    assert capfd.readouterr().out.startswith("# tiny")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--corpus", "x", "--name", "m"], "--model drag or --model field"),
        (["--name", "m"], "either which model"),
        (["--corpus", "x", "--from", "drivaer", "--model", "drag", "--name", "m"], "no meaning with --from"),
        (["--corpus", "x", "--add", "y", "--model", "drag", "--name", "m"], "no meaning"),
        (["--corpus", "x", "--model", "drag", "--name", "m", "--learning-curve", "2"], "between 0 and 1"),
        (["--corpus", "x", "--model", "drag", "--name", "new", "--resume"], "nothing lies unfinished"),
    ],
)
def test_options_that_do_not_go_together_are_one_line(places, arguments, message, capfd):
    assert main(["train", *arguments]) == 2
    error = capfd.readouterr().err
    assert message in error and error.count("\n") == 1


def test_torch_export_says_what_the_network_says(tiny_model, tmp_path):
    printed = export_model(str(tiny_model), tmp_path / "field.pt2", "pt2", "field")
    assert (tmp_path / "field.pt2").exists() and "normals (2, 256, 3)" in printed[0]


def test_onnxruntime_says_what_the_network_says(tiny_model, tmp_path):
    for name in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(name)
    export_model(str(tiny_model), tmp_path / "net.onnx", "onnx", "drag")
    assert (tmp_path / "net.onnx").exists()


def test_without_onnx_it_says_what_to_install(tiny_model, tmp_path, monkeypatch):
    monkeypatch.setattr("data.extras.find_spec", lambda name: None)
    with pytest.raises(DrivAerError, match=r"pip install 'drivaer\[onnx\]'"):
        export_model(str(tiny_model), tmp_path / "net.onnx", "onnx", "drag")
