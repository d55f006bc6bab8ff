"""What lies in a file besides the car: debris, ground and shadow sheets, turntables, tunnel boxes, people, wires.

A file falls into atoms: pieces that hang together, within each body that the file names. The car is what lies together
around the largest of them; what lies apart, stretches beyond it as a flat sheet or plate, or encloses it, is foreign.
A wire or an aerial may hang on the body: it is found as layers at an end of the box that next to nothing fills.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from data.mesh import RawMesh
from data.outline import Outline, any_along, outline_of
from data.pieces import connected_pieces

APART, SHEET, PLATE, ROOM, MIDDLE, WIRE = "apart", "sheet", "plate", "room", "middle sheet", "wire"

_GAP = 0.02  # of the car's length: what is no further off belongs to it
_FLAT = 0.004  # of its longest side: a sheet's thickness
_PLATE = 0.1  # the same of a turntable
_BEYOND = 0.01  # of the car's length, by which a sheet sticks out
_COVERS = 0.6  # share of the car's extent along a sheet that the sheet covers
_LARGE = 0.4  # of the car's length, from which flat things are looked at as sheets
_ROOMY = 1.3  # a room is so much larger than what is in it, along two axes
_ON_WALLS = 0.8  # share of a room's area that lies in the sides of its box
_WIRE_CELLS, _WIRE_LAYERS = 4, 4  # of the outline: at most so many cells a layer, at least so many layers
_MOST_APART = 20
_VOXEL = 0.04  # of a cloud's robust extent: cells that touch hang together


@dataclass(frozen=True, eq=False)
class Foreign:
    """One thing that is not of the car.

    how: APART, SHEET, PLATE, ROOM, MIDDLE or WIRE. rows: (n,) of the mesh's faces, or of a cloud's points.
    low, high: (3,) corners of its box, in the file's axes and unit. name: the file's own name of it, or empty.
    axis: 0, 1 or 2, the file's axis across a sheet or a plate, or along a wire.
    """

    how: str
    rows: np.ndarray
    low: np.ndarray
    high: np.ndarray
    name: str = ""
    axis: int = 0


def without_rows(raw: RawMesh, rows: np.ndarray) -> RawMesh:
    """The mesh without some of its faces, or the cloud without some of its points. Vertices of a mesh all stay."""
    if raw.is_point_cloud:
        kept = np.ones(len(raw.vertices), bool)
        kept[rows] = False
        normals = None if raw.normals is None else raw.normals[kept]
        return replace(raw, vertices=raw.vertices[kept], normals=normals)
    kept = np.ones(len(raw.faces), bool)
    kept[rows] = False
    n_before = np.concatenate([[0], np.cumsum(kept)])
    parts = [(name, int(n_before[start]), int(n_before[stop])) for name, start, stop in raw.parts]
    return replace(raw, faces=raw.faces[kept], parts=tuple(part for part in parts if part[2] > part[1]))


def find_foreign(raw: RawMesh) -> list[Foreign]:
    """What does not belong to the car of a mesh whose equal points are one, the largest first."""
    atoms = _Atoms.of_cloud(raw) if raw.is_point_cloud else _Atoms.of_mesh(raw)
    found = [] if len(atoms) < 2 else _apart_from_car(atoms)
    if found:
        return sorted(found, key=lambda thing: -float(np.prod(np.maximum(thing.high - thing.low, 1e-9))))
    return [] if raw.is_point_cloud else _wires(raw, atoms)


@dataclass(frozen=True, eq=False)
class _Atoms:
    """Boxes (A, 3) low and high, areas (A,); of_row (F,) the atom of each face, or of each point of a cloud."""

    raw: RawMesh
    of_row: np.ndarray
    low: np.ndarray
    high: np.ndarray
    area: np.ndarray

    def __len__(self) -> int:
        return len(self.area)

    @classmethod
    def of_mesh(cls, raw: RawMesh) -> _Atoms:
        piece, _ = connected_pieces(raw.faces, len(raw.vertices))
        atom = piece[raw.faces[:, 0]].astype(np.int64)
        for number, (_, start, stop) in enumerate(raw.parts):
            atom[start:stop] += number * len(raw.vertices)
        corners = raw.vertices[raw.faces]
        area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2
        return cls._grouped(raw, atom, corners.min(axis=1), corners.max(axis=1), area)

    @classmethod
    def of_cloud(cls, raw: RawMesh) -> _Atoms:
        points = raw.vertices
        low, high = np.percentile(points, [2, 98], axis=0)
        cell = _VOXEL * float((high - low).max())
        cells = np.floor((points - points.min(axis=0)) / cell)
        centres, of_point = np.unique(cells, axis=0, return_inverse=True)
        return cls._grouped(raw, _near_together(centres)[of_point.ravel()], points, points, np.ones(len(points)))

    @classmethod
    def _grouped(cls, raw: RawMesh, atom: np.ndarray, low: np.ndarray, high: np.ndarray, area: np.ndarray) -> _Atoms:
        _, of_row = np.unique(atom, return_inverse=True)
        of_row = of_row.ravel()
        order = np.argsort(of_row, kind="stable")
        starts = np.flatnonzero(np.diff(of_row[order], prepend=-1))
        least, most = np.minimum.reduceat(low[order], starts), np.maximum.reduceat(high[order], starts)
        return cls(raw, of_row, least, most, np.bincount(of_row, area))

    def thing(self, how: str, which: np.ndarray, axis: int = 0) -> Foreign:
        """The atoms ``which`` as one thing, with the file's name where they are all of one or some of its bodies."""
        rows = np.flatnonzero(np.isin(self.of_row, which))
        names = {name for name, start, stop in self.raw.parts if _inside(rows, start, stop)}
        whole = sum(stop - start for name, start, stop in self.raw.parts if name in names) == len(rows)
        name = names.pop() if len(names) == 1 and whole else ""
        return Foreign(how, rows, self.low[which].min(axis=0), self.high[which].max(axis=0), name, axis)


