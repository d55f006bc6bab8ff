"""From a file's unit, axes and place to the car frame (m, +x nose to tail, +z up, ground z = 0), and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.errors import DrivAerError, MeshError
from data.front_rear import boxiness
from data.half_car import MirrorPlane, find_mirror_plane
from data.mesh import RawMesh
from data.orientation import find_orientation
from data.outline import Outline, bounds, outline_of
from data.placing import NOSE_AHEAD_OF_AXLE, Axles, find_axles, middle_plane
from data.size import Size
from data.tilt import Tilt, find_tilt, pitch_rotation
from data.units import METRES, UnitGuess, find_unit, given_unit
from data.upright import AXES, car_rotation

LEVEL_DEG = 1.5  # a pitch below this is suspension, above it the file is tilted
MAX_CLEARANCE = 0.35  # of the height: a body without wheels floats no higher over the ground
MAX_EXTENT = 1e7  # file units: 10 km of mm; beyond it a file is not a car in any unit
MIN_EXTENT = 1e-6


@dataclass(frozen=True, eq=False)
class Frame:
    """How a file's coordinates become car frame coordinates: ``car = rotation @ (file * to_metres) + offset``.

    unit: ``m``, ``cm``, ``mm``, ``in``, ``ft`` or ``other``; to_metres: its length in metres.
    up, forward: the file's own axes along which the roof and the nose point, one of x y z -x -y -z.
    mirror_plane: where a half car is to be completed (``complete_half_car``), in the file's axes and unit; else None.
    confidence: 0..1, the chance that unit, up and forward are all right. 1 when all were given.
    offset: (3,) m. warnings: what was assumed on thin evidence.
    level: (3, 3), what turned a tilted car level on request, in car axes between rotation and offset; else None.
    """

    unit: str
    to_metres: float
    up: str
    forward: str
    confidence: float
    offset: np.ndarray
    mirror_plane: MirrorPlane | None = None
    warnings: tuple[str, ...] = ()
    level: np.ndarray | None = None

    @property
    def mirrored(self) -> bool:
        """Whether the file holds half a car, to be completed by mirroring."""
        return self.mirror_plane is not None

    @property
    def rotation(self) -> np.ndarray:
        """(3, 3) from file axes to car axes; its determinant is +1: a car is never turned into its mirror image."""
        return car_rotation(self.up, self.forward)

    def to_car(self, points: np.ndarray) -> np.ndarray:
        """(N, 3) points of the file in the car frame, m."""
        return self._levelled(_turned(np.asarray(points, dtype=float), self.rotation, self.to_metres)) + self.offset

    def to_file(self, points: np.ndarray) -> np.ndarray:
        """(N, 3) car frame points, m, in the file's unit, axes and place."""
        return _turned(self._tilted(np.asarray(points, dtype=float) - self.offset), self.rotation.T) / self.to_metres

    def vectors_to_car(self, vectors: np.ndarray) -> np.ndarray:
        """(N, 3) directions (normals, Cf) of the file in car axes; lengths stay."""
        return self._levelled(_turned(vectors, self.rotation))

    def vectors_to_file(self, vectors: np.ndarray) -> np.ndarray:
        """(N, 3) directions in car axes in the file's axes; lengths stay."""
        return _turned(self._tilted(vectors), self.rotation.T)

    def _levelled(self, vectors: np.ndarray) -> np.ndarray:
        return vectors if self.level is None else (vectors @ self.level.T).astype(vectors.dtype)

    def _tilted(self, vectors: np.ndarray) -> np.ndarray:
        return vectors if self.level is None else (vectors @ self.level).astype(vectors.dtype)


def _turned(points: np.ndarray, rotation: np.ndarray, scale: float = 1.0) -> np.ndarray:
    """``rotation @ (scale * point)`` where the rotation only swaps axes: columns are moved, nothing is multiplied."""
    points = np.asarray(points)
    turned = np.empty_like(points)
    for i, row in enumerate(rotation):
        axis = int(np.abs(row).argmax())
        np.multiply(points[:, axis], scale, out=turned[:, i])
        if row[axis] < 0:
            np.negative(turned[:, i], out=turned[:, i])
    return turned


