"""What corpora on disk become for a training: their cars, their coefficients, their side of the split."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from benchmarks.drivaernet_corpus import write_corpus
from data.errors import DrivAerError
from drivaer_app.lab import training as lab
from gnn.figures import calibration, pair_rank
from gnn.training.corpora import MeshCar, read_corpora
from gnn.training.point_store import stored
from tests.conftest import ROOT

IDS = ["F_D_WM_WW_0001", "F_D_WM_WW_0002", "F_D_WM_WW_0003", "E_S_WWC_WM_001"]


@pytest.fixture(scope="module")
def drivaernet(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drivaernet")
    write_corpus(folder, IDS, what=("mesh", "pressure"))
    return folder


@pytest.fixture(scope="module")
def cars(drivaernet, tmp_path_factory):
    return read_corpora([drivaernet], tmp_path_factory.mktemp("catalogues"))


def test_drivaernet_comes_with_its_own_split_and_labels(cars, drivaernet):
    lists = drivaernet / "train_val_test_splits"
    for split in ("train", "val", "test"):
        assert {car.name for car in cars.of(split)} == set((lists / f"{split}_design_ids.txt").read_text().split())
    assert all(isinstance(car, MeshCar) and 0.1 < car.coefficients["cd"] < 0.6 for car in cars.cars)


def test_its_pressure_becomes_cp_at_the_points(cars):
    sample, values = cars.cars[0].sample()
    ahead = sample.normals[:, 0] < -0.95
    assert values[ahead, 0].mean() > values[~ahead, 0].mean() and np.isnan(values[:, 1:]).all()


def test_a_store_is_filled_once_and_then_only_read(cars, tmp_path, monkeypatch):
    filled = stored(cars.cars, cars.splits, tmp_path, n_points=512)
    monkeypatch.setattr(MeshCar, "sample", lambda self: pytest.fail("was read again"))
    again = stored(cars.cars, cars.splits, tmp_path, n_points=512)
    assert [car.name for car in again] == [car.name for car in filled]
    np.testing.assert_array_equal(again[1].points, filled[1].points)


def test_cars_that_are_in_the_store_are_not_sampled_again_in_another_company(cars, tmp_path, monkeypatch):
    first = stored(cars.cars[:2], cars.splits[:2], tmp_path, n_points=512)
    sampled = []
    once = MeshCar.sample
    monkeypatch.setattr(MeshCar, "sample", lambda self: sampled.append(self.name) or once(self))
    reported = []
    again = stored(cars.cars[:3], cars.splits[:3], tmp_path, n_points=512, on_each=reported.append)
    assert sampled == [cars.cars[2].name] and reported == [3]
    np.testing.assert_array_equal(again[0].points, first[0].points)
    assert again[0].wetted_area == first[0].wetted_area


def test_a_case_solved_anew_is_not_the_one_in_the_store(make_cases, tmp_path):
    from dataclasses import replace

    from data.corpora.case_files import read_cases
    from gnn.training.cars import PointCar

    (case,) = read_cases(make_cases(tmp_path / "mine", 1))
    (old,) = stored([PointCar(case)], ["train"], tmp_path / "cache", n_points=512)
    (new,) = stored([PointCar(replace(case, face_cp=case.face_cp * 2))], ["train"], tmp_path / "cache", n_points=512)
    assert not np.array_equal(np.asarray(old.values), np.asarray(new.values), equal_nan=True)


def test_a_stored_car_goes_to_another_process_whole(cars, tmp_path):
    import pickle

    (car,) = stored(cars.cars[:1], ["train"], tmp_path, n_points=512)
    there = pickle.loads(pickle.dumps(car))
    np.testing.assert_array_equal(there.points, car.points)
    assert len(pickle.dumps(car)) < 5000


def test_vertices_are_the_meshes_own(cars, tmp_path):
    car = stored(cars.cars[:1], ["train"], tmp_path, n_points=256, vertices=True)[0]
    own = cars.cars[0]._car().vertices.astype(np.float32)
    assert {tuple(p) for p in np.asarray(car.points)} <= {tuple(v) for v in own}


def test_a_folder_of_meshes_with_a_table_is_a_corpus(tmp_path):
    samples = sorted((ROOT / "resources" / "samples").glob("*.stl"))[:2]
    for path in samples:
        shutil.copyfile(path, tmp_path / path.name)
    (tmp_path / "drag.csv").write_text("file,Cd\n" + "".join(f"{p.name},0.{25 + i}\n" for i, p in enumerate(samples)))
    found = read_corpora([tmp_path], tmp_path.parent / "catalogues")
    assert [car.coefficients["cd"] for car in found.cars] == [0.25, 0.26]
    assert not (tmp_path / "catalogue.sqlite").exists()


def test_cases_with_points_are_a_corpus(make_cases, tmp_path):
    found = read_corpora([make_cases(tmp_path / "mine", 6)], tmp_path)
    assert len(found.cars) == 6 and set(found.splits) <= {"train", "val", "test"}


def test_a_folder_without_drag_is_one_line(tmp_path):
    shutil.copyfile(ROOT / "resources" / "samples" / "fastback.stl", tmp_path / "car.stl")
    with pytest.raises(DrivAerError, match="no mesh with a known Cd"):
        read_corpora([tmp_path], tmp_path.parent / "catalogues")


def test_only_pairs_far_enough_apart_are_ranked():
    true = np.array([0.300, 0.301, 0.310])
    assert pair_rank(np.array([0.301, 0.300, 0.310]), true) == 1.0
    assert pair_rank(np.array([0.310, 0.300, 0.305]), true) == 0.0
    assert pair_rank(true, np.array([0.3, 0.301, 0.302])) is None


def test_intervals_of_other_cars_keep_about_what_they_promise(judged):
    for promised, kept in calibration(judged):
        assert kept == pytest.approx(promised, abs=0.12)


@pytest.fixture
def judged():
    from gnn.evaluation import CarEvaluation

    rng = np.random.default_rng(0)
    rows = [(0.3 + 0.02 * rng.normal(), 0.003 * rng.normal()) for _ in range(120)]
    unknown = (None,) * 6
    return [
        CarEvaluation(f"c{i}", "k", None, cd, None, cd + off, *unknown, None, False, 0.1)
        for i, (cd, off) in enumerate(rows)
    ]


def test_a_better_model_is_distinguished_from_chance(judged):
    from dataclasses import replace

    from gnn.figures import paired_bootstrap

    worse = [replace(j, cd_predicted=j.cd + 3 * j.error) for j in judged]
    assert "a is better than b" in (line := paired_bootstrap("a", judged, "b", worse)[0]) and "no chance" in line
    noise = np.random.default_rng(1).normal(size=len(judged)) * 1e-4
    alike = [replace(j, cd_predicted=j.cd_predicted + n) for j, n in zip(judged, noise, strict=True)]
    assert "may be chance" in paired_bootstrap("a", judged, "b", alike)[0]


def test_the_published_recipe_is_refused_for_cases_without_meshes(make_cases, tmp_path, monkeypatch):
    from gnn.training.recipe import recipe_of

    monkeypatch.setattr(lab, "cache", lambda: tmp_path / "cache")
    corpus = make_cases(tmp_path / "mine", 3)
    with pytest.raises(DrivAerError, match="vertices of meshes"):
        lab.train_on_corpora(recipe_of("drag", "drivaernet-paper"), [corpus], tmp_path / "out")
