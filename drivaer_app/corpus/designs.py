"""Designs: a space-filling sequence of handle values, the same for a seed for ever.

Sobol's sequence (Joe and Kuo's direction numbers) shifted modulo 1, each dimension by a number of its own that comes
from the corpus's seed, the family's name and the handle's name (Cranley and Patterson, "Randomization of number
theoretic methods for multiple integration", 1976). No random generator takes part whose stream a library may change.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np

from data.corpora.morphed_families import Handles

# Which dimension is which handle's; new ones only at the end, or every design changes.
_DIMENSIONS = (
    "ride_height",
    "length",
    "wheelbase",
    "nose_length",
    "boot_length",
    "width",
    "roof_height",
    "roof_rear_height",
    "bonnet_height",
    "boot_height",
    "windscreen_angle",
    "backlight_angle",
    "boat_tail",
    "greenhouse_taper",
    "diffuser_angle",
    "ramp_angle",
    "front_rounding",
    "rear_rounding",
    "mirror_scale",
    "pitch",
)

_MOST = {"ride_height": (-0.02, 0.04), "pitch": (-0.5, 0.5)}
"""Where less than the usual share is sensible, in the handle's unit: the tyre stays clear of its wheelhouse.

Half a degree lowers the body over an axle by 12 mm.
"""


def design_values(seed: int, family: str, handles: Handles, design: int, spread: float) -> dict[str, float]:
    """Handle values of a family's design number ``design`` (0, 1, ...), within ``spread`` of each handle's range."""
    place = _sobol(design)
    values = {}
    for name in handles.names:
        if name not in _DIMENSIONS:
            continue
        i = _DIMENSIONS.index(name)
        share = (place[i] + _shift(seed, family, name)) % 1.0
        low, high = _drawn_range(name, handles, spread)
        values[name] = round(float(low + share * (high - low)), 5)
    return values


def _drawn_range(name: str, handles: Handles, spread: float) -> tuple[float, float]:
    neutral = handles.neutral[handles.names.index(name)]
    low, high = (neutral + spread * (end - neutral) for end in handles.range_of(name))
    least, most = _MOST.get(name, (-np.inf, np.inf))
    return float(max(low, least)), float(min(high, most))


def _sobol(index: int) -> np.ndarray:
    from scipy.stats import qmc

    sequence = qmc.Sobol(len(_DIMENSIONS), scramble=False, bits=30)
    # Point 0 is the corner of the cube: the shift makes it as good as any other.
    return sequence.fast_forward(index).random(1)[0] if index else np.zeros(len(_DIMENSIONS))


def _shift(seed: int, family: str, name: str) -> float:
    digest = hashlib.sha256(f"{seed}/{family}/{name}".encode()).digest()
    return int.from_bytes(digest[:7], "big") / 2**56


def shares(values: Mapping[str, float], handles: Handles) -> dict[str, float]:
    """Where each value lies in its handle's range, 0 to 1."""
    placed = {}
    for name, value in values.items():
        low, high = handles.range_of(name)
        placed[name] = (value - low) / (high - low)
    return placed
