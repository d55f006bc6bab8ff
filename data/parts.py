"""The parts of a car's file by name: the bodies that it names, and what does not belong to the car."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from data.belonging import MIDDLE, PLATE, ROOM, SHEET, WIRE, Foreign, find_foreign, without_rows
from data.errors import DrivAerError
from data.frame import Frame
from data.mesh import RawMesh

_ROUNDS = 4
_SHOWN = 12  # names in an error message
_MOST_LISTED = 200
_PERSON_TALL, _PERSON_WIDE = (1.3, 2.15), 1.1  # m
_CAR_LONG = (0.5, 2.0)  # of this car's length: another one


@dataclass(frozen=True)
class CarPart:
    """name: as ``--without`` takes it. kind: what it is where it does not belong to the car, else empty.

    low, high: corners of its box, m, car frame. left_out: it is not in the prediction.
    """

    name: str
    kind: str
    low: tuple[float, float, float]
    high: tuple[float, float, float]
    left_out: bool = False

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> CarPart:
        """Of ``dataclasses.asdict``, also where JSON made lists of its corners."""
        return cls(**{**stored, "low": tuple(stored["low"]), "high": tuple(stored["high"])})

    @property
    def warning(self) -> str:
        """What to say of something that does not belong to the car."""
        size = " × ".join(f"{b - a:.3g}" for a, b in zip(self.low, self.high, strict=True))
        x, y, z = ((a + b) / 2 for a, b in zip(self.low, self.high, strict=True))
        called = self.kind if self.name.split(" ")[0] == self.kind.split(" ")[0] else f"'{self.name}' ({self.kind})"
        what = f"{called}, {size} m, around x {x:.2f}, y {y:.2f}, z {z:.2f} m"
        if self.kind in THIN and self.left_out:
            return f"{what}: left out, as it is thinner than the networks see"
        if self.left_out:
            return f"{what}: left out"
        return f"{what}: does not belong to the car, but counts until it is left out (--without '{self.name}')"


THIN = ("aerial", "wire")


def find_belonging(welded: RawMesh) -> tuple[RawMesh, list[Foreign]]:
    """The car alone, and what else there is, with the rows of the whole."""
    car, found = welded, []
    rows = np.arange(len(welded.vertices if welded.is_point_cloud else welded.faces))
    for _ in range(_ROUNDS):
        things = find_foreign(car)
        if not things:
            break
        gone = np.unique(np.concatenate([thing.rows for thing in things]))
        if len(gone) == len(rows):  # then what there is is the car, such as it is
            return welded, []
        found += [replace(thing, rows=rows[thing.rows]) for thing in things]
        car, rows = without_rows(car, gone), np.delete(rows, gone)
    return car, found


def rows_of_bodies(raw: RawMesh, names: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    """The faces of the bodies that the file calls by one of ``names``, and which of the names those are."""
    wanted = {name.casefold() for name in names}
    spans = [(name, start, stop) for name, start, stop in raw.parts if name.casefold() in wanted]
    rows = [np.arange(start, stop) for _, start, stop in spans]
    known = {name.casefold() for name, *_ in spans}
    return np.unique(np.concatenate(rows)) if rows else np.zeros(0, int), [n for n in names if n.casefold() in known]


def in_words(foreign: Sequence[Foreign], frame: Frame, car_length: float, raw: RawMesh) -> list[CarPart]:
    """Kinds and names of what does not belong to the car, each name once; ``frame`` is the car's."""
    taken = {name.casefold() for name, *_ in raw.parts}
    parts = []
    for thing in foreign:
        ends = frame.to_car(np.stack([thing.low, thing.high]))
        low, high = ends.min(axis=0), ends.max(axis=0)
        kind = _kind(thing, low, high, frame, car_length)
        parts.append(CarPart(thing.name or _free(kind, taken), kind, _corner(low), _corner(high)))
    return parts


def bodies(raw: RawMesh, frame: Frame, left_out: Sequence[str]) -> list[CarPart]:
    """The file's own bodies, each name once, in its order; only the first two hundred."""
    gone = {name.casefold() for name in left_out}
    boxes: dict[str, list[np.ndarray]] = {}
    for name, start, stop in raw.parts:
        if name and stop > start and (name in boxes or len(boxes) < _MOST_LISTED):
            corners = raw.vertices[raw.faces[start:stop].ravel()]
            boxes.setdefault(name, []).append(np.stack([corners.min(axis=0), corners.max(axis=0)]))
    parts = []
    for name, corners in boxes.items():
        ends = frame.to_car(np.concatenate(corners))
        low, high = ends.min(axis=0), ends.max(axis=0)
        parts.append(CarPart(name, "", _corner(low), _corner(high), name.casefold() in gone))
    return parts


def refuse_unknown(without: Sequence[str], parts: Sequence[CarPart], raw: RawMesh) -> None:
    """Raises DrivAerError for a name that no part has."""
    known = {part.name.casefold() for part in parts} | {name.casefold() for name, *_ in raw.parts}
    for name in without:
        if name.casefold() not in known:
            names = list(dict.fromkeys([*(part.name for part in parts), *(name for name, *_ in raw.parts if name)]))
            shown = ", ".join(f"'{n}'" for n in names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
            fix = f"its parts are {shown}" if names else "it is all one part"
            raise DrivAerError(f"has no part '{name}'", file=raw.path, fix=fix)


def without_options(parts: Sequence[CarPart]) -> str:
    """How a user leaves these parts out."""
    return " ".join(f"--without '{part.name}'" for part in parts)


def _free(kind: str, taken: set[str]) -> str:
    name, number = kind, 1
    while name.casefold() in taken:
        number += 1
        name = f"{kind} {number}"
    taken.add(name.casefold())
    return name


def _kind(thing: Foreign, low: np.ndarray, high: np.ndarray, frame: Frame, car_length: float) -> str:
    axis = int(np.abs(frame.rotation[:, thing.axis]).argmax())
    is_below = low[2] + high[2] < 1.0
    if thing.how == WIRE:
        return "aerial" if axis == 2 and not is_below else "wire"
    if thing.how == ROOM:
        return "tunnel box"
    if thing.how in (SHEET, MIDDLE, PLATE):
        if axis == 1 and (thing.how == MIDDLE or frame.mirrored):
            return "symmetry plane"
        if axis == 2 and is_below:
            return "turntable" if thing.how == PLATE else "ground sheet"
        return "wall"
    size = high - low
    wide = max(size[0], size[1])
    if _PERSON_TALL[0] < size[2] < _PERSON_TALL[1] and wide < _PERSON_WIDE:
        return "person"
    if _CAR_LONG[0] < wide / car_length < _CAR_LONG[1] and min(size) > 0.15 * car_length:
        return "second car"
    return "debris"


def _corner(values: np.ndarray) -> tuple[float, float, float]:
    x, y, z = (float(v) for v in values)
    return x, y, z
