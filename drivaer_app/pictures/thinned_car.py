"""A car thinned until it is small enough to be sent along with a report: a few thousand triangles with Cp."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from drivaer_app.pictures.raycast import Surface

N_FACES = 12_000
_CP_STEP = 0.02  # of int8: -2.54 to 2.54, an unseen point has -128
_UNSEEN = -128


@dataclass(frozen=True, eq=False)
class ThinnedCar:
    """points (P, 3) uint16 over the box low..high (3,) m, car frame. faces (F, 3) uint32.

    cp (P,) int8 in steps of 0.02; -128 where the flow does not see the surface.
    """

    points: np.ndarray
    faces: np.ndarray
    cp: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def to_bytes(self) -> bytes:
        stream = io.BytesIO()
        np.savez_compressed(stream, **{name: getattr(self, name) for name in self.__dataclass_fields__})
        return stream.getvalue()

    @classmethod
    def from_bytes(cls, stored: bytes) -> ThinnedCar:
        with np.load(io.BytesIO(stored), allow_pickle=False) as arrays:
            return cls(**{name: arrays[name] for name in cls.__dataclass_fields__})


def thinned_car(surface: Surface) -> ThinnedCar:
    """A car drawn in Cp, thinned to about N_FACES triangles, Cp taken from the nearest of its own vertices."""
    import fast_simplification
    from scipy.spatial import cKDTree

    from drivaer_app.pictures.picture import CP_RANGE

    vertices, faces = surface.vertices.astype(np.float32), surface.faces
    if len(faces) > N_FACES:
        vertices, faces = fast_simplification.simplify(vertices, faces.astype(np.int32), target_count=N_FACES)
    used, faces = np.unique(faces, return_inverse=True)
    points = vertices[used]
    _, nearest = cKDTree(surface.vertices).query(points)
    cp = np.clip(np.rint(surface.values[nearest] * CP_RANGE / _CP_STEP), _UNSEEN + 1, 127)
    cp = np.where(surface.exposed[nearest], cp, _UNSEEN).astype(np.int8)
    low, high = points.min(axis=0), points.max(axis=0)
    placed = np.rint((points - low) / np.maximum(high - low, 1e-9) * 65535).astype(np.uint16)
    return ThinnedCar(placed, faces.reshape(-1, 3).astype(np.uint32), cp, low, high)
