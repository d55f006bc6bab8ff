"""Split conformal prediction intervals (Vovk et al. 2005; Lei et al., JASA 113, 2018)."""

from __future__ import annotations

import math

import numpy as np

LEAST = 9
"""The least number of designs that calibrates a 90 % interval."""


def conformal_half_width(errors: np.ndarray, level: float = 0.9) -> float:
    """Half width that covers a new design with probability >= ``level``, from the errors on designs not trained on.

    errors: (n,) predicted minus true. The ceil((n + 1) level)-th smallest absolute error; ValueError when n is too
    small for the level (n = 9 is the least for 0.9).
    """
    rank = math.ceil((len(errors) + 1) * level)
    if rank > len(errors):
        raise ValueError(f"{len(errors)} designs cannot calibrate a {level:.0%} interval")
    return float(np.sort(np.abs(errors))[rank - 1])


def leave_one_out_coverage(errors: np.ndarray, level: float = 0.9) -> float:
    """Leave-one-out estimate of the coverage: the share of designs within an interval calibrated on all the others."""
    errors = np.abs(np.asarray(errors))
    held = [errors[i] <= conformal_half_width(np.delete(errors, i), level) for i in range(len(errors))]
    return float(np.mean(held))