def find_frame(
    raw: RawMesh, *, unit: str = "auto", up: str = "auto", forward: str = "auto", level: bool = False
) -> Frame:
    """Work out unit, axes and place from the geometry; what the user gives is taken as it is.

    unit: ``auto`` or a key of ``data.units.METRES``; up, forward: ``auto`` or one of x y z -x -y -z. level: turn a
    tilted car level, by its symmetry and its wheels.
    Raises DrivAerError for options that contradict each other, MeshError for what cannot be a car at all.
    """
    _check_options(unit, up, forward)
    vertices = _surface_vertices(raw)
    _check_extent(vertices, raw)
    outline = outline_of(vertices, raw.faces)
    plane = find_mirror_plane(vertices, raw.faces, outline)
    if plane is not None:
        outline = outline.mirrored(plane.axis, at_low=plane.low)
    orientation = find_orientation(outline, up, forward, raw.up)
    rotation = orientation.rotation
    guess = _unit_of(outline.turned(rotation), unit, raw.unit)
    # Columns that lie together: all that follows goes through one coordinate of every point.
    points = _turned(np.asfortranarray(vertices), rotation, guess.to_metres)
    normals = None if raw.normals is None else _turned(raw.normals, rotation)
    tilt = Tilt() if plane is not None else find_tilt(points, raw.faces, normals)
    axles = find_axles(points, raw.faces)
    turn = _levelling(points, raw.faces, tilt, plane is not None) if level else None
    if turn is not None:
        points = np.asfortranarray(points @ turn.T)
        axles = find_axles(points, raw.faces)
    cut = _plane_in_car_axes(plane, guess.to_metres, rotation)
    offset, notes = _place(points, axles, cut, tilt if turn is None else Tilt())
    size = Size.of(points, axles, cut)
    doubts = (*orientation.doubts(tilt), *guess.warnings, *(size.doubts() if unit == "auto" else ()))
    said = _said_of_tilt(tilt, axles) if turn is None else (_said_of_levelling(turn),)
    all_given = "auto" not in (unit, up, forward)
    likeness = orientation.likeness * (1.0 if turn is not None or not tilt.is_turned else 0.5)
    return Frame(
        unit=guess.unit,
        to_metres=guess.to_metres,
        up=orientation.up,
        forward=orientation.forward,
        mirror_plane=plane,
        confidence=1.0 if all_given else orientation.confidence * likeness * guess.confidence * size.likeness,
        offset=offset,
        warnings=(*doubts, *said, *notes),
        level=turn,
    )


def _check_options(unit: str, up: str, forward: str) -> None:
    if unit != "auto" and unit not in METRES:
        raise DrivAerError(f"unknown unit {unit!r}", fix=f"use auto, {', '.join(METRES)}")
    for name, axis in (("up", up), ("forward", forward)):
        if axis != "auto" and axis not in AXES:
            raise DrivAerError(f"unknown {name} axis {axis!r}", fix=f"use auto, {', '.join(AXES)}")
    if "auto" not in (up, forward) and up[-1] == forward[-1]:
        raise DrivAerError(f"the roof ({up}) and the nose ({forward}) cannot point along the same axis")


def _surface_vertices(raw: RawMesh) -> np.ndarray:
    """The vertices, with those that no face refers to moved onto the surface: they say nothing about the car."""
    if raw.is_point_cloud:
        return raw.vertices
    used = np.zeros(len(raw.vertices), dtype=bool)
    used[raw.faces.ravel()] = True
    return raw.vertices if used.all() else np.where(used[:, None], raw.vertices, raw.vertices[raw.faces[0, 0]])


def _check_extent(vertices: np.ndarray, raw: RawMesh) -> None:
    if len(vertices) == 0:
        raise MeshError("no geometry in it", file=raw.path)
    low, high = bounds(vertices)
    extent = high - low
    if not np.isfinite(extent).all():
        raise MeshError("its coordinates are not all finite numbers", file=raw.path, fix="export it again")
    longest = extent.max()
    if longest < MIN_EXTENT:
        raise MeshError(f"everything in it lies within {longest:.3g} units: no shape", file=raw.path)
    if extent.min() < 1e-4 * longest:
        raise MeshError("it is flat: no thickness along one of its axes", file=raw.path, fix="export the whole body")
    if longest > MAX_EXTENT:
        raise MeshError(
            f"it is {longest:.3g} units long, no car in any unit",
            file=raw.path,
            fix="check the export for stray points",
        )


