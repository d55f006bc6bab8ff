"""Where a car's wing mirrors are: small things with sharp edges that a car's usual cells are too large for."""

from __future__ import annotations

import re

import numpy as np

from data.car import CarMesh
from data.load import sample_car

_NAMED = re.compile(r"mirror", re.IGNORECASE)
_HEIGHTS = (0.55, 0.9)  # of the car's height
_PLACES = (0.1, 0.6)  # of its length, from the nose
_SLICES = 60
_STICKS_OUT = 0.04  # of the car's width, over the sides of most of the car at these heights
_LONGEST = 0.15  # of the car's length; what sticks out for longer is a body's side


def find_mirrors(car: CarMesh) -> list[tuple[np.ndarray, np.ndarray]]:
    """A box, (low, high) m, around the mirror on each side that has one: parts of that name, else what sticks out."""
    points = _named_points(car)
    if points is None:
        points = _sticking_out(sample_car(car).points.astype(float), *_bounds(car))
    boxes = []
    for side in (-1, 1):
        own = points[side * points[:, 1] > 0]
        if len(own):
            boxes.append((own.min(axis=0), own.max(axis=0)))
    return boxes


def _bounds(car: CarMesh) -> tuple[np.ndarray, np.ndarray]:
    return car.vertices.min(axis=0), car.vertices.max(axis=0)


def _named_points(car: CarMesh) -> np.ndarray | None:
    faces = [car.faces[start:stop] for name, start, stop in car.parts if _NAMED.search(name)]
    return car.vertices[np.concatenate(faces).ravel()] if faces else None


def _sticking_out(points: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The points of the mirrors: between the sills and the roof, further out than the sides are elsewhere."""
    length, width, height = high - low
    at = (points[:, 0] - low[0]) / length
    up = points[:, 2] / height
    greenhouse = (up > _HEIGHTS[0]) & (up < _HEIGHTS[1])
    points, at = points[greenhouse], at[greenhouse]
    if not len(points):
        return points
    aside = np.abs(points[:, 1])
    index = (at * _SLICES).astype(int).clip(0, _SLICES - 1)
    outermost = np.zeros(_SLICES)
    np.maximum.at(outermost, index, aside)
    side = np.median(outermost[outermost > 0])
    out = (aside > side + _STICKS_OUT * width) & (at > _PLACES[0]) & (at < _PLACES[1])
    found = points[out]
    if not len(found) or np.ptp(found[:, 0]) > _LONGEST * length:
        return points[:0]
    return found
