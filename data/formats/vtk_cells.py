"""VTK's cells to triangles: flat cells as they are, of solid ones the faces that only one cell has."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from data.formats.polygons import check_indices, triangulate
from data.formats.source import Source
from data.mesh import RawMesh


@dataclass(frozen=True, eq=False)
class Polygons:
    """counts: (P,) corners of each; corners: all of them in a row, into the vertices."""

    counts: np.ndarray
    corners: np.ndarray

    @staticmethod
    def of(ring: np.ndarray) -> Polygons:
        """From (P, k) polygons of k corners each."""
        return Polygons(np.full(len(ring), ring.shape[1], dtype=np.int64), ring.reshape(-1))

    @staticmethod
    def join(pieces: list[Polygons]) -> Polygons:
        none = np.zeros(0, np.int64)
        return Polygons(
            np.concatenate([none, *(p.counts for p in pieces)]), np.concatenate([none, *(p.corners for p in pieces)])
        )

    def take(self, which: np.ndarray) -> Polygons:
        """The polygons numbered ``which``."""
        starts = np.cumsum(self.counts) - self.counts
        counts = self.counts[which]
        step = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        return Polygons(counts, self.corners[np.repeat(starts[which], counts) + step])


_POLYGON, _STRIP, _POLYHEDRON = 7, 6, 42
_POINTS = (0, 1, 2)
_THIN = (0, 1, 2, 3, 4, 21, 35)  # points and lines: no surface
# VTK cell type -> number of its points, and its corners in order around it (vtkCellType.h; curved cells are flattened).
_FLAT = {5: (3, (0, 1, 2)), 8: (4, (0, 1, 3, 2)), 9: (4, (0, 1, 2, 3)), 22: (6, (0, 1, 2)), 34: (7, (0, 1, 2))}
_FLAT |= {23: (8, (0, 1, 2, 3)), 28: (9, (0, 1, 2, 3)), 30: (6, (0, 1, 2, 3))}
_TETRAHEDRON = ((0, 1, 3), (1, 2, 3), (2, 0, 3), (0, 2, 1))
_HEXAHEDRON = ((0, 4, 7, 3), (1, 2, 6, 5), (0, 1, 5, 4), (3, 7, 6, 2), (0, 3, 2, 1), (4, 5, 6, 7))
_VOXEL = tuple(tuple((0, 1, 3, 2, 4, 5, 7, 6)[i] for i in face) for face in _HEXAHEDRON)
_WEDGE = ((0, 2, 1), (3, 4, 5), (0, 1, 4, 3), (1, 2, 5, 4), (2, 0, 3, 5))
_PYRAMID = ((0, 3, 2, 1), (0, 1, 4), (1, 2, 4), (2, 3, 4), (3, 0, 4))
_SOLID = {10: (4, _TETRAHEDRON), 11: (8, _VOXEL), 12: (8, _HEXAHEDRON), 13: (6, _WEDGE), 14: (5, _PYRAMID)}
_SOLID |= {24: (10, _TETRAHEDRON), 25: (20, _HEXAHEDRON), 29: (27, _HEXAHEDRON), 26: (15, _WEDGE), 27: (13, _PYRAMID)}


def polygons_of(source: Source, counts: np.ndarray, corners: np.ndarray, n_vertices: int) -> Polygons:
    """Checked cells: counts that fit the corners, corners that fit the vertices."""
    if (counts < 0).any() or counts.sum() != len(corners):
        raise source.error(
            f"truncated or damaged VTK file: cells of {int(counts.sum())} points promised, found {len(corners)}",
            "export or copy it again",
        )
    check_indices(source, corners, n_vertices)
    return Polygons(counts.astype(np.int64), corners.astype(np.int64))


def strips_to_triangles(strips: Polygons) -> np.ndarray:
    """Triangles (F, 3) of triangle strips, every second one turned round."""
    n = np.maximum(strips.counts - 2, 0)
    step = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
    first = np.repeat(np.cumsum(strips.counts) - strips.counts, n) + step
    odd = step % 2
    return np.stack([strips.corners[first], strips.corners[first + 1 + odd], strips.corners[first + 2 - odd]], axis=1)


_LEFT_OUT_CELLS = 1 | 8 | 32  # duplicate, refined, hidden (vtkDataSetAttributes.h)
_HIDDEN_POINT = 2


@dataclass(frozen=True, eq=False)
class Ghosts:
    """``vtkGhostType`` of cells and points: flags of what is not to be seen. None where a file has none."""

    cells: np.ndarray | None = None
    points: np.ndarray | None = None

    def check(self, source: Source, n_cells: int, n_points: int) -> None:
        """Raises MeshError where there is not a flag for each."""
        for flags, n in ((self.cells, n_cells), (self.points, n_points)):
            if flags is not None and flags.shape != (n,):
                raise source.error(
                    f"damaged VTK file: vtkGhostType has {flags.shape} values for {n}", "export it again"
                )

    def seen(self, polygons: Polygons, first: int) -> Polygons:
        """Those of the polygons that are to be seen. first: number of the first of them among all cells."""
        return polygons.take(self.which(polygons, first))

    def which(self, polygons: Polygons, first: int = 0) -> np.ndarray:
        """Their numbers."""
        keep = np.ones(len(polygons.counts), bool)
        if self.cells is not None:
            keep &= (self.cells[first : first + len(keep)] & _LEFT_OUT_CELLS) == 0
        if self.points is not None and len(keep):
            hidden = (self.points[polygons.corners] & _HIDDEN_POINT) != 0
            owner = np.repeat(np.arange(len(keep)), polygons.counts)
            keep &= np.bincount(owner, hidden, len(keep)) == 0
        return np.flatnonzero(keep)


def without_hidden(mesh: RawMesh, n_before: int, n_after: int) -> RawMesh:
    """The mesh of the cells that were left, said, and without the vertices of the others."""
    if n_after == n_before:
        return mesh
    left_out = f"{n_before - n_after} cells that the file hides (vtkGhostType) were left out"
    kept, faces = np.unique(mesh.faces, return_inverse=True)
    return replace(
        mesh,
        vertices=mesh.vertices[kept],
        faces=faces.reshape(-1, 3).astype(np.int32),
        warnings=(*mesh.warnings, left_out),
    )


def polydata_mesh(source: Source, vertices: np.ndarray, polygons: Polygons, strips: Polygons, n_lines: int) -> RawMesh:
    """A surface from polygons and strips; points alone are a cloud."""
    faces = triangulate(vertices, polygons.counts, polygons.corners)[0]
    faces = np.concatenate([faces, strips_to_triangles(strips)]).astype(np.int32)
    if len(faces) == 0 and n_lines:
        raise source.error("holds lines, not a surface", "export the surface")
    return RawMesh(vertices, faces, source.path)


def grid_mesh(
    source: Source, vertices: np.ndarray, types: np.ndarray, cells: Polygons, polyhedra: Polygons | None = None
) -> RawMesh:
    """The surface of an unstructured grid. polyhedra: faces of the cells of type 42, each twice where cells touch."""
    _check_types(source, types, cells)
    flat = _flat(types, cells)
    solid = _solid_faces(types, cells)
    if (types == _POLYHEDRON).any():
        if polyhedra is None:
            raise source.error("damaged VTK file: polyhedra without faces", "export it again")
        solid = Polygons.join([solid, polyhedra])
    if len(solid.counts) == 0:
        faces = triangulate(vertices, flat.counts, flat.corners)[0]
        if len(faces) == 0 and not np.isin(types, _POINTS).all():
            raise source.error("has no surface cells", "extract its surface and save it as .vtp")
        return RawMesh(vertices, faces, source.path)
    surface = _boundary(solid, flat)
    faces = triangulate(vertices, surface.counts, surface.corners)[0]
    if len(faces) == 0:
        raise source.error("its volume mesh has no boundary faces", "extract its surface and save it as .vtp")
    kept, faces = np.unique(faces, return_inverse=True)
    warning = f"volume mesh: the {len(kept)} of {len(vertices)} vertices on its boundary were taken"
    return RawMesh(vertices[kept], faces.reshape(-1, 3).astype(np.int32), source.path, warnings=(warning,))


def _check_types(source: Source, types: np.ndarray, cells: Polygons) -> None:
    if len(types) != len(cells.counts):
        raise source.error(
            f"damaged VTK file: {len(cells.counts)} cells but {len(types)} cell types", "export it again"
        )
    known = {kind: n for kind, (n, _) in (*_FLAT.items(), *_SOLID.items())}
    for kind in np.unique(types).tolist():
        if kind in known and (cells.counts[types == kind] != known[kind]).any():
            raise source.error(f"damaged VTK file: cells of type {kind} need {known[kind]} points", "export it again")
        if kind not in known and kind not in (*_THIN, _POLYGON, _STRIP, _POLYHEDRON):
            raise source.error(f"has cells of VTK type {kind}, which is not read", "extract its surface as .vtp")


def _flat(types: np.ndarray, cells: Polygons) -> Polygons:
    """All flat cells as polygons, in the order of the cells."""
    pieces, owners = [], []
    for kind in np.unique(types).tolist():
        which = np.flatnonzero(types == kind)
        if kind in _FLAT:
            n, ring = _FLAT[kind]
            pieces.append(Polygons.of(cells.take(which).corners.reshape(-1, n)[:, ring]))
        elif kind == _POLYGON:
            pieces.append(cells.take(which))
        elif kind == _STRIP:
            strips = cells.take(which)
            pieces.append(Polygons.of(strips_to_triangles(strips)))
            which = np.repeat(which, np.maximum(strips.counts - 2, 0))
        else:
            continue
        owners.append(which)
    joined = Polygons.join(pieces)
    return joined.take(np.argsort(np.concatenate(owners), kind="stable")) if owners else joined


def _solid_faces(types: np.ndarray, cells: Polygons) -> Polygons:
    """All faces of all solid cells but polyhedra, turned outwards."""
    pieces = []
    for kind, (n, faces) in _SOLID.items():
        which = np.flatnonzero(types == kind)
        if len(which):
            points = cells.take(which).corners.reshape(-1, n)
            pieces += [Polygons.of(points[:, face]) for face in faces]
    return Polygons.join(pieces)


def _boundary(solid: Polygons, flat: Polygons) -> Polygons:
    """Faces that solid cells do not share in pairs, and the flat cells that lie on none of theirs."""
    found, first, times = np.unique(_keys(solid), return_index=True, return_counts=True)
    outer = solid.take(np.sort(first[times % 2 == 1]))
    return Polygons.join([outer, flat.take(np.flatnonzero(~np.isin(_keys(flat), found)))])


def _keys(polygons: Polygons) -> np.ndarray:
    """(P,) uint64 that is the same for the same corners in any order (sum of their splitmix64 hashes)."""
    if len(polygons.counts) == 0:
        return np.zeros(0, np.uint64)
    z = (polygons.corners.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(z, dtype=np.uint64)])
    ends = np.cumsum(polygons.counts)
    return sums[ends] - sums[ends - polygons.counts]
