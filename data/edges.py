"""Connectivity of a surface: duplicate faces, degenerate faces, edges and what they join, connected bodies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_NO_AREA = 1e-14  # of the box's diagonal squared


@dataclass(frozen=True, eq=False)
class Connections:
    """Faces and edges counted; the same for a surface in any unit, axes and place.

    watertight: every edge joins exactly two faces. open_edges: (O, 2) vertices of the edges of one face.
    n_holes: closed runs of open edges. n_non_manifold_edges: edges of three faces or more.
    n_duplicate_faces: repeats of another face, in either winding. n_degenerate_faces: faces without area.
    n_bodies: pieces that do not touch. Degenerate and duplicate faces are left out of all other counts.
    """

    watertight: bool
    open_edges: np.ndarray
    n_holes: int
    n_non_manifold_edges: int
    n_duplicate_faces: int
    n_degenerate_faces: int
    n_bodies: int


def find_connections(faces: np.ndarray, face_areas: np.ndarray, diagonal: float) -> Connections:
    """faces: (F, 3) of a surface whose equal points are one. face_areas: (F,) and diagonal of its box, in one unit."""
    a, b, c = faces.T
    whole = (a != b) & (b != c) & (c != a) & (face_areas > _NO_AREA * diagonal**2)
    kept = faces if whole.all() else faces[whole]
    again = _duplicates(kept)
    n_again = int(again.sum())
    ends, n_faces = _edges(kept[~again] if n_again else kept)
    open_edges = ends[n_faces == 1]
    return Connections(
        watertight=len(ends) > 0 and bool((n_faces == 2).all()),
        open_edges=open_edges,
        n_holes=_n_pieces(open_edges),
        n_non_manifold_edges=int((n_faces > 2).sum()),
        n_duplicate_faces=n_again,
        n_degenerate_faces=len(faces) - len(kept),
        n_bodies=_n_pieces(ends),
    )


def _duplicates(faces: np.ndarray) -> np.ndarray:
    """(F,) bool: True where an earlier face joins the same three vertices."""
    a, b, c = np.ascontiguousarray(faces.T, np.int32)
    # One number for three, different for nearly all different faces: only the few that share theirs are compared.
    mixed = np.minimum(np.minimum(a, b), c).astype(np.uint64)
    mixed <<= np.uint64(32)
    mixed |= np.maximum(np.maximum(a, b), c).view(np.uint32)
    mixed += (a ^ b ^ c).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    ordered = np.sort(mixed)
    shared = ordered[1:][ordered[1:] == ordered[:-1]]
    again = np.zeros(len(faces), bool)
    if len(shared):
        suspects = np.flatnonzero(np.isin(mixed, shared))
        first = np.unique(np.sort(faces[suspects], axis=1), axis=0, return_index=True)[1]
        again[np.delete(suspects, first)] = True
    return again


def _edges(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each edge once: its ends (E, 2), sorted, lower one first; and how many faces (E,) it joins."""
    corners = np.ascontiguousarray(faces.T, np.int32)
    keys = np.empty(corners.shape, np.int64)
    for key, a, b in zip(keys, corners, np.roll(corners, -1, axis=0), strict=True):
        key[:] = np.minimum(a, b)
        key <<= 32
        key |= np.maximum(a, b)
    ordered = keys.ravel()
    ordered.sort()
    starts = np.flatnonzero(np.diff(ordered, prepend=-1))
    edge = ordered[starts]
    ends = np.empty((2, len(edge)), np.int32)
    ends[0], ends[1] = edge >> 32, edge & 0xFFFFFFFF
    return ends.T, np.diff(starts, append=len(ordered))


def _n_pieces(edges: np.ndarray) -> int:
    """Connected pieces of a graph given by the ends (E, 2) of its edges, sorted."""
    if len(edges) == 0:
        return 0
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    a, b = np.ascontiguousarray(edges.T, np.int32)  # as SciPy wants it: anything else is converted, and slowly
    n = int(b.max()) + 1
    rows = np.concatenate([[0], np.cumsum(np.bincount(a, minlength=n))]).astype(np.int32)
    graph = csr_array((np.ones(len(edges)), b, rows), shape=(n, n))
    touched = np.zeros(n, bool)
    touched[a] = touched[b] = True
    return int(connected_components(graph, directed=False)[0] - np.count_nonzero(~touched))
