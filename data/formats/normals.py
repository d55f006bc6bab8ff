"""Outward normals for point clouds.

The planes come from Open3D (PCA of the nearest neighbours); their signs from visibility: a point that a distant
camera sees must face it. Walking the sign from neighbour to neighbour (Hoppe et al. 1992, Open3D's
``orient_normals_consistent_tangent_plane``) flips whole panels of a real car at its sharp edges and thin parts, and
takes ten seconds for 100,000 points.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from data.formats.source import Source
from data.mesh import RawMesh

_NEIGHBOURS = 16  # of the plane fitted at each point
_DIRECTIONS = 60  # cameras, evenly around
_POINTS_A_PIXEL = 6  # enough that a surface seldom has an empty pixel through which its far side is seen
_SPREAD_ROUNDS = 12


def with_outward_normals(source: Source, cloud: RawMesh) -> RawMesh:
    """``cloud`` with unit normals (V, 3) float32 pointing outwards; the file's own are kept where they are usable.

    Raises MeshError when the points span no volume.
    """
    points = cloud.vertices
    extent = np.ptp(points, axis=0)
    if not extent.min() > 1e-6 * extent.max():
        raise source.error("all its points lie in one plane", "export the whole surface")
    warnings = cloud.warnings
    normals = _usable(cloud.normals)
    if cloud.normals is not None and normals is None:
        warnings += ("the file's normals are zero or not finite: estimated from the points instead",)
    given = normals is not None
    if normals is None:
        normals = _estimate(points)
    seen = _votes(points, normals)
    if given:
        seen_ones = seen != 0
        wrong = np.mean(seen[seen_ones] < 0) if seen_ones.any() else 0.0
        if wrong > 0.5:
            normals, warnings = -normals, (*warnings, "the file's normals point inwards: turned round")
    else:
        normals = normals * _signs(points, normals, seen)[:, None]
    return replace(cloud, normals=np.ascontiguousarray(normals, dtype=np.float32), warnings=warnings)


def _usable(normals: np.ndarray | None) -> np.ndarray | None:
    """The file's normals at unit length, or None when any is missing."""
    if normals is None:
        return None
    normals = np.asarray(normals, dtype=np.float64)
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    if not (np.isfinite(length).all() and length.min() > 0):
        return None
    return normals / length


def _estimate(points: np.ndarray) -> np.ndarray:
    """Unsigned unit normals (V, 3) float64."""
    import open3d as o3d

    cloud = o3d.geometry.PointCloud(o3d.utility.Vector3dVector(points))
    cloud.estimate_normals(o3d.geometry.KDTreeSearchParamKNN(_NEIGHBOURS))
    return np.asarray(cloud.normals)


def _sphere(n: int) -> np.ndarray:
    """n unit vectors, evenly spread (Fibonacci lattice)."""
    i = np.arange(n) + 0.5
    z = 1 - 2 * i / n
    turn = np.pi * (1 + 5**0.5) * i
    r = np.sqrt(1 - z * z)
    return np.stack([r * np.cos(turn), r * np.sin(turn), z], axis=1)


def _votes(points: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """(V,) for each point the sum over the cameras that see it of the cosine to its normal; 0 where none does."""
    votes = np.zeros(len(points))
    centred = (points - points.mean(axis=0)).astype(np.float32)
    for direction in _sphere(_DIRECTIONS).astype(np.float32):
        cosine = normals @ direction
        votes += np.where(_visible(centred, direction, cosine), cosine, 0.0)
    return votes


def _visible(points: np.ndarray, direction: np.ndarray, cosine: np.ndarray) -> np.ndarray:
    """(V,) bool: points that nothing hides from a camera far away along ``direction``."""
    across = np.cross(direction, np.eye(3, dtype=np.float32)[np.abs(direction).argmin()])
    across /= np.linalg.norm(across)
    plane = points @ np.stack([across, np.cross(direction, across)], axis=1)
    depth = points @ direction
    plane -= plane.min(axis=0)
    size = np.sqrt(np.prod(plane.max(axis=0)) * _POINTS_A_PIXEL / len(points) * 0.6)
    pixel = np.floor(plane / size).astype(np.int64)
    width = int(pixel[:, 0].max()) + 1
    index = pixel[:, 1] * width + pixel[:, 0]
    nearest = np.full(int(index.max()) + 1, -np.inf, dtype=np.float32)
    np.maximum.at(nearest, index, depth)
    slope = np.sqrt(1 - np.minimum(cosine**2, 1)) / np.maximum(np.abs(cosine), 0.2)
    return depth >= nearest[index] - size * (0.5 + slope)


def _signs(points: np.ndarray, normals: np.ndarray, votes: np.ndarray) -> np.ndarray:
    """(V,) of +1 and -1: the votes, smoothed by neighbours that share the plane, spread to where no camera saw."""
    from scipy.spatial import cKDTree

    _, neighbours = cKDTree(points).query(points, k=9, workers=-1)
    neighbours = neighbours[:, 1:]
    agree = np.einsum("ik,ijk->ij", normals, normals[neighbours])
    agree = np.sign(agree) * agree**2
    belief = np.tanh(votes)
    own = belief.copy()
    for _ in range(_SPREAD_ROUNDS):
        belief = np.tanh(own + (agree * belief[neighbours]).mean(axis=1) * 2)
    return np.where(belief < 0, -1.0, 1.0)
