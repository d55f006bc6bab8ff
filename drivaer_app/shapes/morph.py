"""A car taken by its handles: where each point goes, and the car that comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from data.car import CarMesh
from data.errors import DrivAerError
from data.load import reshaped
from data.mesh import RawMesh
from data.weld import weld
from drivaer_app.shapes.deformation import HandleMoves, handle_moves, mirror_share
from drivaer_app.shapes.handles import Handle, checked
from drivaer_app.shapes.landmarks import Landmarks, Wheels, find_landmarks
from drivaer_app.shapes.lattice import LatticeMove
from drivaer_app.shapes.wheels_of import BODY, FRONT_WHEELS, PART_KINDS, REAR_WHEELS, wheel_kinds, wheel_share

_CONVERGED = 1e-9
_MOST_STEPS = 200
_NEEDLE = 0.02  # of its length: thinner triangles do not count


@dataclass(frozen=True, eq=False)
class MorphField:
    """The map of a car's space that its handles make, from landmarks alone; see ``lattice`` for its smoothness.

    The displacements of several handles add, in any order.
    """

    landmarks: Landmarks

    def __getstate__(self) -> dict[str, Landmarks]:
        return {"landmarks": self.landmarks}  # the rest follows from it, and holds functions, which cannot be sent

    @cached_property
    def moves(self) -> dict[str, HandleMoves]:
        return handle_moves(self.landmarks)

    @property
    def handles(self) -> dict[str, Handle]:
        """Those that apply to this car, with the ranges that they have on it."""
        return {name: moves.handle for name, moves in self.moves.items()}

    def displacement(self, points: np.ndarray, values: Mapping[str, float], part: str | None = None) -> np.ndarray:
        """(N, 3) m by which points (N, 3) of the undeformed car move, car frame.

        values: handle -> value in its own unit. part: ``body``, ``front_wheels`` or ``rear_wheels`` where it is known
        what the points belong to; else what lies within the tyres goes with the wheels, fading into the body around.
        Raises DrivAerError for values that are refused.
        """
        points = np.asarray(points, float)
        moved = np.zeros(points.shape)
        for name, value in checked(values, self.handles).items():
            amount = self.moves[name].amount(value)
            for move in self.moves[name].moves:
                moved[:, move.axis] += amount * self.weight(name, move, points, part)
        return moved

    def inverse(self, points: np.ndarray, values: Mapping[str, float], part: str | None = None) -> np.ndarray:
        """(N, 3) the places of which the map makes points (N, 3): q + displacement(q) = p, to less than 1e-6 m.

        By fixed-point iteration, which converges because the map does not fold.
        Raises DrivAerError where values together bend the space so much that it does.
        """
        points = np.asarray(points, float)
        places = points - self.displacement(points, values, part)
        step, share = np.inf, 1.0
        for _ in range(_MOST_STEPS):
            change = points - places - self.displacement(places, values, part)
            largest = float(np.abs(change).max(initial=0.0))
            if largest < _CONVERGED:
                return places
            share = max(0.5 * share, 0.125) if largest > step else share
            step = largest
            places = places + share * change
        if step < 1e-6:
            return places
        raise DrivAerError("these values together fold the car", fix="choose values nearer to neutral")

    def weight(self, name: str, move: LatticeMove, points: np.ndarray, part: str | None) -> np.ndarray:
        """(N,) what the handle's amount is multiplied by along the move's axis."""
        if part is not None and part not in PART_KINDS:
            raise DrivAerError(f"there is no part {part} to move", fix=f"the parts are {', '.join(PART_KINDS)}")
        if part in (FRONT_WHEELS, REAR_WHEELS):
            return self._wheel_weight(name, move, points, 0 if part == FRONT_WHEELS else 1)
        weight = move.weight(points)
        if name != "mirror_scale" and self.landmarks.mirrors is not None:
            self._carry_mirrors(move, points, weight)
        if part is None:
            for i, share in enumerate(wheel_share(self.landmarks, points)):
                if share.any():
                    weight += share * (self._wheel_weight(name, move, points, i) - weight)
        return weight

    def _carry_mirrors(self, move: LatticeMove, points: np.ndarray, weight: np.ndarray) -> None:
        """Mirrors go as their feet go, and keep their shape."""
        box = self.landmarks.mirrors
        share = self._mirror_share.weight(points)
        near = np.flatnonzero(share)
        foot = np.array([[(box.low[0] + box.high[0]) / 2, box.low[1], (box.low[2] + box.high[2]) / 2]])
        at_foot = points.dtype.type(move.weight(foot)[0])
        if move.axis == 1:
            at_foot = at_foot * np.sign(points[near, 1])
        weight[near] += share[near] * (at_foot - weight[near])

    @cached_property
    def _mirror_share(self) -> LatticeMove:
        return LatticeMove(0, *mirror_share(self.landmarks.mirrors))

    def _wheel_weight(self, name: str, move: LatticeMove, points: np.ndarray, i: int) -> np.ndarray:
        """The same for all points of a wheel: it goes where its tyre's outer side does, and stays level."""
        wheels = self._pairs[i]
        if wheels is None or not self.moves[name].moves_wheels:
            return np.zeros(len(points), points.dtype)
        hub = np.array([[wheels.x, wheels.outer_y, wheels.radius]])
        weight = points.dtype.type(move.weight(hub)[0])
        return np.sign(points[:, 1]) * weight if move.axis == 1 else np.full(len(points), weight)

    @property
    def _pairs(self) -> tuple[Wheels | None, Wheels | None]:
        return self.landmarks.front_wheels, self.landmarks.rear_wheels


