"""Where the car frame's origin lies on a car: front axle, symmetry plane, ground.

The answers come from where the surface itself crosses a few heights, never from the grid or from counting vertices,
so that the same car in another unit, place, triangle order or mesh density gets the same origin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.outline import bounds

NOSE_AHEAD_OF_AXLE = 0.18  # of the length: where the nose goes when there are no wheels to be found
_HEIGHTS = np.linspace(0.004, 0.014, 6)  # of the length, above the lowest point of a tyre: 2-6 cm
_RADIUS = (0.035, 0.13)  # of the length
_WHEELBASE = (0.45, 0.75)  # of the length


@dataclass(frozen=True)
class Axle:
    """A pair of wheels seen from the side, in the length unit of the points: centre x, lowest z, tyre radius."""

    x: float
    ground: float
    radius: float


@dataclass(frozen=True)
class Axles:
    """The front and the rear axle of a car on wheels."""

    front: Axle
    rear: Axle

    @property
    def pitch_deg(self) -> float:
        """How far the line through the tyres' lowest points is from level; positive: tail up."""
        return float(np.degrees(np.arctan2(self.rear.ground - self.front.ground, self.rear.x - self.front.x)))


def find_axles(points: np.ndarray, faces: np.ndarray) -> Axles | None:
    """The wheels, as arcs that cross a few heights just above the lowest point of each end; None without wheels.

    points: (V, 3) with x from nose to tail and z up, in any unit; faces (F, 3), none for a point cloud.
    """
    low, high = points[:, 0].min(), points[:, 0].max()
    length = high - low
    ends = [points[:, 0] < low + 0.45 * length, points[:, 0] > low + 0.55 * length]
    near = [_near_ground(points, end, length) for end in ends]
    if len(faces):
        either = near[0] | near[1]
        faces = faces[either[faces[:, 0]] | either[faces[:, 1]] | either[faces[:, 2]]]
    axles = [_axle(points, faces, foot, length) for foot in near]
    front, rear = axles
    if front is None or rear is None:
        return None
    base = (rear.x - front.x) / length
    alike = 0.6 < front.radius / rear.radius < 1.7
    return Axles(front, rear) if alike and _WHEELBASE[0] < base < _WHEELBASE[1] else None


def _near_ground(points: np.ndarray, end: np.ndarray, length: float) -> np.ndarray:
    """(V,) the points of one end of the car that lie in its lowest layer."""
    z = points[:, 2]
    ground = z[end].min() if end.any() else np.inf
    return end & (z < ground + _HEIGHTS[-1] * length)


def _axle(points: np.ndarray, faces: np.ndarray, near: np.ndarray, length: float) -> Axle | None:
    if not near.any():
        return None
    ground = points[near, 2].min()
    corners = points[faces[near[faces].any(axis=1)]] if len(faces) else points[near]
    middles, chords, heights = [], [], []
    for height in _HEIGHTS * length:
        x = _crossing(corners, ground + height, length)
        if len(x):
            middles.append((x.min() + x.max()) / 2)
            chords.append((x.max() - x.min()) / 2)
            heights.append(height)
    if len(heights) < len(_HEIGHTS) - 1:
        return None
    half, above = np.array(chords), np.array(heights)
    # A circle of radius R on a flattened foot c0: chord² = c0² + 2 R height - height².
    radius = np.polyfit(above, half**2 + above**2, 1)[0] / 2
    if not _RADIUS[0] * length < radius < _RADIUS[1] * length:
        return None
    return Axle(float(np.median(middles)), float(ground), float(radius))


def _crossing(corners: np.ndarray, z: float, length: float) -> np.ndarray:
    """x where the triangles (F, 3, 3), or the points (V, 3) of a cloud, are at the height z."""
    if corners.ndim == 2:
        return corners[np.abs(corners[:, 2] - z) < 0.002 * length, 0]
    a, b = corners, np.roll(corners, -1, axis=1)
    crossed = (a[:, :, 2] < z) != (b[:, :, 2] < z)
    a, b = a[crossed], b[crossed]
    return a[:, 0] + (z - a[:, 2]) / (b[:, 2] - a[:, 2]) * (b[:, 0] - a[:, 0])


def middle_plane(points: np.ndarray) -> tuple[float, bool]:
    """y of the symmetry plane, and whether the body's two sides agree on it.

    Half-way between the outermost points; where something sticks out on one side only, half-way between the sides of
    most of the body (a median over slices).
    """
    low, high = bounds(points)
    whole = float(low[1] + high[1]) / 2
    body = _slice_middles(points)
    if len(body) == 0:
        return whole, True
    typical = float(np.median(body))
    agree = abs(typical - whole) < 0.01 * (high[1] - low[1])
    return (whole if agree else typical), agree


def _slice_middles(points: np.ndarray) -> np.ndarray:
    """Half-way points between the sides, in slices across the car's length and height."""
    return np.concatenate([side_middles(points, axis)[1] for axis in (0, 2)])


def side_middles(points: np.ndarray, axis: int, slices: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """Where slices across an axis lie on it, and the half-way points between the sides there; of wide slices only."""
    low, high = bounds(points)
    place = (points[:, axis] - low[axis]) / max(high[axis] - low[axis], 1e-300)
    index = np.clip(place * slices, 0, slices - 1).astype(np.uint8)
    order = np.argsort(index, kind="stable")
    ordered = index[order].astype(int)
    starts = np.flatnonzero(np.diff(ordered, prepend=-1))
    y = points[order, 1]
    least, most = np.minimum.reduceat(y, starts), np.maximum.reduceat(y, starts)
    full = most - least > 0.4 * (high[1] - low[1])
    places = low[axis] + (ordered[starts] + 0.5) / slices * (high[axis] - low[axis])
    return places[full], ((least + most) / 2)[full]
