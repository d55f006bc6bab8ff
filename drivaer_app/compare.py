"""One car against another: by how much drag differs and whether that is certain, and where the pressure differs.

A script compares two predictions of one model: ``Difference.of(one, other)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data.nearest import closest_points
from drivaer_app.drawn_car import DrawnCar, drawn_car
from drivaer_app.fields import place_of_each, vertex_normals
from drivaer_app.results import COUNT, Result

if TYPE_CHECKING:
    from drivaer_app.predict import Prediction

REACH = 0.06
"""m: a point with no surface of the other car within it has no counterpart there."""
ALIKE = 0.3
"""Cosine between the normals below which the nearest surface is another part of the car."""
_LIFT = 0.0005  # m outwards, so that of a thin panel's two sides the right one is nearer
_INSET = 0.25  # of the way to its faces' middles, so that a point at a crease is on its own side of it


@dataclass(frozen=True)
class Difference:
    """Drag of one car against a baseline's.

    counts: Cd minus the baseline's in counts of 0.001. half_width: counts, of the difference's own 90 % interval; None
    where there is none, and then ``lacking`` says why.
    """

    counts: float
    half_width: float | None
    lacking: str = ""

    @classmethod
    def of(cls, mine: Result | Prediction, baseline: Result | Prediction) -> Difference:
        """Both on the same conditions. Different models' answers compare, but with no interval."""
        laws = (mine.difference_law, baseline.difference_law)
        change = mine.cd - baseline.cd
        lacking = ""
        if mine.model != baseline.model:
            lacking = "two models: how certain the difference is, is not known"
        elif None in laws:
            lacking = "uncertainty of differences not calibrated for this model"
        elif False in (mine.in_distribution, baseline.in_distribution):
            lacking = "outside of what the model learnt from: how certain the difference is, is not known"
        if lacking:
            return cls(change / COUNT, None, lacking)
        half = sum(law.half_width(change) for law in laws) / 2
        return cls(change / COUNT, float(half) / COUNT)

    @property
    def is_certain(self) -> bool | None:
        """Whether the difference is larger than its own uncertainty; None where that is not known."""
        return None if self.half_width is None else abs(self.counts) > self.half_width

    @property
    def in_words(self) -> str:
        if self.is_certain is None:
            return self.lacking
        if self.is_certain:
            return f"larger than the uncertainty of differences (± {self.half_width:.1f} counts)"
        return f"within the uncertainty of differences (± {self.half_width:.1f} counts)"


@dataclass(frozen=True, eq=False)
class PressureDifference:
    """delta (P,) float32: Cp minus the other car's, on the drawn points of one; 0 without a counterpart.

    counterpart (P,) bool: whether the other car has the same place, in the flow's sight on both.
    """

    delta: np.ndarray
    counterpart: np.ndarray

    @property
    def n_bytes(self) -> int:
        return self.delta.nbytes + self.counterpart.nbytes


def pressure_difference(car: DrawnCar, other: DrawnCar) -> PressureDifference:
    """Cp of ``car`` minus that of ``other`` at the nearest point of its surface."""
    near = nearest_surface(car, other.points, other.faces)
    counterpart = near.is_there(other.normals) & car.exposed & other.exposed[near.corners].any(axis=1)
    delta = np.where(counterpart, car.cp - near.of(other.cp), np.float32(0))
    return PressureDifference(delta.astype(np.float32), counterpart)


def pressure_difference_on_file(prediction: Prediction, other: Prediction) -> PressureDifference:
    """The same on the vertices (V,) of the mesh that was given: Cp of ``prediction`` minus that of ``other``.

    Raises DrivAerError for a model that gives drag only.
    """
    fields = prediction.car_fields
    normals = prediction.car.normals
    smooth = vertex_normals(fields.vertices, fields.faces) if normals is None else normals
    none = np.empty((0, 2, 3), np.float32)
    car = DrawnCar(
        points=fields.vertices.astype(np.float32),
        normals=smooth,
        faces=fields.faces,
        cp=fields.cp,
        cf=fields.cf,
        exposed=fields.exposed,
        curvature=np.zeros(len(smooth), np.float32),
        creases=none,
        open_edges=none,
    )
    found = pressure_difference(car, drawn_car(other))
    row = place_of_each(fields, prediction.car)[: prediction.car.n_file_vertices]
    return PressureDifference(found.delta[row], found.counterpart[row])


@dataclass(frozen=True, eq=False)
class NearestSurface:
    """Where another surface is nearest to a car's drawn points.

    corners: (P, 3) vertices of the triangle there. weights: (P, 3) float32 of each. distance: (P,) m.
    normals: (P, 3) the drawn points' own.
    """

    corners: np.ndarray
    weights: np.ndarray
    distance: np.ndarray
    normals: np.ndarray

    def of(self, values: np.ndarray) -> np.ndarray:
        """(P,) values (V,) of the surface's vertices, linear within its triangles."""
        return np.einsum("pk,pk->p", self.weights, values[self.corners])

    def facing(self, normals: np.ndarray) -> np.ndarray:
        """(P,) cosine between the two surfaces. normals: (V, 3) of the surface's vertices."""
        return np.einsum("pk,pkd,pd->p", self.weights, normals[self.corners], self.normals)

    def is_there(self, normals: np.ndarray) -> np.ndarray:
        """(P,) whether it is the same place: near, and turned alike."""
        return (self.distance <= REACH) & (self.facing(normals) >= ALIKE)


def nearest_surface(car: DrawnCar, points: np.ndarray, faces: np.ndarray) -> NearestSurface:
    """points (V, 3), faces (F, 3): of the other surface, car frame."""
    inside = _within_faces(car) if car.plate_middles is None else car.plate_middles
    found = closest_points(points, faces, inside + np.float32(_LIFT) * car.normals)
    return NearestSurface(
        corners=faces[found.triangles],
        weights=found.weights.astype(np.float32),
        distance=found.distance,
        normals=car.normals,
    )


def _within_faces(car: DrawnCar) -> np.ndarray:
    """(P, 3) the drawn points, each moved a little into the faces that it belongs to."""
    middles = car.points[car.faces].mean(axis=1)
    n = len(car.points)
    flat = car.faces.ravel()
    count = np.maximum(np.bincount(flat, minlength=n), 1).astype(np.float32)
    mean = [np.bincount(flat, np.repeat(middles[:, k], 3), minlength=n) / count for k in range(3)]
    used = np.bincount(flat, minlength=n) > 0
    inside = np.stack(mean, axis=1).astype(np.float32)
    return np.where(used[:, None], car.points + np.float32(_INSET) * (inside - car.points), car.points)
