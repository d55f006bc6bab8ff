"""A lengthwise cut through a car: the curve of Cp over x that aerodynamicists look at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from drivaer_app.drawn_car import DrawnCar


@dataclass(frozen=True, eq=False)
class Section:
    """S line segments where a plane y = const meets the surface that the flow sees.

    x, z (S, 2) float32 m, cp (S, 2) float32: at both ends of each segment.
    """

    x: np.ndarray
    z: np.ndarray
    cp: np.ndarray


def side_outline(car: DrawnCar, n: int = 160) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The car seen from its side: x (n,) m along it, and the lowest and highest z (n,) m there."""
    x, z = car.points[:, 0].astype(float), car.points[:, 2].astype(float)
    edges = np.linspace(x.min(), x.max(), n + 1)
    at = np.clip(np.searchsorted(edges, x) - 1, 0, n - 1)
    low, high = np.full(n, np.inf), np.full(n, -np.inf)
    np.minimum.at(low, at, z)
    np.maximum.at(high, at, z)
    there = np.isfinite(low)
    middle = (edges[1:] + edges[:-1]) / 2
    return middle[there], low[there], high[there]


def section_at(car: DrawnCar, y: float) -> Section:
    """y: m, car frame; 0 is the middle. Needs fields."""
    side = car.points[:, 1] >= np.float32(y)
    above = side[car.faces]
    crossed = above.any(axis=1) & ~above.all(axis=1)
    faces, above = car.faces[crossed], above[crossed]
    seen = car.exposed[faces].any(axis=1)
    faces, above = faces[seen], above[seen]
    # One corner lies alone on its side; the segment runs between the two edges that leave it.
    alone = np.where(above.sum(axis=1) == 1, above.argmax(axis=1), (~above).argmax(axis=1))
    row = np.arange(len(faces))
    corner = faces[row, alone]
    ends = []
    for step in (1, 2):
        other = faces[row, (alone + step) % 3]
        a, b = car.points[corner], car.points[other]
        t = (np.float32(y) - a[:, 1]) / (b[:, 1] - a[:, 1])
        cp = car.cp[corner] + t * (car.cp[other] - car.cp[corner])
        ends.append((a[:, 0] + t * (b[:, 0] - a[:, 0]), a[:, 2] + t * (b[:, 2] - a[:, 2]), cp))
    return Section(*(np.stack(pair, axis=1) for pair in zip(*ends, strict=True)))
