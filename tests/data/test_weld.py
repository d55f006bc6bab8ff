"""Equal points become one, different ones stay apart."""

import numpy as np
import pytest
import trimesh

from data.weld import weld


def soup(mesh: trimesh.Trimesh) -> tuple[np.ndarray, np.ndarray]:
    """Every triangle with its own three points, as an STL has them."""
    return np.asarray(mesh.vertices)[mesh.faces].reshape(-1, 3), np.arange(3 * len(mesh.faces)).reshape(-1, 3)


@pytest.fixture(scope="module")
def ball() -> trimesh.Trimesh:
    return trimesh.creation.icosphere(subdivisions=4, radius=2.0)


def test_a_triangle_soup_becomes_the_mesh_it_came_from(ball):
    vertices, faces = soup(ball)
    welded, welded_faces, index = weld(vertices, faces)
    assert len(welded) == len(ball.vertices)
    np.testing.assert_array_equal(welded[welded_faces], vertices[faces])
    np.testing.assert_array_equal(welded[index], vertices)


def test_points_that_differ_by_float32_rounding_become_one(ball):
    vertices, faces = soup(ball)
    jitter = np.random.default_rng(0).uniform(-1, 1, vertices.shape) * 2e-7
    assert len(weld(vertices + jitter, faces)[0]) == pytest.approx(len(ball.vertices), rel=2e-3)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1000.0])
def test_what_counts_as_equal_goes_with_the_size(ball, scale):
    vertices, faces = soup(ball)
    assert len(weld(vertices * scale + scale, faces)[0]) == len(ball.vertices)


def test_points_a_millimetre_apart_on_a_car_stay_apart():
    vertices = np.array([[0.0, 0, 0], [0.001, 0, 0], [0, 0.001, 0], [4.6, 1.8, 1.4]])
    assert len(weld(vertices, np.array([[0, 1, 3], [0, 2, 3]]))[0]) == 4


def test_points_all_in_one_place_become_one():
    welded, faces, index = weld(np.ones((6, 3)), np.arange(6).reshape(2, 3))
    assert welded.tolist() == [[1, 1, 1]]
    assert not faces.any() and not index.any()


def test_nothing_stays_nothing():
    welded, faces, index = weld(np.empty((0, 3)), np.empty((0, 3), np.int32))
    assert welded.shape == (0, 3) and faces.shape == (0, 3) and index.shape == (0,)
