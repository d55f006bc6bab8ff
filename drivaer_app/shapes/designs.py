"""Seeded space-filling designs: procedural cars over all styles, and values of a car's handles.

Scrambled Sobol sequences (Owen, "Scrambling Sobol' and Niederreiter-Xing points", 1998): design i does not depend on
how many others are drawn, and any run of them fills the space more evenly than independent draws do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np

from data.errors import DrivAerError
from drivaer_app.shapes.handles import Handle
from drivaer_app.shapes.parameters import RANGES, STYLES, UNDERBODIES, CarParameters

SEED = 20_260_101
SPAN = 0.16
"""A design moves each parameter by up to this fraction of its whole range either way from its style's default."""
HANDLE_SHARE = 0.7
"""Of the handles' ranges that designs use: all handles at once bend a car more than each alone."""
_HALVINGS = 12
_BLOCK = 256


def design(i: int, seed: int = SEED) -> CarParameters:
    """Procedural car i: the styles take turns, and each goes through a sequence of its own.

    Where the drawn values do not make a car together, all of them are drawn back towards the style's defaults just
    as far as it takes. Raises DrivAerError for a negative i.
    """
    _check(i)
    style = STYLES[i % len(STYLES)]
    drawn = _point(len(RANGES) + 1, seed + i % len(STYLES), i // len(STYLES))
    base = CarParameters.for_style(style, underbody=UNDERBODIES[int(drawn[-1] * len(UNDERBODIES))])
    offset = SPAN * (2.0 * drawn[:-1] - 1.0)
    whole = _moved(base, offset)
    if whole is not None:
        return whole
    best, low, high = base, 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        car = _moved(base, middle * offset)
        best, low, high = (best, low, middle) if car is None else (car, middle, high)
    return best


def handle_values(
    i: int, handles: Mapping[str, Handle], seed: int = SEED, share: float = HANDLE_SHARE
) -> dict[str, float]:
    """Values i of a car's handles (``Morph.handles``), each within a share of its range around neutral.

    Raises DrivAerError for a negative i.
    """
    _check(i)
    drawn = _point(len(handles), seed, i)
    values = {}
    for u, (name, handle) in zip(drawn, handles.items(), strict=True):
        end = handle.high if u >= 0.5 else handle.low
        values[name] = handle.neutral + share * abs(2.0 * float(u) - 1.0) * (end - handle.neutral)
    return values


def _moved(base: CarParameters, offset: np.ndarray) -> CarParameters | None:
    """The car with its numbers moved by fractions of their ranges, kept in range; None where it would be no car."""
    changes = {}
    for part, (name, (low, high)) in zip(offset, RANGES.items(), strict=True):
        value = getattr(base, name) + float(part) * (high - low)
        changes[name] = round(min(max(value, low), high), 4)
    try:
        return replace(base, **changes)
    except DrivAerError:
        return None


def _check(i: int) -> None:
    if i < 0:
        raise DrivAerError(f"there is no design {i}", fix="designs count from 0")


def _point(dimensions: int, seed: int, i: int) -> np.ndarray:
    """(dimensions,) in 0..1: point i of the scrambled sequence of that seed."""
    return _block(dimensions, seed, i // _BLOCK)[i % _BLOCK]


@lru_cache(maxsize=32)
def _block(dimensions: int, seed: int, number: int) -> np.ndarray:
    from scipy.stats import qmc

    sequence = qmc.Sobol(dimensions, scramble=True, seed=seed)
    if number:
        sequence.fast_forward(number * _BLOCK)
    return sequence.random(_BLOCK)
