"""The unit of a file, from how long, wide and high the car in it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

METRES = {"m": 1.0, "cm": 0.01, "mm": 0.001, "in": 0.0254, "ft": 0.3048}
OTHER = "other"
TYPICAL_LENGTH = 4.6  # m, given to a car whose unit cannot be told

# log-mean and log-spread of passenger cars' and vans' length, width (with mirrors) and height.
_SIZES = np.log([4.4, 1.9, 1.5])
_SPREADS = np.array([0.22, 0.14, 0.20])
_FITS = 4.5  # half the summed squares up to which a size is a road car's: 3 sigma in one of them
_MODEL_LENGTH = (0.8, 2.5)  # m, wind-tunnel models and simplified bodies
_STATED_BONUS = 2.0  # the format says so: evidence, but exporters write what they like


@dataclass(frozen=True)
class UnitGuess:
    """unit: a key of ``METRES`` or ``"other"``; confidence: 0..1; warning: None or what to tell the user."""

    unit: str
    to_metres: float
    confidence: float
    warning: str | None = None


def find_unit(size: np.ndarray, stated: str | None = None) -> UnitGuess:
    """The unit that makes a car of ``size``, (3,) length, width and height in the file's unit, a road car.

    stated: what the format itself says, if it says anything. Where no unit gives a road car, metres and millimetres
    are tried for a wind-tunnel model; failing that the car is scaled to ``TYPICAL_LENGTH`` and the unit is ``other``.
    """
    misfits = {unit: _misfit(size * metres) - _STATED_BONUS * (unit == stated) for unit, metres in METRES.items()}
    best = min(misfits, key=misfits.get)
    if misfits[best] <= _FITS:
        weights = np.exp(misfits[best] - np.array(list(misfits.values())))
        return UnitGuess(best, METRES[best], float(1 / weights.sum()))
    return _unusual_unit(float(size[0]), stated)


def _misfit(size_m: np.ndarray) -> float:
    return float((((np.log(size_m) - _SIZES) / _SPREADS) ** 2).sum() / 2)


def _unusual_unit(length: float, stated: str | None) -> UnitGuess:
    for unit in [stated] if stated in METRES else ["m", "mm"]:
        metres = METRES[unit]
        if _MODEL_LENGTH[0] <= length * metres <= _MODEL_LENGTH[1]:
            warning = (
                f"read as a scale model, {length * metres:.2f} m long, in {unit}; if it is a full-size car in another "
                "unit, say so with --units"
            )
            return UnitGuess(unit, metres, 0.6, warning)
    scale = TYPICAL_LENGTH / length
    warning = (
        f"no unit makes this {length:.4g} units long shape a car; scaled to {TYPICAL_LENGTH} m "
        f"(1 unit = {scale:.4g} m); say the unit with --units"
    )
    return UnitGuess(OTHER, scale, 0.3, warning)
