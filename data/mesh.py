"""Geometry as plain data: a file's (RawMesh), and the points of a car that a network sees (SurfaceSample)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np


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
