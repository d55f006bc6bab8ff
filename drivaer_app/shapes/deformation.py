"""Each handle as moves of the lattice through one car's landmarks, with the range that it has on that car."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from drivaer_app.shapes.handles import HANDLES, Handle
from drivaer_app.shapes.landmarks import GlassPane, Landmarks, MirrorBox
from drivaer_app.shapes.lattice import ONE, LatticeCurve, LatticeMove, fall, growing, rise, shrinking

USUAL_LENGTH = 4.2
"""m: on shorter models the lengths that handles may move shrink in proportion."""
_MOST_STRETCH = 0.6
"""Of a move's derivative along its own axis: less than 1 does not fold, and room is left for other handles."""
_WHEELS_FOLLOW = ("length", "wheelbase", "width")


@dataclass(frozen=True)
class HandleMoves:
    """A handle on one car.

    handle: with this car's range. moves: of the lattice. amount: what the handle's value multiplies the moves by.
    moves_wheels: whether the wheels go where their axle goes.
    """

    handle: Handle
    moves: tuple[LatticeMove, ...]
    amount: Callable[[float], float]
    moves_wheels: bool


def handle_moves(landmarks: Landmarks) -> dict[str, HandleMoves]:
    """The handles that a car has, in HANDLES' order."""
    built = {name: build(landmarks) for name, build in _BUILDERS.items()}
    return {name: _limited(name, *built[name], landmarks) for name in HANDLES if built[name] is not None}


def _limited(
    name: str, moves: tuple[LatticeMove, ...], amount: Callable[[float], float], landmarks: Landmarks
) -> HandleMoves:
    """The handle with its range cut to what keeps this car from folding."""
    handle = HANDLES[name]
    if handle.unit == "m":
        size = min(1.0, landmarks.length / USUAL_LENGTH)
        handle = replace(handle, low=handle.low * size, high=handle.high * size)
    if name == "ride_height":  # half the clearance stays
        handle = replace(handle, low=max(handle.low, -0.5 * landmarks.floor_z))
    if name == "pitch":  # the same at the ends of the car
        arm = max(landmarks.tail_x - _between_axles(landmarks), _between_axles(landmarks) - landmarks.nose_x)
        most = math.degrees(math.atan(0.5 * max(landmarks.floor_z, 0.0) / arm))
        handle = replace(handle, low=max(handle.low, -most), high=min(handle.high, most))
    low = (landmarks.nose_x, 0.0, 0.0)
    high = (landmarks.tail_x, 1.2 * landmarks.half_width, landmarks.roof.z)
    largest = min(_largest_amount(move, np.array(low), np.array(high)) for move in moves)
    ends = [_reachable(end, handle.neutral, amount, largest) for end in (handle.low, handle.high)]
    return HandleMoves(replace(handle, low=ends[0], high=ends[1]), moves, amount, name in _WHEELS_FOLLOW)


def _largest_amount(move: LatticeMove, low: np.ndarray, high: np.ndarray) -> float:
    most = np.full(3, move.most_shear)
    most[move.axis] = _MOST_STRETCH
    return float((most / np.maximum(move.slopes(low, high), 1e-9)).min())


def _reachable(end: float, neutral: float, amount: Callable[[float], float], largest: float) -> float:
    """The value nearest to ``end`` whose amount is not too large."""
    for share in np.linspace(1.0, 0.0, 101):
        value = neutral + float(share) * (end - neutral)
        if abs(amount(value)) <= largest:
            return value
    return neutral


# What the handles' builders share

_Built = tuple[tuple[LatticeMove, ...], Callable[[float], float]] | None


def _metres(value: float) -> float:
    return value


def _tangent(degrees: float) -> float:
    return math.tan(math.radians(degrees))


def _front_end(m: Landmarks) -> float:
    """x where the front wheels begin: ahead of it the body is free."""
    return m.front_axle_x - 1.1 * _radius(m)


def _rear_end(m: Landmarks) -> float:
    """x where the rear wheels end."""
    return m.rear_axle_x + 1.1 * _radius(m)


