"""Point clouds come in with unit normals that point outwards."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.mesh_files import write_all
from data.formats import read_mesh
from data.mesh import RawMesh

SHARED = Path(__file__).resolve().parents[3] / "shared"
DRIVAER = SHARED / "geometry" / "drivaer_fastback"
CLOUDS = ["ascii.pcd", "binary.pcd", "compressed.pcd", "points.ply", "points.xyz", "points.csv", "points.npz"]


@pytest.fixture(scope="module")
def samples(tmp_path_factory) -> dict[str, Path]:
    return write_all(tmp_path_factory.mktemp("samples"))


def ellipsoid(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Points on an ellipsoid, and its outward normals."""
    unit = np.random.default_rng(0).normal(size=(n, 3))
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    normals = unit / [2.0, 1.0, 0.75]
    return unit * [2.0, 1.0, 0.75], normals / np.linalg.norm(normals, axis=1, keepdims=True)


@pytest.mark.parametrize("name", CLOUDS)
def test_every_cloud_format_gives_the_points_and_outward_normals(samples, name):
    import trimesh

    mesh = read_mesh(samples[name])
    body = trimesh.creation.icosphere(subdivisions=2).vertices * [2.0, 1.0, 0.75]
    assert mesh.is_point_cloud
    np.testing.assert_allclose(mesh.vertices, body, atol=1e-6)
    assert mesh.normals.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-5)
    assert (np.einsum("ij,ij->i", mesh.normals, mesh.vertices) > 0).all()


def test_normals_of_the_file_are_kept(tmp_path):
    points, normals = ellipsoid(2000)
    np.savetxt(tmp_path / "cloud.xyzn", np.hstack([points, normals]))
    mesh = read_mesh(tmp_path / "cloud.xyzn")
    np.testing.assert_allclose(mesh.normals, normals, atol=1e-6)
    assert mesh.warnings == ()


def test_inward_normals_of_the_file_are_turned_round_and_reported(tmp_path):
    points, normals = ellipsoid(2000)
    np.savez(tmp_path / "cloud.npz", xyz=points, normals=-normals)
    mesh = read_mesh(tmp_path / "cloud.npz")
    np.testing.assert_allclose(mesh.normals, normals, atol=1e-6)
    assert "inwards" in mesh.warnings[0]


def test_zero_normals_are_estimated_instead(tmp_path):
    points, normals = ellipsoid(2000)
    np.savez(tmp_path / "cloud.npz", points=points, normals=np.zeros_like(points))
    mesh = read_mesh(tmp_path / "cloud.npz")
    assert (np.einsum("ij,ij->i", mesh.normals, normals) > 0.9).mean() > 0.99
    assert "estimated" in mesh.warnings[0]


def test_colours_are_not_taken_for_normals(tmp_path):
    points, normals = ellipsoid(2000)
    np.savetxt(tmp_path / "cloud.xyz", np.hstack([points, np.full((2000, 3), 128.0)]))
    mesh = read_mesh(tmp_path / "cloud.xyz")
    assert (np.einsum("ij,ij->i", mesh.normals, normals) > 0).all()


def test_named_columns_of_a_csv_may_come_in_any_order(tmp_path):
    points, normals = ellipsoid(500)
    table = np.hstack([np.arange(500)[:, None], points[:, ::-1], normals])
    np.savetxt(tmp_path / "cloud.csv", table, delimiter=",", header="id,z,y,x,nx,ny,nz", comments="")
    mesh = read_mesh(tmp_path / "cloud.csv")
    np.testing.assert_allclose(mesh.vertices, points, atol=1e-12)
    np.testing.assert_allclose(mesh.normals, normals, atol=1e-6)


def test_a_point_given_twenty_times_has_a_normal_all_the_same(tmp_path):
    points, _ = ellipsoid(500)
    np.savez(tmp_path / "cloud.npz", points=np.concatenate([points, np.repeat(points[:3], 30, axis=0)]))
    normals = read_mesh(tmp_path / "cloud.npz").normals
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-5)


def drivaer_surface() -> RawMesh:
    pieces = [read_mesh(DRIVAER / f"{name}.obj.gz") for name in ("body", "frontWheels", "rearWheels")]
    first = np.cumsum([0] + [len(piece.vertices) for piece in pieces])
    faces = [piece.faces + start for piece, start in zip(pieces, first, strict=False)]
    return RawMesh(np.concatenate([piece.vertices for piece in pieces]), np.concatenate(faces))


def seen_from_outside(raw: RawMesh, points: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """(N,) share of 24 directions, among those that the face turns to, from which nothing hides the point."""
    import open3d as o3d

    scene = o3d.t.geometry.RaycastingScene()
    scene.add_triangles(raw.vertices.astype(np.float32), raw.faces.astype(np.uint32))
    directions = np.random.default_rng(0).normal(size=(24, 3))
    seen, faced = np.zeros(len(points)), np.zeros(len(points))
    for direction in directions / np.linalg.norm(directions, axis=1, keepdims=True):
        turned = normals @ direction > 0
        rays = np.hstack([points + 1e-3 * normals, np.broadcast_to(direction, points.shape)]).astype(np.float32)
        seen += turned & ~scene.test_occlusions(o3d.core.Tensor(rays)).numpy()
        faced += turned
    return seen / faced


@pytest.mark.skipif(not DRIVAER.is_dir(), reason="../shared is not here")
def test_normals_of_a_detailed_car_point_outwards_where_the_flow_sees_it(tmp_path):
    import trimesh

    raw = drivaer_surface()
    surface = trimesh.Trimesh(raw.vertices, raw.faces, process=False)
    points, owner = trimesh.sample.sample_surface(surface, 40_000, seed=0)
    normals = surface.face_normals[owner]
    np.savez(tmp_path / "car.npz", points=points)
    right = np.einsum("ij,ij->i", read_mesh(tmp_path / "car.npz").normals, normals) > 0
    assert right.mean() > 0.93  # wheel houses and the gaps between underbody parts included
    assert right[seen_from_outside(raw, points, normals) > 0.25].mean() > 0.985


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared is not here")
def test_a_real_drivaernet_cloud_has_outward_normals():
    mesh = read_mesh(SHARED / "meshes" / "cars" / "DrivAer_F_D_WM_WW_0002.pcd")
    assert mesh.vertices.shape == (100_000, 3)
    points, normals = mesh.vertices, mesh.normals
    middle = np.abs(points[:, 1]) < 0.6
    roof = middle & (points[:, 2] > 1.5)
    bonnet = middle & (points[:, 0] < 0) & (points[:, 2] > 0.95)
    assert roof.sum() > 1000 and (normals[roof, 2] > 0).mean() > 0.99
    assert bonnet.sum() > 200 and (normals[bonnet, 2] > 0).mean() > 0.97
    doors = (np.abs(points[:, 1]) > 0.85) & (np.abs(points[:, 0] - 1.4) < 0.8) & (np.abs(points[:, 2] - 0.7) < 0.2)
    assert doors.sum() > 100 and ((normals * points)[doors, 1] > 0).mean() > 0.97