def _near_together(cells: np.ndarray) -> np.ndarray:
    """(n,) group of each of the cells (n, 3), which touch within a group, corners too."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    ends = cKDTree(cells).query_pairs(1.8, output_type="ndarray")
    graph = coo_array((np.ones(len(ends), np.int8), (ends[:, 0], ends[:, 1])), shape=(len(cells), len(cells)))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def _inside(rows: np.ndarray, start: int, stop: int) -> bool:
    """Whether all rows from start to stop are among the sorted ``rows``."""
    first, last = np.searchsorted(rows, [start, stop])
    return stop > start and last - first == stop - start


def _apart_from_car(atoms: _Atoms) -> list[Foreign]:
    found = []
    everything = np.arange(len(atoms))
    room = _room(atoms)
    if room is not None:
        found.append(atoms.thing(ROOM, np.array([room])))
        everything = everything[everything != room]
    size = atoms.high - atoms.low
    longest = size.max(axis=1)
    thin = size.min(axis=1) < _PLATE * longest
    car, others = _largest_cluster(atoms, everything[~thin[everything]])
    if len(car) == 0:
        return found
    low, high = atoms.low[car].min(axis=0), atoms.high[car].max(axis=0)
    length = float((high - low).max())
    large = thin & (longest > _LARGE * length)
    for atom in everything[large[everything]]:
        how = _sheet_kind(atoms.low[atom], atoms.high[atom], low, high, length)
        if how:
            found.append(atoms.thing(how, np.array([atom]), int(size[atom].argmin())))
        else:
            low, high = np.minimum(low, atoms.low[atom]), np.maximum(high, atoms.high[atom])
    small = everything[thin[everything] & ~large[everything]]
    rest = np.concatenate([others, small])
    low, high, rest = _grown(atoms, low, high, rest)
    while len(rest) and len(found) < _MOST_APART:
        seed = rest[atoms.area[rest].argmax()]
        before = rest
        *_, rest = _grown(atoms, atoms.low[seed], atoms.high[seed], rest, _GAP * length)
        found.append(atoms.thing(APART, np.setdiff1d(before, rest)))
    if len(rest):
        found.append(atoms.thing(APART, rest))
    return found


def _largest_cluster(atoms: _Atoms, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The atoms that lie together and have most area, and the others, of some atoms."""
    best, rest, clusters = np.empty(0, np.int64), which, 0
    while len(rest) and clusters < _MOST_APART:
        seed = rest[atoms.area[rest].argmax()]
        before = rest
        *_, rest = _grown(atoms, atoms.low[seed], atoms.high[seed], rest)
        cluster = np.setdiff1d(before, rest)
        if atoms.area[cluster].sum() > atoms.area[best].sum():
            best = cluster
        clusters += 1
        if atoms.area[best].sum() > atoms.area[rest].sum():
            break
    return best, np.setdiff1d(which, best)