def _radius(m: Landmarks) -> float:
    """Of the wheels; of such a car's usual ones where it has none. Never so much that no overhang is left."""
    usual = 0.07 * m.length
    radius = max((w.radius for w in (m.front_wheels, m.rear_wheels) if w), default=usual)
    overhang = min(m.front_axle_x - m.nose_x, m.tail_x - m.rear_axle_x)
    return min(radius, 0.55 * overhang)


def _bumper_z(m: Landmarks) -> float:
    return m.floor_z + 0.4 * (m.belt_z - m.floor_z)


def _across(half_width: float, flat_from: float) -> LatticeCurve:
    """0 in the middle, growing evenly, 1 from ``flat_from`` of the half-width: what is out there moves as one."""
    edge = flat_from * half_width
    bend = 0.5 * edge
    reach = edge - bend / 2
    return LatticeCurve((0.0, reach), (0.0, 1.0), (1e-6, bend), before=1.0 / reach)


def _sides(half_width: float) -> LatticeCurve:
    """0 over the middle, 1 at the body's corners, bent as a parabola."""
    return LatticeCurve((0.45 * half_width,), (0.0,), (0.9 * half_width,), after=1.0 / (0.55 * half_width))


def _foot_of_glass(m: Landmarks) -> float:
    return max(m.belt_z, m.windscreen.foot.z) if m.windscreen else m.belt_z


# The handles


def _ride_height(m: Landmarks) -> _Built:
    z = rise(0.0, m.floor_z) if m.stands_on_ground and m.floor_z > 0 else ONE
    return (LatticeMove(2, z=z),), _metres


def _pitch(m: Landmarks) -> _Built:
    middle, ground = _between_axles(m), ONE
    if m.stands_on_ground and m.floor_z > 0:
        ground = rise(0.0, m.floor_z)
    ahead = LatticeCurve((middle,), (0.0,), (1e-6,), before=-1.0, after=-1.0)
    above = LatticeCurve((_radius(m),), (0.0,), (1e-6,), before=1.0, after=1.0)
    # A turn about the axles' height, as far as it is linear: off by 3 parts in 10,000 at the end of the range.
    up, back = LatticeMove(2, x=ahead, z=ground), LatticeMove(0, z=above)
    return (up, back) if ground is ONE else (up,), _tangent


def _between_axles(m: Landmarks) -> float:
    return 0.5 * (m.front_axle_x + m.rear_axle_x)


def _length(m: Landmarks) -> _Built:
    middle, far = m.front_axle_x, m.tail_x
    slope = 1.0 / m.length
    evenly = LatticeCurve((middle, far), (0.0, (far - middle) * slope), (1e-6, 1e-6), before=slope, after=slope)
    return (LatticeMove(0, x=evenly),), _metres


def _wheelbase(m: Landmarks) -> _Built:
    room = 1.15 * _radius(m)
    return (LatticeMove(0, x=rise(m.front_axle_x + room, m.rear_axle_x - room)),), _metres


def _nose_length(m: Landmarks) -> _Built:
    return (LatticeMove(0, x=fall(m.nose_x, _front_end(m))),), lambda value: -value


def _boot_length(m: Landmarks) -> _Built:
    return (LatticeMove(0, x=rise(_rear_end(m), m.tail_x)),), _metres


def _width(m: Landmarks) -> _Built:
    return (LatticeMove(1, y=_across(m.half_width, 0.85)),), lambda value: value / 2


def _roof_height(m: Landmarks) -> _Built:
    foot = _foot_of_glass(m)
    return (LatticeMove(2, z=rise(foot, m.roof.z - 0.12 * (m.roof.z - foot), 0.4)),), _metres


def _roof_rear_height(m: Landmarks) -> _Built:
    back = m.backlight
    if back is None:
        return None
    start = m.windscreen.head.x if m.windscreen else m.roof.x
    run = back.head.x - start
    if run < 0.1 * m.length:
        return None
    z = rise(back.foot.z, back.head.z - 0.1 * (back.head.z - back.foot.z), 0.4)
    return (LatticeMove(2, x=rise(start + 0.1 * run, back.head.x), z=z),), _metres


