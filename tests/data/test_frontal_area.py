"""Silhouettes of known area, and the corpus's own areas."""

from pathlib import Path

import numpy as np
import pytest
import trimesh
from scipy.spatial import ConvexHull

from data.cloud import cloud_frontal_area
from data.frontal_area import frontal_area

SHARED = Path(__file__).resolve().parents[3] / "shared"
ALONG_X = trimesh.transformations.rotation_matrix(np.pi / 2, [0, 1, 0])


def area(*meshes: trimesh.Trimesh, **options) -> float:
    mesh = trimesh.util.concatenate(list(meshes))
    return frontal_area(np.asarray(mesh.vertices), np.asarray(mesh.faces), **options)


def hull_area(mesh: trimesh.Trimesh) -> float:
    """Exact silhouette of a convex mesh."""
    return ConvexHull(np.asarray(mesh.vertices)[:, 1:]).volume


def test_sphere():
    ball = trimesh.creation.icosphere(subdivisions=5, radius=0.8)
    assert area(ball) == pytest.approx(hull_area(ball), rel=1e-3)
    assert area(ball) == pytest.approx(np.pi * 0.8**2, rel=5e-3)


@pytest.mark.parametrize("roll_deg", [0.0, 0.7, 30.0, 31.717474411461005])
def test_box_at_any_roll(roll_deg):
    """Also at the very angle by which the grid of rays is turned."""
    box = trimesh.creation.box((4.0, 1.8, 1.4))
    box.apply_transform(trimesh.transformations.rotation_matrix(np.radians(roll_deg), [1, 0, 0]))
    assert area(box) == pytest.approx(1.8 * 1.4, rel=5e-3)


@pytest.mark.parametrize("scale", [0.01, 1.0, 300.0])
def test_area_goes_with_the_square_of_the_size(scale):
    ball = trimesh.creation.icosphere(subdivisions=3)
    expected = area(ball) * scale**2
    ball.apply_scale(scale)
    ball.apply_translation([5 * scale, -3 * scale, scale])
    assert area(ball) == pytest.approx(expected, rel=1e-3)


def test_overlapping_silhouettes_are_counted_once():
    left, right = (trimesh.creation.icosphere(subdivisions=5) for _ in range(2))
    right.apply_translation([3.0, 1.0, 0.0])
    lens = 2 * np.arccos(0.5) - 0.5 * np.sqrt(3.0)
    assert area(left, right) == pytest.approx(2 * np.pi - lens, rel=5e-3)


def test_an_inner_void_is_filled_unless_asked_otherwise():
    ring = trimesh.creation.torus(1.0, 0.3, major_sections=256, minor_sections=64)
    ring.apply_transform(ALONG_X)
    assert area(ring) == pytest.approx(np.pi * 1.3**2, rel=5e-3)
    assert area(ring, fill_voids=False) == pytest.approx(np.pi * (1.3**2 - 0.7**2), rel=5e-3)


def test_the_gap_between_the_wheels_stays_open():
    body = trimesh.creation.box(bounds=[(0, -0.9, 0.2), (4, 0.9, 1.4)])
    wheels = [trimesh.creation.box(bounds=[(0.5, y - 0.1, 0), (1.1, y + 0.1, 0.6)]) for y in (-0.75, 0.75)]
    assert area(body, *wheels) == pytest.approx(1.8 * 1.2 + 2 * 0.2 * 0.2, rel=5e-3)


def test_winding_and_triangulation_do_not_matter():
    box = trimesh.creation.box((4.0, 1.8, 1.4))
    expected = area(box)
    assert area(box.subdivide().subdivide()) == pytest.approx(expected, rel=1e-6)
    assert frontal_area(box.vertices, box.faces[::-1, ::-1]) == pytest.approx(expected, rel=1e-6)


@pytest.mark.skipif(not (SHARED / "corpus/cases").is_dir(), reason="needs ../shared/corpus")
@pytest.mark.parametrize("name", ["baseline_smooth", "0002", "2003"])
def test_agrees_with_the_corpus(name):
    from data.corpora.case_files import read_case
    from factory.morph_generator import MorphGenerator

    case = read_case(SHARED / "corpus/cases" / f"{name}.npz")
    generator = MorphGenerator(SHARED / "corpus", SHARED / "geometry/drivaer_fastback")
    assert frontal_area(*generator.mesh(case.parameters, case.underbody)) == pytest.approx(case.frontal_area, rel=2e-3)


@pytest.mark.parametrize(("n", "within"), [(20_000, 0.01), (100_000, 0.005)])
def test_a_cloud_has_nearly_the_area_of_its_surface(n, within):
    body = trimesh.creation.capsule(height=3.0, radius=0.8, count=[64, 64])
    body.apply_transform(ALONG_X)
    mirror = trimesh.creation.box(bounds=[(1, 0.7, 0.3), (1.1, 1.1, 0.5)])
    whole = trimesh.util.concatenate([body, mirror])
    points, _ = trimesh.sample.sample_surface(whole, n, seed=1)
    assert cloud_frontal_area(np.asarray(points)) == pytest.approx(area(whole), rel=within)


@pytest.mark.skipif(not (SHARED / "meshes/cars").is_dir(), reason="needs ../shared/meshes")
def test_a_drivaernet_cloud_has_its_published_area():
    from data.formats import read_mesh

    cloud = read_mesh(SHARED / "meshes/cars/DrivAer_F_D_WM_WW_0002.pcd")
    assert cloud_frontal_area(cloud.vertices) == pytest.approx(2.6679, rel=5e-3)
