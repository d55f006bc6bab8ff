"""Places of one surface on another: the nearest of its faces, the closest point of its triangles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NO_FACE = -1
_CANDIDATES = 6


def nearest_faces(
    centres: np.ndarray,
    face_normals: np.ndarray,
    points: np.ndarray,
    normals: np.ndarray,
    *,
    max_distance: float = 0.04,
    min_cosine: float = 0.3,
    half: bool = False,
) -> np.ndarray:
    """(N,) the face (of M) near each point that faces as the point does, or NO_FACE.

    centres (M, 3) m, face_normals (M, 3) unit; points (N, 3) m, normals (N, 3) unit. Among the six nearest centres the
    one with the least ``distance * (1.5 - cosine)`` is chosen. It counts if it lies within ``max_distance`` m and the
    cosine between the two normals is above ``min_cosine``. half: the faces are those of the +y half of a car; a point
    of the other half takes the face at its mirror image.
    """
    from scipy.spatial import cKDTree

    if half:
        mirror = np.where(points[:, 1:2] < 0, [[1.0, -1.0, 1.0]], [[1.0, 1.0, 1.0]])
        points, normals = points * mirror, normals * mirror
    k = min(_CANDIDATES, len(centres))
    distance, near = (of.reshape(len(points), k) for of in cKDTree(centres).query(points, k=k, workers=-1))
    cosine = np.einsum("nkd,nd->nk", face_normals[near], normals)
    best = np.argmin(distance * (1.5 - cosine), axis=1)
    row = np.arange(len(points))
    found = (cosine[row, best] > min_cosine) & (distance[row, best] < max_distance)
    return np.where(found, near[row, best], NO_FACE)


@dataclass(frozen=True, eq=False)
class ClosestPoints:
    """The points of a triangle mesh closest to N others.

    triangles (N,): that they lie on. weights (N, 3): barycentric. points (N, 3) m. distance (N,) m.
    normals (N, 3): of the triangles, by their winding.
    """

    triangles: np.ndarray
    weights: np.ndarray
    points: np.ndarray
    distance: np.ndarray
    normals: np.ndarray

    def interpolate(self, values: np.ndarray, faces: np.ndarray) -> np.ndarray:
        """(N,) or (N, c): values (V,) or (V, c) of the mesh's vertices, linear within each triangle of faces (F, 3)."""
        return np.einsum("nk,nk...->n...", self.weights, values[faces[self.triangles]])


def closest_points(vertices: np.ndarray, faces: np.ndarray, points: np.ndarray) -> ClosestPoints:
    """On a mesh, vertices (V, 3) m and faces (F, 3), those closest to points (N, 3); in float32, by Open3D (Embree)."""
    import open3d as o3d

    scene = o3d.t.geometry.RaycastingScene()
    scene.add_triangles(
        o3d.core.Tensor(np.ascontiguousarray(vertices, np.float32)), o3d.core.Tensor(faces.astype(np.uint32))
    )
    hit = scene.compute_closest_points(o3d.core.Tensor(np.ascontiguousarray(points, np.float32)))
    uv, closest = (hit[name].numpy().astype(np.float64) for name in ("primitive_uvs", "points"))
    return ClosestPoints(
        triangles=hit["primitive_ids"].numpy().astype(np.int64),
        weights=np.column_stack([1 - uv.sum(axis=1), uv]),
        points=closest,
        distance=np.linalg.norm(closest - points, axis=1),
        normals=hit["primitive_normals"].numpy(),
    )
