import numpy as np
import pytest

from drivaer_app.fields import spread, vertex_normals


def plate(n: int, z: float) -> np.ndarray:
    x, y = np.meshgrid(np.linspace(0, 1, n), np.linspace(0, 1, n))
    return np.stack([x.ravel(), y.ravel(), np.full(n * n, z)], axis=1).astype(np.float32)


UP = np.array([0, 0, 1], np.float32)


@pytest.fixture(scope="module")
def thin_panel():
    """Sample points on both sides of a panel 1 mm thick: +1 above, -1 below."""
    above, below = plate(40, 0.001), plate(40, 0.0)
    points = np.concatenate([above, below])
    normals = np.concatenate([np.tile(UP, (1600, 1)), np.tile(-UP, (1600, 1))])
    values = np.repeat([[1.0], [-1.0]], 1600, axis=0)
    return points, normals, values


def test_the_two_sides_of_a_thin_panel_keep_their_own_values(thin_panel):
    vertices = np.concatenate([plate(23, 0.001), plate(23, 0.0)])
    sides = np.concatenate([np.tile(UP, (529, 1)), np.tile(-UP, (529, 1))])
    values, exposed = spread(*thin_panel, vertices, sides)
    np.testing.assert_allclose(values[:529], 1.0, atol=1e-6)
    np.testing.assert_allclose(values[529:], -1.0, atol=1e-6)
    assert exposed.all()


def test_a_surface_wound_inside_out_gets_the_same_values():
    points, normals = plate(40, 0.0), np.tile(UP, (1600, 1))
    values = points[:, :1] * 3
    vertices = plate(23, 0.0)
    right = spread(points, normals, values, vertices, np.tile(UP, (529, 1)))
    wrong = spread(points, normals, values, vertices, np.tile(-UP, (529, 1)))
    np.testing.assert_array_equal(right[0], wrong[0])
    assert wrong[1].all()


def test_what_the_samples_do_not_reach_is_not_exposed_but_has_a_finite_value():
    points, normals = plate(40, 0.0), np.tile(UP, (1600, 1))
    inside = plate(5, -0.5)
    values, exposed = spread(points, normals, points[:, :1], inside, np.tile(UP, (25, 1)))
    assert not exposed.any()
    assert np.isfinite(values).all()


def test_a_smooth_field_survives_the_way_to_the_vertices():
    points, normals = plate(60, 0.0), np.tile(UP, (3600, 1))
    vertices = plate(37, 0.0)
    values, _ = spread(points, normals, points[:, :2], vertices, np.tile(UP, (len(vertices), 1)))
    assert np.abs(values - vertices[:, :2]).max() < 1 / 60


def test_vertex_normals_of_a_box_corner_lean_to_all_three_sides():
    import trimesh

    box = trimesh.creation.box()
    normals = vertex_normals(box.vertices, box.faces)
    np.testing.assert_array_less(0.3, np.abs(normals))
    assert ((normals * box.vertices).sum(axis=1) > 0).all()
