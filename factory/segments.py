"""Drag and lift of a car by segments of its length.

Drag is a small difference of large forces of opposite sign along the car. Most shape parameters change the force on one
segment and hardly any other, so regressions of the segments' forces need fewer cases than one of their sum. On 355
morphed DrivAers that raised R2 of the labels' fit on held-out ones from 0.91 to 0.93 (docs/accuracy.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

ENDS = (0.25, 0.57, 0.83)
"""Of the unmorphed car's length, from the nose: nose and front wheels; windscreen and roof; rear wheels; tail."""
N_SEGMENTS = len(ENDS) + 1


def segment_of(centres: np.ndarray) -> np.ndarray:
    """(M,) number of the segment that each CFD face of the unmorphed car is on. centres (M, 3) m, +x downstream."""
    x = centres[:, 0]
    return np.digitize((x - x.min()) / np.ptp(x), ENDS)


class Solved(Protocol):
    """A CFD case: face_cp (M,), face_cf (M, 3) on the +y half, frontal_area m² of the whole car."""

    face_cp: np.ndarray
    face_cf: np.ndarray
    frontal_area: float


def forces_of_cases(cases: Sequence[Solved], faces_of: Callable[[Solved], tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """(n, 2, N_SEGMENTS) `forces_by_segment` of n cases; faces_of: a case's faces' segments and area vectors."""
    return np.array([forces_by_segment(*faces_of(c), c.face_cp, c.face_cf, c.frontal_area) for c in cases])


def forces_by_segment(
    segment: np.ndarray, area_vectors: np.ndarray, cp: np.ndarray, cf: np.ndarray, frontal_area: float
) -> np.ndarray:
    """(2, N_SEGMENTS): each segment's part of Cd and of Cl, both halves of the car together.

    area_vectors (M, 3) m², outward, of the +y half; cp (M,), cf (M, 3). Their sums differ from the solver's Cd by
    0.0025 on average with a standard deviation of 0.0006, because the solver's own faces are rounder than these.
    """
    areas = np.linalg.norm(area_vectors, axis=1)
    force = (cf * areas[:, None] - cp[:, None] * area_vectors) * (2.0 / frontal_area)
    return np.array([np.bincount(segment, force[:, axis], N_SEGMENTS) for axis in (0, 2)])
