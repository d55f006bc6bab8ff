"""Even samples of the surface that the flow sees: what the networks are given of a car."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from data.errors import MeshError
from data.lines import N_DIRECTIONS, crossing_density, parallel_lines
from data.mesh import SurfaceSample
from data.thinning import even_order, scrambled
from data.visibility import Crossings, RayScene, cross, sides_seen

# Crossings to choose from for one that is taken: with 4, a region's share of the points scatters half as much as
# at random; more costs more than it brings.
_CHOICE = 4
_LEAST = 16384  # shorter samples choose among as many crossings as this one, and so are its beginning
_MAX_LINES = 1 << 22
_NO_AREA = 1e-9  # of the diagonal's square
_COINCIDENT = 0.01  # faces lie on each other when their area exceeds the surface's, by its crossings, by this much


@dataclass(frozen=True, eq=False)
class Survey:
    """A surface seen from the flow, at points spread evenly by area.

    points: (N, 3) float64 m. normals: (N, 3) float64, unit, out into the flow. faces: (N,) int64.
    with_winding: (N,) bool, the face's own winding gives that normal.
    two_sided: (N,) bool, the flow is on both sides of the surface there (a sheet).
    wetted_area: m² that the flow sees, both sides of a sheet counted.
    hidden_fraction: of the surface's area (faces that coincide counted once), what the flow sees no side of.
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
    candidates = _candidates(scene, n, draw)
    seen = candidates.look(scene, n)
    row, behind = np.divmod(np.flatnonzero(seen.ravel())[:n], 2)
    seen = seen[: row[-1] + 1]
    at, turned = candidates.order[row], behind.astype(bool)
    crossings = candidates.crossings
    return Survey(
        points=crossings.points[at],
        normals=np.where(turned[:, None], -1.0, 1.0) * crossings.normals[at],
        faces=crossings.face[at],
        with_winding=crossings.with_winding[at] != turned,
        two_sided=np.logical_and.reduce(seen, axis=1)[row],
        wetted_area=candidates.area * float(seen.sum()) / len(seen),
        hidden_fraction=1 - float(seen.any(axis=1).mean()),
    )


@dataclass(eq=False)
class _Candidates:
    """Crossings to choose from.

    order: (M,) the order in which to take them. area: m² of the whole surface, faces that coincide counted
    once.
    seen: (K, 2) for the first K in that order, whether the flow is before and behind them; grows as asked for.
    """

    crossings: Crossings
    order: np.ndarray
    area: float
    seen: np.ndarray = field(default_factory=lambda: np.empty((0, 2), bool))

    def look(self, scene: RayScene, n: int) -> np.ndarray:
        """``seen`` for as many candidates as it takes to find n sides in the flow."""
        while (found := int(self.seen.sum())) < n:
            if len(self.seen) == len(self.order):
                raise MeshError("the flow sees next to nothing of the surface", fix="export the car's outer surface")
            more = self.order[len(self.seen) : len(self.seen) + max(n - found, 256)]
            self.seen = np.concatenate([self.seen, sides_seen(scene, self.crossings, more)])
        return self.seen


def _candidates(scene: RayScene, n: int, draw: int) -> _Candidates:
    """The candidates for a sample of n points, the last ones worked out kept with the scene."""
    pool = max(n, _LEAST)
    if scene.memo is None or scene.memo[0] != (pool, draw):
        scene.memo = (pool, draw), _find_candidates(scene, pool, draw)
    return scene.memo[1]


def _find_candidates(scene: RayScene, pool: int, draw: int) -> _Candidates:
    if not scene.area > _NO_AREA * scene.diagonal**2:
        raise MeshError("the surface has next to no area", fix="export the car's outer surface as triangles")
    # A power of two, from the box alone: other triangles of the same surface get the same lines.
    lines = 2 * _CHOICE * pool * scene.diagonal**2 / scene.box_area / N_DIRECTIONS
    per_direction = 1 << int(np.ceil(np.log2(lines)))
    line, crossings = _cross_lattices(scene, per_direction, draw)
    while 2 * len(crossings) < _CHOICE * pool:
        if per_direction * N_DIRECTIONS > _MAX_LINES * pool / _LEAST:
            raise MeshError("lines hardly ever meet the surface", fix="export the car's outer surface as triangles")
        per_direction *= 2
        line, crossings = _cross_lattices(scene, per_direction, draw)
    area_each = 1 / crossing_density(crossings.normals, per_direction, scene.diagonal, draw)
    random = _fixed_random(line, crossings)
    order = even_order(crossings.points, crossings.normals, area_each, random, scene.low, scene.diagonal)
    area = float(area_each.sum())
    if abs(scene.area - area) <= _COINCIDENT * area:
        area = scene.area  # exact, where no faces coincide
    return _Candidates(crossings, order, area)


def _cross_lattices(scene: RayScene, per_direction: int, draw: int) -> tuple[np.ndarray, Crossings]:
    """Crossings with the lattices of lines, and the lasting number (M,) of the line of each."""
    line, origins, directions = parallel_lines(scene.low, scene.high, per_direction, draw)
    crossings = cross(scene, origins, directions)
    return line[crossings.line], crossings


def _fixed_random(line: np.ndarray, crossings: Crossings) -> np.ndarray:
    """(M,) a number for the k-th crossing of each line that no other line's crossings have a say in."""
    start = np.maximum.accumulate(np.where(crossings.first, np.arange(len(line)), 0))
    return scrambled(line * 256 + np.arange(len(line)) - start)


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
