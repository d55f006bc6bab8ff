"""From a file's polygons to triangles, and the checks that every indexed format needs."""

from __future__ import annotations

import numpy as np

from data.formats.source import Source


def check_indices(source: Source, corners: np.ndarray, n_vertices: int) -> None:
    """Raise MeshError unless every face corner names one of the file's vertices (counted from 0)."""
    if len(corners) == 0:
        return
    low, high = int(corners.min()), int(corners.max())
    if low < 0 or high >= n_vertices:
        wrong = high if high >= n_vertices else low
        raise source.error(
            f"a face refers to vertex {wrong} (counted from 0), but there are only {n_vertices} vertices",
            "the file is damaged or truncated: export it again",
        )


def triangulate(vertices: np.ndarray, counts: np.ndarray, corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Split polygons into triangles, keeping their order and winding.

    vertices: (V, 3) float64. counts: (P,) corners of each polygon. corners: (sum of counts,) into ``vertices``.
    Polygons of fewer than three corners are dropped (some exporters write lines as faces).
    Returns faces (F, 3) int32 and owner (F,) int64, the polygon each triangle comes from.
    """
    counts = np.asarray(counts, dtype=np.int64)
    corners = np.asarray(corners)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]]) if len(counts) else np.zeros(0, np.int64)
    if len(counts) and counts.min() == 3 and counts.max() == 3:
        return corners.reshape(-1, 3).astype(np.int32), np.arange(len(counts))
    per_polygon = np.maximum(counts - 2, 0)
    owner = np.repeat(np.arange(len(counts)), per_polygon)
    step = np.arange(len(owner)) - np.repeat(np.cumsum(per_polygon) - per_polygon, per_polygon)
    first = starts[owner]
    faces = np.stack([corners[first], corners[first + step + 1], corners[first + step + 2]], axis=1).astype(np.int32)
    _mend_concave(vertices, faces, owner, per_polygon, starts, corners)
    return faces, owner


def _mend_concave(vertices, faces, owner, per_polygon, starts, corners) -> None:
    """Replace, in place, the fans of polygons that are not convex seen from their first corner.

    A fan of a concave polygon has triangles that face backwards and cover air.
    """
    polygonal = np.flatnonzero(per_polygon[owner] > 1)
    if len(polygonal) == 0:
        return
    corner = vertices[faces[polygonal]]
    with np.errstate(all="ignore"):
        normal = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
        total = np.zeros((len(per_polygon), 3))
        np.add.at(total, owner[polygonal], normal)
        against = np.einsum("ij,ij->i", normal, total[owner[polygonal]])
    concave = np.unique(owner[polygonal[against < 0]])
    if len(concave) == 0:
        return
    first_face = np.cumsum(per_polygon) - per_polygon
    for polygon in concave:
        n = per_polygon[polygon] + 2
        ring = corners[starts[polygon] : starts[polygon] + n]
        cut = _cut_ears(vertices[ring])
        if cut is not None:
            faces[first_face[polygon] : first_face[polygon] + n - 2] = ring[cut]


def _cut_ears(ring: np.ndarray) -> np.ndarray | None:
    """(n - 2, 3) triangles of one polygon (n, 3), or None where VTK finds none (self-crossing)."""
    from vtkmodules.vtkCommonCore import vtkIdList
    from vtkmodules.vtkCommonDataModel import vtkPolygon

    polygon = vtkPolygon()
    polygon.Initialize(len(ring), list(range(len(ring))), _vtk_points(ring))
    triangles = vtkIdList()
    if not polygon.EarCutTriangulation(triangles, 0) or triangles.GetNumberOfIds() != 3 * (len(ring) - 2):
        return None
    ids = [triangles.GetId(i) for i in range(triangles.GetNumberOfIds())]
    return np.array(ids).reshape(-1, 3)


def _vtk_points(points: np.ndarray):
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonCore import vtkPoints

    result = vtkPoints()
    result.SetData(numpy_to_vtk(np.ascontiguousarray(points, dtype=np.float64), deep=True))
    return result
