"""Shallow recesses that make a smooth body read as a car: windows, grille, intake, lamps, number plate.

Each returns how far its panel lies under its neighbours (m), to be added to the panel's field.
"""

from __future__ import annotations

import numpy as np

from drivaer_app.shapes.fields import Array, round_intersection, smooth_step
from drivaer_app.shapes.parameters import CarParameters

GLASS_DEPTH = 0.006
_SOFT = 0.045
"""Width over which a recess reaches its depth (m)."""


def _recess(depth: float, corner: float, *bounds: Array, soft: float = _SOFT) -> Array:
    """depth inside every bound (negative inside), rounded in outline, 0 outside."""
    return depth * smooth_step(-round_intersection(corner, *bounds) / soft)


def _strip(value: Array, low: float, high: float) -> Array:
    return np.abs(value - 0.5 * (low + high)) - 0.5 * (high - low)


def side_windows(p: CarParameters, x: Array, z: Array, screen: Array, roof: Array, back: Array, belt: Array) -> Array:
    """The side windows between the pillars; belt: height of the lower body's edge there (m)."""
    panes = _recess(GLASS_DEPTH, 0.06, screen + 0.065, roof + 0.075, back + 0.11, belt + 0.035 - z)
    pillar = np.abs(x - 0.50 * p.wheelbase - 0.10) - 0.03
    return panes * smooth_step(pillar / _SOFT)


def windscreen(p: CarParameters, z: Array, side: Array, roof: Array) -> Array:
    """The windscreen inside its pillars, header and scuttle."""
    return _recess(0.7 * GLASS_DEPTH, 0.06, side + 0.07, roof + 0.03, p.cowl_height + 0.01 - z)


def backlight(p: CarParameters, z: Array, side: Array, roof: Array) -> Array:
    """The rear window inside its pillars."""
    return _recess(0.7 * GLASS_DEPTH, 0.06, side + 0.10, roof + 0.05, p.boot_height + 0.05 - z)


def nose(p: CarParameters, y: Array, z: Array) -> Array:
    """Grille, lower intake and headlamps."""
    half, up = 0.5 * p.width, (z - p.ride_height) / (p.nose_height - p.ride_height)
    to_metres = p.nose_height - p.ride_height
    grille = _recess(0.014, 0.04, y - 0.40 * half, _strip(up, 0.52, 0.83) * to_metres)
    intake = _recess(0.025, 0.04, y - 0.66 * half, _strip(up, 0.13, 0.38) * to_metres)
    lamps = _recess(0.010, 0.05, _strip(y, 0.48 * half, 0.90 * half), _strip(up, 0.56, 0.86) * to_metres, soft=0.06)
    return grille + intake + lamps


def tail(p: CarParameters, y: Array, z: Array) -> Array:
    """Number plate and rear lamps."""
    half, up = 0.5 * p.width, (z - p.ride_height) / (p.boot_height - p.ride_height)
    to_metres = p.boot_height - p.ride_height
    plate = _recess(0.016, 0.03, y - 0.32 * half, _strip(up, 0.55, 0.74) * to_metres)
    lamps = _recess(0.009, 0.05, _strip(y, 0.46 * half, 0.92 * half), _strip(up, 0.62, 0.88) * to_metres, soft=0.06)
    return plate + lamps
