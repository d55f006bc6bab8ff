"""The parts of a car as words: which point lies on the nose, the windscreen, the roof, the base ..."""

from __future__ import annotations

import numpy as np

from data.car import CarMesh
from drivaer_app.cfd.mirrors import find_mirrors
from drivaer_app.cfd.wheels import RotatingAxle

PLACES = (
    "wheels",
    "mirrors",
    "underbody",
    "nose",
    "bonnet",
    "windscreen",
    "roof",
    "backlight",
    "boot",
    "base",
    "sides",
)


def places_of(car: CarMesh, axles: tuple[RotatingAxle, ...], points: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """(N,) index into PLACES of points (N, 3) m with outward normals (N, 3), from where they lie and how they face.

    Where two could claim a point, the earlier one in PLACES has it; what none claims lies on the sides.
    """
    low, high = car.vertices.min(axis=0), car.vertices.max(axis=0)
    x = (points[:, 0] - low[0]) / (high[0] - low[0])
    z = points[:, 2] / high[2]
    nx, _, nz = normals.T
    claims = {
        "wheels": _on_wheels(axles, points),
        "mirrors": _on_mirrors(car, points),
        "underbody": (nz < -0.4) & (z < 0.45),
        "nose": (x < 0.3) & (nx < -0.4) & (z < 0.6),
        "bonnet": (x < 0.4) & (nz > 0.5) & (z < 0.72),
        "windscreen": (x > 0.15) & (x < 0.55) & (nx < -0.2) & (nz > 0.15) & (z > 0.5),
        "roof": (nz > 0.8) & (z > 0.8),
        "backlight": (x > 0.5) & (nz > 0.3) & (z > 0.72),
        "boot": (x > 0.7) & (nz > 0.5) & (z > 0.4),
        "base": (x > 0.7) & (nx > 0.5),
    }
    place = np.full(len(points), PLACES.index("sides"))
    for name in reversed(PLACES[:-1]):
        place[claims[name]] = PLACES.index(name)
    return place


def _on_wheels(axles: tuple[RotatingAxle, ...], points: np.ndarray) -> np.ndarray:
    on = np.zeros(len(points), bool)
    for axle in axles:
        near = np.hypot(points[:, 0] - axle.x, points[:, 2] - axle.z) < 1.03 * axle.radius
        for y0, y1 in axle.tyres:
            room = 0.05 * axle.radius
            on |= near & (points[:, 1] > y0 - room) & (points[:, 1] < y1 + room)
    return on


def _on_mirrors(car: CarMesh, points: np.ndarray) -> np.ndarray:
    on = np.zeros(len(points), bool)
    for low, high in find_mirrors(car):
        on |= ((points >= low - 0.01) & (points <= high + 0.01)).all(axis=1)
    return on