@dataclass(frozen=True, eq=False)
class Morph:
    """One car with its handles: landmarks found once, weights of its points kept, so that sliders deform it live.

    car: undeformed. field: the map, for any points.
    """

    car: CarMesh
    field: MorphField
    _points: np.ndarray
    _row: np.ndarray
    _kinds: np.ndarray | None
    _weights: dict[str, list[tuple[int, np.ndarray]]] = field(default_factory=dict)

    @classmethod
    def of(cls, car: CarMesh) -> Morph:
        """Find a car's landmarks and wheels. Raises DrivAerError where the car cannot be made out."""
        found = MorphField(find_landmarks(car))
        used, faces, row = weld(car.vertices, car.faces)
        kinds = wheel_kinds(found.landmarks, used, faces, car.parts)
        both = bool((kinds == 1).any() and (kinds == 2).any())
        return cls(car, found, used.astype(np.float32), row, kinds if both else None)

    @property
    def landmarks(self) -> Landmarks:
        return self.field.landmarks

    @property
    def handles(self) -> dict[str, Handle]:
        """Those that apply to this car, with the ranges that they have on it."""
        return self.field.handles

    @property
    def wheels_are_separate(self) -> bool:
        """Whether the wheels are pieces of their own; else they are what lies within their cylinders."""
        return self._kinds is not None

    def displacement(self, points: np.ndarray, values: Mapping[str, float], part: str | None = None) -> np.ndarray:
        """See MorphField.displacement."""
        return self.field.displacement(points, values, part)

    def inverse(self, points: np.ndarray, values: Mapping[str, float], part: str | None = None) -> np.ndarray:
        """See MorphField.inverse."""
        return self.field.inverse(points, values, part)

    def vertices(self, values: Mapping[str, float]) -> np.ndarray:
        """(V, 3) float64 m: the car's vertices with the values applied; for neutral ones the car's own array.

        Raises DrivAerError for values that are refused.
        """
        changes = checked(values, self.handles)
        if not changes:
            return self.car.vertices
        moved = np.zeros((3, len(self._points)), np.float32)
        for name, value in changes.items():
            amount = np.float32(self.field.moves[name].amount(value))
            for axis, weight in self._weights_of(name):
                moved[axis] += amount * weight
        vertices = np.empty(self.car.vertices.shape)
        for axis in range(3):
            np.add(self.car.vertices[:, axis], moved[axis][self._row], out=vertices[:, axis])
        return vertices

    def weights_at(
        self, places: np.ndarray, values: Mapping[str, float] | None = None
    ) -> dict[str, list[tuple[int, np.ndarray]]]:
        """Of each handle the axes along which it moves, and (N,) float32 how much of its amount reaches places (N, 3).

        A place goes along with the car's vertex that is nearest to it when ``values`` are applied.
        """
        from scipy.spatial import cKDTree

        vertices = self.vertices(values or {})
        welded = np.empty(self._points.shape)
        welded[self._row] = vertices
        _, near = cKDTree(welded).query(places)
        return {name: [(axis, weight[near]) for axis, weight in self._weights_of(name)] for name in self.handles}

    def apply(self, values: Mapping[str, float]) -> CarMesh:
        """The morphed car, its frontal area and health measured anew; for neutral values the car itself."""
        vertices = self.vertices(values)
        return self.car if vertices is self.car.vertices else reshaped(self.car, vertices)

    def flipped_faces(self, vertices: np.ndarray) -> int:
        """How many faces, needles left out, look the other way (by more than 90 degrees) with vertices (V, 3)."""
        counted, before = self._counted_faces
        after = _face_vectors(vertices, counted)
        return int((np.einsum("ij,ij->i", before, after) < 0).sum())

    @cached_property
    def _counted_faces(self) -> tuple[np.ndarray, np.ndarray]:
        """Faces that are no needles, which the least bending of their long sides turns over, and their vectors."""
        vectors = _face_vectors(self.car.vertices, self.car.faces)
        corners = self.car.vertices[self.car.faces]
        longest = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(axis=1, initial=0.0)
        counted = np.linalg.norm(vectors, axis=1) > _NEEDLE * longest**2
        return self.car.faces[counted], vectors[counted]

    def _weights_of(self, name: str) -> list[tuple[int, np.ndarray]]:
        if name not in self._weights:
            self._weights[name] = [(m.axis, self._weight(name, m)) for m in self.field.moves[name].moves]
        return self._weights[name]

    def _weight(self, name: str, move: LatticeMove) -> np.ndarray:
        if self._kinds is None:
            return self.field.weight(name, move, self._points, None)
        weight = self.field.weight(name, move, self._points, BODY)
        for kind, part in ((1, FRONT_WHEELS), (2, REAR_WHEELS)):
            of_wheels = self._kinds == kind
            weight[of_wheels] = self.field.weight(name, move, self._points[of_wheels], part)
        return weight


def _face_vectors(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    return np.cross(b - a, c - a)


def reshaped_file(raw: RawMesh, car: CarMesh, vertices: np.ndarray) -> RawMesh:
    """The file that a car was placed from with the car's vertices (V, 3), m in the car frame, in their places.

    Unit, axes, place, faces and parts stay; a vertex that has not moved keeps its very number. Of half a car the half.
    """
    moved = vertices[: car.n_file_vertices] - car.vertices[: car.n_file_vertices]
    return replace(raw, vertices=raw.vertices + car.frame.vectors_to_file(moved) / car.frame.to_metres)
