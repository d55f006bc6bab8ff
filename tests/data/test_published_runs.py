"""Forces, parameters and splits of the corpora of runs, without their geometry."""

from __future__ import annotations

import math

import pytest

from data.corpora.published_runs import read_manifest, read_runs
from data.corpora.runs import AHMEDML, DRIVAERML, WINDSORML
from data.errors import DrivAerError

GEOMETRY = "run,body-length,body-height,body-width\n1,1044,288,389\n2,1000,250,400\n"


def test_forces_on_the_shared_area_are_brought_onto_each_bodys_own(tmp_path):
    (tmp_path / "geo_parameters_all.csv").write_text(GEOMETRY)
    (tmp_path / "force_mom_all.csv").write_text("run, cd, cl\n1,3.0e-01, -1.0e-01\n2,0.25,0.1\n")
    first, second = read_runs(tmp_path, AHMEDML).values()
    assert (first.cd_own, first.cl_own) == pytest.approx((0.3, -0.1))
    assert second.cd_own == pytest.approx(0.25 * 0.112032 / 0.1)
    assert second.parameters["body-length"] == 1000


def test_forces_on_each_bodys_own_area_are_brought_onto_the_shared_one(tmp_path):
    (tmp_path / "geo_parameters_all.csv").write_text(GEOMETRY)
    (tmp_path / "force_mom_varref_all.csv").write_text("run,cd,cl\n2,0.28,0.1\n")
    run = read_runs(tmp_path, AHMEDML)[2]
    assert (run.cd_own, run.cd) == pytest.approx((0.28, 0.28 * 0.1 / 0.112032))


def test_a_run_without_parameters_has_no_area_of_its_own(tmp_path):
    (tmp_path / "force_mom_all.csv").write_text("run,cd\n7,0.3\n")
    run = read_runs(tmp_path, AHMEDML)[7]
    assert run.parameters == {}
    assert run.area is None
    assert math.isnan(run.cl)
    with pytest.raises(ValueError, match="run 7"):
        _ = run.cd_own


def test_flaws_are_reported_of_the_runs_that_have_them(tmp_path):
    (tmp_path / "force_mom_all.csv").write_text("run,cd,cl\n104,0.3,0\n105,0.3,0\n")
    runs = read_runs(tmp_path, AHMEDML)
    assert (runs[104].flaw, runs[105].flaw) == ("", "forces")


def test_a_folder_without_forces_is_refused(tmp_path):
    (tmp_path / "geo_parameters_all.csv").write_text(GEOMETRY)
    with pytest.raises(DrivAerError, match="no forces of AhmedML"):
        read_runs(tmp_path, AHMEDML)


def test_a_manifest_gives_each_splits_parts(tmp_path):
    (tmp_path / "manifest.json").write_text('{"low_drag_train": ["run_2"], "low_drag_test": ["run_1", "run_30"]}')
    assert read_manifest(tmp_path) == {"low_drag": {"train": (2,), "test": (1, 30)}}


@pytest.mark.parametrize("text", ["[]", "{", '{"full_test": ["car"]}', '{"full_test": 3}'])
def test_what_is_no_manifest_is_refused(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(DrivAerError, match="manifest.json"):
        read_manifest(tmp_path)


def test_the_published_tables_are_read_whole(shared):
    ahmed = read_runs(shared / "outside" / "ahmedml", AHMEDML)
    windsor = read_runs(shared / "outside" / "windsorml", WINDSORML)
    drivaer = read_runs(shared / "reference" / "drivaerml", DRIVAERML)
    assert [len(runs) for runs in (ahmed, windsor, drivaer)] == [500, 355, 484]
    assert [number for number, run in ahmed.items() if not run.parameters] == [500]
    assert all(len(run.parameters) == 16 for run in drivaer.values())
    assert all(run.area for run in windsor.values())


def test_no_official_split_tests_what_it_trains_on(shared):
    for corpus in ("ahmedml", "windsorml"):
        for parts in read_manifest(shared / "outside" / corpus).values():
            assert not set(parts["train"]) & (set(parts["test"]) | set(parts["val"]))
