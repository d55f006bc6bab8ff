"""What each parameter of DrivAerML does to drag, and the handles of ours that stand for it.

DrivAerML (Ashton et al., arXiv:2408.11969, CC BY-SA 4.0) computed 484 variants of the DrivAer notchback by hybrid
RANS-LES. A linear fit on its sixteen parameters explains 96 % of its Cd.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.corpora.published_runs import read_runs
from data.corpora.runs import DRIVAERML
from gnn.evaluation import r2_score

SECURE_T = 5.0
"""A parameter whose effect is so many standard errors from zero moves drag; the others do not."""


@dataclass(frozen=True)
class Effect:
    """A parameter's effect in a linear fit. slope, error: per unit, and its standard error. low, high: of the table."""

    slope: float
    error: float
    low: float
    high: float

    @property
    def t(self) -> float:
        return self.slope / self.error

    @property
    def over_range(self) -> float:
        return self.slope * (self.high - self.low)

    @property
    def is_secure(self) -> bool:
        return abs(self.t) >= SECURE_T


def linear_effects(parameters: np.ndarray, values: np.ndarray) -> tuple[list[Effect], float]:
    """Ordinary least squares of values (n,) on parameters (n, k) and a constant: k effects, and R2."""
    n, k = parameters.shape
    design = np.concatenate([np.ones((n, 1)), parameters], axis=1)
    solution, *_ = np.linalg.lstsq(design, values, rcond=None)
    fitted = design @ solution
    rest = values - fitted
    variance = rest @ rest / (n - k - 1)
    errors = np.sqrt(variance * np.diag(np.linalg.inv(design.T @ design)))
    ranges = zip(parameters.min(axis=0), parameters.max(axis=0), strict=True)
    effects = [
        Effect(float(slope), float(error), float(low), float(high))
        for slope, error, (low, high) in zip(solution[1:], errors[1:], ranges, strict=True)
    ]
    return effects, r2_score(fitted, values)


def drivaerml_effects(folder: str | Path) -> tuple[dict[str, Effect], float, int]:
    """Of Cd on the area that all runs share, counts per mm (a degree of pitch); R2; how many runs.

    folder: with DrivAerML's tables. Raises DrivAerError where it has none.
    """
    runs = [run for run in read_runs(folder, DRIVAERML).values() if run.parameters]
    names = list(runs[0].parameters)
    rows = np.array([[run.parameters[name] for name in names] for run in runs])
    effects, r2 = linear_effects(rows, 1000 * np.array([run.cd for run in runs]))
    return dict(zip(names, effects, strict=True)), r2, len(runs)


@dataclass(frozen=True)
class Match:
    """A handle that stands for a parameter.

    by_value: the handle's own value, a length or a pitch, is the parameter's; else the farthest that the surface goes.
    sense: -1 where the handle's positive values are the parameter's negative ones. how: in words.
    """

    parameter: str
    handle: str
    by_value: bool
    how: str
    sense: int = 1


MATCHES = (
    Match("Vehicle_Width", "width", True, "the whole width; body and track"),
    Match("Vehicle_Ride_Height", "ride_height", True, "the same"),
    Match("Vehicle_Height", "roof_height", True, "the roof; ours keeps all below the windows"),
    Match("Rear_Overhang", "boot_length", True, "the tail behind the rear wheels"),
    Match("Vehicle_Pitch", "pitch", True, "the body over its wheels, nose up"),
    Match("Rearend_tapering", "boat_tail", False, "tail's sides outward at the end of the car", sense=-1),
    Match("Greenhouse_Tapering", "greenhouse_taper", True, "each side window inward at the roof"),
    Match("Vehicle_Length", "length", True, "the whole car, evenly"),
    Match("Vehicle_Length", "wheelbase", True, "between the axles alone"),
    Match("Front_Overhang", "nose_length", True, "the nose ahead of the front wheels"),
    Match("Front_Planview", "front_rounding", False, "the nose's corners swept back"),
    Match("Hood_Angle", "bonnet_height", True, "the bonnet's front edge upward"),
    Match("Approach_Angle", "ramp_angle", False, "the floor's front end upward"),
    Match("Windscreen_Angle", "windscreen_angle", False, "the windscreen's upper end along the car"),
    Match("Backlight_Angle", "backlight_angle", False, "the backlight's upper end along the car"),
    Match("Decklid_Height", "boot_height", True, "the boot's edge upward"),
    Match("Rear_Diffusor_Angle", "diffuser_angle", False, "the floor's rear end upward"),
)
