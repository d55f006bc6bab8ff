"""The sample is even over what the flow sees, faces the flow, and hardly knows how the surface is triangulated."""

from pathlib import Path

import numpy as np
import pytest
import trimesh
from scipy.spatial import cKDTree

from data.cloud import sample_cloud
from data.errors import MeshError
from data.mesh import SurfaceSample
from data.sampling import sample_surface
from data.thinning import even_order
from data.visibility import RayScene

SHARED = Path(__file__).resolve().parents[3] / "shared"
N = 4096


def sample(mesh: trimesh.Trimesh, n: int = N, **options) -> SurfaceSample:
    return sample_surface(np.asarray(mesh.vertices), np.asarray(mesh.faces), n, **options)


def joined(*meshes: trimesh.Trimesh) -> trimesh.Trimesh:
    return trimesh.util.concatenate(list(meshes))


def raw(vertices, faces) -> trimesh.Trimesh:
    return trimesh.Trimesh(vertices, faces, process=False)


def shared_points(a: SurfaceSample, b: SurfaceSample, within: float) -> float:
    """Share of a's points that b has too, within a distance in metres."""
    return float((cKDTree(b.points).query(a.points)[0] <= within).mean())


@pytest.fixture(scope="module")
def ball() -> trimesh.Trimesh:
    return trimesh.creation.icosphere(subdivisions=5)


@pytest.fixture(scope="module")
def body() -> trimesh.Trimesh:
    """A body with wheels that reach into it, as long, wide and high as a car."""
    shell = trimesh.creation.icosphere(subdivisions=5)
    shell.apply_transform(np.diag([2.3, 0.9, 0.6, 1.0]))
    shell.apply_translation([1.5, 0, 0.8])
    wheels = []
    for x in (0.1, 2.9):
        for y in (-0.65, 0.65):
            wheel = trimesh.creation.cylinder(radius=0.32, height=0.2, sections=64)
            wheel.apply_transform(trimesh.transformations.rotation_matrix(np.pi / 2, [1, 0, 0]))
            wheel.apply_translation([x, y, 0.32])
            wheels.append(wheel)
    return joined(shell, *wheels)


