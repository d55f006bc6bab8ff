"""Visibility: which sides of a surface the flow sees, found by rays and not by the winding of the triangles.

Where a line crosses the surface it passes from one stretch to the next. The stretches before the first and after
the last crossing lie in the flow. One between is in the flow when rays from its ends get out of the car; then so are
the two sides of the surface that bound it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from data.lines import even_directions
from data.outline import bounds

# A stretch is in the flow when at least _ENOUGH of 192 rays from its ends get out (2 %): a void behind a crack
# between two parts lets fewer out, a wheelhouse more (on the DrivAer 78 % of the stretches let none out, 0.2 % up
# to 2 %, the rest more). Rays are shot in rounds, given here for one end; a stretch is done after a round with enough
# out, or after the second with none.
_ROUNDS = (4, 28, 64)
_ENOUGH = 4
# Crossings closer together than this times the box's diagonal are one: a shared edge, a face given twice.
_SAME = 1e-6
# Winding is believed, as a hint that saves rays, when this fraction of the crossings seen from outside bear it out.
_TRUSTED = 0.99


class RayScene:
    """A triangle surface with the ray-tracing structure that is built once, when first needed.

    vertices: (V, 3) m. faces: (F, 3) into ``vertices``, F >= 1.
    low, high: (3,) the box around the faces. memo: what data.sampling keeps of its last look at this surface.
    face_vectors: (F, 3) normals along the winding, twice the face's area long; worked out unless given.
    """

    def __init__(self, vertices: np.ndarray, faces: np.ndarray, face_vectors: np.ndarray | None = None):
        self.vertices = np.asarray(vertices, np.float64)
        self.faces = np.asarray(faces, np.int32)
        self.low, self.high = box_of(self.vertices, self.faces)
        self.memo: tuple | None = None
        self.face_vectors = vectors_of_faces(self.vertices, self.faces) if face_vectors is None else face_vectors

    @property
    def diagonal(self) -> float:
        return float(np.linalg.norm(self.high - self.low))

    @property
    def box_area(self) -> float:
        """Surface of the box, m²."""
        x, y, z = self.high - self.low
        return float(2 * (x * y + y * z + z * x))

    @cached_property
    def face_areas(self) -> np.ndarray:
        """(F,) m²."""
        return areas_of(self.face_vectors)

    @cached_property
    def area(self) -> float:
        """Area of all triangles, hidden and doubled ones too, m²."""
        return float(self.face_areas.sum())

    @cached_property
    def _tracer(self):
        import open3d as o3d

        tracer = o3d.t.geometry.RaycastingScene()
        tracer.add_triangles(
            o3d.core.Tensor(self.vertices.astype(np.float32, order="C")), o3d.core.Tensor(self.faces.astype(np.uint32))
        )
        return tracer

    def build(self) -> None:
        """Build the ray-tracing structure now (it is built on the first ray otherwise)."""
        self.escapes(self.high[None] + 1.0, np.ones((1, 3)))

    def crossings(self, origins: np.ndarray, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """All crossings of rays with the surface, sorted by ray, then by distance.

        origins, directions: (R, 3). Returns ray (M,) int64, distance (M,) float64 m, face (M,) int64.
        """
        import open3d as o3d

        rays = np.concatenate([origins, directions], axis=1, dtype=np.float32)
        found = self._tracer.list_intersections(o3d.core.Tensor(rays))
        ray, t, face = (found[k].numpy() for k in ("ray_ids", "t_hit", "primitive_ids"))
        order = np.lexsort((face, t, ray))
        return ray[order].astype(np.int64), t[order].astype(np.float64), face[order].astype(np.int64)

    def escapes(self, origins: np.ndarray, directions: np.ndarray) -> np.ndarray:
        """(R,) bool: the ray from the origin (R, 3) along the direction (R, 3) meets no surface."""
        return self.free(np.concatenate([origins, directions], axis=1, dtype=np.float32))

    def free(self, rays: np.ndarray) -> np.ndarray:
        """(...) bool: as ``escapes``, for rays (..., 6) float32 of origin and direction."""
        import open3d as o3d

        return ~self._tracer.test_occlusions(o3d.core.Tensor(rays)).numpy()


def box_of(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest corner, (3,) each, of the vertices that faces use."""
    used = np.zeros(len(vertices), bool)
    used[faces.ravel()] = True
    return bounds(vertices if used.all() else vertices[used])


