"""Straight lines spread evenly through a box, the same for every surface in that box.

Lines that are uniform in direction and place cross any surface evenly by area, whatever its shape (Crofton's
formula: Santaló, "Integral Geometry and Geometric Probability", 1976). A fixed set of directions with a lattice
of parallel lines along each does so with far less scatter than lines at random; what a finite set of directions
leaves uneven is known exactly (``crossing_density``).
"""

from __future__ import annotations

import numpy as np

N_DIRECTIONS = 64
_PLASTIC = 1.324717957244746  # root of x**3 = x + 1: its powers step a low-discrepancy lattice in the plane


def even_directions(n: int) -> np.ndarray:
    """(n, 3) unit vectors, one for each of n lines spread evenly over all directions (Fibonacci's spiral)."""
    k = np.arange(n) + 0.5
    z, angle = 1 - k / n, k * np.pi * (3 - np.sqrt(5))
    r = np.sqrt(1 - z * z)
    return np.stack([r * np.cos(angle), r * np.sin(angle), z], axis=1)


def line_directions(draw: int = 0) -> np.ndarray:
    """(N_DIRECTIONS, 3) the directions of set ``draw``: turned at random, lest flat faces line up with them."""
    w, x, y, z = np.random.default_rng((draw, 1)).normal(size=4)
    s = 2 / (w * w + x * x + y * y + z * z)
    turn = np.array(
        [
            [1 - s * (y * y + z * z), s * (x * y - z * w), s * (x * z + y * w)],
            [s * (x * y + z * w), 1 - s * (x * x + z * z), s * (y * z - x * w)],
            [s * (x * z - y * w), s * (y * z + x * w), 1 - s * (x * x + y * y)],
        ]
    )
    return even_directions(N_DIRECTIONS) @ turn.T


def parallel_lines(low: np.ndarray, high: np.ndarray, per_direction: int, draw: int = 0):
    """Lattices of ``per_direction`` parallel lines on a square as wide as the box's diagonal, where they meet the box.

    low, high: (3,) corners. Returns line (L,) int64 ids that do not depend on which lines meet the box,
    origins (L, 3) outside the box and unit directions (L, 3).
    """
    middle, diagonal = (low + high) / 2, float(np.linalg.norm(high - low))
    along = line_directions(draw)
    lean = np.eye(3)[np.abs(along).argmin(axis=1)]
    e1 = np.cross(along, lean)
    e1 /= np.linalg.norm(e1, axis=1, keepdims=True)
    e2 = np.cross(along, e1)
    shift = np.random.default_rng((draw, 2)).random((N_DIRECTIONS, 1, 2))
    steps = np.arange(per_direction)[None, :, None] * _PLASTIC ** -np.array([1.0, 2.0])
    u, v = np.moveaxis((np.mod(shift + steps, 1.0) - 0.5) * diagonal, 2, 0)
    # A coordinate at a time, (N_DIRECTIONS, per_direction): most lines miss the box and are never put together.
    start = [
        middle[k] + u * e1[:, k, None] + v * e2[:, k, None] - 0.51 * diagonal * along[:, k, None] for k in range(3)
    ]
    line = np.flatnonzero(_meets_box(start, along, low, high))
    origins = np.stack([x.ravel()[line] for x in start], axis=1)
    return line, origins, along[line // per_direction]


def crossing_density(normals: np.ndarray, per_direction: int, diagonal: float, draw: int = 0) -> np.ndarray:
    """(M,) crossings of the lines to expect per m² of surface with the unit normals (M, 3)."""
    seen_area = normals.astype(np.float32) @ line_directions(draw).T.astype(np.float32)
    return np.abs(seen_area, out=seen_area).sum(axis=1) * (per_direction / diagonal**2)


def _meets_box(start: list[np.ndarray], along: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """(D, P) bool: the line from the place whose coordinates are ``start``, each (D, P), along ``along`` (D, 3)."""
    enter, leave = np.full(start[0].shape, -np.inf), np.full(start[0].shape, np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        for k, x in enumerate(start):
            a, b = (low[k] - x) / along[:, k, None], (high[k] - x) / along[:, k, None]
            np.maximum(enter, np.minimum(a, b), out=enter)
            np.minimum(leave, np.maximum(a, b), out=leave)
    return enter <= leave + 1e-9
