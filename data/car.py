"""A car's surface in the car frame, with how it got there and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from data.frame import Frame
from data.health import HealthReport
from data.parts import CarPart


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
    of_file: the bodies that the file names and what does not belong to the car, left out or not.
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
    of_file: tuple[CarPart, ...] = ()

    @cached_property
    def vertices(self) -> np.ndarray:
        """(V, 3) float64 m, ``as_given`` in the car frame; computed on first use, as few callers need it."""
        return self.frame.to_car(self.as_given)
