"""From a signed field to triangles: flying edges on half the car, moved onto the field; and mirroring."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Field = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]

_OFF_PLANE = 1e-6
"""A vertex that is not on the plane of symmetry is at least this far from it (m)."""


def contour_surface(field: Field, low: np.ndarray, high: np.ndarray, cell: float) -> tuple[np.ndarray, np.ndarray]:
    """The field's zero surface inside a box, outward wound; open where the box cuts it.

    low, high: (3,) m, the box's corners; low[1] = 0 opens the surface along the plane of symmetry,
    with every vertex of the opening exactly on it. cell: grid spacing, m.
    Returns vertices (V, 3) float64 m and faces (F, 3) int32.
    """
    vertices, faces = _contour(field, low, high, cell)
    return pinned(settle(field, vertices, cell, steps=1), faces), faces


def pinned(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """The vertices of an opening put exactly on y = 0, and of a surface with an opening no others there.

    The opening's vertices are known by their edges, which have one face only, not by a tolerance.
    """
    directed = np.stack([faces.ravel(), faces[:, [1, 2, 0]].ravel()], axis=1).astype(np.int64)
    keys = directed.min(axis=1) * len(vertices) + directed.max(axis=1)
    once, counts = np.unique(keys, return_counts=True)
    rim = once[counts == 1]
    if len(rim) == 0:
        return vertices
    vertices = vertices.copy()
    vertices[:, 1] = np.maximum(vertices[:, 1], _OFF_PLANE)
    vertices[np.concatenate([rim // len(vertices), rim % len(vertices)]), 1] = 0.0
    return vertices


def settle(field: Field, vertices: np.ndarray, cell: float, steps: int = 2) -> np.ndarray:
    """Move vertices (V, 3) along the field's gradient onto its zero, at most a third of a cell a step."""
    for _ in range(steps):
        value, slope = value_and_gradient(field, vertices)
        move = -(value / np.maximum((slope * slope).sum(axis=1), 0.05))[:, None] * slope
        length = np.linalg.norm(move, axis=1, keepdims=True)
        vertices = vertices + move * np.minimum(1.0, cell / 3.0 / np.maximum(length, 1e-12))
    return vertices


def value_and_gradient(field: Field, vertices: np.ndarray, step: float = 1e-4) -> tuple[np.ndarray, np.ndarray]:
    """The field (V,) and its gradient (V, 3) at vertices (V, 3), by differences over ``step`` m."""
    x, y, z = vertices.T
    value = field(x, y, z)
    ahead = (field(x + step, y, z), field(x, y + step, z), field(x, y, z + step))
    return value, (np.stack(ahead, axis=1) - value[:, None]) / step


def mirror(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Half a surface (vertices with y = 0 exactly on the plane) and its mirror image, joined there."""
    off_plane = vertices[:, 1] != 0.0
    image = np.arange(len(vertices))
    image[off_plane] = len(vertices) + np.arange(off_plane.sum())
    both = np.concatenate([vertices, vertices[off_plane] * (1.0, -1.0, 1.0)])
    return both, np.concatenate([faces, image[faces][:, ::-1]]).astype(np.int32)


def _contour(field: Field, low: np.ndarray, high: np.ndarray, cell: float) -> tuple[np.ndarray, np.ndarray]:
    from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
    from vtkmodules.vtkCommonDataModel import vtkImageData
    from vtkmodules.vtkFiltersCore import vtkFlyingEdges3D

    counts = np.ceil((high - low) / cell).astype(int) + 1
    # Single precision is enough to find the surface; settling refines it in double.
    x, y, z = ((low[i] + cell * np.arange(counts[i])).astype(np.float32) for i in range(3))
    values = field(x[None, None, :], y[None, :, None], z[:, None, None])
    image = vtkImageData()
    image.SetDimensions(*counts.tolist())
    image.SetOrigin(*low.tolist())
    image.SetSpacing(cell, cell, cell)
    image.GetPointData().SetScalars(numpy_to_vtk(np.ascontiguousarray(values, dtype=np.float32).ravel(), deep=False))
    contour = vtkFlyingEdges3D()
    contour.SetInputData(image)
    contour.SetValue(0, 0.0)
    contour.ComputeNormalsOff()
    contour.ComputeGradientsOff()
    contour.ComputeScalarsOff()
    contour.Update()
    surface = contour.GetOutput()
    vertices = vtk_to_numpy(surface.GetPoints().GetData()).astype(np.float64)
    faces = vtk_to_numpy(surface.GetPolys().GetConnectivityArray()).reshape(-1, 3).astype(np.int32)
    return vertices, _wound_outward(vertices, faces)


def _wound_outward(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    # Closed but for the plane y = 0, whose missing cap adds nothing to this volume integral.
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    volume = np.einsum("ij,ij->i", a * (0.0, 1.0, 0.0), np.cross(b - a, c - a)).sum()
    return faces if volume > 0 else np.ascontiguousarray(faces[:, ::-1])
