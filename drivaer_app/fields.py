"""From the points that the network saw to the file's own vertices."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data.car import CarMesh
from data.load import scene_of
from data.visibility import vectors_of_faces

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

    from gnn.prediction import SurfacePrediction

# A vertex takes the inverse-distance mean of this many nearest sample points ...
_NEAREST = 6
# ... of those whose normals lie within about 70 degrees of its own, so that both sides of a thin panel keep apart.
_AGREEING = 0.35
# A vertex with no such point within this many sample spacings is not in the flow's sight.
_REACH = 4.0
# Vertices are looked at in blocks: each on a core of its own, and what is worked out on the way stays in its cache.
_BLOCK = 16384


@dataclass(frozen=True, eq=False)
class CarFields:
    """Pressure and friction all over a CarMesh, car frame, a completed half's other side included.

    vertices: (W, 3) m, each place once (an STL gives it for every triangle). faces: (F, 3), those of the car in
        its order; F = 0 for a point cloud.
    cp: (W,) float32. cf: (W, 3) float32, the wall shear stress over q.
    exposed: (W,) bool. False where the flow does not see the surface (inside, behind other faces): there cp
        and cf are those of the nearest exposed point and mean nothing; they are given so that colour ranges
        and averages in other programs do not break on NaN.
    """

    vertices: np.ndarray
    faces: np.ndarray
    cp: np.ndarray
    cf: np.ndarray
    exposed: np.ndarray


@dataclass(frozen=True, eq=False)
class SurfaceFields:
    """CarFields on the input file's own vertices, in the file's own frame.

    vertices: (V, 3) as in the file, float32 where the file had no more, else float64.
    faces: (F, 3) int32; F = 0 for a point cloud. cf lies along the file's axes. The rest as in CarFields.
    """

    vertices: np.ndarray
    faces: np.ndarray
    cp: np.ndarray
    cf: np.ndarray
    exposed: np.ndarray


def vertex_normals(vertices: np.ndarray, faces: np.ndarray, face_vectors: np.ndarray | None = None) -> np.ndarray:
    """(V, 3) float32 area-weighted mean of the normals of each vertex's faces; 0 where there are none.

    face_vectors: (F, 3) along the faces' normals, twice their area long, to save working them out.
    """
    vectors = vectors_of_faces(vertices, faces) if face_vectors is None else face_vectors
    corners = np.ascontiguousarray(faces.T, np.intp)  # what bincount counts without a copy of its own
    normals = np.empty((len(vertices), 3), np.float32)
    for axis in range(3):
        normals[:, axis] = sum(np.bincount(corner, vectors[:, axis], len(vertices)) for corner in corners)
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    return np.divide(normals, length, out=np.zeros_like(normals), where=length > 0)


def spread(
    points: np.ndarray, normals: np.ndarray, values: np.ndarray, vertices: np.ndarray, vertex_normals: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Values at sample points (N, 3) with outward normals, brought to vertices (V, 3) with normals.

    values: (N, C). vertex_normals: (V, 3), wound anyhow: where only opposite normals are near, the file is
    wound inside out there and those count. Returns (V, C) float32 and (V,) bool, whether the vertex lies on
    the surface that the points sample (SurfaceFields.exposed).
    """
    source = _Source.of(points, normals, values)
    return source.at(vertices, vertex_normals)


