"""From a file's unit, axes and place to the car frame (m, +x nose to tail, +z up, ground z = 0), and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.errors import DrivAerError, MeshError
from data.front_rear import nose_score
from data.mesh import RawMesh
from data.outline import Outline, outline_of
from data.placing import NOSE_AHEAD_OF_AXLE, Axles, find_axles, middle_plane
from data.units import METRES, UnitGuess, find_unit
from data.upright import AXES, axis_vector, car_rotation, upright_scores, ways_up

LEVEL_DEG = 1.5  # a pitch below this is suspension, above it the file is tilted
MAX_EXTENT = 1e7  # file units: 10 km of mm; beyond it a file is not a car in any unit
MIN_EXTENT = 1e-6


@dataclass(frozen=True, eq=False)
class Frame:
    """How a file's coordinates become car frame coordinates: ``car = rotation @ (file * to_metres) + offset``.

    unit: ``m``, ``cm``, ``mm``, ``in``, ``ft`` or ``other``; to_metres: its length in metres.
    up, forward: the file's own axes along which the roof and the nose point, one of x y z -x -y -z.
    mirrored: a half car was completed; mirror_plane: then the file axis it was mirrored along and the plane's place on
        it in the file's unit, else None.
    confidence: 0..1, the chance that unit, up and forward are all right. 1 when all were given.
    offset: (3,) m. warnings: what was assumed on thin evidence.
    """

    unit: str
    to_metres: float
    up: str
    forward: str
    mirrored: bool
    mirror_plane: tuple[str, float] | None
    confidence: float
    offset: np.ndarray
    warnings: tuple[str, ...] = ()

    @property
    def rotation(self) -> np.ndarray:
        """(3, 3) from file axes to car axes; its determinant is +1: a car is never turned into its mirror image."""
        return car_rotation(self.up, self.forward)

    def to_car(self, points: np.ndarray) -> np.ndarray:
        """(N, 3) points of the file in the car frame, m."""
        return (np.asarray(points, dtype=float) * self.to_metres) @ self.rotation.T + self.offset

    def to_file(self, points: np.ndarray) -> np.ndarray:
        """(N, 3) car frame points, m, in the file's unit, axes and place."""
        return ((np.asarray(points, dtype=float) - self.offset) @ self.rotation) / self.to_metres

    def vectors_to_car(self, vectors: np.ndarray) -> np.ndarray:
        """(N, 3) directions (normals, Cf) of the file in car axes; lengths stay."""
        return np.asarray(vectors) @ self.rotation.T.astype(np.asarray(vectors).dtype)

    def vectors_to_file(self, vectors: np.ndarray) -> np.ndarray:
        """(N, 3) directions in car axes in the file's axes; lengths stay."""
        return np.asarray(vectors) @ self.rotation.astype(np.asarray(vectors).dtype)


def find_frame(raw: RawMesh, *, unit: str = "auto", up: str = "auto", forward: str = "auto") -> Frame:
    """Work out unit, axes and place from the geometry; what the user gives is taken as it is.

    unit: ``auto`` or a key of ``data.units.METRES``; up, forward: ``auto`` or one of x y z -x -y -z.
    Raises DrivAerError for options that contradict each other, MeshError for what cannot be a car at all.
    """
    _check_options(unit, up, forward)
    _check_extent(raw)
    outline = outline_of(raw.vertices, raw.faces)
    axes = _find_axes(outline, up, forward)
    rotation = car_rotation(axes.up, axes.forward)
    guess = _unit_of(np.abs(rotation) @ outline.extent, unit, raw.unit)
    points = (raw.vertices * guess.to_metres) @ rotation.T
    axles = find_axles(points, raw.faces)
    offset, notes = _place(points, axles)
    warnings = axes.warnings + ((guess.warning,) if guess.warning else ()) + notes
    confidence = axes.confidence * guess.confidence
    return Frame(
        guess.unit, guess.to_metres, axes.up, axes.forward, False, None, float(confidence), offset, tuple(warnings)
    )


@dataclass(frozen=True)
class _Axes:
    up: str
    forward: str
    confidence: float
    warnings: tuple[str, ...] = ()


def _check_options(unit: str, up: str, forward: str) -> None:
    if unit != "auto" and unit not in METRES:
        raise DrivAerError(f"unknown unit {unit!r}", fix=f"use auto, {', '.join(METRES)}")
    for name, axis in (("up", up), ("forward", forward)):
        if axis != "auto" and axis not in AXES:
            raise DrivAerError(f"unknown {name} axis {axis!r}", fix=f"use auto, {', '.join(AXES)}")
    if "auto" not in (up, forward) and up[-1] == forward[-1]:
        raise DrivAerError(f"the roof ({up}) and the nose ({forward}) cannot point along the same axis")


def _check_extent(raw: RawMesh) -> None:
    if len(raw.vertices) == 0:
        raise MeshError("no geometry in it", file=raw.path)
    extent = np.ptp(raw.vertices, axis=0)
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


def _find_axes(outline: Outline, up: str, forward: str) -> _Axes:
    along = None if forward == "auto" else forward[-1]
    ways = ways_up(up, along)
    if forward == "auto":
        ways = [w for w in ways if w[0][-1] != w[1]]
    scores = upright_scores(outline, ways)
    best = int(scores.argmax())
    up, along = ways[best]
    certain = 1 / np.exp(scores - scores[best]).sum()
    if forward != "auto":
        return _Axes(up, forward, float(certain))
    # Read with the nose at the axis's low end; a positive score agrees.
    score = nose_score(outline.turned(car_rotation(up, "-" + along)))
    nose = ("-" if score > 0 else "") + along
    sure = 1 / (1 + np.exp(-abs(score)))
    return _Axes(up, nose, float(certain * sure))


def _unit_of(size: np.ndarray, unit: str, stated: str | None) -> UnitGuess:
    return find_unit(size, stated) if unit == "auto" else UnitGuess(unit, METRES[unit], 1.0)


def _place(points: np.ndarray, axles: Axles | None) -> tuple[np.ndarray, tuple[str, ...]]:
    """Offset, (3,) m, from turned and scaled points to the car frame, and what is to be said about it."""
    low, high = points.min(axis=0), points.max(axis=0)
    notes = []
    middle, agree = middle_plane(points)
    if not agree:
        notes.append("something sticks out on one side only; the symmetry plane is taken from the rest of the body")
    if axles is None:
        x = low[0] + NOSE_AHEAD_OF_AXLE * (high[0] - low[0])
        notes.append("no wheels found: the front axle's place is assumed from the length")
    else:
        x = axles.front.x
        if abs(axles.pitch_deg) > LEVEL_DEG:
            notes.append(f"the car is not level: pitched by {axles.pitch_deg:.1f} degrees; turn it level in the file")
    return -np.array([x, middle, low[2]]), tuple(notes)
