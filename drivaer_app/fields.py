"""From the points that the network saw to the file's own vertices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data.mesh import CarMesh

if TYPE_CHECKING:
    from gnn.surrogate import SurfacePrediction

# A vertex takes the inverse-distance mean of this many nearest sample points ...
_NEAREST = 6
# ... of those whose normals lie within about 70 degrees of its own, so that both sides of a thin panel keep apart.
_AGREEING = 0.35
# A vertex with no such point within this many sample spacings is not in the flow's sight.
_REACH = 4.0


@dataclass(frozen=True, eq=False)
class CarFields:
    """Pressure and friction on every vertex of a CarMesh, car frame, a completed half's other side included.

    cp: (V,) float32. cf: (V, 3) float32, the wall shear stress over q.
    exposed: (V,) bool. False where the flow does not see the surface (inside, behind other faces): there cp
        and cf are those of the nearest exposed point and mean nothing; they are given so that colour ranges
        and averages in other programs do not break on NaN.
    """

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


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(V, 3) float32 area-weighted mean of the normals of each vertex's faces; 0 where there are none."""
    corners = vertices.astype(np.float32, copy=False)[faces]
    face_normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.empty((len(vertices), 3), np.float32)
    flat = faces.ravel()
    for axis in range(3):
        weights = np.repeat(face_normals[:, axis], 3)
        normals[:, axis] = np.bincount(flat, weights, minlength=len(vertices))
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
    from scipy.sparse import csr_matrix
    from scipy.spatial import cKDTree

    k = min(_NEAREST, len(points))
    tree = cKDTree(points)
    distance, index = tree.query(vertices, k=k, workers=-1)
    distance = distance.reshape(len(vertices), k).astype(np.float32)
    index = index.reshape(len(vertices), k).astype(np.int32)
    facing = np.einsum("vkc,vc->vk", normals[index], vertex_normals)

    nearness = 1.0 / (distance**2 + np.float32(1e-12))
    weights = nearness * np.maximum(facing - _AGREEING, 0)
    wrong = ~weights.any(axis=1)
    weights[wrong] = nearness[wrong] * np.maximum(-facing[wrong] - _AGREEING, 0)
    blind = ~weights.any(axis=1)  # nothing near looks this way: the nearest has to do, and counts as unseen
    weights[blind, 0] = 1.0

    closest = np.take_along_axis(distance, (weights > 0).argmax(axis=1)[:, None], axis=1)[:, 0]
    exposed = ~blind & (closest <= _REACH * _spacing(tree, points))
    weights /= weights.sum(axis=1, keepdims=True)
    rows = np.arange(0, weights.size + 1, k, dtype=np.int32)
    mean = csr_matrix((weights.ravel(), index.ravel(), rows), shape=(len(vertices), len(points)))
    return mean @ values.astype(np.float32, copy=False), exposed


def _spacing(tree, points: np.ndarray) -> float:
    """Typical distance between neighbouring points, m."""
    some = points[:: max(1, len(points) // 2000)]
    return float(np.median(tree.query(some, k=2)[0][:, 1])) if len(points) > 1 else 0.0


def car_fields(surface: SurfacePrediction, car: CarMesh) -> CarFields:
    """The networks' fields on all vertices of the car."""
    normals = car.normals if car.normals is not None else vertex_normals(car.vertices, car.faces)
    values = np.column_stack([surface.cp, surface.cf])
    at_vertices, exposed = spread(surface.points, surface.normals, values, car.vertices, normals)
    return CarFields(at_vertices[:, 0], at_vertices[:, 1:], exposed)


def file_fields(fields: CarFields, car: CarMesh) -> SurfaceFields:
    """Back to what the user gave: the file's vertices and faces only, its unit, axes and place."""
    own = slice(0, car.n_file_vertices)
    faces = car.faces
    if car.frame.mirrored and len(faces):
        faces = faces[faces.max(axis=1) < car.n_file_vertices]
    return SurfaceFields(
        vertices=_as_in_file(car.frame.to_file(car.vertices[own])),
        faces=faces,
        cp=fields.cp[own],
        cf=car.frame.vectors_to_file(fields.cf[own]),
        exposed=fields.exposed[own],
    )


def _as_in_file(vertices: np.ndarray) -> np.ndarray:
    """The way there and back leaves noise in the last of 16 digits; a file of single precision had none of it."""
    single = vertices.astype(np.float32)
    noise = 1e-12 * np.abs(vertices).max(initial=0.0)
    return single if np.abs(single - vertices).max(initial=0.0) <= noise else vertices
