"""Take few of many points on a surface so that every region keeps its share by area."""

from __future__ import annotations

import numpy as np

# Cells along the diagonal, fine to coarse: within the finest (9 cm on a car) points stand in for one another,
# the coarser ones keep short prefixes even.
_LEVELS = (60, 20, 6)
_DITHER = 1.2207440846057596 ** -np.array([1.0, 2.0, 3.0])  # root of x**4 = x + 1
_GOLDEN = 0.6180339887498949


def even_order(
    points: np.ndarray, normals: np.ndarray, areas: np.ndarray, random: np.ndarray, low: np.ndarray, diagonal: float
) -> np.ndarray:
    """(M,) the points in an order of which any prefix takes from each cell of space its share by area.

    points: (M, 3) m. normals: (M, 3). areas: (M,) m² that each point stands for. random: (M,) numbers that do not
    change with the order of the points. low: (3,) corner of the box around the surface, diagonal: its length, m.

    Within a finest cell (and one of six ways that the surface faces) points come in the order of ``random``; cells
    take turns by a low-discrepancy dither, and so do the coarser cells that they make up. What happens in one cell
    leaves the others alone, so that a local change of the surface is a local change of the sample.
    """
    axis = np.abs(normals).argmax(axis=1)
    facing = 2 * axis + (np.take_along_axis(normals, axis[:, None], axis=1)[:, 0] > 0)
    place = (points - low) / diagonal
    key = random
    for n_cells in _LEVELS:
        cell = np.floor(place * n_cells).astype(np.int64)
        group = ((cell[:, 0] * 1024 + cell[:, 1]) * 1024 + cell[:, 2]) * 6 + facing
        key = _in_turn(key, group, areas, np.mod(cell @ _DITHER + _GOLDEN * facing, 1.0))
    return np.argsort(key, kind="stable")


def _in_turn(key: np.ndarray, group: np.ndarray, areas: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """(M,) keys that keep the order within each group, and fall below any bound in proportion to the groups' areas."""
    by_group = np.lexsort((key, group))
    ordered = group[by_group]
    # Not by a number that stands for "none": points a rounding below the box make any number a group.
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    sizes = np.diff(starts, append=len(group))
    rank = np.arange(len(group)) - np.repeat(starts, sizes)
    share = np.repeat(np.add.reduceat(areas[by_group], starts), sizes)
    result = np.empty(len(group))
    result[by_group] = (rank + turn[by_group]) / share
    return result


def scrambled(numbers: np.ndarray) -> np.ndarray:
    """(M,) uint64 fixed pseudo-random numbers, one for each whole number (Steele's SplitMix64)."""
    x = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
