"""Which faces of a car are its wheels, so that they can turn: by the parts' names, else by their shape."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from data.car import CarMesh
from data.pieces import connected_pieces
from data.placing import Axle, find_axles
from data.weld import weld

FRONT, REAR = "frontWheels", "rearWheels"

_NAMED = re.compile(r"wheel|tyre|tire|rim", re.IGNORECASE)
_HOUSE = re.compile(r"house|arch|well|cover|spat", re.IGNORECASE)
_RADIUS = (0.035, 0.13)  # of the car's length
_ROUND = 0.06  # by how much a wheel's length and height may differ, of its height
_ON_GROUND = 0.1  # of the radius: how high over the ground a tyre's lowest point may be
_WITHIN = 1.03  # of the radius, which the contact with the road gives to 1 %: where a tyre ends
_FOOT = 0.1  # of the radius: height over the ground in which a tyre's width shows
_NARROWEST = 0.15  # of the radius
_BULGE = 0.08  # of the radius: by how much side walls stand out over the tread
_SIDES = 24
_AXLE_REACH = 0.3  # of the radius: how far apart the two wheels of an axle may lie along the car


@dataclass(frozen=True, eq=False)
class RotatingAxle:
    """The wheels of one axle, in the car frame.

    name: ``frontWheels`` or ``rearWheels``. faces: (n,) of the car, of all that turns. x, z: of the axis, m.
    radius: of the tyre, m. tyres: (left and right) lowest and highest y of each wheel, m.
    """

    name: str
    faces: np.ndarray
    x: float
    z: float
    radius: float
    tyres: tuple[tuple[float, float], ...]


def find_wheels(car: CarMesh) -> tuple[RotatingAxle, ...]:
    """The front and the rear axle's wheels; empty where there are none to be found.

    A wheel is a connected piece (or several within its cylinder, such as a rim within its tyre) that is round about
    y and stands on the ground, one on either side of the car. Parts that are named wheels are looked at alone. Where
    wheels and body are one piece, a wheel is what lies within the cylinder of a tyre that touches the ground.
    """
    vertices, faces, _ = weld(car.vertices, car.faces)
    return _pieces_that_turn(car, vertices, faces) or _grown_together(vertices, faces)


def _pieces_that_turn(car: CarMesh, vertices: np.ndarray, faces: np.ndarray) -> tuple[RotatingAxle, ...]:
    piece_of_face = connected_pieces(faces, len(vertices))[0][faces[:, 0]]
    named = _named_faces(car)
    candidates = piece_of_face if named is None else np.where(named, piece_of_face, -1)
    boxes = _boxes(vertices, faces, candidates)
    length = float(np.ptp(vertices[:, 0]))
    tyres = [box for box in boxes if _is_tyre(box, length)]
    if not tyres:
        return ()
    middle = (vertices[:, 0].min() + vertices[:, 0].max()) / 2
    axles = []
    for name, own in (
        (FRONT, [box for box in tyres if box.x < middle]),
        (REAR, [box for box in tyres if box.x >= middle]),
    ):
        axle = _axle(name, own, boxes, candidates)
        if axle is None:
            return ()
        axles.append(axle)
    return tuple(axles)


def _grown_together(vertices: np.ndarray, faces: np.ndarray) -> tuple[RotatingAxle, ...]:
    """Wheels of a body that they are one piece with, from the arcs near the ground that say where axles are."""
    places = find_axles(vertices, faces)
    if places is None:
        return ()
    found = [_cylinders(FRONT, places.front, vertices, faces), _cylinders(REAR, places.rear, vertices, faces)]
    return tuple(axle for axle in found if axle) if all(found) else ()


def _cylinders(name: str, place: Axle, vertices: np.ndarray, faces: np.ndarray) -> RotatingAxle | None:
    """What lies within the tyres' cylinders; a tyre's width is that of its contact with the ground."""
    z = place.ground + place.radius
    near = np.hypot(vertices[:, 0] - place.x, vertices[:, 2] - z) <= _WITHIN * place.radius
    foot = near & (vertices[:, 2] < place.ground + _FOOT * place.radius)
    turning, tyres = np.zeros(len(faces), bool), []
    for side in (-1, 1):
        y = vertices[foot & (side * vertices[:, 1] > 0), 1]
        if not len(y) or np.ptp(y) < _NARROWEST * place.radius:
            return None
        room = _BULGE * place.radius
        own = near & (vertices[:, 1] > y.min() - room) & (vertices[:, 1] < y.max() + room)
        on_wheel = own[faces].all(axis=1)
        if not _goes_round(vertices[np.unique(faces[on_wheel])], place.x, z):
            return None
        turning |= on_wheel
        tyres.append((float(y.min()), float(y.max())))
    return RotatingAxle(name, np.flatnonzero(turning), place.x, z, place.radius, tuple(tyres))


def _goes_round(points: np.ndarray, x: float, z: float) -> bool:
    """Whether points lie on most sides of an axis along y, as a tread's do and an arch's do not."""
    angle = np.arctan2(points[:, 2] - z, points[:, 0] - x)
    return len(np.unique((angle / (2 * np.pi) * _SIDES).astype(int))) > 0.7 * _SIDES


@dataclass(frozen=True, eq=False)
class _Box:
    piece: int
    low: np.ndarray
    high: np.ndarray

    @property
    def x(self) -> float:
        return float(self.low[0] + self.high[0]) / 2

    @property
    def z(self) -> float:
        return float(self.high[2]) - self.radius

    @property
    def radius(self) -> float:
        """From the length: the road flattens a tyre's height."""
        return float(self.high[0] - self.low[0]) / 2


