"""One car against another, and the curves: on real cars of different meshes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from drivaer_app.compare import Difference, pressure_difference
from drivaer_app.drag_along import drag_along
from drivaer_app.drawn_car import drawn_car
from drivaer_app.predict import Predictor
from drivaer_app.section import section_at
from gnn.difference import DifferenceLaw


@pytest.fixture(scope="module")
def prediction(sample_file):
    return Predictor(device="cpu").predict(sample_file)


@pytest.fixture(scope="module")
def drawn(prediction):
    return drawn_car(prediction)


@pytest.fixture(scope="module")
def coarse(drawn):
    """The same car on another mesh, of a quarter of the faces; Cp follows a formula on both."""
    import fast_simplification

    points, faces = fast_simplification.simplify(drawn.points, drawn.faces, 0.75)
    normals = np.zeros((len(points), 3), np.float32)
    corners = points[faces]
    for k in range(3):
        np.add.at(normals, faces[:, k], np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]))
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    blank = np.zeros(len(points), np.float32)
    points, faces = points.astype(np.float32), faces.astype(np.int32)
    exposed = np.ones(len(points), bool)
    return replace(drawn, points=points, faces=faces, normals=normals, cp=blank, exposed=exposed)


def pressure_like(points: np.ndarray) -> np.ndarray:
    return (0.4 * np.sin(points[:, 0]) + 0.2 * points[:, 2]).astype(np.float32)


def test_a_car_does_not_differ_from_itself(drawn):
    found = pressure_difference(drawn, drawn)
    same_place = found.counterpart[drawn.exposed].mean()
    assert same_place > 0.95
    assert np.abs(found.delta[found.counterpart]).mean() < 0.01


def test_meshes_that_share_no_vertex_compare_at_the_nearest_surface(drawn, coarse):
    a = replace(drawn, cp=pressure_like(drawn.points) + np.float32(0.25), exposed=np.ones(len(drawn.points), bool))
    found = pressure_difference(a, replace(coarse, cp=pressure_like(coarse.points)))
    assert found.counterpart.mean() > 0.9
    assert np.median(found.delta[found.counterpart]) == pytest.approx(0.25, abs=0.01)


def test_where_the_other_car_has_no_surface_there_is_no_counterpart(drawn, coarse):
    kept = coarse.points[coarse.faces].max(axis=1)[:, 0] < 2.2
    found = pressure_difference(drawn, replace(coarse, faces=coarse.faces[kept]))
    assert not found.counterpart[drawn.points[:, 0] > 2.3].any()
    assert not found.delta[~found.counterpart].any()


def test_drag_along_the_car_ends_at_the_integrals(prediction):
    along = drag_along(prediction)
    assert along.pressure[-1] == pytest.approx(prediction.cd_pressure, abs=1e-5)
    assert along.friction[-1] == pytest.approx(prediction.cd_friction, abs=1e-5)
    assert (np.diff(along.x) > 0).all()
    assert along.pressure[len(along.x) // 20] > 0.02  # the nose pushes back


def test_a_section_lies_in_its_plane_and_has_the_pressure_of_the_surface(drawn):
    y = 0.1
    flat = replace(drawn, cp=drawn.points[:, 0].copy(), exposed=np.ones(len(drawn.points), bool))
    section = section_at(flat, y)
    assert len(section.x) > 100
    np.testing.assert_allclose(section.cp, section.x, atol=1e-4)
    assert section.z.max() == pytest.approx(drawn.points[:, 2].max(), abs=0.03)


def test_a_plane_beside_the_car_meets_nothing(drawn):
    assert len(section_at(drawn, 5.0).x) == 0


def test_what_is_drawn_is_the_car(prediction, drawn):
    low, high = drawn.box
    np.testing.assert_allclose(low, prediction.car.vertices.min(axis=0), atol=1e-4)
    assert len(drawn.faces) == pytest.approx(len(prediction.car.faces), rel=0.01)
    assert len(drawn.open_edges) == 0 and len(drawn.creases) > 100
    of_length_one = np.abs(np.linalg.norm(drawn.normals, axis=1) - 1) < 1e-3
    assert of_length_one.mean() > 0.999  # but for corners of faces without area


def test_a_wheel_rim_is_rounder_than_the_door(drawn):
    side = np.abs(drawn.points[:, 1]) > 0.7
    door = side & (np.abs(drawn.points[:, 0] - 1.2) < 0.4) & (np.abs(drawn.points[:, 2] - 0.6) < 0.1)
    wheel = (np.linalg.norm(drawn.points[:, [0, 2]] - [0.0, 0.3], axis=1) > 0.28) & (drawn.points[:, 2] < 0.1)
    assert np.abs(drawn.curvature[wheel]).mean() > 2 * np.abs(drawn.curvature[door]).mean()


def test_two_predictions_of_a_script_differ_by_their_drag_with_the_models_own_uncertainty(prediction):
    one = replace(prediction, in_distribution=True, difference_law=DifferenceLaw(0.9, 0.004, 0.1))
    difference = Difference.of(replace(one, cd=one.cd + 0.01), one)
    assert difference.counts == pytest.approx(10.0) and difference.half_width == pytest.approx(5.0)
    assert difference.is_certain