@dataclass(frozen=True, eq=False)
class _Source:
    """Sample points (N, 3), normals (N, 3) and values (N, C) float32 that are brought to other points.

    reach: m, how near to a sample point the surface goes on.
    """

    tree: cKDTree
    normals: np.ndarray
    values: np.ndarray
    reach: float

    @classmethod
    def of(cls, points: np.ndarray, normals: np.ndarray, values: np.ndarray) -> _Source:
        from scipy.spatial import cKDTree

        tree = cKDTree(points)
        return cls(tree, normals, values.astype(np.float32, copy=False), _REACH * _spacing(tree, points))

    def at(self, vertices: np.ndarray, vertex_normals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See ``spread``."""
        from scipy.sparse import csr_array

        k = min(_NEAREST, self.tree.n)
        distance, index = self.tree.query(vertices, k=k)
        distance = distance.reshape(len(vertices), k).astype(np.float32)
        index = index.reshape(len(vertices), k).astype(np.int32)
        facing = np.einsum("vkc,vc->vk", self.normals[index], vertex_normals)

        nearness = 1.0 / (distance**2 + np.float32(1e-12))
        weights = nearness * np.maximum(facing - _AGREEING, 0)
        wrong = ~weights.any(axis=1)
        weights[wrong] = nearness[wrong] * np.maximum(-facing[wrong] - _AGREEING, 0)
        blind = ~weights.any(axis=1)  # nothing near looks this way: the nearest has to do, and counts as unseen
        weights[blind, 0] = 1.0

        closest = np.take_along_axis(distance, (weights > 0).argmax(axis=1)[:, None], axis=1)[:, 0]
        exposed = ~blind & (closest <= self.reach)
        weights /= weights.sum(axis=1, keepdims=True)
        rows = np.arange(0, weights.size + 1, k, dtype=np.int32)
        mean = csr_array((weights.ravel(), index.ravel(), rows), shape=(len(vertices), self.tree.n))
        return mean @ self.values, exposed


def _spacing(tree: cKDTree, points: np.ndarray) -> float:
    """Typical distance between neighbouring points, m: to the fourth, as the first may lie on a panel's other side."""
    some = points[:: max(1, len(points) // 2000)]
    return float(np.median(tree.query(some, k=min(5, len(points)))[0][:, -1]))


def car_fields(surface: SurfacePrediction, car: CarMesh) -> CarFields:
    """The networks' fields all over the car."""
    if len(car.faces):
        scene = scene_of(car)
        vertices, faces = scene.vertices, scene.faces
        normals = vertex_normals(vertices, faces, scene.face_vectors)
    else:
        vertices, faces, normals = car.vertices, car.faces, car.normals
    source = _Source.of(surface.points, surface.normals, np.column_stack([surface.cp, surface.cf]))
    values, exposed = np.empty((len(vertices), 4), np.float32), np.empty(len(vertices), bool)

    def fill(start: int) -> None:
        block = slice(start, start + _BLOCK)
        at, normal = np.ascontiguousarray(vertices[block]), normals[block]
        values[block], exposed[block] = known, seen = source.at(at, normal)
        values[block][seen] = surface.refined(known[seen], at[seen], normal[seen])

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(fill, range(0, len(vertices), _BLOCK)):  # asked for, so that an error is raised
            pass
    return CarFields(vertices, faces, values[:, 0], values[:, 1:], exposed)


def file_fields(fields: CarFields, car: CarMesh) -> SurfaceFields:
    """Back to what the user gave: the file's vertices and faces only, its unit, axes and place."""
    n = car.n_file_vertices
    one_for_each = place_of_each(fields, car)[:n]
    return SurfaceFields(
        vertices=_as_in_file(car.as_given[:n]),
        faces=car.faces[faces_of_file(car)],
        cp=fields.cp[one_for_each],
        cf=car.frame.vectors_to_file(fields.cf[one_for_each]),
        exposed=fields.exposed[one_for_each],
    )


def faces_of_file(car: CarMesh) -> np.ndarray:
    """(F,) bool: the faces of the file itself, without a completed half car's other half."""
    if len(car.as_given) == car.n_file_vertices:
        return np.ones(len(car.faces), bool)
    return car.faces.max(axis=1) < car.n_file_vertices


def place_of_each(fields: CarFields, car: CarMesh) -> np.ndarray:
    """(V,) which row of the fields each vertex of the car is."""
    if len(car.faces) == 0:
        return np.arange(len(car.as_given))
    place = np.full(len(car.as_given), -1, np.int32)
    place[car.faces.ravel()] = fields.faces.ravel()
    loose = place < 0  # vertices of no face: in the file all the same
    if loose.any():
        from scipy.spatial import cKDTree

        place[loose] = cKDTree(fields.vertices).query(car.vertices[loose], workers=-1)[1]
    return place


def _as_in_file(vertices: np.ndarray) -> np.ndarray:
    """In single precision where the file had no more."""
    single = vertices.astype(np.float32)
    return single if np.array_equal(single, vertices) else vertices
