"""A car's outline from above, below and the side on regular lines: the raw measurements of its landmarks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.car import CarMesh
from data.load import scene_of
from data.visibility import RayScene

_N_X = 480  # 1 cm on a car
_N_Z = 120
_ACROSS = np.array([-0.12, -0.06, 0.0, 0.06, 0.12])  # of the half-width: around the centreline, past an antenna
_OPEN = 0.12  # of the height: the centreline lies so far below the silhouette only where a window is open


@dataclass(frozen=True, eq=False)
class Outlook:
    """What is first met from a side, m; NaN where nothing is.

    x (n,): along the car. top (n,): height of the surface near the centreline. under (n,): lowest of the underbody
    across the car. z (m,): up the car. side (n, m): |y|, of the two sides the nearer to the middle.
    lowest_z: of the whole surface.
    """

    x: np.ndarray
    z: np.ndarray
    top: np.ndarray
    under: np.ndarray
    side: np.ndarray
    lowest_z: float

    def line(self, x_from: float, x_to: float) -> np.ndarray:
        """(n, 2) x and z of the top between two places, evenly along its own length."""
        here = (self.x >= x_from) & (self.x <= x_to) & np.isfinite(self.top)
        points = np.stack([self.x[here], self.top[here]], axis=1)
        along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
        even = np.linspace(0.0, along[-1], len(points))
        return np.stack([np.interp(even, along, points[:, i]) for i in (0, 1)], axis=1)

    def section(self, axles: tuple[float, float]) -> np.ndarray:
        """(m,) |y| of the side at each height: the middle one of the places between the axles, behind the mirrors."""
        base = axles[1] - axles[0]
        cabin = (self.x > axles[0] + 0.45 * base) & (self.x < axles[0] + 0.8 * base)
        side = self.side[cabin]
        met = np.isfinite(side).mean(axis=0) > 0.3
        section = np.full(len(self.z), np.nan)
        section[met] = np.nanmedian(side[:, met], axis=0)
        return section


def look_at(car: CarMesh) -> Outlook:
    """Look at a mesh by rays, at a point cloud by its outermost points."""
    corners = car.vertices[np.unique(car.faces)] if len(car.faces) else car.vertices
    low, high = corners.min(axis=0), corners.max(axis=0)
    margin = 1e-4 * (high - low)  # just inside, or the outermost rays miss
    x = np.linspace(low[0] + margin[0], high[0] - margin[0], _N_X)
    z = np.linspace(low[2] + margin[2], high[2] - margin[2], _N_Z)
    views = _of_cloud(car.vertices, x, z, high) if len(car.faces) == 0 else _of_mesh(scene_of(car), x, z, low, high)
    top, silhouette, under, side = views
    top = np.where(np.nan_to_num(top, nan=-1.0) < silhouette - _OPEN * high[2], silhouette, top)
    # The ends themselves, so that lengths are exact.
    x = x.copy()
    x[[0, -1]] = low[0], high[0]
    return Outlook(x, z, _filled(x, top), under, side, float(low[2]))


def _of_mesh(
    scene: RayScene, x: np.ndarray, z: np.ndarray, low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    half = max(-low[1], high[1])
    across = np.unique(np.concatenate([_ACROSS, np.linspace(-0.7, 0.7, 15)])) * half
    centre = np.isin(across, _ACROSS * half)
    down = _first(scene, _grid(x, across, high[2] + 1.0, (0, 1, 2)), (0.0, 0.0, -1.0)).reshape(len(x), -1)
    top = high[2] + 1.0 - down
    low_y = np.linspace(-0.6, 0.6, 9) * half
    up = _first(scene, _grid(x, low_y, low[2] - 1.0, (0, 1, 2)), (0.0, 0.0, 1.0)).reshape(len(x), -1)
    under = low[2] - 1.0 + np.min(np.where(np.isfinite(up), up, np.inf), axis=1)
    under[~np.isfinite(under)] = np.nan
    sides = [
        half + 1.0 - _first(scene, _grid(x[::2], z, sign * (half + 1.0), (0, 2, 1)), (0.0, -sign, 0.0))
        for sign in (1.0, -1.0)
    ]
    side = np.repeat(np.minimum(*sides).reshape(len(x[::2]), len(z)), 2, axis=0)
    side[side < 0] = np.nan
    return _middle(top[:, centre]), np.max(np.nan_to_num(top, nan=-1.0), axis=1), under, side


def _grid(first: np.ndarray, second: np.ndarray, third: float, axes: tuple[int, int, int]) -> np.ndarray:
    """(len(first)·len(second), 3) places, which coordinate is which told by ``axes``."""
    points = np.empty((len(first), len(second), 3))
    points[..., axes[0]], points[..., axes[1]], points[..., axes[2]] = first[:, None], second[None], third
    return points.reshape(-1, 3)


def _first(scene: RayScene, origins: np.ndarray, direction: tuple[float, float, float]) -> np.ndarray:
    """(R,) distance to the first crossing, NaN where there is none."""
    ray, distance, _ = scene.crossings(origins, np.broadcast_to(direction, origins.shape))
    met = np.full(len(origins), np.nan)
    met[ray[::-1]] = distance[::-1]  # sorted by ray and distance: the first of each ray is written last
    return met


def _middle(rows: np.ndarray) -> np.ndarray:
    """(n,) median of each row, NaN where fewer than two are met."""
    met = np.isfinite(rows).sum(axis=1) > 1
    middle = np.full(len(rows), np.nan)
    middle[met] = np.nanmedian(rows[met], axis=1)
    return middle


def _of_cloud(
    points: np.ndarray, x: np.ndarray, z: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The same of points, in bins four and three steps wide, which hold a few points each."""
    half = float(np.abs(points[:, 1]).max())
    column = (np.clip((points[:, 0] - x[0]) / (x[-1] - x[0]), 0, 1) * (len(x) - 1) / 4).astype(int)
    row = (np.clip((points[:, 2] - z[0]) / (z[-1] - z[0]), 0, 1) * (len(z) - 1) / 3).astype(int)
    n_columns, n_rows = column.max() + 1, row.max() + 1
    near = np.abs(points[:, 1]) < 0.12 * half
    top, under, silhouette = np.full(n_columns, -np.inf), np.full(n_columns, np.inf), np.full(n_columns, -np.inf)
    np.maximum.at(top, column[near], points[near, 2])
    np.minimum.at(under, column[near], points[near, 2])
    np.maximum.at(silhouette, column, np.where(np.abs(points[:, 1]) < 0.7 * half, points[:, 2], -np.inf))
    sides = np.full((2, n_columns, n_rows), -np.inf)
    np.maximum.at(sides, ((points[:, 1] < 0).astype(int), column, row), np.abs(points[:, 1]))
    middles = (np.arange(n_columns) + 0.5) * 4 / (len(x) - 1) * (x[-1] - x[0]) + x[0]
    smooth = [np.interp(x, middles, np.where(np.isfinite(v), v, np.nan)) for v in (top, under)]
    side = sides.min(axis=0)[np.ix_(np.arange(len(x)) // 4 % n_columns, np.arange(len(z)) // 3 % n_rows)]
    over = silhouette[np.minimum(np.arange(len(x)) // 4, n_columns - 1)]
    return smooth[0], over, smooth[1], np.where(np.isfinite(side), side, np.nan)


def _filled(x: np.ndarray, values: np.ndarray) -> np.ndarray:
    known = np.isfinite(values) & (values >= 0)
    return np.interp(x, x[known], values[known]) if known.sum() > 1 else values
