"""Free-form deformation on a lattice whose lines run through a car's landmarks.

After Sederberg and Parry, "Free-Form Deformation of Solid Geometric Models" (1986): points move with the lattice they
are embedded in. Theirs is uniform, with Bernstein polynomials; here the lattice lines lie where a car has something to
hold (axles, belt, roof, ...), and what lies between follows linearly, every bend at a line rounded by a parabola (a
quadratic B-spline across the bend): once continuously differentiable, no overshoot, and straight panels stay straight
between the lines. A handle moves lattice points by products of three such curves, one an axis, along one axis of the
car; all weights are read off the undeformed place, so that handles add and their order does not matter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Array = np.ndarray


@dataclass(frozen=True)
class LatticeCurve:
    """Values at lattice lines, straight between them with bends rounded.

    at: ascending places of the lines, m. values: there. bends: width over which each bend is rounded, m.
    before, after: slope beyond the first and the last line.
    """

    at: tuple[float, ...]
    values: tuple[float, ...]
    bends: tuple[float, ...]
    before: float = 0.0
    after: float = 0.0

    def __call__(self, t: Array) -> Array:
        slopes = self._slopes()
        result = self.values[0] + self.before * (t - t.dtype.type(self.at[0]))
        for place, width, turn in zip(self.at, self.bends, np.diff(slopes), strict=True):
            if turn:
                result += t.dtype.type(turn) * _rounded_ramp(t - t.dtype.type(place), width)
        return result

    def steepest(self, low: float, high: float) -> float:
        """Largest absolute slope between two places."""
        t = np.linspace(low, high, 400)
        return float(np.abs(np.diff(self(t))).max() / (t[1] - t[0]))

    def largest(self, low: float, high: float) -> float:
        """Largest absolute value between two places."""
        return float(np.abs(self(np.linspace(low, high, 400))).max())

    def _slopes(self) -> list[float]:
        steps = np.diff(self.values) / np.diff(self.at)
        return [self.before, *map(float, steps), self.after]


ONE = LatticeCurve((0.0,), (1.0,), (0.1,))
"""The same everywhere."""


def _rounded_ramp(t: Array, width: float) -> Array:
    """max(t, 0), its corner a parabola from -width/2 to width/2."""
    half = t.dtype.type(0.5 * width)
    near = np.clip(t, -half, half)
    near += half
    near *= near
    near *= t.dtype.type(0.5 / width)
    return np.where(t > half, t, near)


def rise(low: float, high: float, round_share: float = 0.6) -> LatticeCurve:
    """0 at ``low``, 1 at ``high``, and so beyond; the bends lie inside, each over round_share/2 of the way."""
    bend = 0.5 * round_share * (high - low)
    return LatticeCurve((low + bend / 2, high - bend / 2), (0.0, 1.0), (bend, bend))


def fall(low: float, high: float, round_share: float = 0.6) -> LatticeCurve:
    """1 at ``low``, 0 at ``high``."""
    up = rise(low, high, round_share)
    return LatticeCurve(up.at, (1.0, 0.0), up.bends)


def growing(start: float, bend: float) -> LatticeCurve:
    """0 up to ``start``, then the distance from it."""
    return LatticeCurve((start,), (0.0,), (bend,), after=1.0)


def shrinking(end: float, bend: float) -> LatticeCurve:
    """The distance to ``end`` ahead of it, then 0."""
    return LatticeCurve((end,), (0.0,), (bend,), before=-1.0)


@dataclass(frozen=True)
class LatticeMove:
    """One axis of lattice points moved: by x(x) · y(|y|) · z(z) times an amount, in m.

    axis: 0, 1 or 2; along y outward on both sides, so what is symmetric stays symmetric.
    most_shear: largest derivative across that axis that is allowed: panels that turn further are another car's.
    """

    axis: int
    x: LatticeCurve = ONE
    y: LatticeCurve = ONE
    z: LatticeCurve = ONE
    most_shear: float = 0.8

    def weight(self, points: Array) -> Array:
        """(N,) of points (N, 3), in their type."""
        weight = np.ones(len(points), points.dtype)
        y = np.abs(points[:, 1])
        for curve, t in ((self.x, points[:, 0]), (self.y, y), (self.z, points[:, 2])):
            if curve is not ONE:
                weight *= curve(t)
        if self.axis == 1:
            weight *= np.sign(points[:, 1])
        return weight

    def slopes(self, low: Array, high: Array) -> Array:
        """(3,) bounds of the derivatives along x, y, z per unit amount, in a box of a car folded onto y > 0."""
        ends = [(float(a), float(b)) for a, b in zip(low, high, strict=True)]
        curves = (self.x, self.y, self.z)
        steepest = np.array([c.steepest(*end) for c, end in zip(curves, ends, strict=True)])
        largest = np.array([c.largest(*end) for c, end in zip(curves, ends, strict=True)])
        return np.array([steepest[i] * np.prod(np.delete(largest, i)) for i in range(3)])
