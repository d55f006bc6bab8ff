"""Cars for the frame's tests: the real ones of ../shared, and what is done to them."""

from __future__ import annotations

import functools
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from data.formats import read_mesh
from data.mesh import RawMesh
from data.upright import AXES, car_rotation

SHARED = Path(__file__).resolve().parents[3] / "shared"

# up, nose and unit as a person reads them off pictures (../shared/meshes/SOURCES.md); no unit: any warning will do.
CARS = {
    "CesiumMilkTruck.glb": ("y", "x", "m"),
    "DrivAer_F_D_WM_WW_0002.pcd": ("z", "-x", "m"),
    "ahmed_rajkumar.stl": ("z", "-x", "m"),
    "ahmed_rajkumar_half.stl": ("z", "-x", "m"),
    "beetle.obj": ("y", "z", "other"),
    "gazebo_hatchback.obj": ("z", "-y", "in"),
    "gazebo_suv.obj": ("z", "y", "other"),
    "libigl_truck.obj": ("y", "x", "other"),
    "mlsimkit_ahmed/ahmed_1_downsampled.stl": ("z", "-x", "m"),
    "mlsimkit_ahmed/ahmed_2_downsampled.stl": ("z", "-x", "m"),
    "mlsimkit_ahmed/ahmed_3_downsampled.stl": ("z", "-x", "m"),
    "mlsimkit_drivaer/run1_full_car_derived.stl": ("z", "-x", "m"),
    "mlsimkit_drivaer/run4_full_car_derived.stl": ("z", "-x", "m"),
}
TURNS = [(up, forward) for up, forward in product(AXES, AXES) if up[-1] != forward[-1]]


@functools.cache
def shared_mesh(path: str) -> RawMesh:
    """A mesh below ../shared; skips the test where that folder is absent."""
    if not (SHARED / path).is_file():
        pytest.skip(f"needs ../shared/{path}")
    return read_mesh(SHARED / path)


@functools.cache
def drivaer() -> RawMesh:
    """The DrivAer fastback, body and wheels, in the car frame."""
    parts = [shared_mesh(f"geometry/drivaer_fastback/{n}.obj.gz") for n in ("body", "frontWheels", "rearWheels")]
    starts = np.cumsum([0, *(len(p.vertices) for p in parts[:-1])])
    faces = np.vstack([p.faces + start for p, start in zip(parts, starts, strict=True)])
    return RawMesh(np.vstack([p.vertices for p in parts]), faces.astype(np.int32))


def delivered(raw: RawMesh, up: str, forward: str, metres: float, place=(0.0, 0.0, 0.0)) -> RawMesh:
    """A mesh that is in car axes and metres, as another file would hold it. place: m, in the file's axes."""
    return RawMesh((raw.vertices @ car_rotation(up, forward) + place) / metres, raw.faces)


def half_of(raw: RawMesh, axis: int, keep: int, at: float) -> RawMesh:
    """The side of a mesh beyond (keep = 1) or before (-1) a plane, open where it was cut."""
    from trimesh.intersections import slice_faces_plane

    normal, origin = np.zeros(3), np.zeros(3)
    normal[axis], origin[axis] = keep, at
    vertices, faces = slice_faces_plane(raw.vertices, raw.faces, normal, origin)[:2]
    return RawMesh(vertices, faces.astype(np.int32))
