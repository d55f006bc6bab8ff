"""Taking the air along: a volume mesh's points when the car in it moves."""

from __future__ import annotations

import numpy as np
import pytest

from drivaer_app.corpus.bending import REACH, MeshMotion


@pytest.fixture(scope="module")
def air() -> MeshMotion:
    """Half a ball over the ground, in a grid of points."""
    rng = np.random.default_rng(1)
    ball = rng.normal(size=(1500, 3))
    ball = np.abs(ball / np.linalg.norm(ball, axis=1, keepdims=True)) * [1, 0.7, 0.5] + [0, 0, 0.1]
    grid = np.stack(np.meshgrid(*(np.linspace(0, n, 2 * n + 1) for n in (6, 5, 5)), indexing="ij"), -1).reshape(-1, 3)
    points = np.concatenate([ball, grid])
    outside = np.flatnonzero((points[:, 0] == 6) | (points[:, 1] == 5) | (points[:, 2] == 5))
    on = [np.flatnonzero(points[:, axis] == 0.0) for axis in (2, 1)]
    return MeshMotion(points, np.arange(1500), on[0], on[1], outside)


@pytest.fixture(scope="module")
def moves(air) -> np.ndarray:
    """(3, C): the ball is stretched along each axis, bent as it goes."""
    x, y, z = air.points[air.car].T
    return np.array([0.1 * x + 0.02 * np.sin(3 * z), 0.15 * y, 0.1 * z * x])


@pytest.fixture(scope="module")
def bent(air, moves) -> np.ndarray:
    return air.bent(moves, np.array([0, 1, 2]))


def test_the_cars_surface_moves_exactly(air, moves, bent):
    np.testing.assert_array_equal(bent[:, air.car], moves)


def test_the_ground_stays_flat(air, bent):
    assert not bent[2, air.ground].any()


def test_the_ground_slides_along(air, bent):
    beside = air.ground[(np.abs(air.points[air.ground] - [1.0, 0.5, 0.0]) < 0.3).all(axis=1)]
    assert len(beside) and (bent[0, beside] > 0.01).all()


def test_the_symmetry_plane_stays_a_plane(air, bent):
    assert not bent[1, air.symmetry].any()


def test_the_far_field_stays(air, bent):
    far = np.linalg.norm(air.points, axis=1) > REACH + 1.2
    assert far.any() and not bent[:, far].any() and not bent[:, air.outside].any()


def test_what_is_beside_the_surface_goes_with_it(air):
    """A point a hair's breadth off the surface moves as the surface does, also between the exact points."""
    close = np.array([0.0, 0.0, 1e-3]) + air.points[air.car[700:720]]
    more = MeshMotion(np.concatenate([air.points, close]), air.car, air.ground, air.symmetry, air.outside)
    x = more.points[more.car][:, 0]
    wave = 0.02 * np.sin(20 * x)
    bent = more.bent(wave[None], np.array([0]))
    np.testing.assert_allclose(bent[0, -20:], wave[700:720], atol=2e-3)
