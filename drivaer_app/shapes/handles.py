"""What a designer takes hold of on any car: named handles with their units and ranges."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass

from data.errors import DrivAerError


@dataclass(frozen=True)
class Handle:
    """One way to change a car.

    unit: ``"m"``, ``"deg"``, or ``""`` for a factor. low, high: the range of its values for a car of usual size, in
    that unit. what: what a positive value (a factor above 1) does, and what it keeps.
    neutral: the value that changes nothing.
    """

    name: str
    unit: str
    low: float
    high: float
    what: str

    @property
    def neutral(self) -> float:
        return 0.0 if self.unit else 1.0

    @property
    def range_text(self) -> str:
        """``-0.04 to 0.06 m``."""
        return f"{_short(self.low)} to {_short(self.high)} {self.unit}".rstrip()


def _short(value: float) -> str:
    return f"{value:.3g}"


HANDLES: dict[str, Handle] = {
    handle.name: handle
    for handle in (
        Handle("ride_height", "m", -0.05, 0.06, "lifts the body over its wheels; the body's shape stays"),
        Handle("length", "m", -0.25, 0.35, "stretches the whole car about the front axle; height and width stay"),
        Handle("wheelbase", "m", -0.15, 0.25, "stretches the cabin between the axles; both overhangs stay"),
        Handle("nose_length", "m", -0.08, 0.15, "draws the nose forward; all behind the front wheels stays"),
        Handle("boot_length", "m", -0.10, 0.20, "draws the tail backward; all ahead of the rear wheels' ends stays"),
        Handle("width", "m", -0.12, 0.16, "widens body and track; the sides' sections and the mirrors stay"),
        Handle("roof_height", "m", -0.08, 0.12, "raises the roof; all below the windows stays, the volume grows"),
        Handle("roof_rear_height", "m", -0.06, 0.05, "raises the roof's rear edge; windscreen and boot stay"),
        Handle("bonnet_height", "m", -0.05, 0.06, "raises the bonnet's front edge; windscreen and bumper stay"),
        Handle("boot_height", "m", -0.06, 0.09, "raises the boot or the backlight's foot; the roof and bumper stay"),
        Handle("windscreen_angle", "deg", -4.0, 6.0, "steepens the windscreen about its foot; roof height stays"),
        Handle("backlight_angle", "deg", -6.0, 8.0, "steepens the backlight about its foot; boot and roof height stay"),
        Handle("boat_tail", "deg", -4.0, 10.0, "turns the sides inward behind the rear wheels; length stays"),
        Handle("greenhouse_taper", "m", -0.06, 0.09, "leans each side window in by this much at the roof"),
        Handle("diffuser_angle", "deg", -5.0, 10.0, "raises the floor behind the rear axle; boot and length stay"),
        Handle("ramp_angle", "deg", -5.0, 10.0, "raises the floor ahead of the front wheels; bonnet and length stay"),
        Handle("front_rounding", "m", -0.06, 0.12, "sweeps the nose's corners back; its middle and the width stay"),
        Handle("rear_rounding", "m", -0.06, 0.12, "sweeps the tail's corners forward; its middle and the width stay"),
        Handle("mirror_scale", "", 0.7, 1.3, "scales the mirrors about their feet; the body stays"),
        Handle("pitch", "deg", -1.5, 1.5, "turns the body nose up over its wheels; the body's shape stays"),
    )
}
"""Every handle there is, in the order to show them. Which of them a car has, and how far they go, its Morph says."""


GROUPS: dict[str, tuple[str, ...]] = {
    "Whole car": ("ride_height", "pitch", "length", "wheelbase", "width"),
    "Front": ("nose_length", "bonnet_height", "front_rounding"),
    "Cabin": ("windscreen_angle", "roof_height", "greenhouse_taper", "mirror_scale"),
    "Rear": (
        "roof_rear_height",
        "backlight_angle",
        "boot_height",
        "boot_length",
        "boat_tail",
        "rear_rounding",
    ),
    "Floor": ("ramp_angle", "diffuser_angle"),
}
"""Handles by where they take hold of the car, in the order to show them."""


def checked(values: Mapping[str, float], handles: Mapping[str, Handle] = HANDLES) -> dict[str, float]:
    """The values that change something, as floats.

    handles: those that the car has, with its own ranges.
    Raises DrivAerError for an unknown handle, one that the car has not, what is no number, or is out of range.
    """
    changes = {}
    for name, value in values.items():
        if name not in HANDLES:
            near = difflib.get_close_matches(name, HANDLES, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}? " if near else ""
            raise DrivAerError(f"there is no handle {name}", fix=f"{hint}the handles are {', '.join(HANDLES)}")
        if name not in handles:
            raise DrivAerError(
                f"{name} does not apply to this car: what it hangs on was not found", fix=f"use {', '.join(handles)}"
            )
        handle = handles[name]
        number = _number(name, value)
        # A hair's breadth, so that a range's end as printed is in it.
        slack = 5e-3 * (handle.high - handle.low)
        if not handle.low - slack <= number <= handle.high + slack:
            raise DrivAerError(f"{name} = {value} is out of range", fix=f"choose {name} from {handle.range_text}")
        if number != handle.neutral:
            changes[name] = number
    return changes


def _number(name: str, value: object) -> float:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise DrivAerError(f"{name} = {value} is not a number", fix=f"choose {name} from {HANDLES[name].range_text}")
    return number