def test_has_as_many_points_as_asked_for_in_the_agreed_types(ball):
    result = sample(ball, 1000)
    assert len(result) == 1000
    assert {a.dtype for a in (result.points, result.normals, result.areas)} == {np.dtype(np.float32)}
    np.testing.assert_allclose(np.linalg.norm(result.normals, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("draw", [0, 1, 2])
def test_areas_sum_to_the_wetted_area_and_the_surface_closes(body, draw):
    solid = joined(*trimesh.boolean.union(body.split(), engine="manifold").split())
    result = sample(body, draw=draw)
    assert result.areas.sum() == pytest.approx(solid.area, rel=0.005)
    frontal = 0.5 * np.abs(solid.face_normals[:, 0] * solid.area_faces).sum()
    closure = (result.areas[:, None] * result.normals).sum(axis=0)
    assert np.abs(closure).max() < 0.003 * frontal


def test_integrals_over_the_sample_are_those_over_the_surface(body):
    solid = trimesh.boolean.union(body.split(), engine="manifold")
    result = sample(body, 16384)
    volume = (result.areas * np.einsum("ij,ij->i", result.points, result.normals)).sum() / 3
    assert volume == pytest.approx(solid.volume, rel=0.01)
    exact = (solid.face_normals**2 * solid.area_faces[:, None]).sum(axis=0)
    np.testing.assert_allclose((result.normals.astype(float) ** 2).T @ result.areas, exact, rtol=0.02)


@pytest.mark.parametrize("n", [256, 1024, N])
def test_every_prefix_is_spread_more_evenly_than_points_at_random(ball, n):
    scene = RayScene(ball.vertices, ball.faces)
    scatter = []
    for draw in range(4):
        corner = (sample(ball, n, draw=draw, scene=scene).points > 0) @ [1, 2, 4]
        scatter.append(((np.bincount(corner, minlength=8) - n / 8) ** 2).sum() / n)
    assert np.mean(scatter) < 0.6  # for points at random, 7/8


def test_a_shorter_sample_is_the_beginning_of_a_longer_one(body):
    short, long = sample(body, 500), sample(body)
    np.testing.assert_array_equal(short.points, long.points[:500])


def test_the_same_mesh_gives_the_same_bits(body):
    first, second = sample(body), sample(body)
    for name in ("points", "normals", "areas"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))


def test_draws_are_different_samples(body):
    assert shared_points(sample(body, draw=1), sample(body, draw=2), 1e-5) < 0.01


def test_the_order_of_triangles_and_vertices_does_not_matter(body):
    random = np.random.default_rng(0)
    order, place = random.permutation(len(body.faces)), random.permutation(len(body.vertices))
    vertices = np.empty_like(body.vertices)
    vertices[place] = body.vertices
    shuffled = raw(vertices, np.roll(place[body.faces[order]], 1, axis=1))
    np.testing.assert_allclose(sample(shuffled).points, sample(body).points, atol=1e-5)


def test_finer_triangles_give_the_same_points(body):
    assert shared_points(sample(body), sample(body.subdivide()), 1e-4) > 0.99


def test_coarser_triangles_give_nearly_the_same_points(body):
    coarse = trimesh.creation.icosphere(subdivisions=5).simplify_quadric_decimation(face_count=10240)
    fine = trimesh.creation.icosphere(subdivisions=5)
    assert len(coarse.faces) == len(fine.faces) // 2
    assert shared_points(sample(fine), sample(coarse), 0.01) > 0.9


def test_noise_of_a_micrometre_moves_points_by_hardly_more(body):
    noise = np.random.default_rng(0).normal(size=body.vertices.shape) * 1e-6
    assert shared_points(sample(body), sample(raw(body.vertices + noise, body.faces)), 1e-4) > 0.99


def test_another_unit_and_place_give_the_same_points(body):
    there = sample(raw(body.vertices * 1000 + [500, -200, 80], body.faces))
    here = sample(body)
    back = SurfaceSample((there.points - [500, -200, 80]) / 1000, there.normals, there.areas)
    assert shared_points(here, back, 1e-4) > 0.99
    assert there.areas.sum() == pytest.approx(1e6 * here.areas.sum(), rel=1e-3)


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_normals_face_the_flow_however_the_faces_are_wound(ball, share):
    flipped = np.random.default_rng(0).random(len(ball.faces)) < share
    faces = np.where(flipped[:, None], ball.faces[:, ::-1], ball.faces)
    result = sample(raw(ball.vertices, faces))
    assert np.einsum("ij,ij->i", result.points, result.normals).min() > 0.99
    np.testing.assert_allclose(result.points, sample(ball).points, atol=1e-5)


def test_what_lies_inside_is_not_sampled(ball):
    inner = ball.copy()
    inner.apply_scale(0.6)
    result = sample(joined(ball, inner))
    assert np.linalg.norm(result.points, axis=1).min() > 0.99
    assert result.areas.sum() == pytest.approx(ball.area, rel=0.01)


def test_a_surface_given_twice_counts_once(ball):
    double = raw(ball.vertices, np.concatenate([ball.faces, ball.faces[:, ::-1]]))
    result = sample(double)
    assert result.areas.sum() == pytest.approx(ball.area, rel=5e-3)
    assert shared_points(result, sample(ball), 1e-5) > 0.99


def test_a_deep_open_pocket_is_sampled_to_its_bottom():
    """As a wheelhouse: deeper than wide, but the flow gets in."""
    block = trimesh.creation.box(bounds=[(0, 0, 0), (2, 2, 1)])
    hole = trimesh.creation.box(bounds=[(0.7, 0.7, -1), (1.3, 1.3, 0.8)])
    pocket = trimesh.boolean.difference([block, hole], engine="manifold")
    result = sample(pocket, 8192)
    bottom = (np.abs(result.points[:, 2] - 0.8) < 1e-4) & (np.abs(result.points[:, :2] - 1).max(axis=1) < 0.3)
    assert result.areas[bottom].sum() == pytest.approx(0.36, rel=0.05)
    assert (result.normals[bottom, 2] < -0.99).all()


def test_an_open_shell_is_sampled_on_both_sides_with_opposite_normals():
    shell = trimesh.creation.icosphere(subdivisions=4)
    half = raw(shell.vertices, shell.faces[shell.triangles_center[:, 2] > 0])
    result = sample(half)
    radial = np.einsum("ij,ij->i", result.points, result.normals)
    assert (np.abs(radial) > 0.98).all()
    assert (radial < 0).mean() == pytest.approx(0.5, abs=0.02)
    assert result.areas.sum() == pytest.approx(2 * half.area, rel=0.01)


def test_a_surface_without_area_is_refused():
    line = np.array([[0.0, 0, 0], [1, 1, 1], [2, 2, 2]])
    with pytest.raises(MeshError, match="next to no area"):
        sample_surface(line, np.array([[0, 1, 2]]), 100)


def test_a_scene_that_is_kept_gives_the_same_sample(body):
    scene = RayScene(body.vertices, body.faces)
    sample(body, 100, draw=3, scene=scene)
    np.testing.assert_array_equal(sample(body, 700, scene=scene).areas, sample(body, 700).areas)


@pytest.mark.skipif(not (SHARED / "geometry").is_dir(), reason="needs ../shared/geometry")
def test_the_drivaer_closes_and_is_seen_nearly_whole():
    from factory.morph_generator import MorphGenerator

    generator = MorphGenerator(SHARED / "corpus", SHARED / "geometry/drivaer_fastback")
    vertices, faces, _ = generator.surface("detailed")
    scene = RayScene(vertices, faces)
    result = sample_surface(vertices, faces, scene=scene)
    assert result.areas.sum() == pytest.approx(scene.area, rel=0.01)  # nothing of it lies inside
    volumes = (result.points * result.normals).T @ result.areas
    assert volumes == pytest.approx(np.full(3, volumes.mean()), rel=0.03)


def test_a_cloud_of_uneven_density_gives_an_even_sample(ball):
    points, _ = trimesh.sample.sample_surface(ball, 40_000, seed=1)
    points = np.asarray(points)
    points = points[(points[:, 2] > 0) | (np.arange(len(points)) % 4 == 0)]  # a quarter of the density below
    result = sample_cloud(points, points, 2048)
    assert (result.points[:, 2] > 0).mean() == pytest.approx(0.5, abs=0.03)
    assert result.areas.sum() == pytest.approx(ball.area, rel=0.05)


def test_the_order_of_a_clouds_points_does_not_matter(ball):
    points, _ = trimesh.sample.sample_surface(ball, 5000, seed=1)
    points = np.asarray(points)
    order = np.random.default_rng(0).permutation(len(points))
    a, b = sample_cloud(points, points, 1024), sample_cloud(points[order], points[order], 1024)
    np.testing.assert_array_equal(a.points, b.points)


def test_a_thin_cloud_is_filled_up_and_strays_are_left_out(ball):
    points, _ = trimesh.sample.sample_surface(ball, 1500, seed=1)
    points = np.concatenate([points, [[9.0, 9, 9]]])
    result = sample_cloud(points, points, N)
    assert len(result) == N
    assert np.abs(np.linalg.norm(result.points, axis=1) - 1).max() < 0.02


def test_points_a_rounding_below_the_box_are_ordered_like_all_others():
    """A ray may meet the lowest face a rounding below the surface's own box: cell -1, which facing down is group -1."""
    points = np.array([[0.0, 0.0, -1e-9], [0.5, 0.5, 0.5], [0.9, 0.1, 0.2]])
    normals = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    order = even_order(points, normals, np.ones(3), np.arange(3), np.zeros(3), 1.0)
    assert sorted(order) == [0, 1, 2]
