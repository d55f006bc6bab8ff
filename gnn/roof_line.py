"""Measures of a car's rear roof line, which drag follows more closely than any single morph parameter."""

from __future__ import annotations

import numpy as np

N_POINTS = 14
"""Along the roof's middle, from above the rear seats to the boot's edge."""
N_MEASURES = 7
_MIDDLE = np.array([1.12, 14.0, 12.0, 4.0, 13.0, 0.35, 1.45])
_SPREAD = np.array([0.13, 10.0, 9.0, 7.0, 6.0, 0.13, 0.05])


def roof_measures(x: np.ndarray, z: np.ndarray) -> np.ndarray:
    """(n, N_MEASURES), each of order one, of roof lines x, z (n, N_POINTS) m.

    Edge height (m), slopes of upper and lower backlight, deck and whole (degrees), drop and roof height (m).
    """

    def slope(i: int, j: int) -> np.ndarray:
        return np.degrees(np.arctan2(z[:, i] - z[:, j], x[:, j] - x[:, i]))

    edge, top = z[:, -1], z.max(axis=1)
    slopes = [slope(4, 8), slope(8, 10), slope(11, 13), slope(3, 13)]
    return (np.column_stack([edge, *slopes, top - edge, top]) - _MIDDLE) / _SPREAD
