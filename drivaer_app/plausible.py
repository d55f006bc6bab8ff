"""A floor under the answer: what no road vehicle can have is an error, not a result."""

from __future__ import annotations

import math

from data.car import CarMesh
from data.errors import DrivAerError
from data.parts import without_options
from drivaer_app.conditions import Conditions

CD = (0.05, 1.5)
"""Drag coefficients on the own frontal area: below the first no vehicle is known, above the second no bluff body."""

AREA = (0.004, 13.0)
"""m²: a 1:24 model's frontal area, and a little more than a lorry's."""

_HARDLY = "the file is hardly one car on its own, or not read as it is meant: see --units, --up and --forward"


def check_car(car: CarMesh, conditions: Conditions) -> None:
    """Raises DrivAerError for a car of an impossible size, a reading without a confidence, and an area given for it
    that no vehicle has."""
    if not math.isfinite(car.frame.confidence):
        raise DrivAerError("how it is to be read cannot be worked out", file=car.path, fix=_HARDLY)
    _check("frontal area", car.frontal_area, AREA, "m²", car, _what_to_do(car))
    if conditions.area is not None:
        _check("given area", conditions.area, AREA, "m²", car, "give --area in m²")


def check_drag(cd: float, car: CarMesh) -> None:
    """Raises DrivAerError for a Cd, on the car's own frontal area, that no vehicle has."""
    _check("Cd", cd, CD, "", car, _what_to_do(car))


def drag_doubts(cd: float) -> list[str]:
    """The same as a warning, for weights from elsewhere: whether they were trained at all is not known here.

    Raises DrivAerError for what is no number.
    """
    if not math.isfinite(cd):
        raise DrivAerError("the network's answer is no number", fix="check the weights that --model names")
    if CD[0] <= cd <= CD[1]:
        return []
    return [f"no road vehicle has a Cd of {cd:.3g} ({CD[0]:g} to {CD[1]:g}): are these weights trained?"]


def _what_to_do(car: CarMesh) -> str:
    beside = [part for part in car.of_file if part.kind and not part.left_out]
    return f"leave out what is no part of the car: {without_options(beside)}" if beside else _HARDLY


def _check(what: str, value: float, between: tuple[float, float], unit: str, car: CarMesh, fix: str) -> None:
    low, high = between
    if not low <= value <= high:
        shown = f"{value:.3g} {unit}".rstrip()
        limits = f"{low:g} to {high:g} {unit}".rstrip()
        raise DrivAerError(f"{what} {shown}: a road vehicle has {limits}", file=car.path, fix=fix)