def _bonnet_height(m: Landmarks) -> _Built:
    if m.windscreen is None:
        return None
    edge, end = m.bonnet_edge, m.windscreen.foot
    if end.x - edge.x < 0.08 * m.length or edge.z > end.z:
        return None
    z = rise(min(_bumper_z(m), edge.z - 0.15 * m.roof.z), edge.z - 0.01 * m.roof.z)
    return (LatticeMove(2, x=fall(edge.x, end.x, 0.3), z=z),), _metres


def _boot_height(m: Landmarks) -> _Built:
    back = m.backlight
    if back is None:
        return None
    start = min(back.head.x, back.foot.x - 0.13 * m.length)
    arch = m.rear_wheels.radius * 2 if m.rear_wheels else _bumper_z(m)
    low = min(max(arch, _bumper_z(m)), back.foot.z - 0.15 * m.roof.z)
    z = _tent(low, back.foot.z, back.head.z)
    return (LatticeMove(2, x=rise(start, back.foot.x, 0.4), z=z),), _metres


def _tent(low: float, top: float, high: float) -> LatticeCurve:
    """0 at ``low``, 1 from ``top`` half-way to ``high``, 0 there: what lies between in x stays straight in between."""
    shoulder = top + 0.45 * (high - top)
    up, down = 0.4 * (top - low), 0.4 * (high - shoulder)
    return LatticeCurve(
        (low + up / 2, top - up / 2, shoulder + down / 2, high - down / 2), (0.0, 1.0, 1.0, 0.0), (up, up, down, down)
    )


def _windscreen_angle(m: Landmarks) -> _Built:
    glass = m.windscreen
    if glass is None:
        return None
    end = m.backlight.head.x if m.backlight else m.tail_x - 0.1 * m.length
    room = end - glass.head.x
    if room < 0.1 * m.length:
        return None
    x = fall(glass.head.x, glass.head.x + 0.9 * room)
    return (LatticeMove(0, x=x, z=_lean(glass)),), lambda value: _cot(glass.angle_deg + value) - _cot(glass.angle_deg)


def _backlight_angle(m: Landmarks) -> _Built:
    glass = m.backlight
    if glass is None:
        return None
    start = m.windscreen.head.x if m.windscreen else m.nose_x + 0.3 * m.length
    room = glass.head.x - start
    if room < 0.1 * m.length:
        return None
    x = rise(start + 0.1 * room, glass.head.x)
    return (LatticeMove(0, x=x, z=_lean(glass)),), lambda value: _cot(glass.angle_deg) - _cot(glass.angle_deg + value)


def _lean(glass: GlassPane) -> LatticeCurve:
    """The height over a pane's foot, up to its head: what shears the pane and takes the roof along."""
    up = glass.head.z - glass.foot.z
    bend = 0.4 * up
    return LatticeCurve((glass.foot.z, glass.head.z), (0.0, up), (bend, bend))


def _cot(degrees: float) -> float:
    return math.tan(math.radians(90.0 - degrees))


def _boat_tail(m: Landmarks) -> _Built:
    free = m.tail_x - _rear_end(m)
    x = growing(_rear_end(m) - 0.1 * free, 0.5 * free)
    return (LatticeMove(1, x=x, y=_across(m.half_width, 0.75)),), lambda value: -_tangent(value)


def _greenhouse_taper(m: Landmarks) -> _Built:
    foot = m.belt_z
    z = rise(foot, m.roof.z - 0.1 * (m.roof.z - foot), 0.4)
    return (LatticeMove(1, y=_across(m.half_width, 0.6), z=z),), lambda value: -value


def _diffuser_angle(m: Landmarks) -> _Built:
    free = m.tail_x - _rear_end(m)
    x = growing(_rear_end(m) - 0.25 * free, 0.3 * free)
    top = m.backlight.foot.z if m.backlight else m.belt_z
    return (LatticeMove(2, x=x, z=_near_floor(m, top)),), _tangent