def _grown(
    atoms: _Atoms, low: np.ndarray, high: np.ndarray, which: np.ndarray, gap: float | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A box, grown by the atoms next to it until none is left next to it; and those left."""
    while len(which):
        within = gap if gap is not None else _GAP * float((high - low).max())
        apart = np.maximum(np.maximum(atoms.low[which] - high, low - atoms.high[which]), 0.0).max(axis=1)
        near = apart <= within
        if not near.any():
            break
        low = np.minimum(low, atoms.low[which[near]].min(axis=0))
        high = np.maximum(high, atoms.high[which[near]].max(axis=0))
        which = which[~near]
    return low, high, which


def _sheet_kind(
    sheet_low: np.ndarray, sheet_high: np.ndarray, low: np.ndarray, high: np.ndarray, length: float
) -> str | None:
    """What a large flat thing beside the box of a car is; None for a panel of it."""
    size = sheet_high - sheet_low
    axis = int(size.argmin())
    across = [k for k in range(3) if k != axis]
    covered = np.minimum(sheet_high, high)[across] - np.maximum(sheet_low, low)[across]
    if (covered < _COVERS * (high - low)[across]).any():
        outside = (sheet_low > high).any() or (sheet_high < low).any()
        return APART if outside and _box_gap(sheet_low, sheet_high, low, high) > _GAP * length else None
    is_flat = size[axis] < _FLAT * size.max()
    middle, place = (low[axis] + high[axis]) / 2, (sheet_low[axis] + sheet_high[axis]) / 2
    if is_flat and abs(place - middle) < 0.02 * (high[axis] - low[axis]):
        return MIDDLE
    beyond = np.concatenate([(low - sheet_low)[across], (sheet_high - high)[across]]) > _BEYOND * length
    to_end = min(abs(place - low[axis]), abs(place - high[axis]))
    at_an_end = to_end < 0.1 * length or not low[axis] < place < high[axis]
    if beyond.sum() < 2 or not at_an_end:
        return None
    return SHEET if is_flat else PLATE


def _box_gap(low_a: np.ndarray, high_a: np.ndarray, low_b: np.ndarray, high_b: np.ndarray) -> float:
    return float(np.maximum(np.maximum(low_a - high_b, low_b - high_a), 0.0).max())


def _room(atoms: _Atoms) -> int | None:
    """An atom like a box that encloses all others and is much larger: a wind tunnel's walls."""
    size = atoms.high - atoms.low
    room = int(np.prod(np.maximum(size, 1e-12), axis=1).argmax())
    others = np.arange(len(atoms)) != room
    low, high = atoms.low[others].min(axis=0), atoms.high[others].max(axis=0)
    slack = 1e-3 * size[room].max()
    if (atoms.low[room] > low + slack).any() or (atoms.high[room] < high - slack).any():
        return None
    if (size[room] > _ROOMY * (high - low)).sum() < 2 or atoms.raw.is_point_cloud:
        return None
    corners = atoms.raw.vertices[atoms.raw.faces[atoms.of_row == room]]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    ends = (atoms.low[room], atoms.high[room])
    on_wall = np.any([(np.abs(corners - end) < slack).all(axis=1).any(axis=1) for end in ends], axis=0)
    return room if area[on_wall].sum() > _ON_WALLS * area.sum() else None


def _wires(raw: RawMesh, atoms: _Atoms) -> list[Foreign]:
    """Faces in the layers at the ends of the box that hardly a cell fills, and the thin atoms that they are of."""
    outline = outline_of(_on_surface(raw), raw.faces)
    found = []
    for axis in range(3):
        for from_high in (False, True):
            level = _wire_level(outline, axis, from_high)
            if level is None:
                continue
            beyond = raw.vertices[:, axis] > level if from_high else raw.vertices[:, axis] < level
            of_wire = beyond[raw.faces].any(axis=1)
            own = np.unique(atoms.of_row[of_wire])
            slim = [a for a in own if _is_slim(atoms, a, outline)]
            rows = np.flatnonzero(of_wire | np.isin(atoms.of_row, slim))
            corners = raw.vertices[raw.faces[rows]].reshape(-1, 3)
            found.append(Foreign(WIRE, rows, corners.min(axis=0), corners.max(axis=0), axis=axis))
    return found


def _on_surface(raw: RawMesh) -> np.ndarray:
    """The vertices, with those of no face moved onto the surface."""
    used = np.zeros(len(raw.vertices), bool)
    used[raw.faces.ravel()] = True
    if used.all():
        return raw.vertices
    return np.where(used[:, None], raw.vertices, raw.vertices[raw.faces[0, 0]])


def _is_slim(atoms: _Atoms, atom: int, outline: Outline) -> bool:
    """Whether the atom is a wire by itself: its area is that of one no thicker than a cell."""
    longest = float((atoms.high[atom] - atoms.low[atom]).max())
    return atoms.area[atom] < np.pi * outline.cell * longest


def _wire_level(outline: Outline, axis: int, from_high: bool) -> float | None:
    """Where along an axis, in the file's unit, a wire ends and the car begins; None where none sticks out."""
    counts = outline.cells.sum(axis=tuple(k for k in range(3) if k != axis))
    counts = counts[::-1] if from_high else counts
    start = int((counts > 0).argmax())
    thick = counts[start:] > _WIRE_CELLS
    n = int(thick.argmax()) if thick.any() else 0
    if n < _WIRE_LAYERS or start > 1:
        return None
    cells = np.flip(outline.cells, axis) if from_high else outline.cells
    layers = np.moveaxis(cells, axis, 0)[start : start + n]
    if not any_along(layers, (1, 2)).all():
        return None
    depth = (start + n) * outline.cell
    half = outline.cells.shape[axis] * outline.cell / 2
    return float(outline.centre[axis] + (half - depth if from_high else depth - half))
