"""Even samples of the surface that the flow sees: what the networks are given of a car."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.errors import MeshError
from data.lines import N_DIRECTIONS, crossing_density, parallel_lines
from data.mesh import SurfaceSample
from data.visibility import Crossings, RayScene, cross, sides_seen

# Crossings to choose from for one that is taken: with 4, a region's share of the points scatters half as much as
# at random; more costs more than it brings.
_CHOICE = 4
_LEAST = 16384  # shorter samples choose among as many crossings as this one, and so are its beginning
_CELLS = 60  # cells along the box's diagonal within which crossings stand in for one another
_MAX_LINES = 1 << 22


@dataclass(frozen=True, eq=False)
class Survey:
    """A surface seen from the flow, at points spread evenly by area.

    points: (N, 3) float64 m. normals: (N, 3) float64, unit, out into the flow. faces: (N,) int64.
    with_winding: (N,) bool, the face's own winding gives that normal.
    two_sided: (N,) bool, the flow is on both sides of the surface there (a sheet).
    wetted_area: m² that the flow sees, both sides of a sheet counted.
    hidden_fraction: of the area of all faces, what the flow sees no side of.
    """

    points: np.ndarray
    normals: np.ndarray
    faces: np.ndarray
    with_winding: np.ndarray
    two_sided: np.ndarray
    wetted_area: float
    hidden_fraction: float


def sample_surface(
    vertices: np.ndarray,
    faces: np.ndarray,
    n: int = 16384,
    *,
    draw: int = 0,
    scene: RayScene | None = None,
) -> SurfaceSample:
    """N points spread evenly by area over the surface that the flow sees, with normals out into the flow.

    vertices: (V, 3) m, car frame. faces: (F, 3), wound anyhow. draw: which of any number of independent
    samples of the same car. scene: of this very surface, to save building it again.

    The answer is the same bit for bit for the same mesh, and nearly the same for the same surface in
    other triangles. Raises MeshError when the surface has no area to speak of.
    """
    seen = survey(scene or RayScene(vertices, faces), n, draw)
    return SurfaceSample(
        points=seen.points.astype(np.float32),
        normals=seen.normals.astype(np.float32),
        areas=closed_areas(seen.normals, seen.wetted_area).astype(np.float32),
    )


def survey(scene: RayScene, n: int, draw: int = 0) -> Survey:
    """Look at the surface from the flow in n points; any prefix of them is itself spread evenly."""
    crossings, order, waste = _even_crossings(scene, n, draw)
    chosen, seen = np.empty(0, np.int64), np.empty((0, 2), bool)
    while seen.sum() < n:
        if len(chosen) == len(order):
            raise MeshError("the flow sees next to nothing of the surface", fix="export the car's outer surface")
        more = order[len(chosen) : len(chosen) + max(n - int(seen.sum()), 256)]
        chosen = np.concatenate([chosen, more])
        seen = np.concatenate([seen, sides_seen(scene, crossings, more)])
    row, behind = np.divmod(np.flatnonzero(seen.ravel())[:n], 2)
    at, turned = chosen[row], behind.astype(bool)
    area = scene.area * (1 - waste)
    return Survey(
        points=crossings.points[at],
        normals=np.where(turned[:, None], -1.0, 1.0) * crossings.normals[at],
        faces=crossings.face[at],
        with_winding=crossings.with_winding[at] != turned,
        two_sided=seen.all(axis=1)[row],
        wetted_area=area * float(seen.sum()) / len(chosen),
        hidden_fraction=1 - (1 - waste) * float(seen.any(axis=1).mean()),
    )


def _even_crossings(scene: RayScene, n: int, draw: int) -> tuple[Crossings, np.ndarray, float]:
    """Crossings to choose from, the order to take them in, and the fraction of the faces' area that lies doubled."""
    wanted = _CHOICE * max(n, _LEAST)
    thinness = scene.diagonal**2 / scene.area if scene.area > 0 else np.inf
    # A power of two, so that meshes of the same surface whose areas differ a little get the same lines.
    lines = 2 * wanted * thinness / N_DIRECTIONS
    if not lines * N_DIRECTIONS < _MAX_LINES * max(1, n / _LEAST):
        raise MeshError("the surface has next to no area", fix="export the car's outer surface as triangles")
    per_direction = 1 << int(np.ceil(np.log2(lines)))
    line, origins, directions = parallel_lines(scene.low, scene.high, per_direction, draw)
    crossings = cross(scene, origins, directions)
    area_each = 1 / crossing_density(crossings.normals, per_direction, scene.diagonal, draw)
    order = _even_order(crossings, line[crossings.line], area_each, scene)
    return crossings, order, 1 - len(crossings) / max(crossings.n_found, 1)


def _even_order(crossings: Crossings, line: np.ndarray, area_each: np.ndarray, scene: RayScene) -> np.ndarray:
    """(M,) the crossings in an order of which any prefix takes from each cell of space its share by area.

    Within a cell (and one of six ways that the surface faces) crossings come in a fixed random order; the cells
    take turns by a low-discrepancy dither. What happens in one cell leaves the others alone, so that a local
    change of the mesh is a local change of the sample.
    """
    cell = np.floor((crossings.points - scene.low) * (_CELLS / scene.diagonal)).astype(np.int64)
    axis = np.abs(crossings.normals).argmax(axis=1)
    facing = 2 * axis + (np.take_along_axis(crossings.normals, axis[:, None], axis=1)[:, 0] > 0)
    group = ((cell[:, 0] * 1024 + cell[:, 1]) * 1024 + cell[:, 2]) * 6 + facing
    by_group = np.lexsort((_scrambled(line, crossings), group))
    starts = np.flatnonzero(np.diff(group[by_group], prepend=-1))
    sizes = np.diff(starts, append=len(group))
    rank = np.arange(len(group)) - np.repeat(starts, sizes)
    share = np.repeat(np.add.reduceat(area_each[by_group], starts), sizes)
    turn = np.mod(cell @ _DITHER + 0.6180339887498949 * facing, 1.0)[by_group]
    return by_group[np.argsort((rank + turn) / share, kind="stable")]


_DITHER = 1.2207440846057596 ** -np.array([1.0, 2.0, 3.0])  # root of x**4 = x + 1


def _scrambled(line: np.ndarray, crossings: Crossings) -> np.ndarray:
    """(M,) uint64 fixed random numbers, one for the k-th crossing of a line (Steele's SplitMix64)."""
    first = np.maximum.accumulate(np.where(crossings.first, np.arange(len(line)), 0))
    x = (line * 256 + np.arange(len(line)) - first).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def closed_areas(normals: np.ndarray, total: float) -> np.ndarray:
    """(N,) areas as equal as can be that sum to ``total`` and make the surface close: sum(area * normal) = 0.

    normals: (N, 3). The least squares correction of equal weights to known totals (calibration; Deville
    and Särndal, J. Am. Stat. Assoc. 87, 1992).
    """
    n = len(normals)
    known = np.concatenate([np.ones((n, 1)), normals], axis=1)
    excess = np.concatenate([[0.0], -normals.sum(axis=0)])
    correction = known @ np.linalg.lstsq(known.T @ known, excess, rcond=1e-9)[0]
    return total / n * np.clip(1 + correction, 0.25, 4.0)
