"""Which sides of a surface the flow sees, told by rays and never by the winding of the triangles.

Straight lines are drawn evenly through the surface's bounding box. Where they cross the surface they
sample it evenly by area whatever its shape and however it is triangulated (Crofton's formula: Santaló,
"Integral Geometry and Geometric Probability", 1976). A stretch of line between two crossings is in the
flow when rays from its ends get out of the car; then so are the sides of the surface that bound it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

# A stretch of line is in the flow when at least _ENOUGH of 192 rays from its ends get out of the car (2 %):
# a void behind a crack between two parts lets fewer out, a wheelhouse more (on the DrivAer, of the stretches
# 78 % let none out, 0.2 % up to 2 %, the rest more). Rays are shot in rounds, given here for one end, and a
# stretch leaves after a round with enough out, or after the second with none.
_ROUNDS = (8, 24, 64)
_ENOUGH = 4
# Crossings closer together than this times the box's diagonal are one: a shared edge, a face given twice.
_SAME = 1e-6


class RayScene:
    """A triangle surface with the ray-tracing structure that is built once, when first needed.

    vertices: (V, 3) m. faces: (F, 3) into ``vertices``, F >= 1.
    """

    def __init__(self, vertices: np.ndarray, faces: np.ndarray):
        self.vertices = np.asarray(vertices, np.float64)
        self.faces = np.asarray(faces, np.int32)
        used = (
            self.vertices
            if len(self.vertices) <= 3 * len(self.faces)
            else self.vertices[self.faces.ravel()]
        )
        self.low, self.high = used.min(axis=0), used.max(axis=0)

    @property
    def diagonal(self) -> float:
        return float(np.linalg.norm(self.high - self.low))

    @cached_property
    def area(self) -> float:
        """Area of all triangles, each counted once, m²."""
        return float(0.5 * np.linalg.norm(self.face_vectors(slice(None)), axis=1).sum())

    def face_vectors(self, which: np.ndarray | slice) -> np.ndarray:
        """(n, 3) normals along the winding of the given faces, twice their area long."""
        a, b, c = (self.vertices[self.faces[which, k]] for k in range(3))
        return np.cross(b - a, c - a)

    @cached_property
    def _tracer(self):
        import open3d as o3d

        tracer = o3d.t.geometry.RaycastingScene()
        tracer.add_triangles(
            o3d.core.Tensor(self.vertices.astype(np.float32)),
            o3d.core.Tensor(self.faces.astype(np.uint32)),
        )
        return tracer

    def crossings(
        self, origins: np.ndarray, directions: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """All crossings of rays with the surface, sorted by ray, then by distance.

        origins, directions: (R, 3). Returns ray (M,) int64, distance (M,) float64 m, face (M,) int64.
        """
        found = self._tracer.list_intersections(_rays(origins, directions))
        ray, t, face = (found[k].numpy() for k in ("ray_ids", "t_hit", "primitive_ids"))
        order = np.lexsort((face, t, ray))
        return (
            ray[order].astype(np.int64),
            t[order].astype(np.float64),
            face[order].astype(np.int64),
        )

    def escapes(self, origins: np.ndarray, directions: np.ndarray) -> np.ndarray:
        """(R,) bool: the ray from the origin (R, 3) along the direction (R, 3) meets no surface."""
        return ~self._tracer.test_occlusions(_rays(origins, directions)).numpy()


def _rays(origins: np.ndarray, directions: np.ndarray):
    import open3d as o3d

    return o3d.core.Tensor(
        np.concatenate([origins, directions], axis=1, dtype=np.float32)
    )


@dataclass(frozen=True, eq=False)
class Sides:
    """The two sides of a surface at points spread evenly by area over all of it, hidden parts included.

    Rows 2i and 2i + 1 are the two sides at one crossing of a line; any run of rows is itself even.
    points: (M, 3) float64 m.
    normals: (M, 3) float64, unit, pointing away from the surface on that side.
    faces: (M,) int64, the face that was crossed.
    seen: (M,) bool, the flow gets there.
    area: m² that one row stands for.
    """

    points: np.ndarray
    normals: np.ndarray
    faces: np.ndarray
    seen: np.ndarray
    area: float


def look(scene: RayScene, n_lines: int, first_line: int = 0) -> Sides:
    """Both sides of the surface where ``n_lines`` lines cross it, told apart by whether the flow gets there.

    Line i is the same for every surface with the same bounding box, so the answer hardly depends on how
    the surface is triangulated; ``first_line`` gives another, independent set.
    """
    origin, along = even_lines(scene.low, scene.high, n_lines, first_line)
    line, t, face = scene.crossings(origin, along)
    n_crossed = len(line)
    keep = np.ones(n_crossed, bool)
    keep[1:] = (line[1:] != line[:-1]) | (np.diff(t) > _SAME * scene.diagonal)
    line, t, face = line[keep], t[keep], face[keep]
    point, d = origin[line] + t[:, None] * along[line], along[line]
    normal = scene.face_vectors(face)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-300)
    normal *= -np.sign(np.einsum("ij,ij->i", normal, d))[:, None]
    before, after = _in_flow(scene, line, t, point, normal, d)
    return Sides(
        points=np.repeat(point, 2, axis=0),
        normals=np.stack([normal, -normal], axis=1).reshape(-1, 3),
        faces=np.repeat(face, 2),
        seen=np.stack([before, after], axis=1).ravel(),
        area=scene.area / max(n_crossed, 1),
    )


def _in_flow(scene, line, t, point, normal, along) -> tuple[np.ndarray, np.ndarray]:
    """For each crossing, whether the line is in the flow just before it and just after it; (M,) bool each."""
    first = np.ones(len(line), bool)
    first[1:] = line[1:] != line[:-1]
    before = first.copy()  # nothing lies between the box and the first crossing
    inner = np.flatnonzero(~first)  # the stretch from crossing i - 1 to crossing i
    step = (
        np.minimum(0.25 * (t[inner] - t[inner - 1]), 1e-5 * scene.diagonal)[:, None]
        * along[inner]
    )
    ends = (point[inner] - step, point[inner - 1] + step)
    before[inner] = _lets_rays_out(scene, ends, (normal[inner], -normal[inner - 1]))
    after = np.ones(len(line), bool)
    after[:-1] = before[
        1:
    ]  # the line's last crossing is followed by the next line's first: True both
    return before, after


def _lets_rays_out(scene: RayScene, ends: tuple, normals: tuple) -> np.ndarray:
    """(S,) bool for each stretch between the two ``ends`` (S, 3) with surface ``normals`` (S, 3) there."""
    out = np.zeros(len(ends[0]), np.int32)
    asked = np.arange(len(out))
    for i, n_rays in enumerate(_ROUNDS):
        rays = even_directions(n_rays)
        for end, normal in zip(ends, normals, strict=True):
            out[asked] += _count_escapes(scene, end[asked], normal[asked], rays)
        asked = asked[(out[asked] < _ENOUGH) & ((i == 0) | (out[asked] > 0))]
    return out >= _ENOUGH


def _count_escapes(
    scene: RayScene, points: np.ndarray, outward: np.ndarray, rays: np.ndarray
) -> np.ndarray:
    """(P,) how many of the rays (K, 3), each turned to the outward side of its point, get out of the car."""
    turn = np.where(outward @ rays.T < 0, -1.0, 1.0)
    directions = (turn[:, :, None] * rays[None]).reshape(-1, 3)
    free = scene.escapes(np.repeat(points, len(rays), axis=0), directions)
    return free.reshape(len(points), len(rays)).sum(axis=1)


def even_lines(
    low: np.ndarray, high: np.ndarray, n: int, first: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Lines ``first`` to ``first + n`` of a fixed even sequence of lines through a box.

    low, high: (3,) corners. Returns origins (n, 3) on the box and unit directions (n, 3) into it, such
    that the lines are spread uniformly (in the measure that motions leave alone) over all that meet the box.
    """
    u = _sequence(n, first)
    margin = 1e-3 * float(np.linalg.norm(high - low))
    low, size = low - margin, (high - low) + 2 * margin
    face_area = np.array([size[1] * size[2], size[2] * size[0], size[0] * size[1]])
    edges = np.cumsum(np.repeat(face_area, 2)) / (2 * face_area.sum())
    side = np.minimum(np.searchsorted(edges, u[:, 0], side="right"), 5)
    start = np.concatenate([[0.0], edges[:-1]])
    across = (u[:, 0] - start[side]) / (edges - start)[side]
    axis, at_high = side // 2, side % 2
    i, j, rows = (axis + 1) % 3, (axis + 2) % 3, np.arange(n)
    origin, direction = np.empty((n, 3)), np.empty((n, 3))
    origin[rows, axis] = low[axis] + at_high * size[axis]
    origin[rows, i] = low[i] + across * size[i]
    origin[rows, j] = low[j] + u[:, 1] * size[j]
    # Lambert's cosine about the inward normal makes the lines through a box uniform.
    radius, angle = np.sqrt(u[:, 2]), 2 * np.pi * u[:, 3]
    direction[rows, axis] = np.sqrt(1 - u[:, 2]) * (1 - 2 * at_high)
    direction[rows, i] = radius * np.cos(angle)
    direction[rows, j] = radius * np.sin(angle)
    return origin, direction


def _sequence(n: int, first: int) -> np.ndarray:
    """(n, 4) in [0, 1): Kronecker's sequence on the powers of the generalised golden ratio (Roberts, 2018)."""
    ratio = 1.1673039782614187  # the root of x**5 = x + 1
    steps = ratio ** -np.arange(1.0, 5.0)
    return np.mod(0.5 + np.outer(np.arange(first + 1, first + n + 1), steps), 1.0)


def even_directions(n: int) -> np.ndarray:
    """(n, 3) unit vectors spread evenly over the upper half of a sphere (Fibonacci's spiral)."""
    k = np.arange(n) + 0.5
    z, angle = 1 - k / n, k * np.pi * (3 - np.sqrt(5))
    r = np.sqrt(1 - z * z)
    return np.stack([r * np.cos(angle), r * np.sin(angle), z], axis=1)
