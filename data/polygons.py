"""Surfaces of polygons, such as a CFD mesh has them."""

from __future__ import annotations

import numpy as np


def polygon_faces(points: np.ndarray, corners: np.ndarray, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centres (M, 3) and area vectors (M, 3), along the winding and as long as the area, of polygons.

    points (V, 3). corners (K,) into them, face after face. starts (M + 1,): where each face's corners begin.
    """
    first, count = starts[:-1], np.diff(starts)
    face = np.repeat(np.arange(len(count)), count)
    here = points[corners]
    after = np.roll(here, -1, axis=0)
    after[starts[1:] - 1] = here[first]
    middle = np.add.reduceat(here, first, axis=0) / count[:, None]
    parts = 0.5 * np.cross(here - middle[face], after - middle[face])
    weight = np.linalg.norm(parts, axis=1)
    total = np.maximum(np.add.reduceat(weight, first), 1e-300)
    thirds = (here + after + middle[face]) / 3
    return np.add.reduceat(weight[:, None] * thirds, first, axis=0) / total[:, None], np.add.reduceat(parts, first)
