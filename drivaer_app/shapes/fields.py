"""Signed fields (negative inside, about one metre per metre) and the ways to join them with true radii."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.interpolate import CubicSpline, PchipInterpolator
from scipy.ndimage import gaussian_filter1d

Array = np.ndarray


def soft_ramp(t: Array, width: float) -> Array:
    """max(t, 0) with its corner rounded over about ``width``; smooth everywhere."""
    return 0.5 * (t + np.sqrt(t * t + width * width))


def smooth_step(t: Array) -> Array:
    """0 below t = 0, 1 above t = 1, with continuous second derivative between."""
    t = np.clip(t, 0.0, 1.0)
    return t * t * t * (10.0 - t * (15.0 - 6.0 * t))


def round_intersection(radius: float, *fields: Array) -> Array:
    """What is inside every field, its outer edges rounded by ``radius`` where surfaces meet at right angles."""
    excess = 0.0
    deepest = None
    for field in fields:
        raised = field + radius
        deepest = raised if deepest is None else np.maximum(deepest, raised)
        positive = np.maximum(raised, 0.0)
        excess = excess + positive * positive
    return np.minimum(deepest, 0.0) + np.sqrt(excess) - radius


def round_union(radius: float, *fields: Array) -> Array:
    """What is inside any field, its inner corners filled with ``radius``."""
    return -round_intersection(radius, *(-field for field in fields))


def bend_radius(radius: float, turn: float) -> float:
    """The radius to give ``round_intersection`` so that two surfaces turning by ``turn`` rad get ``radius``.

    Between planes that turn little, a circle of radius R starts R·tan(turn/2) before the corner,
    where the other plane is still R·tan(turn/2)·sin(turn) = R·(1 - cos(turn)) away.
    """
    return radius * (1.0 - math.cos(turn))


class SmoothCurve:
    """A smooth curve z(x) through points, without overshoot, its bends spread over ``smoothing`` metres."""

    def __init__(self, points: Sequence[tuple[float, float]], smoothing: float = 0.06):
        knots = np.asarray(points, dtype=float)
        step = 0.01
        x = np.arange(knots[0, 0] - 0.5, knots[-1, 0] + 0.5 + step, step)
        value = PchipInterpolator(knots[:, 0], knots[:, 1])(np.clip(x, knots[0, 0], knots[-1, 0]))
        # Straight on beyond the ends, so that smoothing does not bend the curve there.
        for end, side in ((0, x < knots[0, 0]), (-1, x > knots[-1, 0])):
            near = slice(0, 2) if end == 0 else slice(-2, None)
            (x0, x1), (z0, z1) = knots[near, 0], knots[near, 1]
            value[side] = knots[end, 1] + (x[side] - knots[end, 0]) * (z1 - z0) / (x1 - x0)
        self._spline = CubicSpline(x, gaussian_filter1d(value, smoothing / step, mode="nearest"))
        self._slope = self._spline.derivative()
        self._limits = (x[0], x[-1])

    def __call__(self, x: Array) -> Array:
        return self._spline(np.clip(x, *self._limits)).astype(x.dtype)

    def slope(self, x: Array) -> Array:
        """dz/dx."""
        return self._slope(np.clip(x, *self._limits)).astype(x.dtype)