def _named_faces(car: CarMesh) -> np.ndarray | None:
    """(F,) bool, the faces of parts that are named wheels; None without such names."""
    named = np.zeros(len(car.faces), bool)
    for name, start, stop in car.parts:
        if _NAMED.search(name) and not _HOUSE.search(name):
            named[start:stop] = True
    return named if named.any() else None


def _boxes(vertices: np.ndarray, faces: np.ndarray, piece_of_face: np.ndarray) -> list[_Box]:
    order = np.argsort(piece_of_face, kind="stable")
    order = order[piece_of_face[order] >= 0]
    if not len(order):
        return []
    starts = np.flatnonzero(np.diff(piece_of_face[order], prepend=-1))
    corners = vertices[faces[order]]
    low = np.minimum.reduceat(corners.min(axis=1), starts)
    high = np.maximum.reduceat(corners.max(axis=1), starts)
    return [_Box(int(piece), a, b) for piece, a, b in zip(piece_of_face[order][starts], low, high, strict=True)]


def _is_tyre(box: _Box, length: float) -> bool:
    size = box.high - box.low
    fits = _RADIUS[0] * length < box.radius < _RADIUS[1] * length
    is_round = abs(size[0] - size[2]) < _ROUND * size[2] and size[1] < size[2]
    return bool(fits and is_round and abs(box.low[2]) < _ON_GROUND * box.radius)


def _axle(name: str, tyres: list[_Box], boxes: list[_Box], piece_of_face: np.ndarray) -> RotatingAxle | None:
    """The pieces that turn about the tyres' common axis, or None where the tyres share none or lack on one side."""
    if not tyres or {box.low[1] + box.high[1] > 0 for box in tyres} != {True, False}:
        return None
    x = float(np.median([box.x for box in tyres]))
    radius = float(np.median([box.radius for box in tyres]))
    z = float(np.median([box.z for box in tyres]))
    if max(abs(box.x - x) for box in tyres) > _AXLE_REACH * radius:
        return None
    turning = [box for box in boxes if any(_within(box, tyre) for tyre in tyres)]
    faces = np.flatnonzero(np.isin(piece_of_face, [box.piece for box in turning]))
    sides = []
    for side in (-1, 1):
        own = [box for box in tyres if side * (box.low[1] + box.high[1]) > 0]
        sides.append((float(min(box.low[1] for box in own)), float(max(box.high[1] for box in own))))
    return RotatingAxle(name, faces, x, z, radius, tuple(sides))


def _within(box: _Box, tyre: _Box) -> bool:
    """Whether a piece lies in the tyre's cylinder, which may stand out a little to the sides."""
    margin = 0.02 * tyre.radius
    aside = 0.3 * tyre.radius
    room = np.array([margin, aside, margin])
    return bool((box.low >= tyre.low - room).all() and (box.high <= tyre.high + room).all())
