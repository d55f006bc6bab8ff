"""Geometry of polygons, such as a CFD mesh has them, and of triangles."""

from __future__ import annotations

import numpy as np


def polygon_faces(points: np.ndarray, corners: np.ndarray, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centres (M, 3) and area vectors (M, 3) of polygons: normal by the winding, times the area.

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


def points_on_triangles(corners: np.ndarray, weights: np.ndarray, sign: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, 3) of triangles with corners (n, 3, 3) by barycentric weights (n, 3), and unit normals: float32.

    sign (n,): +1 for the normal by the winding, -1 for its opposite.
    """
    points = np.einsum("nk,nkd->nd", weights, corners)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]) * sign[:, None]
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-300)
    return points.astype(np.float32), normals.astype(np.float32)
