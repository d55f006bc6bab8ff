"""The car's body as one signed field: a lower body and a greenhouse, joined; wheelhouses are cut out later.

Each panel (bonnet, side, windscreen, ...) is a smooth height field over the plane that it faces, divided by
its steepness, so that it measures about one metre per metre; the panels meet in edges of true radius.
"""

from __future__ import annotations

import math

import numpy as np

from drivaer_app.shapes import details
from drivaer_app.shapes.fields import (
    Array,
    SmoothCurve,
    bend_radius,
    round_intersection,
    round_union,
    smooth_step,
    soft_ramp,
)
from drivaer_app.shapes.parameters import CarParameters

FLARE = 0.014
"""How far the wings stand out around the wheels (m)."""
_LIP = 0.010
"""How far the wing's edge around a wheel lies inside the plan's half-width: its section leans there (m)."""
_BUMPER_HEIGHT = 0.40
"""Foremost and rearmost height of the bumpers, as a fraction of the way from the floor to the belt."""


class BodyField:
    """The body's field f(x, y, z) of a car: negative inside; x, y, z in metres, car frame, broadcast together."""

    def __init__(self, parameters: CarParameters):
        p = self.p = parameters
        self.half_width = 0.5 * p.width
        self.axles = ((0.0, p.tyre_radius), (p.wheelbase, p.tyre_radius))
        self.bumper_z = p.ride_height + _BUMPER_HEIGHT * (p.belt_height - p.ride_height)
        self._centre_top = self._make_centre_top()
        self._side_top = self._make_side_top()

    def __call__(self, x: Array, y: Array, z: Array) -> Array:
        y = np.abs(y)
        tail = self._tail(x, y, z)
        return round_union(0.035, self._lower_body(x, y, z, tail), self._greenhouse(x, y, z, tail))

    # The curves that panels hang on

    def plan(self, x: Array) -> Array:
        """Half-width of the widest section at x, with the taper of nose and tail but not their corners."""
        p = self.p
        middle = 0.5 * p.wheelbase
        barrel = 0.012 * ((x - middle) / (0.5 * p.length)) ** 2
        nose = 0.13 * soft_ramp((-0.1 * p.front_overhang - x) / p.front_overhang, 0.3) ** 2
        tail = math.tan(math.radians(p.boat_tail_deg)) * soft_ramp(x - (p.wheelbase - 0.05), 0.5)
        return self.half_width - barrel - nose - tail

    def _make_centre_top(self) -> SmoothCurve:
        """Height of bonnet, waist and boot on the centreline; the bonnet rises early and flattens towards the cowl."""
        p = self.p
        rise = p.cowl_height - p.nose_height
        return SmoothCurve(
            [
                (p.nose_x, p.nose_height),
                (p.nose_x + 0.30 * p.bonnet_length, p.nose_height + 0.50 * rise),
                (p.nose_x + 0.65 * p.bonnet_length, p.nose_height + 0.83 * rise),
                (p.cowl_x, p.cowl_height),
                (p.boot_x, p.boot_height),
                (p.tail_x, p.boot_height - 0.10 * p.boot_length),
            ]
        )

    def _make_side_top(self) -> SmoothCurve:
        """Height of wing and belt line at the body's side: over the wheelhouses first, then along the windows."""
        p = self.p
        over_wheel = 2.0 * p.tyre_radius + p.wheelhouse_gap + 0.07
        front = max(over_wheel, 0.4 * p.nose_height + 0.6 * p.belt_height - 0.01)
        return SmoothCurve(
            [
                (p.nose_x, min(p.nose_height - 0.03, front - 0.03)),
                (0.0, front),
                (max(p.cowl_x, 0.25), p.belt_height - 0.03),
                (0.5 * p.wheelbase, p.belt_height),
                (p.wheelbase, p.belt_height + 0.25 * (p.boot_height - p.belt_height) + 0.01),
                (p.tail_x, p.belt_height + 0.55 * (p.boot_height - p.belt_height)),
            ],
            smoothing=0.12,
        )

    # The panels of the lower body

    def side(self, x: Array, y: Array, z: Array) -> Array:
        """Body side with its waist: widest at half height, leaning in towards belt and sill, flared at the wheels."""
        p = self.p
        widest = p.ride_height + 0.52 * (p.belt_height - p.ride_height)
        above = soft_ramp(z - widest, 0.15)
        below = soft_ramp(widest - 0.10 - z, 0.12)
        section = 0.13 * above**1.5 + 0.30 * below**2
        crease = 0.010 * np.exp(-(((z - widest + 0.17) / 0.09) ** 2))
        flare = 0.0
        for axle_x, axle_z in self.axles:
            beyond = np.hypot(x - axle_x, z - axle_z) - p.tyre_radius - p.wheelhouse_gap
            flare = flare + FLARE / (1.0 + (np.maximum(beyond, 0.0) / 0.07) ** 2)
        return y - (self.plan(x) - section - crease - FLARE + flare)

    def _lower_top(self, x: Array, y: Array, z: Array) -> Array:
        """Bonnet and boot: level across the middle, falling to wing and belt at the sides."""
        centre, side = self._centre_top(x), self._side_top(x)
        across = np.minimum(y / self.half_width, 1.2)
        height = centre + (side - centre) * across**3
        return (z - height) / np.sqrt(1.0 + self._centre_top.slope(x) ** 2)

    def _nose(self, x: Array, y: Array, z: Array) -> Array:
        """Front end: foremost at the bumper, swept back to the sides, drawn in above and below."""
        p = self.p
        up, down = soft_ramp(z - self.bumper_z, 0.10), soft_ramp(self.bumper_z - z, 0.10)
        face = p.nose_x + p.nose_sweep * (y / self.half_width) ** 2.4 + 0.55 * up**2 + 0.9 * down**2
        return face - x + details.nose(p, y, z)

    def _tail(self, x: Array, y: Array, z: Array) -> Array:
        """Rear end: leans in above the bumper, short boots so much that the tailgate runs on into the backlight."""
        p = self.p
        up, down = soft_ramp(z - self.bumper_z, 0.10), soft_ramp(self.bumper_z - z, 0.10)
        lean = min(0.12, 0.8 * p.boot_length) / (p.boot_height - self.bumper_z) ** 1.5
        face = p.tail_x - p.tail_sweep * (y / self.half_width) ** 2.4 - lean * up**1.5 - 0.35 * down**2
        return x - face + details.tail(p, y, z)

    def _floor(self, x: Array, y: Array, z: Array) -> Array:
        """Underbody: ramp, flat floor rising a little to the sills, diffuser, and the tunnel if there is one."""
        p = self.p
        ramp = math.tan(math.radians(p.ramp_angle_deg)) * soft_ramp(-0.45 - x, 0.08)
        diffuser_x = p.tail_x - p.diffuser_length
        diffuser = math.tan(math.radians(p.diffuser_angle_deg)) * soft_ramp(x - diffuser_x, 0.08)
        height = p.ride_height + ramp + diffuser + 0.010 * (y / self.half_width) ** 2
        if p.underbody == "tunnel":
            along = smooth_step((x + 0.45) / 0.5) * smooth_step((p.wheelbase + 0.5 - x) / 0.5)
            height = height + p.tunnel_depth * along * smooth_step((0.20 - y) / 0.12)
        return height - z

    def _lower_body(self, x: Array, y: Array, z: Array, tail: Array) -> Array:
        p = self.p
        nose, side, top = self._nose(x, y, z), self.side(x, y, z), self._lower_top(x, y, z)
        around = np.maximum(
            round_intersection(p.front_corner_radius, nose, side),
            round_intersection(p.rear_corner_radius, tail, side),
        )
        front = smooth_step((0.2 - x) / 0.8)
        edge = p.edge_radius * (1.0 + 1.8 * front)
        upper = round_intersection(edge, top, around)
        return round_intersection(0.05, upper, self._floor(x, y, z))

    # The greenhouse

    def _greenhouse(self, x: Array, y: Array, z: Array, tail: Array) -> Array:
        p = self.p
        screen, back = self._windscreen(x, y, z), self._backlight(x, y, z)
        roof, glass = self._roof(x, y, z), self._side_window(x, y, z)
        belt = self._side_top(x)
        panes = glass + details.side_windows(p, x, z, screen, roof, back, belt)
        screen, back = screen + details.windscreen(p, z, glass, roof), back + details.backlight(p, z, glass, roof)
        header = bend_radius(0.9, math.radians(p.windscreen_angle_deg - 4.0))
        over_roof = round_intersection(header, screen, roof)
        rear_edge = bend_radius(p.backlight_radius, math.radians(p.backlight_angle_deg - 6.0))
        over_roof = round_intersection(rear_edge, over_roof, back)
        shell = round_intersection(p.roof_radius, over_roof, panes)
        # A flat backlight would run on behind the tail.
        shell = round_intersection(0.03, shell, tail)
        foot = min(p.belt_height, p.cowl_height, p.boot_height) - 0.12
        return round_intersection(0.04, shell, foot - z)

    def _windscreen(self, x: Array, y: Array, z: Array) -> Array:
        """Through the cowl at its angle, bowed upwards and wrapped round towards the pillars."""
        p = self.p
        angle = math.radians(p.windscreen_angle_deg)
        up = z - p.cowl_height
        bow = 0.10 * up * (1.0 - up / (p.height - p.cowl_height))
        face = p.cowl_x + up / math.tan(angle) - bow + 0.22 * (y / self.half_width) ** 2
        return (face - x) * math.sin(angle)

    def _backlight(self, x: Array, y: Array, z: Array) -> Array:
        """Through its foot at its angle, bowed outwards and drawn forward towards the pillars."""
        p = self.p
        angle = math.radians(p.backlight_angle_deg)
        up = z - p.boot_height
        bow = 0.08 * up * (1.0 - up / (p.height - p.boot_height))
        face = p.boot_x - up / math.tan(angle) + bow - 1.2 * p.tail_sweep * (y / self.half_width) ** 2
        return (x - face) * math.sin(angle)

    def _roof(self, x: Array, y: Array, z: Array) -> Array:
        """Arched from windscreen to backlight and crowned across; highest, at the car's height, behind the header."""
        p = self.p
        peak = p.header_x + 0.45 * min(p.roof_end_x - p.header_x, 1.2)
        ahead, behind = np.maximum(peak - x, 0.0), np.maximum(x - peak, 0.0)
        crown = 0.055 * (y / (0.7 * self.half_width)) ** 2
        height = p.height - 0.06 * ahead**2 - p.roof_drop * behind**2 - crown
        slope = 0.12 * ahead - 2.0 * p.roof_drop * behind
        return (z - height) / np.sqrt(1.0 + slope * slope)

    def _side_window(self, x: Array, y: Array, z: Array) -> Array:
        """Leaning in from the shoulder upwards, and tapering behind the B-pillar."""
        p = self.p
        lean = math.tan(math.radians(p.tumblehome_deg))
        up = soft_ramp(z - p.belt_height, 0.02)
        hidden = soft_ramp(p.belt_height - 0.02 - z, 0.02)  # below the belt it draws in, clear of the body's side
        bow = 0.10 * up * (1.0 - up / (p.height - p.belt_height))
        taper = 0.017 * soft_ramp(x - 0.55 * p.wheelbase, 0.3) ** 2 * (p.tumblehome_deg / 24.0) ** 2
        face = self.plan(x) - FLARE - p.shoulder - lean * up - 0.8 * hidden + bow - taper
        return (y - face) * math.cos(math.atan(lean))

    def tyre_wall_y(self, axle_x: float) -> float:
        """y of the tyres' outer side walls at an axle: inside the wing by the wheel's inset."""
        return float(self.plan(np.float64(axle_x))) - _LIP - self.p.wheel_inset
