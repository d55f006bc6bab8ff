"""The plain data that travels from a file to the networks: RawMesh, CarMesh, SurfaceSample."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from data.frame import Frame
    from data.health import HealthReport


@dataclass(frozen=True, eq=False)
class RawMesh:
    """A file's geometry exactly as read: its own unit, axes, place and vertex order.

    vertices: (V, 3) float64, in the file's unit.
    faces: (F, 3) int32 into ``vertices``; F = 0 means a point cloud.
    path: where it came from.
    parts: name of each body or scene node, with the faces it owns as a half-open range.
    normals: (V, 3) float32 given by a point-cloud file, else None.
    unit: the unit the format itself states (``"m"`` for glTF, 3MF's attribute, ...), else None.
    up: the up axis the format itself states (``"y"`` for glTF, COLLADA's attribute), else None.
    warnings: what the reader had to pass over.
    """

    vertices: np.ndarray
    faces: np.ndarray
    path: Path | None = None
    parts: tuple[tuple[str, int, int], ...] = ()
    normals: np.ndarray | None = None
    unit: str | None = None
    up: str | None = None
    warnings: tuple[str, ...] = ()

    @property
    def is_point_cloud(self) -> bool:
        return len(self.faces) == 0


@dataclass(frozen=True, eq=False)
class CarMesh:
    """One car surface in the car frame (m, +x nose to tail, +z up, ground z = 0).

    as_given: (V, 3) float64, the vertices in the file's own unit, axes and place. Row i is row i of the file for
        i < ``n_file_vertices``; a completed half car has the mirrored vertices after them.
    faces: (F, 3) int32; F = 0 for a point cloud.
    frame: how the file was placed, and the way back.
    health: what is wrong with the surface.
    frontal_area: m², whole car, inner voids filled.
    normals: (V, 3) float32 outward, for point clouds only.
    """

    as_given: np.ndarray
    faces: np.ndarray
    frame: Frame
    health: HealthReport
    frontal_area: float
    n_file_vertices: int
    parts: tuple[tuple[str, int, int], ...] = ()
    normals: np.ndarray | None = None
    path: Path | None = None
    warnings: tuple[str, ...] = field(default=())

    @cached_property
    def vertices(self) -> np.ndarray:
        """(V, 3) float64 m, ``as_given`` in the car frame; worked out when first asked for, as few do."""
        return self.frame.to_car(self.as_given)


@dataclass(frozen=True, eq=False)
class SurfaceSample:
    """What a network sees of a car: points spread evenly over the surface that the flow sees.

    points: (N, 3) float32 m, car frame. Any prefix is itself an even sample of the surface.
    normals: (N, 3) float32, unit, pointing out of the car into the flow.
    areas: (N,) float32 m², the area each point stands for; their sum is the wetted area.
    """

    points: np.ndarray
    normals: np.ndarray
    areas: np.ndarray

    def __len__(self) -> int:
        return len(self.points)
