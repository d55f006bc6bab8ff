"""Fewer and better-shaped triangles on a signed field's surface: thinning, edge flips, sliding along the surface."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from drivaer_app.shapes.surface import Field, pinned, settle, value_and_gradient

_GAP = 0.0001
"""A new edge that is this much (m) farther off the surface weighs as much as one radian of better triangle angles."""
_SLIVER = np.radians(4.0)
"""No flip makes a triangle with a smaller angle."""
_PASSES = 2
"""Passes of edge flips each round; each pass flips every second wanted edge or so."""


def thin(vertices: np.ndarray, faces: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Collapse edges by least quadric error until about ``count`` faces are left; more stay where it bends more."""
    from fast_simplification import simplify

    if len(faces) <= count:
        return vertices, faces
    fewer, triangles = simplify(vertices, faces, target_count=count, agg=3)
    triangles = triangles.astype(np.int32)
    return pinned(fewer.astype(np.float64), triangles), triangles


def even_out(
    field: Field, vertices: np.ndarray, faces: np.ndarray, cell: float, rounds: int = 3
) -> tuple[np.ndarray, np.ndarray]:
    """Flip edges towards Delaunay triangles and slide vertices towards their neighbours' middle, on the surface.

    An opening along y = 0 stays on that plane. cell: farthest that a vertex may be moved back onto the surface, m.
    """
    on_plane = vertices[:, 1] == 0.0
    for _ in range(rounds):
        for _ in range(_PASSES):
            faces = flip_edges(field, vertices, faces)
        vertices = _slide(field, vertices, faces, on_plane)
        vertices = pinned(settle(field, vertices, cell, steps=1), faces)
    for _ in range(_PASSES):
        faces = flip_edges(field, vertices, faces)
    return vertices, faces


def _slide(field: Field, vertices: np.ndarray, faces: np.ndarray, on_plane: np.ndarray) -> np.ndarray:
    edges = np.unique(np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1), axis=0)
    # A vertex of the opening only follows its neighbours along it.
    counts_for_first = ~on_plane[edges[:, 0]] | on_plane[edges[:, 1]]
    counts_for_second = ~on_plane[edges[:, 1]] | on_plane[edges[:, 0]]
    rows = np.r_[edges[counts_for_first, 0], edges[counts_for_second, 1]]
    columns = np.r_[edges[counts_for_first, 1], edges[counts_for_second, 0]]
    n = len(vertices)
    neighbours = sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(n, n))
    valence = np.maximum(np.asarray(neighbours.sum(axis=1)), 1.0)
    move = 0.5 * (neighbours @ vertices / valence - vertices)
    normal = _surface_normals(field, vertices)
    move -= (move * normal).sum(axis=1, keepdims=True) * normal
    # Where the surface bends within the step, sliding would cut the corner: hold back.
    ahead = _surface_normals(field, vertices + move)
    straight = np.clip(((normal * ahead).sum(axis=1, keepdims=True) - 0.99) / 0.01, 0.0, 1.0)
    return vertices + straight * move


def _surface_normals(field: Field, vertices: np.ndarray) -> np.ndarray:
    slope = value_and_gradient(field, vertices)[1]
    return slope / np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 1e-9)


def flip_edges(field: Field, vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """The faces after one pass of edge flips, no face twice.

    An edge is flipped for a more Delaunay pair of triangles and for lying closer to the surface, on balance.
    """
    n = len(vertices)
    keys, first, second = _shared_edges(faces, n)
    a, b = keys // n, keys % n
    c, d = faces[first].sum(axis=1) - a - b, faces[second].sum(axis=1) - a - b
    gain = _angle(vertices, c, a, b) + _angle(vertices, d, a, b) - np.pi
    closer = np.abs(field(*(0.5 * (vertices[a] + vertices[b])).T)) - np.abs(
        field(*(0.5 * (vertices[c] + vertices[d])).T)
    )
    gain = gain + closer / _GAP
    new_keys = _keys(c, d, n)
    there = keys[np.minimum(np.searchsorted(keys, new_keys), len(keys) - 1)] == new_keys
    wanted = np.flatnonzero((gain > 0.01) & ~there & (c != d))
    wanted = wanted[np.argsort(-gain[wanted], kind="stable")]
    chosen = _independent(wanted, first, second, new_keys)
    f, g, c, d = first[chosen], second[chosen], c[chosen], d[chosen]
    a, b = _ordered(faces, f, a[chosen], b[chosen])
    # (a, b, c) and (b, a, d) become (a, d, c) and (d, b, c).
    new_f, new_g = np.stack([a, d, c], axis=1), np.stack([d, b, c], axis=1)
    sound = _faces_like(vertices, faces[f], faces[g], new_f, new_g)
    flipped = faces.copy()
    flipped[f[sound]], flipped[g[sound]] = new_f[sound], new_g[sound]
    return flipped


def _faces_like(vertices: np.ndarray, f: np.ndarray, g: np.ndarray, new_f: np.ndarray, new_g: np.ndarray) -> np.ndarray:
    """Whether both new triangles face the way the old pair does and neither is a sliver."""
    kept = _normals(vertices, f) + _normals(vertices, g)
    sound = np.ones(len(f), dtype=bool)
    for new in (new_f, new_g):
        sound &= (_normals(vertices, new) * kept).sum(axis=1) > 0.5
        turns = [_angle(vertices, new[:, i], new[:, i - 1], new[:, i - 2]) for i in range(3)]
        sound &= np.min(turns, axis=0) > _SLIVER
    return sound


def _keys(a: np.ndarray, b: np.ndarray, n: int) -> np.ndarray:
    return np.minimum(a, b).astype(np.int64) * n + np.maximum(a, b)


def _shared_edges(faces: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Edges with exactly two faces: (E,) keys ascending as ``_keys`` makes them, and the two faces of each."""
    keys = _keys(faces[:, [0, 1, 2]].ravel(), faces[:, [1, 2, 0]].ravel(), n)
    order = np.argsort(keys, kind="stable")
    keys, owner = keys[order], order // 3
    same = np.flatnonzero(keys[1:] == keys[:-1])
    return keys[same], owner[same], owner[same + 1]


def _angle(vertices: np.ndarray, at: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    u, v = vertices[a] - vertices[at], vertices[b] - vertices[at]
    return np.arctan2(np.linalg.norm(np.cross(u, v), axis=1), (u * v).sum(axis=1))


def _normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    normal = np.cross(b - a, c - a)
    return normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-30)


def _independent(wanted: np.ndarray, first: np.ndarray, second: np.ndarray, new_keys: np.ndarray) -> np.ndarray:
    """Of edges in order of gain, those that share no face and make no new edge with a better one."""
    rank = np.arange(len(wanted))
    best = np.full(max(first.max(), second.max()) + 1, len(wanted))
    np.minimum.at(best, first[wanted], rank)
    np.minimum.at(best, second[wanted], rank)
    chosen = wanted[(best[first[wanted]] == rank) & (best[second[wanted]] == rank)]
    _, once = np.unique(new_keys[chosen], return_index=True)
    return chosen[np.sort(once)]


def _ordered(faces: np.ndarray, f: np.ndarray, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The edge's ends in the direction in which face f runs along it."""
    triangle = faces[f]
    forward = ((triangle == a[:, None]) & (np.roll(triangle, -1, axis=1) == b[:, None])).any(axis=1)
    return np.where(forward, a, b), np.where(forward, b, a)
