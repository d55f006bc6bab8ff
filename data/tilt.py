"""How far a car stands out of true: rolled, turned and off its middle by its own symmetry, pitched by its wheels.

The symmetry plane is the one about which the surface falls on itself: the mirror image of some of its points is brought
onto it by point-to-plane steps (Chen and Medioni, "Object Modelling by Registration of Multiple Range Images", 1992),
outliers weighed down by Cauchy's weight, so that what a car has on one side only hardly counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data.outline import bounds
from data.placing import side_middles

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

NOTABLE_ROLL_DEG = 0.5  # symmetric cars show less than 0.2
NOTABLE_YAW_DEG = 0.6
_LOOK_CLOSER_DEG = 0.25  # of the first look, above which the surface itself is asked
_N_MOVED, _N_STILL = 3000, 12000
_STEPS = 15
_STILL = 2e-5  # a step of a thousandth of a degree ends it
_FITS = 0.002  # of the length: a mirror image so near the surface lies on it
_SYMMETRIC = 0.5  # share of a surface that does, below which its sides say nothing
_OUTLIER = 0.002  # of the length: scale of the Cauchy weight
_REACH = 0.05  # of the length: images further off the surface have no counterpart on it
_LARGEST_DEG = 25.0


@dataclass(frozen=True)
class Tilt:
    """Angles, degrees, by which a car in car axes is turned out of true.

    roll: about the long axis, positive: the +y side is up. yaw: about the upright axis, positive: the tail goes to +y.
    is_known: False where its two sides do not tell.
    """

    roll_deg: float = 0.0
    yaw_deg: float = 0.0
    is_known: bool = True

    @property
    def is_rolled(self) -> bool:
        return abs(self.roll_deg) > NOTABLE_ROLL_DEG

    @property
    def is_turned(self) -> bool:
        return abs(self.yaw_deg) > NOTABLE_YAW_DEG

    @property
    def normal(self) -> np.ndarray:
        """(3,) of the symmetry plane, unit length, pointing to +y."""
        yaw, roll = np.radians([self.yaw_deg, self.roll_deg])
        normal = np.array([-np.tan(yaw), 1.0, np.tan(roll)])
        return normal / np.linalg.norm(normal)

    def levelled(self) -> np.ndarray:
        """(3, 3) the rotation that puts the symmetry plane upright and along x; it pitches nothing."""
        y = self.normal
        x = np.array([y[1], -y[0], 0.0]) / np.hypot(y[0], y[1])
        return np.stack([x, y, np.cross(x, y)])


def find_tilt(points: np.ndarray, faces: np.ndarray, normals: np.ndarray | None = None) -> Tilt:
    """Roll and yaw of a whole car; none where its two sides say nothing.

    points: (V, 3), x from nose to tail and z up. faces: (F, 3), F = 0 for a point cloud, which has normals (V, 3).
    """
    first = _first_look(points)
    if max(abs(first.roll_deg), abs(first.yaw_deg)) < _LOOK_CLOSER_DEG:
        return Tilt()
    surface = _spread(points, faces, normals)
    return Tilt(is_known=False) if surface is None else _refined(first, *surface)


def pitch_rotation(pitch_deg: float) -> np.ndarray:
    """(3, 3) that takes a pitch (tail up is positive) out of a car."""
    c, s = np.cos(np.radians(pitch_deg)), np.sin(np.radians(pitch_deg))
    return np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])


def _first_look(points: np.ndarray) -> Tilt:
    """How the middle between the two sides wanders along the car and up it, by medians of slopes (Theil and Sen)."""
    yaw, roll = (_slope(*side_middles(points, axis)) for axis in (0, 2))
    angles = np.degrees(np.arctan([yaw, -roll]))
    yaw_deg, roll_deg = np.clip(angles, -_LARGEST_DEG, _LARGEST_DEG)
    return Tilt(float(roll_deg), float(yaw_deg))


def _slope(place: np.ndarray, middle: np.ndarray) -> float:
    first, second = np.triu_indices(len(place), 1)
    if len(first) == 0:
        return 0.0
    return float(np.median((middle[second] - middle[first]) / (place[second] - place[first])))


def _spread(points: np.ndarray, faces: np.ndarray, normals: np.ndarray | None) -> tuple[np.ndarray, np.ndarray] | None:
    """Points (N, 3) spread at random over the surface by area, the same each time, and their normals."""
    rng = np.random.default_rng(0)
    if len(faces) == 0:
        some = rng.permutation(len(points))[:_N_STILL]
        return None if normals is None else (points[some], normals[some].astype(float))
    corners = points[faces] if len(faces) < 200_000 else points[faces[rng.permutation(len(faces))[:200_000]]]
    vectors = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    areas = np.linalg.norm(vectors, axis=1)
    if not areas.sum() > 0:
        return None
    row = np.searchsorted(np.cumsum(areas), rng.random(_N_STILL) * areas.sum(), side="right").clip(max=len(areas) - 1)
    u, v = rng.random((2, _N_STILL, 1))
    u, v = np.where(u + v > 1, 1 - u, u), np.where(u + v > 1, 1 - v, v)
    a, b, c = corners[row].transpose(1, 0, 2)
    return a + u * (b - a) + v * (c - a), vectors[row] / areas[row, None]


def _refined(first: Tilt, points: np.ndarray, normals: np.ndarray) -> Tilt:
    """The best of what comes of two beginnings: the first look, and that without its roll, which is the rougher one."""
    from scipy.spatial import cKDTree

    low, high = bounds(points)
    length = float(high[0] - low[0])
    points = (points - (low + high) / 2) / length
    tree = cKDTree(points)
    moved = points[:_N_MOVED]
    found = [_settled(tilt, moved, tree, points, normals) for tilt in (first, Tilt(0.0, first.yaw_deg))]
    plane, on_itself = max(found, key=lambda pair: pair[1])
    roll, yaw = np.degrees(np.arctan([plane[1], -plane[0]]))
    if on_itself < _SYMMETRIC or max(abs(roll), abs(yaw)) > _LARGEST_DEG:
        return Tilt(is_known=False)
    return Tilt(float(roll), float(yaw))


def _settled(
    tilt: Tilt, moved: np.ndarray, tree: cKDTree, points: np.ndarray, normals: np.ndarray
) -> tuple[np.ndarray, float]:
    """The plane y + a x + b z = d as (a, b, d) that the steps end at, and the share of the surface that fits itself."""
    a, _, b = tilt.normal / tilt.normal[1]
    plane = np.array([a, b, np.median(moved @ np.array([a, 1.0, b]))])
    share = 0.0
    for step in range(_STEPS):
        images, slopes = _mirrored(moved, plane)
        distance, near = tree.query(images)
        misfit = np.einsum("nd,nd->n", images - points[near], normals[near])
        kept = distance < _REACH
        share = float((kept & (np.abs(misfit) < _FITS)).mean())
        if kept.sum() < 100 or step == _STEPS - 1:
            break
        slope = np.einsum("knd,nd->nk", slopes[:, kept], normals[near[kept]])
        root = 1.0 / np.sqrt(1.0 + (misfit[kept] / _OUTLIER) ** 2)
        moves = np.linalg.lstsq(slope * root[:, None], -misfit[kept] * root, rcond=1e-9)[0]
        plane = plane + moves
        if np.abs(moves).max() < _STILL:
            break
    return plane, share


def _mirrored(points: np.ndarray, plane: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mirror images of points (N, 3) in the plane y + a x + b z = d, and their derivatives (3, N, 3) by a, b and d."""
    a, b, d = plane
    normal = np.array([a, 1.0, b])
    square = normal @ normal
    off = (points @ normal - d) / square
    images = points - 2 * off[:, None] * normal
    slopes = []
    for index, which in ((0, 0), (1, 2)):
        by = (points[:, which] - 2 * off * plane[index]) / square
        slope = -2 * by[:, None] * normal
        slope[:, which] -= 2 * off
        slopes.append(slope)
    slopes.append(np.broadcast_to(2 / square * normal, points.shape))
    return images, np.stack(slopes)
