"""The results store on its own: what it refuses, and what it keeps of names."""

from __future__ import annotations

import os
import sqlite3
import sys

import pytest

from data.errors import DrivAerError
from drivaer_app.batch.inputs import find_cars, parameters_of
from drivaer_app.batch.store import Store
from drivaer_app.batch.work import PICTURE, CarOutcome
from drivaer_app.conditions import Conditions
from drivaer_app.prediction_settings import ModelIdentity, PredictionSettings


@pytest.fixture
def settings() -> PredictionSettings:
    return PredictionSettings(None, ModelIdentity.of(None).digest)


def test_a_file_that_is_no_store_is_refused_and_left_alone(tmp_path):
    file = tmp_path / "results.sqlite"
    with sqlite3.connect(file) as other:
        other.execute("CREATE TABLE mine (a)")
    before = file.read_bytes()
    for way in (Store.create, Store.open):
        with pytest.raises(DrivAerError, match="no store"):
            way(tmp_path)
    file.write_text("not SQLite at all, but long enough to be looked at" * 20)
    with pytest.raises(DrivAerError, match="cannot be read"):
        Store.open(tmp_path)
    assert before.startswith(b"SQLite")


def test_settings_have_one_key_whatever_the_model_is_called(settings):
    same = PredictionSettings("a/copy/of/drivaer", settings.model_digest)
    other = PredictionSettings(None, settings.model_digest, Conditions(speed=40.0))
    assert same.key == settings.key != other.key


@pytest.mark.skipif(sys.platform != "linux", reason="only there can a name be no UTF-8")
def test_a_name_that_is_no_text_comes_back_as_it_was(tmp_path, settings):
    file = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.stl")
    with Store.create(tmp_path / "r") as store:
        store.begin(settings, ModelIdentity.of(None), None)
        store.put([CarOutcome(file, error=f"{file}: is empty")], settings, {})
        assert [str(car.file) for car in store.batch().cars] == [file]


@pytest.mark.parametrize(
    "name", ["../../evil.stl", "a" * 300 + ".stl", "=1+1.stl", "车 <b>.stl", ".stl", "con\nfig.stl"]
)
def test_what_is_kept_lies_below_the_store_whatever_the_mesh_is_called(tmp_path, settings, name):
    outcome = CarOutcome(f"/cars/{name}", "ab" * 32, {}, _result(), kept={PICTURE: b"png"})
    with Store.create(tmp_path / "r") as store:
        store.begin(settings, ModelIdentity.of(None), None)
        store.put([outcome], settings, {})
        (car,) = store.batch().cars
    kept = car.kept[PICTURE].resolve()
    assert kept.parent == (tmp_path / "r" / "pictures").resolve() and kept.read_bytes() == b"png"
    assert len(kept.name) < 100


def _result() -> dict:
    from dataclasses import fields

    from drivaer_app.results import Result

    return {f.name: None for f in fields(Result)} | {"warnings": []}


def test_a_folder_is_searched_below_but_not_in_the_store(tmp_path):
    for place in ("a.stl", "deep/b.stl", "r/fields/c.vtp", ".hidden.stl"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).touch()
    found = find_cars([tmp_path], tmp_path / "r")
    assert [file.name for file in found] == ["a.stl", "b.stl"]
    assert find_cars([str(tmp_path / "**" / "*.stl")], tmp_path / "r") == found


def test_a_name_with_the_signs_of_a_pattern_is_a_file_first(tmp_path):
    file = tmp_path / "car[1].stl"
    file.touch()
    assert find_cars([str(file)], tmp_path / "r") == [file]


def test_parameters_come_from_the_table_beside_the_meshes(tmp_path):
    files = [tmp_path / "a.stl", tmp_path / "b.stl.gz", tmp_path / "c.stl"]
    (tmp_path / "cars.csv").write_text("name,style,length\na,estate,4.7\nb,suv,nan\n", encoding="utf-8")
    (tmp_path / "points.csv").write_text("1,2,3\n4,5,6\n", encoding="utf-8")
    assert parameters_of(files) == {
        files[0]: {"style": "estate", "length": 4.7},
        files[1]: {"style": "suv", "length": "nan"},
    }
    with pytest.raises(DrivAerError, match="names none"):
        parameters_of(files[2:], tmp_path / "cars.csv")
