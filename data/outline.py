"""A mesh as a coarse grid of cells that its surface touches: what the car looks like from its six sides.

Everything that has to be decided about a file (which way is up, where the nose is, whether it is half a car) is read
off this grid, so the decisions do not depend on the order, the number or the winding of the triangles, and point
clouds take the same way as meshes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

CELLS = 96  # along the longest side: 5 cm on a car, so mirrors and wheel arches show
MAX_FILL_POINTS = 4_000_000  # keeps a soup of huge slivers from taking the memory


def any_along(cells: np.ndarray, axis: int | tuple[int, ...]) -> np.ndarray:
    """Whether any cell along the axis is set; ``cells.any``, which numpy types as if it could be one bool."""
    return np.logical_or.reduce(cells, axis=axis)


@dataclass(frozen=True, eq=False)
class Outline:
    """cells: (nx, ny, nz) bool, True where the surface passes. In any right-handed axes.

    cell: edge of a cell, in the unit of the points it was made from.
    centre: (3,) centre of the bounding box, which is the centre of the grid.
    extent: (3,) sides of the bounding box, exact.
    """

    cells: np.ndarray
    cell: float
    centre: np.ndarray
    extent: np.ndarray

    def turned(self, rotation: np.ndarray) -> Outline:
        """The outline in other axes. ``rotation``: (3, 3) signed permutation, new = rotation @ old."""
        source = np.abs(rotation).argmax(axis=1)
        cells = self.cells.transpose(source)
        reversed_axes = np.flatnonzero(rotation.sum(axis=1) < 0)
        cells = np.flip(cells, tuple(reversed_axes))
        return Outline(np.ascontiguousarray(cells), self.cell, rotation @ self.centre, self.extent[source])

    def depth(self, axis: int, *, from_high: bool) -> tuple[np.ndarray, np.ndarray]:
        """How far in one first meets the surface, looking along ``axis`` from its low or its high end.

        Returns (depth, seen): depth as a fraction 0..1 of the box (1 where nothing is met), and the silhouette.
        """
        cells = np.flip(self.cells, axis) if from_high else self.cells
        seen = any_along(cells, axis)
        first = cells.argmax(axis=axis) / cells.shape[axis]
        return np.where(seen, first, 1.0), seen

    def mirrored(self, axis: int, *, at_low: bool) -> Outline:
        """The outline with its mirror image beyond the low (or high) side of ``axis``."""
        image = np.flip(self.cells, axis)
        cells = np.concatenate([image, self.cells] if at_low else [self.cells, image], axis)
        centre, extent = self.centre.copy(), self.extent.copy()
        centre[axis] += (-0.5 if at_low else 0.5) * extent[axis]
        extent[axis] *= 2
        return Outline(cells, self.cell, centre, extent)

    def coarser(self) -> Outline:
        """Two by two by two cells into one, from the middle outwards, so that symmetric stays symmetric."""
        pad = [((-(n // 2)) % 2,) * 2 for n in self.cells.shape]
        cells = np.pad(self.cells, pad)
        nx, ny, nz = (n // 2 for n in cells.shape)
        cells = any_along(cells.reshape(nx, 2, ny, 2, nz, 2), (1, 3, 5))
        return Outline(cells, 2 * self.cell, self.centre, self.extent)


def outline_of(vertices: np.ndarray, faces: np.ndarray, cells: int = CELLS) -> Outline:
    """The outline of a triangle surface or, with no faces, of a point cloud.

    vertices (V, 3), faces (F, 3). The grid is centred on the bounding box; its cells are cubes of which ``cells`` fit
    along the longest side, and every side has an even number of them. Needs an extent that is not zero, and no vertices
    that lie off the surface.
    """
    low, high = bounds(vertices)
    extent, centre = high - low, (low + high) / 2
    cell = float(extent.max()) / cells
    half = np.maximum(np.ceil(extent / cell / 2 - 1e-6), 1).astype(np.int32)
    grid = np.zeros(2 * half, dtype=bool)
    points = np.empty((3, len(vertices)), np.float32).T  # each coordinate in one piece: all below goes through one
    for axis in range(3):
        points[:, axis] = (vertices[:, axis] - centre[axis]) / cell
    _mark(grid, half, points)
    for batch in _filling_points(points, faces) if len(faces) else ():
        _mark(grid, half, batch)
    return Outline(grid, cell, centre, extent)


def bounds(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest corner, (3,) each, of (N, 3) points."""
    # A column at a time: numpy's own reduction over the rows of an (n, 3) array is ten times slower.
    return np.array([c.min() for c in points.T]), np.array([c.max() for c in points.T])


def _mark(grid: np.ndarray, half: np.ndarray, points: np.ndarray) -> None:
    """Sets the cells that the points, (n, 3) in cells from the grid's centre, lie in."""
    flat = np.zeros(len(points), dtype=np.int32)
    for axis, size in enumerate(grid.shape):
        # Truncation rounds down here: what the clip lets through is positive.
        index = np.clip(points[:, axis] + half[axis], 0, size - 0.5).astype(np.int32)
        flat = flat * size + index
    grid.reshape(-1)[flat] = True


def _filling_points(points: np.ndarray, faces: np.ndarray):
    """Points inside the triangles that are larger than a cell, less than a cell apart. Batches of (n, 3)."""
    # Most triangles of a fine mesh are smaller than a cell: only the others are looked at more closely.
    first, second, third = np.ascontiguousarray(faces.T)
    is_large = np.zeros(len(faces), bool)
    for x in points.T:
        a = x[first]
        is_large |= (np.abs(x[second] - a) > 0.7) | (np.abs(x[third] - a) > 0.7)
    if not is_large.any():
        return
    corners = points[faces[is_large]]
    rows, columns = _lattice(corners)
    wanted = float((rows * columns).sum())
    thin = max(1.0, np.sqrt(wanted / MAX_FILL_POINTS))
    rows, columns = (np.ceil(n / thin).astype(int) for n in (rows, columns))
    # Powers of two: a handful of batches, each of one lattice.
    rows, columns = (1 << np.ceil(np.log2(n)).astype(int) for n in (rows, columns))
    keys = rows * 4096 + columns
    order = np.argsort(keys, kind="stable")
    starts = np.flatnonzero(np.diff(keys[order], prepend=-1))
    for start, stop in zip(starts, [*starts[1:], len(order)], strict=True):
        group = order[start:stop]
        yield _spread(corners[group], int(rows[group[0]]), int(columns[group[0]]))


def _lattice(corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Turns each triangle's longest edge to the front (in place); how many steps along it and across it are needed."""
    edges = np.linalg.norm(np.roll(corners, -1, axis=1) - corners, axis=2)
    first = edges.argmax(axis=1)
    turn = (first[:, None] + np.arange(3)) % 3
    corners[:] = np.take_along_axis(corners, turn[:, :, None], axis=1)
    longest = edges.max(axis=1)
    area2 = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    height = area2 / np.maximum(longest, 1e-12)
    step = 0.7
    return np.maximum(height / step, 1.0), np.maximum(longest / step, 1.0)


def _spread(corners: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Lattice points of (t, 3, 3) triangles: rows from the longest edge to the opposite corner."""
    v = (np.arange(rows) + 0.5) / rows
    u = (np.arange(columns) + 0.5) / columns
    v, u = (g.ravel() for g in np.meshgrid(v, u, indexing="ij"))
    weights = np.stack([(1 - v) * (1 - u), (1 - v) * u, v]).astype(np.float32)  # (3, rows * columns)
    return np.einsum("kn,tkd->tnd", weights, corners).reshape(-1, 3)
