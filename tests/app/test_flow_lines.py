"""The flow's lines: on the surface, along the friction, apart from each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from drivaer_app.drawn_car import DrawnCar, drawn_car
from drivaer_app.flow_lines import STEP, flow_lines
from drivaer_app.predict import Predictor


@pytest.fixture(scope="module")
def drawn(sample_file):
    return drawn_car(Predictor(device="cpu").predict(sample_file))


def test_they_lie_on_the_car_and_run_along_the_friction(drawn):
    import open3d as o3d
    from scipy.spatial import cKDTree

    lines = flow_lines(drawn)
    assert len(lines) > 2000
    along = lines[:, 1] - lines[:, 0]
    length = np.linalg.norm(along, axis=1)
    assert np.median(length) == pytest.approx(STEP, rel=0.05)
    scene = o3d.t.geometry.RaycastingScene()
    scene.add_triangles(o3d.core.Tensor(drawn.points), o3d.core.Tensor(drawn.faces.astype(np.uint32)))
    assert scene.compute_distance(o3d.core.Tensor(np.ascontiguousarray(lines[:, 1]))).numpy().max() < 1e-4
    shear = drawn.cf[cKDTree(drawn.points).query(lines.mean(axis=1))[1]]
    cosine = np.einsum("nd,nd->n", shear, along) / (np.linalg.norm(shear, axis=1) * length + 1e-12)
    assert np.median(cosine) > 0.97


def test_on_a_plate_they_are_straight_keep_apart_and_end_where_the_flow_is_not_known():
    x, y = (v.ravel().astype(np.float32) for v in np.meshgrid(np.linspace(0, 2, 41), np.linspace(0, 1, 21)))
    corner = (np.arange(20)[:, None] * 41 + np.arange(40)).ravel()
    one, other = np.stack([corner, corner + 1, corner + 42], 1), np.stack([corner, corner + 42, corner + 41], 1)
    faces = np.concatenate([one, other]).astype(np.int32)
    points = np.stack([x, y, 0 * x], axis=1)
    up = np.tile(np.float32([0, 0, 1]), (len(x), 1))
    blank, none = np.zeros(len(x), np.float32), np.empty((0, 2, 3), np.float32)
    shear = np.tile(np.float32([0.004, 0, 0]), (len(x), 1))
    plate = DrawnCar(points, up, faces, blank, shear, x < 1.5, blank, none, none)
    lines = flow_lines(plate)
    assert np.abs(lines[:, 1, 1:] - lines[:, 0, 1:]).max() < 1e-5
    assert lines[..., 0].max() < 1.5 + STEP
    rows = np.unique(np.round(lines[:, 0, 1], 3))
    assert len(rows) <= 1 / 0.03 + 2
    still = replace(plate, cf=0 * shear)
    assert flow_lines(still).shape == (0, 2, 3)
