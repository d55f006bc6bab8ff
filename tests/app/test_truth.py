"""A design's CFD beside its prediction: on the same points, in the same words for a script and a window."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.drivaernet_corpus import SyntheticDesign, pressure, write_corpus
from data.catalogue import open_catalogue
from data.catalogue.opening import open_design, reference_area
from data.catalogue.records import Design
from data.catalogue.scan import scan
from data.corpora.drivaernet import CP_PER_P
from data.errors import DrivAerError
from drivaer_app.cli.app import main
from drivaer_app.desk.dataset_jobs import designs_of
from drivaer_app.desk.jobs import Jobs
from drivaer_app.desk.study import Study
from drivaer_app.desk.study_file import SavedStudy, read_study, write_study
from drivaer_app.fields import vertex_normals
from drivaer_app.origin import CfdCoefficients, Origin
from drivaer_app.predict import Predictor, Reading
from drivaer_app.truth import beside_its_cfd, error_of, published_truth, truth_on

DESIGN, BARE = "F_D_WM_WW_0001", "E_S_WWC_WM_005"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """A design with pressure on points of its own, and one without."""
    folder = tmp_path_factory.mktemp("corpus")
    write_corpus(folder, [DESIGN], what=("pressure",), tables=False, splits=False)
    write_corpus(folder, [DESIGN, BARE], what=("mesh",))
    scan(folder)
    return folder


@pytest.fixture(scope="module")
def beside(corpus):
    with open_catalogue(corpus, read_only=True) as catalogue:
        return beside_its_cfd(catalogue, DESIGN, Predictor())


@pytest.fixture(scope="module")
def opened(corpus):
    with open_catalogue(corpus, read_only=True) as catalogue:
        return open_design(catalogue, DESIGN)


def test_the_cfds_pressure_lies_on_the_cars_own_points(beside):
    drawn, truth = beside.drawn, beside.truth
    there = np.isfinite(truth.cp)
    assert there[drawn.exposed].mean() > 0.97 and not there[~drawn.exposed].any()
    analytic = pressure(drawn.normals) * CP_PER_P
    assert np.median(np.abs(truth.cp - analytic)[there]) < 0.02
    assert f"{DESIGN}.vtk, array p, Cp = p / 450" in truth.source


def test_a_surface_that_looks_into_the_car_says_the_same(beside, opened):
    turned = replace(opened.pressure, faces=opened.pressure.faces[:, ::-1])
    cp = truth_on(beside.drawn, turned).cp
    same = np.isclose(cp, beside.truth.cp, atol=1e-4, equal_nan=True)
    assert same.mean() > 0.999  # at an edge either face may be the nearest


def test_points_with_normals_and_no_faces_say_nearly_the_same(beside, opened):
    p = opened.pressure
    points = replace(p, faces=p.faces[:0], normals=vertex_normals(p.points, p.faces))
    cp = truth_on(beside.drawn, points).cp
    both = np.isfinite(cp) & np.isfinite(beside.truth.cp)
    assert both.mean() > 0.8 and np.median(np.abs(cp - beside.truth.cp)[both]) < 0.01


def test_of_a_point_cloud_the_clouds_own_points_are_compared(beside, opened):
    drawn, p = beside.drawn, opened.pressure
    normals = vertex_normals(p.points, p.faces)
    along = replace(p, faces=p.faces[:0], normals=normals, cp=p.points[:, 0].copy())
    middles = drawn.points + np.float32([0.04, 0.0, 0.0])
    moved = truth_on(replace(drawn, plate_middles=middles), along).cp - truth_on(drawn, along).cp
    sides = np.abs(drawn.normals[:, 1]) > 0.9
    assert np.nanmedian(moved[sides]) == pytest.approx(0.04, abs=0.01)


def test_what_the_cfd_has_no_place_for_is_left_out_of_the_error(beside, opened):
    p = opened.pressure
    front = replace(p, faces=p.faces[p.points[p.faces].mean(axis=1)[:, 0] < 1.0])
    truth = truth_on(beside.drawn, front)
    assert not np.isfinite(truth.cp[beside.drawn.points[:, 0] > 1.2]).any()
    assert 0.2 < truth.error.share < 0.7
    away = replace(p, points=p.points + 10.0)
    assert truth_on(beside.drawn, away).error is None


def test_the_error_is_weighted_by_area(beside):
    drawn = beside.drawn
    known = np.where(drawn.exposed, drawn.cp, np.nan)
    assert error_of(drawn, known).mae == 0.0
    off = error_of(drawn, known + 0.1)
    assert off.mae == pytest.approx(0.1, abs=1e-6) and off.share == pytest.approx(1.0)
    doubled = error_of(drawn, 2 * known)
    assert doubled.relative_l2 == pytest.approx(0.5, abs=1e-6)


def test_coefficients_on_one_area_for_all_cars_are_brought_to_the_cars_own(beside):
    first = CfdCoefficients(0.30, 0.01, -0.1, None, 0.05, 2.154, "published, first")
    own = replace(beside, published=first).on_same_area
    area = beside.prediction.frontal_area
    assert own.cd == pytest.approx(0.30 * 2.154 / area) and own.clf is None
    assert reference_area(Design("F_D_WM_WW_0001", "drivaernet", label_version="first")) == 2.154
    assert reference_area(Design("F_D_WM_WW_0001", "drivaernet", label_version="updated")) is None


def test_drag_differs_by_so_many_counts(beside):
    assert beside.counts == pytest.approx(1000 * (beside.prediction.cd - SyntheticDesign(DESIGN).cd))
    assert any("frontal area" in warning for warning in beside.warnings)  # the synthetic table's areas are invented


def test_a_variant_read_in_another_way_has_its_cfd_in_the_same_place(beside, corpus):
    job = Jobs().submit("opening", lambda job: designs_of(corpus / "catalogue.sqlite", [DESIGN], job))
    assert job.wait(60.0) and job.result.with_pressure
    (found,) = job.result.designs
    truth = published_truth(found.origin, found.file, found.reading, beside.drawn)
    assert np.allclose(truth.cp, beside.truth.cp, atol=1e-6, equal_nan=True)


def test_a_design_without_pressure_says_what_to_fetch(corpus, beside):
    origin = Origin(corpus / "catalogue.sqlite", BARE, beside.published)
    file = corpus / "3DMeshesSTL" / f"{BARE}.stl"
    with pytest.raises(DrivAerError, match=f"no CFD pressure of {BARE} is on disk.*--what pressure"):
        published_truth(origin, file, Reading(), beside.drawn)


def test_a_study_keeps_where_its_designs_come_from(corpus, tmp_path):
    job = Jobs().submit("opening", lambda job: designs_of(corpus / "catalogue.sqlite", [DESIGN, BARE], job))
    assert job.wait(60.0)
    study = Study()
    study.add_designs(job.result.designs)
    write_study(tmp_path / "s.drivaer", SavedStudy(study.state))
    assert read_study(tmp_path / "s.drivaer").state.variants == study.state.variants
    assert [v.origin.design for v in study.state.variants] == [DESIGN, BARE]


def test_info_predicts_and_tells_the_error_as_json(corpus, tmp_path, capfd):
    picture = tmp_path / "sides.png"
    assert main(["data", "info", DESIGN, str(corpus), "--picture", str(picture), "--json"]) == 0
    record = json.loads(capfd.readouterr().out)
    error = record["error"]
    assert error["cd_counts"] == pytest.approx(1000 * (record["prediction"]["cd"] - record["cd"]), abs=0.02)
    assert error["cp_relative_l2"] > 0 and error["cp_mae"] > 0 and error["cp_share_compared"] > 0.9
    assert "p / 450" in error["cfd_cp"]
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_info_of_a_design_without_pressure_still_compares_drag(corpus, tmp_path, capfd):
    assert main(["data", "info", BARE, str(corpus), "--picture", str(tmp_path / "x.png")]) == 0
    out, err = capfd.readouterr()
    assert "Cd is off by" in out and "Cp is off" not in out
    assert "no CFD pressure of" in err and "is not drawn" in err and not (tmp_path / "x.png").exists()