def _unit_of(turned: Outline, unit: str, stated: str | None) -> UnitGuess:
    """turned: outline in car axes, still in the file's unit."""
    if unit != "auto":
        return given_unit(unit, float(turned.extent[0]))
    boxy = boxiness(turned.cells) > 0.5
    centred = bool((np.abs(turned.centre) < 1e-3 * turned.extent).all())
    return find_unit(turned.extent, boxy=boxy, centred=centred, stated=stated)


def _plane_in_car_axes(plane: MirrorPlane | None, to_metres: float, rotation: np.ndarray) -> float | None:
    """Where a half car was cut, m along the car's y axis before placing."""
    return None if plane is None else float(rotation[1, plane.axis] * plane.place * to_metres)


def _levelling(points: np.ndarray, faces: np.ndarray, tilt: Tilt, is_half: bool) -> np.ndarray | None:
    """(3, 3) that turns a car level: its symmetry plane upright and along x, then its wheels to one height."""
    turn = np.eye(3) if is_half else tilt.levelled()
    axles = find_axles(np.asfortranarray(points @ turn.T), faces)
    if axles is not None:
        turn = pitch_rotation(axles.pitch_deg) @ turn
    return None if np.abs(turn - np.eye(3)).max() < 1e-5 else turn


def _said_of_tilt(tilt: Tilt, axles: Axles | None) -> tuple[str, ...]:
    ways = []
    if tilt.is_rolled:
        ways.append(f"rolled by {abs(tilt.roll_deg):.1f} degrees")
    if axles is not None and abs(axles.pitch_deg) > LEVEL_DEG:
        ways.append(f"pitched by {abs(axles.pitch_deg):.1f} degrees")
    said = [f"the car is not level: {' and '.join(ways)}; turn it level in the file, or with --level"] if ways else []
    if tilt.is_turned:
        said.append(
            f"not aligned with the file's axes: turned by {abs(tilt.yaw_deg):.1f} degrees; align it in the file, or "
            "with --level"
        )
    return tuple(said)


def _said_of_levelling(turn: np.ndarray) -> str:
    """What was taken out of the file's position: the angles of ``turn``, as said of a tilt."""
    roll, yaw = (np.degrees(np.arctan2(turn[1, k], turn[1, 1])) for k in (2, 0))
    pitch = np.degrees(np.arctan2(turn[0, 2], np.hypot(turn[0, 0], turn[0, 1])))
    angles = ((roll, "rolled"), (pitch, "pitched"), (yaw, "turned"))
    was = [f"{how} by {abs(angle):.1f}" for angle, how in angles if abs(angle) >= 0.05]
    return f"turned level and set on its wheels; in the file it is {', '.join(was) or 'off by less than 0.1'} degrees"


def _place(
    points: np.ndarray, axles: Axles | None, cut: float | None, tilt: Tilt
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Offset, (3,) m, from turned and scaled points to the car frame, and what is to be said about it.

    cut: y of the plane a half car was cut along, else None. tilt: which explains sides that do not agree.
    """
    low, high = bounds(points)
    notes = []
    middle, agree = (cut, True) if cut is not None else middle_plane(points)
    if cut is not None:
        notes.append("half a car: completed by mirroring at the plane it was cut along")
    if not agree and not tilt.is_rolled and not tilt.is_turned:
        notes.append("something sticks out on one side only; the symmetry plane is taken from the rest of the body")
    if axles is None:
        x = low[0] + NOSE_AHEAD_OF_AXLE * (high[0] - low[0])
        ground = _ground_without_wheels(low, high, middle)
        lies = "as in the file" if ground != low[2] else "at its lowest point"
        notes.append(f"no wheels found: the front axle is assumed at 18 % of the length, the ground {lies}")
    else:
        x, ground = axles.front.x, low[2]
    return -np.array([x, middle, ground]), tuple(notes)


def _ground_without_wheels(low: np.ndarray, high: np.ndarray, middle: float) -> float:
    """The file's own zero where it can be the ground (below a body centred over it), else the lowest point."""
    clearance = low[2] / (high[2] - low[2])
    centred = abs(middle) < 0.01 * (high[1] - low[1])
    return 0.0 if centred and 0 < clearance < MAX_CLEARANCE else float(low[2])