def _ramp_angle(m: Landmarks) -> _Built:
    free = _front_end(m) - m.nose_x
    x = shrinking(_front_end(m) + 0.1 * free, 0.3 * free)
    return (LatticeMove(2, x=x, z=_near_floor(m, max(m.bonnet_edge.z, 0.6 * m.belt_z))),), _tangent


def _near_floor(m: Landmarks, top: float) -> LatticeCurve:
    """1 at the underbody, 0 at ``top``."""
    rocker = m.floor_z + 0.12 * (m.roof.z - m.floor_z)
    return fall(rocker, max(top, rocker + 0.2 * m.roof.z))


def _front_rounding(m: Landmarks) -> _Built:
    return (LatticeMove(0, x=fall(m.nose_x, _front_end(m)), y=_sides(m.half_width)),), _metres


def _rear_rounding(m: Landmarks) -> _Built:
    return (LatticeMove(0, x=rise(_rear_end(m), m.tail_x), y=_sides(m.half_width)),), lambda value: -value


def _mirror_scale(m: Landmarks) -> _Built:
    box = m.mirrors
    if box is None:
        return None
    return tuple(_scaled(box, axis) for axis in range(3)), lambda value: value - 1.0


def _scaled(box: MirrorBox, axis: int) -> LatticeMove:
    """Distance along one axis from the foot (in y) or the middle (in x and z), within the mirror, none beyond."""
    curves = list(mirror_share(box))
    size = np.subtract(box.high, box.low)
    if axis == 1:
        curves[1] = growing(box.low[1], 0.2 * float(size[1]))
    else:
        half, margin = 0.5 * float(size[axis]), _mirror_margin(size, axis)
        low, high = box.low[axis], box.high[axis]
        curves[axis] = LatticeCurve(
            (low - margin, low, high, high + margin), (0.0, -half, half, 0.0), (margin / 2,) * 4
        )
    return LatticeMove(axis, *curves, most_shear=np.inf)  # around so small a thing nothing is left to shear


def mirror_share(box: MirrorBox) -> tuple[LatticeCurve, LatticeCurve, LatticeCurve]:
    """Curves along x, |y| and z whose product is 1 in the mirrors, 0 in the body."""
    size = np.subtract(box.high, box.low)
    out = rise(box.low[1] - 0.02 * float(size[1]), box.low[1] + 0.3 * float(size[1]))
    along, _, up = (
        LatticeCurve(
            (low - margin, low - 0.15 * margin, high + 0.15 * margin, high + margin),
            (0.0, 1.0, 1.0, 0.0),
            (0.5 * margin, 0.3 * margin, 0.3 * margin, 0.5 * margin),
        )
        for low, high, margin in ((box.low[i], box.high[i], _mirror_margin(size, i)) for i in range(3))
    )
    return along, out, up


def _mirror_margin(size: np.ndarray, axis: int) -> float:
    return 0.55 * float(max(size[axis], 0.6 * size.max()))


_BUILDERS: dict[str, Callable[[Landmarks], _Built]] = {
    "ride_height": _ride_height,
    "length": _length,
    "wheelbase": _wheelbase,
    "nose_length": _nose_length,
    "boot_length": _boot_length,
    "width": _width,
    "roof_height": _roof_height,
    "roof_rear_height": _roof_rear_height,
    "bonnet_height": _bonnet_height,
    "boot_height": _boot_height,
    "windscreen_angle": _windscreen_angle,
    "backlight_angle": _backlight_angle,
    "boat_tail": _boat_tail,
    "greenhouse_taper": _greenhouse_taper,
    "diffuser_angle": _diffuser_angle,
    "ramp_angle": _ramp_angle,
    "front_rounding": _front_rounding,
    "rear_rounding": _rear_rounding,
    "mirror_scale": _mirror_scale,
    "pitch": _pitch,
}