def vectors_of_faces(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(F, 3) normals along the winding, twice the face's area long. vertices: (V, 3). faces: (F, 3)."""
    # A coordinate at a time, each in one piece: three times as fast as rows through np.cross.
    corners = np.ascontiguousarray(faces.T)
    columns = [np.ascontiguousarray(column) for column in vertices.T]
    u, v = ([column[corners[k]] - column[corners[0]] for column in columns] for k in (1, 2))
    vectors = np.empty((3, len(faces)))
    for axis, (i, j) in enumerate(((1, 2), (2, 0), (0, 1))):
        vectors[axis] = u[i] * v[j] - u[j] * v[i]
    return vectors.T


def areas_of(face_vectors: np.ndarray) -> np.ndarray:
    """(F,) areas of faces from their vectors (F, 3)."""
    x, y, z = face_vectors.T
    return 0.5 * np.sqrt(x * x + y * y + z * z)


@dataclass(frozen=True, eq=False)
class Crossings:
    """Where lines cross a surface: M crossings sorted by line, then by distance; coincident ones are one.

    line: (M,) int64 which line. t: (M,) m along it. face: (M,) int64 the face crossed.
    along: (M, 3) the line's unit direction.
    points: (M, 3) m. normals: (M, 3) unit, facing back along the line.
    with_winding: (M,) bool, the face's own winding gives that normal.
    """

    line: np.ndarray
    t: np.ndarray
    face: np.ndarray
    along: np.ndarray
    points: np.ndarray
    normals: np.ndarray
    with_winding: np.ndarray
    first: np.ndarray = field(init=False)
    last: np.ndarray = field(init=False)

    def __post_init__(self):
        changes = np.ones(len(self.line) + 1, bool)
        changes[1:-1] = self.line[1:] != self.line[:-1]
        object.__setattr__(self, "first", changes[:-1])
        object.__setattr__(self, "last", changes[1:])

    def __len__(self) -> int:
        return len(self.line)


def cross(scene: RayScene, origins: np.ndarray, directions: np.ndarray) -> Crossings:
    """All crossings of the lines, given by origins (L, 3) outside the surface and unit directions (L, 3)."""
    line, t, face = scene.crossings(origins, directions)
    keep = np.ones(len(line), bool)
    keep[1:] = (line[1:] != line[:-1]) | (np.diff(t) > _SAME * scene.diagonal)
    line, t, face = line[keep], t[keep], face[keep]
    along = directions[line]
    normals = scene.face_vectors[face]
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-300)
    against = np.einsum("ij,ij->i", normals, along) <= 0
    normals[~against] *= -1
    return Crossings(line, t, face, along, origins[line] + t[:, None] * along, normals, against)


def sides_seen(scene: RayScene, crossings: Crossings, which: np.ndarray) -> np.ndarray:
    """(n, 2) bool for the crossings ``which`` (n,): the flow is on the side before it, and on the side behind it."""
    before = crossings.first[which]
    behind = crossings.last[which]
    # The stretch from crossing s - 1 to crossing s has the number s.
    asked = np.unique(np.concatenate([which[~before], which[~behind] + 1]))
    in_flow = np.ones(len(crossings) + 1, bool)
    in_flow[asked] = _in_flow(scene, crossings, asked)
    return np.stack([before | in_flow[which], behind | in_flow[which + 1]], axis=1)


def _in_flow(scene: RayScene, crossings: Crossings, stretch: np.ndarray) -> np.ndarray:
    """(S,) bool: rays from the ends of the stretches get out of the car."""
    a, b = stretch - 1, stretch
    step = np.minimum(0.25 * (crossings.t[b] - crossings.t[a]), 1e-5 * scene.diagonal)[:, None] * crossings.along[b]
    ends = (crossings.points[b] - step, crossings.points[a] + step)
    normals = (crossings.normals[b], -crossings.normals[a])
    likely_solid = _wound_as_solid(crossings, stretch)
    out = np.zeros(len(stretch), np.int32)
    asked = np.arange(len(stretch))
    for i, n_rays in enumerate(_ROUNDS):
        still = asked
        for rays in _parts(even_directions(n_rays)):
            for end, normal in zip(ends, normals, strict=True):
                out[still] += _count_escapes(scene, end[still], normal[still], rays)
            still = still[out[still] < _ENOUGH]
        hopeless = (out[asked] == 0) & (likely_solid[asked] | (i > 0))
        asked = asked[(out[asked] < _ENOUGH) & ~hopeless]
    return out >= _ENOUGH


def _wound_as_solid(crossings: Crossings, stretch: np.ndarray) -> np.ndarray:
    """(S,) bool: the winding says solid at both ends, on a surface that is wound well where it shows."""
    outward = np.concatenate([crossings.with_winding[crossings.first], ~crossings.with_winding[crossings.last]]).mean()
    if max(outward, 1 - outward) < _TRUSTED:
        return np.zeros(len(stretch), bool)
    enters = crossings.with_winding == (outward > 0.5)
    return enters[stretch - 1] & ~enters[stretch]


def _count_escapes(scene: RayScene, points: np.ndarray, outward: np.ndarray, rays: np.ndarray) -> np.ndarray:
    """(P,) how many of the rays (K, 3), each turned to the outward side of its point, get out of the car."""
    turned = np.empty((len(points), len(rays), 6), np.float32)
    turned[..., :3] = points[:, None]
    turn = np.where(outward @ rays.T < 0, -1.0, 1.0)
    np.multiply(turn[:, :, None], rays, out=turned[..., 3:], casting="same_kind")
    return scene.free(turned).sum(axis=1)


def _parts(rays: np.ndarray) -> list[np.ndarray]:
    """A round's rays in parts, each even itself: what is in the flow is mostly known after the first."""
    return [rays[i::4] for i in range(4)] if len(rays) >= 16 else [rays]
