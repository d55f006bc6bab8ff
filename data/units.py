"""The unit of a file, from how long, wide and high the car in it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

METRES = {"m": 1.0, "cm": 0.01, "mm": 0.001, "in": 0.0254, "ft": 0.3048}
OTHER = "other"
TYPICAL_LENGTH = 4.6  # m, given to a car whose unit cannot be told

_STATED_BONUS = 2.0  # the format says so: evidence, but exporters write what they like
_FITS = 4.5  # half the summed squares up to which a size is one of a kind: 3 spreads in one of the three
_PLAUSIBLE = (0.5, 20.0)  # m
SCALE_MODEL = (1.2, 2.5)  # m, cars built small for a wind tunnel

_LOOKS_LIKE = {"in": "a 1:24 model in millimetres", "ft": "a 1:32 model in centimetres"}
_MODELS_SHARE = 0.6  # chance that a car seemingly in a rare unit is one, and not a toy's model in a common one


@dataclass(frozen=True)
class _Kind:
    """Usual length, width and height in m, and the spread of their logarithms."""

    size: tuple[float, float, float]
    spread: tuple[float, float, float]

    def misfit(self, size: np.ndarray) -> float:
        return float(((np.log(size / self.size) / self.spread) ** 2).sum() / 2)


_ROAD_CAR = _Kind((4.4, 1.9, 1.5), (0.30, 0.22, 0.30))
_AHMED_BODY = _Kind((1.044, 0.389, 0.31), (0.18, 0.18, 0.18))


@dataclass(frozen=True)
class UnitGuess:
    """unit: a key of ``METRES`` or ``"other"``; confidence: 0..1; warnings: what to tell the user."""

    unit: str
    to_metres: float
    confidence: float
    warnings: tuple[str, ...] = ()


def find_unit(size: np.ndarray, *, boxy: bool = False, centred: bool = False, stated: str | None = None) -> UnitGuess:
    """The unit that makes a car of ``size``, (3,) length, width and height in the file's unit, a road car.

    boxy: the shape fills its box, so an Ahmed body (1 m long) is as likely as a van. centred: the file's origin is the
    middle of the box, as where a shape was normalised to a size without a unit. stated: what the format itself says.
    Where no unit gives a road car, metres and millimetres are tried for a wind-tunnel model; failing that the car is
    scaled to ``TYPICAL_LENGTH`` and the unit is ``other``.
    """
    kinds = (_ROAD_CAR, _AHMED_BODY) if boxy else (_ROAD_CAR,)
    misfits = np.array([min(kind.misfit(size * metres) for kind in kinds) for metres in METRES.values()])
    misfits -= _STATED_BONUS * np.array([unit == stated for unit in METRES])
    best = int(misfits.argmin())
    if misfits[best] <= _FITS:
        unit = list(METRES)[best]
        sure = float(1 / np.exp(misfits[best] - misfits).sum())
        if unit not in _LOOKS_LIKE or unit == stated:
            return UnitGuess(unit, METRES[unit], sure)
        doubt = f"read in {unit}, {size[0] * METRES[unit]:.2f} m long; {_LOOKS_LIKE[unit]} looks the same: say --units"
        return UnitGuess(unit, METRES[unit], _MODELS_SHARE * sure, (doubt,))
    return _unusual_unit(float(size[0]), centred, stated)


def given_unit(unit: str, length: float) -> UnitGuess:
    """The user's unit, with a word of doubt where it makes the car, ``length`` units long, a toy or a train."""
    metres = length * METRES[unit]
    doubts = () if _PLAUSIBLE[0] <= metres <= _PLAUSIBLE[1] else (f"in {unit}, as given, this is {metres:.3g} m long",)
    return UnitGuess(unit, METRES[unit], 1.0, doubts)


def _unusual_unit(length: float, centred: bool, stated: str | None) -> UnitGuess:
    units = [stated] if stated in METRES else [] if centred else ["m", "mm"]
    for unit in units:
        metres = METRES[unit]
        if SCALE_MODEL[0] <= length * metres <= SCALE_MODEL[1]:
            warning = (
                f"read as a scale model, {length * metres:.2f} m long, in {unit}; if it is a full-size car in another "
                "unit, say so with --units"
            )
            return UnitGuess(unit, metres, 0.6, (warning,))
    scale = TYPICAL_LENGTH / length
    warning = (
        f"no unit makes this shape, {length:.4g} units long, a car; scaled to {TYPICAL_LENGTH} m "
        f"(1 unit = {scale:.4g} m); say the unit with --units"
    )
    return UnitGuess(OTHER, scale, 0.3, (warning,))
