"""The nearest face and the closest point of another surface."""

from __future__ import annotations

import numpy as np
import pytest

from data.nearest import NO_FACE, closest_points, nearest_faces

UP, DOWN = [0.0, 0.0, 1.0], [0.0, 0.0, -1.0]


def test_of_a_thin_panel_s_two_sides_the_one_that_faces_alike_is_taken():
    centres = np.array([[0.0, 0, 0.000], [0.0, 0, -0.002]])
    point = np.array([[0.0, 0, -0.001]])
    for side, face in ((UP, 0), (DOWN, 1)):
        assert nearest_faces(centres, np.array([UP, DOWN]), point, np.array([side])) == [face]


def test_what_is_too_far_or_turned_away_has_no_face():
    centres, up = np.zeros((1, 3)), np.array([UP])
    assert nearest_faces(centres, up, np.array([[0, 0, 0.05]]), up) == [NO_FACE]
    assert nearest_faces(centres, up, np.array([[0, 0, 0.05]]), up, max_distance=0.06) == [0]
    assert nearest_faces(centres, up, np.zeros((1, 3)), np.array([DOWN])) == [NO_FACE]


def test_the_other_half_takes_its_mirror_image_s_face():
    centres, left = np.array([[0, 0.5, 0]]), np.array([[0.0, 1, 0]])
    right = centres * [1, -1, 1], left * [1, -1, 1]
    assert nearest_faces(centres, left, *right) == [NO_FACE]
    assert nearest_faces(centres, left, *right, half=True) == [0]


def test_values_are_linear_within_a_triangle():
    vertices, faces = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]]), np.array([[0, 1, 2]])
    found = closest_points(vertices, faces, np.array([[0.25, 0.5, 0.1], [-1, -1, 0]]))
    assert found.interpolate(vertices, faces) == pytest.approx(found.points, abs=1e-6)
    assert found.interpolate(np.array([0.0, 1, 2]), faces) == pytest.approx([1.25, 0])
    assert found.distance == pytest.approx([0.1, np.sqrt(2)])
