"""Welding: coincident points are merged, so that triangles share vertices (an STL gives each its own three)."""

from __future__ import annotations

import numpy as np

from data.outline import bounds

TOLERANCE = 4e-6  # of the box's diagonal: 20 µm on a car, above float32's rounding and below any edge worth having
_BITS = 21  # three cell numbers share one 64-bit key


def weld(
    vertices: np.ndarray, faces: np.ndarray, tolerance: float = TOLERANCE
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Merge equal and nearly equal points.

    vertices: (V, 3) finite. faces: (F, 3). tolerance: size of a cell of space whose points become one,
    relative to the diagonal of the box around the vertices; at least 1e-6.
    Returns vertices (W, 3) float64, each one of the given ones; faces (F, 3) int32 into them (a face smaller
    than the tolerance repeats an index); index (V,) int32 such that vertex i became ``index[i]``.

    Equal points always become one. Of points a hundredth of the tolerance apart about one pair in ten thousand
    stays apart: each pass splits what straddles the border of a cell, so a second pass shifts the cells.
    """
    vertices = np.asarray(vertices, np.float64)
    if len(vertices) == 0:
        return vertices, np.asarray(faces, np.int32), np.empty(0, np.int32)
    low, high = bounds(vertices)
    size = max(tolerance, 1e-6) * float(np.linalg.norm(high - low))
    kept, index = _one_for_each_cell(vertices, low, size)
    again, index_again = _one_for_each_cell(vertices[kept], low - 0.4142 * size, size)
    index = index_again[index]
    return vertices[kept[again]], index[faces], index


def _one_for_each_cell(points: np.ndarray, origin: np.ndarray, size: float) -> tuple[np.ndarray, np.ndarray]:
    """The first point (W,) of each occupied cell, and the cell (P,) int32 that each point is in."""
    if not size > 0:  # all points are one
        return np.zeros(1, np.int64), np.zeros(len(points), np.int32)
    key = np.zeros(len(points), np.int64)
    for axis in range(3):
        key <<= _BITS
        key |= ((points[:, axis] - origin[axis]) / size).astype(np.int64)
    return _firsts(key)


def _firsts(key: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    # Not a stable sort, which takes twice as long: the smallest row of each run is its first all the same.
    order = np.argsort(key)
    ordered = key[order]
    new = np.ones(len(key), bool)
    np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
    number = np.empty(len(key), np.int32)
    number[order] = np.cumsum(new, dtype=np.int32) - 1
    return np.minimum.reduceat(order, np.flatnonzero(new)), number
