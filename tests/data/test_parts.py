"""What lies in a file besides the car: named with size and place, and left out on request."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import trimesh

from data.errors import DrivAerError
from data.formats import read_mesh
from data.load import place_car
from data.mesh import RawMesh
from tests.data.frame_cases import shared_mesh

SAMPLES = Path(__file__).resolve().parents[2] / "resources" / "samples"
LENGTH, WIDTH, HEIGHT = 4.6, 2.03, 1.42


@cache
def car() -> RawMesh:
    """The sample fastback, its nose at x = 0, the ground at z = 0."""
    raw = read_mesh(SAMPLES / "fastback.stl")
    low, high = raw.vertices.min(axis=0), raw.vertices.max(axis=0)
    return replace(raw, vertices=raw.vertices - [low[0], (low[1] + high[1]) / 2, low[2]], parts=())


def box(size, centre) -> trimesh.Trimesh:
    return trimesh.creation.box(extents=size, transform=trimesh.transformations.translation_matrix(centre))


def sheet(length, width, centre, axis=2) -> trimesh.Trimesh:
    """A flat rectangle across an axis, of eight triangles."""
    plane = trimesh.Trimesh(
        [(x, y, 0.0) for x in (-0.5, 0, 0.5) for y in (-0.5, 0, 0.5)],
        [f for i in (0, 1, 3, 4) for f in ((i, i + 3, i + 4), (i, i + 4, i + 1))],
        process=False,
    )
    plane.vertices *= [length, width, 1.0]
    if axis == 1:
        plane.vertices = plane.vertices[:, [0, 2, 1]]
    return plane.apply_translation(centre)


def disc(radius, thickness, centre) -> trimesh.Trimesh:
    return trimesh.creation.cylinder(radius, thickness, transform=trimesh.transformations.translation_matrix(centre))


BESIDE = {
    "debris": box((0.05, 0.05, 0.05), (14.0, 2.0, 1.0)),
    "ground sheet": sheet(9.0, 5.0, (2.3, 0.0, 0.0)),
    "turntable": disc(3.2, 0.2, (2.3, 0.0, -0.1)),
    "tunnel box": box((20.0, 10.0, 6.0), (4.0, 0.0, 2.999)),
    "person": trimesh.creation.capsule(1.35, 0.2).apply_translation((2.0, 1.8, 0.2)),
    "symmetry plane": sheet(6.0, 2.4, (2.3, 0.0, 1.2), axis=1),
    "aerial": disc(0.004, 0.9, (3.2, 0.3, 1.75)),
}
LEFT_OUT_UNASKED = "aerial"


def with_beside(mesh: trimesh.Trimesh, name: str = "") -> RawMesh:
    raw, n = car(), len(car().vertices)
    faces = np.vstack([raw.faces, np.asarray(mesh.faces) + n]).astype(np.int32)
    parts = (("car", 0, len(raw.faces)), (name, len(raw.faces), len(faces))) if name else ()
    return replace(raw, vertices=np.vstack([raw.vertices, mesh.vertices]), faces=faces, parts=parts)


@cache
def alone():
    return place_car(car())


def second_car() -> RawMesh:
    raw = car()
    other = raw.vertices + [0.4, 3.0, 0.0]
    return replace(raw, vertices=np.vstack([raw.vertices, other]), faces=np.vstack([raw.faces, raw.faces + len(other)]))


def same_place(one, other) -> bool:
    return np.allclose(one.vertices[: len(car().vertices)], other.vertices[: len(car().vertices)], atol=2e-3)


@pytest.mark.parametrize("kind", BESIDE)
def test_what_is_no_part_of_the_car_is_named_and_the_car_read_as_without_it(kind):
    placed = place_car(with_beside(BESIDE[kind]), without=[] if kind == LEFT_OUT_UNASKED else [kind])
    (part,) = placed.of_file
    assert (part.name, part.kind, part.left_out) == (kind, kind, True)
    np.testing.assert_allclose(np.subtract(part.high, part.low), np.ptp(BESIDE[kind].vertices, axis=0), atol=0.02)
    assert same_place(placed, alone())
    assert placed.frontal_area == pytest.approx(alone().frontal_area, rel=2e-3)
    assert len(placed.faces) == pytest.approx(len(alone().faces), abs=64)


@pytest.mark.parametrize("kind", ["debris", "ground sheet", "person"])
def test_what_is_not_left_out_is_said_to_count_with_size_place_and_remedy(kind):
    placed = place_car(with_beside(BESIDE[kind]))
    said = [w for w in placed.warnings if w.startswith(kind)]
    assert len(said) == 1 and f"--without '{kind}'" in said[0] and " m, around x " in said[0]
    assert same_place(placed, alone())


def test_a_second_car_is_named():
    names = {part.name for part in place_car(second_car(), without=["second car"]).of_file}
    assert names == {"second car"}


def test_a_part_keeps_the_name_of_the_file():
    placed = place_car(with_beside(BESIDE["ground sheet"], name="Plane.001"), without=["plane.001"])
    kinds = {part.name: (part.kind, part.left_out) for part in placed.of_file}
    assert kinds["Plane.001"][1] and not kinds["car"][1]
    found = {part.name: part.kind for part in place_car(with_beside(BESIDE["ground sheet"], "Plane.001")).of_file}
    assert found == {"Plane.001": "ground sheet", "car": ""}


def test_a_name_that_no_part_has_is_refused_with_those_there_are():
    with pytest.raises(DrivAerError, match="has no part 'wing'; its parts are 'debris'"):
        place_car(with_beside(BESIDE["debris"]), without=["wing"])


def test_stray_points_of_a_scan_are_named_and_left_out():
    points, face = trimesh.sample.sample_surface(trimesh.Trimesh(car().vertices, car().faces), 20_000, seed=0)
    normals = trimesh.Trimesh(car().vertices, car().faces).face_normals[face].astype(np.float32)
    stray = np.array([[12.0, 3.0, 1.0], [12.02, 3.0, 1.0], [12.0, 3.05, 1.0]])
    raw = RawMesh(np.vstack([points, stray]), np.zeros((0, 3), np.int32), normals=np.vstack([normals, normals[:3]]))
    placed = place_car(raw, without=["debris"])
    assert len(placed.as_given) == 20_000 and np.ptp(placed.vertices[:, 0]) < 5.0


@pytest.mark.parametrize("name", [
    "CesiumMilkTruck.glb", "ahmed_rajkumar.stl", "ahmed_rajkumar_half.stl", "beetle.obj", "gazebo_hatchback.obj",
    "gazebo_suv.obj", "libigl_truck.obj", "mlsimkit_ahmed/ahmed_2_downsampled.stl",
    "mlsimkit_drivaer/run1_full_car_derived.stl",
])  # fmt: skip
def test_cars_with_nothing_beside_them_have_nothing_named(name):
    from data.belonging import find_foreign
    from data.weld import weld

    raw = shared_mesh(f"meshes/cars/{name}")
    vertices, faces, _ = weld(raw.vertices, raw.faces)
    assert find_foreign(replace(raw, vertices=vertices, faces=faces)) == []
