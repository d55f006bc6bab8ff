"""The named parameters of a procedural car: defaults for each body style, ranges, and what must fit together."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace

import numpy as np

from data.errors import DrivAerError

STYLES = ("fastback", "notchback", "estate", "hatchback", "suv", "van")
UNDERBODIES = ("smooth", "tunnel")


@dataclass(frozen=True)
class CarParameters:
    """A car in about thirty-five numbers: lengths in metres, angles in degrees where the name says ``_deg``.

    The defaults are the fastback's. Raises DrivAerError, naming the range, for a value outside ``RANGES``
    and for values that no car can have together.

    style: body style, which names the family; the shape comes from the other parameters alone.
    length, width, height: outer dimensions; the width is the body's, without mirrors.
    wheelbase: front to rear axle.
    front_overhang: foremost point of the nose to the front axle.
    ride_height: ground to the flat floor.
    bonnet_length: foremost point of the nose to the foot of the windscreen, on the centreline.
    nose_height: height of the bonnet's leading edge.
    cowl_height: height of the windscreen's foot, on the centreline.
    belt_height: height of the side windows' lower edge at the B-pillar.
    windscreen_angle_deg, backlight_angle_deg: from the horizontal, on the centreline.
    boot_length: foot of the backlight to the rearmost point; boot_height: height there.
    roof_drop: the roof lies roof_drop · d² lower at d metres behind its highest point (1/m).
    shoulder: how far the side windows' foot lies inside the body's side.
    tumblehome_deg: lean of the side windows from the vertical.
    boat_tail_deg: inward turn of the body sides behind the rear axle, in plan view.
    front_corner_radius, rear_corner_radius: of the bumpers' corners, in plan view.
    nose_sweep: how far the nose's outer ends lie behind its middle; tail_sweep: the tail's, ahead of it.
    edge_radius: of bonnet, shoulder and boot edges; roof_radius: of the roof's side edges.
    backlight_radius: of the bend from roof to backlight, in side view.
    ramp_angle_deg: rise of the floor ahead of the front axle.
    diffuser_angle_deg, diffuser_length: the floor's rise at the tail and where it begins before it.
    underbody: ``"smooth"`` or ``"tunnel"`` (a groove along the floor's middle, ``tunnel_depth`` deep).
    tyre_radius, tyre_width: of the unloaded tyre.
    wheelhouse_gap: radial gap between tyre and wheelhouse.
    wheel_inset: how far the tyre's outer face lies inside the body's side.
    mirror_scale: 1 for a mirror of usual size, 0 for none.
    """

    style: str = "fastback"
    length: float = 4.61
    width: float = 1.82
    height: float = 1.42
    wheelbase: float = 2.786
    front_overhang: float = 0.84
    ride_height: float = 0.16
    bonnet_length: float = 1.26
    nose_height: float = 0.70
    cowl_height: float = 0.95
    belt_height: float = 0.93
    windscreen_angle_deg: float = 28.0
    backlight_angle_deg: float = 22.0
    boot_length: float = 0.22
    boot_height: float = 1.04
    roof_drop: float = 0.045
    shoulder: float = 0.04
    tumblehome_deg: float = 24.0
    boat_tail_deg: float = 6.0
    front_corner_radius: float = 0.22
    rear_corner_radius: float = 0.16
    nose_sweep: float = 0.20
    tail_sweep: float = 0.12
    edge_radius: float = 0.05
    roof_radius: float = 0.12
    backlight_radius: float = 1.2
    ramp_angle_deg: float = 7.0
    diffuser_angle_deg: float = 7.0
    diffuser_length: float = 0.75
    underbody: str = "smooth"
    tunnel_depth: float = 0.07
    tyre_radius: float = 0.3185
    tyre_width: float = 0.215
    wheelhouse_gap: float = 0.045
    wheel_inset: float = 0.012
    mirror_scale: float = 1.0

    def __post_init__(self) -> None:
        _check_choice("style", self.style, STYLES)
        _check_choice("underbody", self.underbody, UNDERBODIES)
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if not (isinstance(value, (int, float)) and low <= value <= high):
                raise DrivAerError(
                    f"{name} = {value} is out of range",
                    fix=f"choose {name} from {low:g} to {high:g}",
                )
        _check_together(self)

    @classmethod
    def for_style(cls, style: str, **changes: float | str) -> CarParameters:
        """The defaults of a body style with some of them changed.

        Raises DrivAerError for an unknown style or parameter, or values that are refused.
        """
        _check_choice("style", style, STYLES)
        unknown = sorted(set(changes) - {f.name for f in fields(cls)} | ({"style"} & set(changes)))
        if unknown:
            known = ", ".join(f.name for f in fields(cls) if f.name != "style")
            raise DrivAerError(
                f"a car has no parameter {', '.join(unknown)}",
                fix=f"choose from {known}",
            )
        return cls(**{"style": style, **_STYLE_DEFAULTS[style], **changes})

    @property
    def nose_x(self) -> float:
        """x of the foremost point of the body."""
        return -self.front_overhang

    @property
    def tail_x(self) -> float:
        """x of the rearmost point of the body."""
        return self.length - self.front_overhang

    @property
    def cowl_x(self) -> float:
        """x of the windscreen's foot on the centreline."""
        return self.nose_x + self.bonnet_length

    @property
    def boot_x(self) -> float:
        """x of the backlight's foot on the centreline."""
        return self.tail_x - self.boot_length

    @property
    def header_x(self) -> float:
        """x where the windscreen's plane reaches the roof's height."""
        return self.cowl_x + (self.height - self.cowl_height) / math.tan(math.radians(self.windscreen_angle_deg))

    @property
    def roof_end_x(self) -> float:
        """x where the backlight's plane reaches the roof's height."""
        return self.boot_x - (self.height - self.boot_height) / math.tan(math.radians(self.backlight_angle_deg))


RANGES: dict[str, tuple[float, float]] = {
    "length": (3.4, 5.6),
    "width": (1.55, 2.1),
    "height": (1.2, 2.2),
    "wheelbase": (2.2, 3.5),
    "front_overhang": (0.6, 1.1),
    "ride_height": (0.09, 0.30),
    "bonnet_length": (0.55, 1.75),
    "nose_height": (0.58, 1.05),
    "cowl_height": (0.84, 1.35),
    "belt_height": (0.84, 1.3),
    "windscreen_angle_deg": (22.0, 60.0),
    "backlight_angle_deg": (14.0, 88.0),
    "boot_length": (0.06, 0.80),
    "boot_height": (0.88, 1.35),
    "roof_drop": (0.0, 0.10),
    "shoulder": (0.01, 0.09),
    "tumblehome_deg": (4.0, 32.0),
    "boat_tail_deg": (0.0, 14.0),
    "front_corner_radius": (0.06, 0.35),
    "rear_corner_radius": (0.03, 0.30),
    "nose_sweep": (0.05, 0.32),
    "tail_sweep": (0.02, 0.25),
    "edge_radius": (0.025, 0.12),
    "roof_radius": (0.05, 0.22),
    "backlight_radius": (0.08, 2.5),
    "ramp_angle_deg": (0.0, 16.0),
    "diffuser_angle_deg": (0.0, 16.0),
    "diffuser_length": (0.3, 1.1),
    "tunnel_depth": (0.02, 0.12),
    "tyre_radius": (0.27, 0.42),
    "tyre_width": (0.155, 0.325),
    "wheelhouse_gap": (0.025, 0.09),
    "wheel_inset": (0.0, 0.05),
    "mirror_scale": (0.0, 1.5),
}
"""Lowest and highest value of each numeric parameter."""

_STYLE_DEFAULTS: dict[str, dict[str, float]] = {
    "fastback": {},
    "notchback": {
        "backlight_angle_deg": 29.0,
        "boot_length": 0.56,
        "boot_height": 1.03,
        "backlight_radius": 0.6,
        "roof_drop": 0.04,
    },
    "estate": {
        "backlight_angle_deg": 56.0,
        "boot_length": 0.15,
        "boot_height": 1.0,
        "backlight_radius": 0.14,
        "roof_drop": 0.018,
        "tumblehome_deg": 22.0,
        "boat_tail_deg": 5.0,
    },
    "hatchback": {
        "length": 4.26,
        "width": 1.79,
        "height": 1.47,
        "wheelbase": 2.63,
        "front_overhang": 0.85,
        "bonnet_length": 1.14,
        "nose_height": 0.74,
        "cowl_height": 1.0,
        "belt_height": 0.97,
        "windscreen_angle_deg": 29.0,
        "backlight_angle_deg": 50.0,
        "boot_length": 0.16,
        "boot_height": 1.02,
        "backlight_radius": 0.16,
        "roof_drop": 0.028,
        "tumblehome_deg": 21.0,
        "tyre_radius": 0.316,
        "tyre_width": 0.205,
        "diffuser_length": 0.5,
    },
    "suv": {
        "length": 4.55,
        "width": 1.86,
        "height": 1.66,
        "wheelbase": 2.68,
        "front_overhang": 0.89,
        "ride_height": 0.22,
        "bonnet_length": 1.22,
        "nose_height": 0.92,
        "cowl_height": 1.15,
        "belt_height": 1.11,
        "windscreen_angle_deg": 33.0,
        "backlight_angle_deg": 55.0,
        "boot_length": 0.16,
        "boot_height": 1.15,
        "backlight_radius": 0.16,
        "roof_drop": 0.02,
        "shoulder": 0.03,
        "tumblehome_deg": 19.0,
        "tyre_radius": 0.355,
        "tyre_width": 0.235,
        "nose_sweep": 0.17,
        "diffuser_length": 0.55,
    },
    "van": {
        "length": 4.97,
        "width": 1.92,
        "height": 1.97,
        "wheelbase": 3.0,
        "front_overhang": 0.93,
        "ride_height": 0.20,
        "bonnet_length": 0.82,
        "nose_height": 0.93,
        "cowl_height": 1.18,
        "belt_height": 1.13,
        "windscreen_angle_deg": 42.0,
        "backlight_angle_deg": 82.0,
        "boot_length": 0.08,
        "boot_height": 1.12,
        "backlight_radius": 0.12,
        "roof_drop": 0.006,
        "shoulder": 0.015,
        "tumblehome_deg": 9.0,
        "boat_tail_deg": 2.0,
        "rear_corner_radius": 0.09,
        "tail_sweep": 0.05,
        "roof_radius": 0.13,
        "tyre_radius": 0.335,
        "tyre_width": 0.215,
        "diffuser_length": 0.5,
        "diffuser_angle_deg": 5.0,
    },
}

_DRAWS = 2000
_RANDOM_SPAN = 0.16
"""A random car moves each parameter by up to this fraction of its whole range either way from its style's default."""


def random_parameters(style: str, seed: int, **fixed: float | str) -> CarParameters:
    """A car of that style with every parameter drawn around the style's default; the same seed, the same car.

    fixed: parameters that keep a given value.
    Raises DrivAerError for an unknown style or fixed values that are refused.
    """
    base = CarParameters.for_style(style, **fixed)
    rng = np.random.default_rng([STYLES.index(style), seed])
    for _ in range(_DRAWS):
        changes: dict[str, float | str] = {"underbody": str(rng.choice(UNDERBODIES))}
        for name, (low, high) in RANGES.items():
            step = _RANDOM_SPAN * (high - low)
            value = getattr(base, name) + rng.uniform(-step, step)
            changes[name] = round(float(np.clip(value, low, high)), 4)
        try:
            return replace(base, **{**changes, **fixed})
        except DrivAerError:
            continue  # drawn out of each other's reach: draw again
    raise DrivAerError(f"no random {style} with these fixed values fits together", fix="fix fewer parameters")


def _check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise DrivAerError(
            f"{name} = {value} is unknown",
            fix=f"choose {name} from {', '.join(choices)}",
        )


def _check_together(p: CarParameters) -> None:
    """Refuse what no car can have: each rule names the quantity, its value, and the range it must lie in."""
    rear_overhang = p.length - p.front_overhang - p.wheelbase
    wheelhouse_top = 2.0 * p.tyre_radius + p.wheelhouse_gap
    rules = (
        (
            "the rear overhang (length - front_overhang - wheelbase)",
            rear_overhang,
            p.tyre_radius + 0.15,
            1.5,
        ),
        (
            "the front overhang less the tyre's radius",
            p.front_overhang - p.tyre_radius,
            0.27,
            1.0,
        ),
        (
            "the nose's height over the wheelhouses",
            p.nose_height - wheelhouse_top,
            -0.03,
            0.5,
        ),
        (
            "the belt's height over the wheelhouses",
            p.belt_height - wheelhouse_top,
            0.13,
            0.8,
        ),
        (
            "the boot's height over the wheelhouses",
            p.boot_height - wheelhouse_top,
            0.15,
            0.8,
        ),
        (
            "the bonnet's rise (cowl_height - nose_height)",
            p.cowl_height - p.nose_height,
            0.08,
            0.5,
        ),
        ("cowl_height - belt_height", p.cowl_height - p.belt_height, -0.06, 0.14),
        ("boot_height - belt_height", p.boot_height - p.belt_height, -0.04, 0.2),
        (
            "the windows' height (height - belt_height)",
            p.height - p.belt_height,
            0.33,
            1.1,
        ),
        (
            "the flat roof (between windscreen and backlight at full height)",
            p.roof_end_x - p.header_x,
            0.35,
            3.5,
        ),
        (
            "the tyre's radius over the ride height",
            p.tyre_radius - p.ride_height,
            0.08,
            0.3,
        ),
        ("the windscreen's foot behind the front axle", p.cowl_x, -0.35, 0.8),
    )
    for what, value, low, high in rules:
        if not low <= value <= high:
            raise DrivAerError(
                f"these parameters do not make a car: {what} is {value:.3f} m",
                fix=f"it must lie between {low:g} and {high:g} m",
            )
