"""Which parts of a car make its drag: wheels, mirrors, floor, front, roof, sides, rear and base, from the fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from drivaer_app.drawn_car import DrawnCar

if TYPE_CHECKING:
    from drivaer_app.predict import Reading
    from drivaer_app.shapes.landmarks import Landmarks, Wheels

REGIONS = ("wheels", "mirrors", "floor", "front", "roof", "sides", "rear", "base")
"""In the order of their numbers. base: what looks backward, with the wake on it. rear: what slopes down to it."""

_BASE, _SIDE, _UNDER = 0.75, 0.7, -0.5
"""Of an outward normal's x, |y| and z: from where on a face belongs to base, sides and floor."""
_AHEAD, _BEHIND = -0.15, 0.1
"""Of its x: what looks forward, and what slopes down to the tail."""
_LOW = 0.35  # of the car's height: what looks down above it is no floor but a spoiler or a mirror
_ROUND_A_WHEEL = 1.04  # of its radius


@dataclass(frozen=True, eq=False)
class RegionDrag:
    """labels: (P,) int8, numbers in REGIONS of a drawn car's points. force, area: (R,) m², drag over q and surface."""

    labels: np.ndarray
    force: np.ndarray
    area: np.ndarray

    @property
    def nbytes(self) -> int:
        return self.labels.nbytes

    def shares(self, cd: float, frontal_area: float) -> dict[str, float]:
        """Cd by region, adding up to ``cd``: what the model adds as a constant is spread by surface."""
        split = self.force / frontal_area
        split = split + (cd - split.sum()) * self.area / max(self.area.sum(), 1e-12)
        return {name: float(value) for name, value, area in zip(REGIONS, split, self.area, strict=True) if area > 0}


def region_drag(file: Path, reading: Reading, values: Iterable[tuple[str, float]], drawn: DrawnCar) -> RegionDrag:
    """file, reading, values: of the car that was drawn. Raises DrivAerError where its outline cannot be made out."""
    from drivaer_app.predict import load
    from drivaer_app.shapes.landmarks import find_landmarks

    car = load(file, reading)
    if values:
        from drivaer_app.shapes.morph import Morph

        car = Morph.of(car).apply(dict(values))
    labels = regions_of(drawn.points, drawn.normals, find_landmarks(car))
    return RegionDrag(labels, *_integrated(drawn, labels))


def regions_of(points: np.ndarray, normals: np.ndarray, marks: Landmarks) -> np.ndarray:
    """(P,) int8 numbers in REGIONS. points (P, 3) m, normals (P, 3) outward, car frame."""
    x, z = points[:, 0], points[:, 2]
    screen = marks.windscreen.foot.x if marks.windscreen else marks.front_axle_x
    slope = marks.backlight.head.x if marks.backlight else marks.rear_axle_x
    under = (normals[:, 2] < _UNDER) & (z < marks.floor_z + _LOW * marks.roof.z)
    found: Mapping[str, np.ndarray] = {
        "wheels": _in_wheels(points, marks.front_wheels) | _in_wheels(points, marks.rear_wheels),
        "mirrors": _in_mirrors(points, marks),
        "floor": under,
        "base": (normals[:, 0] > _BASE) & (x > marks.rear_axle_x),
        "sides": np.abs(normals[:, 1]) > _SIDE,
        "front": (x < screen) | ((normals[:, 0] < _AHEAD) & (x < slope)),
        "rear": (x > slope) & ((normals[:, 0] > _BEHIND) | (x > marks.rear_axle_x)),
    }
    labels = np.full(len(points), REGIONS.index("roof"), np.int8)
    for name in reversed(found):  # the first that fits has the last word
        labels[found[name]] = REGIONS.index(name)
    return labels


def _in_wheels(points: np.ndarray, wheels: Wheels | None) -> np.ndarray:
    if wheels is None:
        return np.zeros(len(points), bool)
    off = np.hypot(points[:, 0] - wheels.x, points[:, 2] - wheels.radius)
    across = np.abs(points[:, 1])
    room = 0.02
    return (off < _ROUND_A_WHEEL * wheels.radius) & (across > wheels.inner_y - room) & (across < wheels.outer_y + room)


def _in_mirrors(points: np.ndarray, marks: Landmarks) -> np.ndarray:
    if marks.mirrors is None:
        return np.zeros(len(points), bool)
    folded = points * np.array([1, 0, 1], np.float32) + np.abs(points) * np.array([0, 1, 0], np.float32)
    return ((folded >= marks.mirrors.low) & (folded <= marks.mirrors.high)).all(axis=1)


def _integrated(drawn: DrawnCar, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(R,) force over q and (R,) surface, m², of the faces that the flow sees."""
    corners = drawn.points[drawn.faces].astype(np.float64)
    vectors = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]) / 2
    outward = np.sign(np.einsum("ij,ij->i", vectors, drawn.normals[drawn.faces].sum(axis=1)))
    vectors *= outward[:, None]
    areas = np.linalg.norm(vectors, axis=1)
    seen = drawn.exposed[drawn.faces].all(axis=1)
    cp, cf = drawn.cp[drawn.faces].mean(axis=1), drawn.cf[drawn.faces][:, :, 0].mean(axis=1)
    force = np.where(seen, -cp * vectors[:, 0] + cf * areas, 0.0)
    face_labels, n = np.sort(labels[drawn.faces], axis=1)[:, 1], len(REGIONS)  # of two that agree, the middle one
    return np.bincount(face_labels, force, n), np.bincount(face_labels, np.where(seen, areas, 0.0), n)
