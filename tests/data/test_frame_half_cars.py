"""Half cars are recognised and completed; whole ones are left alone."""

from __future__ import annotations

import numpy as np
import pytest

from data.frame import find_frame
from data.half_car import complete_half_car
from data.load import place_car
from data.mesh import RawMesh
from data.units import METRES
from tests.data.frame_cases import CARS, delivered, drivaer, half_of, shared_mesh

NO_FACES = np.zeros((0, 3), np.int32)


@pytest.mark.parametrize("keep", [1, -1])
@pytest.mark.parametrize(("up", "forward", "unit"), [("z", "-x", "m"), ("y", "x", "mm"), ("x", "-z", "in")])
def test_a_half_drivaer_is_placed_like_the_whole(up, forward, unit, keep):
    half = half_of(drivaer(), axis=1, keep=keep, at=0.0)
    raw = delivered(half, up, forward, METRES[unit], place=(5.0, -2.0, 1.0))
    frame = find_frame(raw)
    assert frame.mirrored and any("half a car" in w for w in frame.warnings)
    assert (frame.up, frame.forward, frame.unit) == (up, forward, unit)
    np.testing.assert_allclose(frame.to_car(raw.vertices), half.vertices, atol=2e-3)


def test_completing_a_half_drivaer_gives_the_whole_surface():
    half = half_of(drivaer(), axis=1, keep=1, at=0.0)
    vertices, faces, kept = complete_half_car(half.vertices, half.faces, find_frame(half).mirror_plane)
    assert len(faces) == 2 * kept.sum()
    # Only slivers that the cut itself left within the plane's thickness may go.
    assert _area(vertices, faces) == pytest.approx(2 * _area(half.vertices, half.faces), rel=1e-5)
    np.testing.assert_allclose(vertices[:, 1].min(), -vertices[:, 1].max(), atol=1e-9)


def test_a_half_closed_by_a_face_becomes_a_closed_whole_without_an_inner_wall():
    from trimesh import Trimesh

    raw = shared_mesh("meshes/cars/ahmed_rajkumar_half.stl")
    frame = find_frame(raw)
    vertices, faces, kept = complete_half_car(raw.vertices, raw.faces, frame.mirror_plane)
    np.testing.assert_array_equal(vertices[: len(raw.vertices)], raw.vertices)
    np.testing.assert_array_equal(faces[: kept.sum()], raw.faces[kept])
    whole = Trimesh(vertices, faces)
    reference = shared_mesh("meshes/cars/ahmed_rajkumar.stl")
    assert (~kept).sum() > 0 and whole.is_watertight and whole.is_winding_consistent
    assert whole.volume == pytest.approx(Trimesh(reference.vertices, reference.faces).volume, rel=0.01)


@pytest.mark.parametrize("keep", [1, -1])
@pytest.mark.parametrize(
    "name", [n for n in CARS if n not in ("ahmed_rajkumar_half.stl", "DrivAer_F_D_WM_WW_0002.pcd")]
)
def test_half_of_every_whole_car_is_recognised(name, keep):
    raw = shared_mesh(f"meshes/cars/{name}")
    whole = find_frame(raw)
    placed = RawMesh(whole.to_car(raw.vertices), raw.faces)
    assert not whole.mirrored
    frame = find_frame(half_of(placed, axis=1, keep=keep, at=0.0))
    assert frame.mirrored and frame.mirror_plane.axis == 1
    assert (frame.up, frame.forward) == ("z", "-x")


@pytest.mark.parametrize("name", ["gazebo_hatchback.obj", "gazebo_suv.obj", "CesiumMilkTruck.glb"])
def test_a_car_without_a_floor_is_whole(name):
    raw = shared_mesh(f"meshes/cars/{name}")
    placed = RawMesh(find_frame(raw).to_car(raw.vertices), raw.faces)
    assert not find_frame(half_of(placed, axis=2, keep=1, at=0.3)).mirrored


def _area(vertices: np.ndarray, faces: np.ndarray) -> float:
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)


def test_half_a_cloud_is_recognised_and_its_normals_are_mirrored_too():
    whole = place_car(shared_mesh("meshes/cars/DrivAer_F_D_WM_WW_0002.pcd"))
    kept = whole.as_given[:, 1] > 0
    half = place_car(RawMesh(whole.as_given[kept], NO_FACES, normals=whole.normals[kept]))
    assert half.frame.mirrored and half.n_file_vertices == kept.sum()
    assert half.frontal_area == pytest.approx(whole.frontal_area, rel=0.005)
    left, right = half.vertices[:, 1] < -0.05, half.vertices[:, 1] > 0.05
    np.testing.assert_allclose(
        half.normals[left].mean(axis=0), half.normals[right].mean(axis=0) * [1, -1, 1], atol=1e-6
    )


@pytest.mark.parametrize("name", [n for n in CARS if not n.endswith(("half.stl", ".pcd"))])
@pytest.mark.parametrize("half", [True, False])
def test_clouds_of_half_cars_and_of_whole_ones_are_distinguished(name, half):
    import trimesh

    raw = shared_mesh(f"meshes/cars/{name}")
    surface = trimesh.Trimesh(find_frame(raw).to_car(raw.vertices), raw.faces, process=False)
    points = np.asarray(trimesh.sample.sample_surface(surface, 10_000, seed=1)[0])
    frame = find_frame(RawMesh(points[points[:, 1] > 0] if half else points, NO_FACES))
    assert frame.mirrored == half
