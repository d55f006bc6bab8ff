"""From a signed field to triangles: flying edges on half the car, moved onto the field, thinned, mirrored."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Field = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def half_surface(
    field: Field,
    low: np.ndarray,
    high: np.ndarray,
    cell: float,
    faces: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The field's zero surface where y >= 0, open along y = 0, outward wound.

    low, high: (3,) m, corners of a box around it; low[1] = 0 puts the opening on the plane of symmetry.
    cell: grid spacing, m. faces: thin to about so many triangles.
    Returns vertices (V, 3) float64 m and faces (F, 3) int32.
    """
    vertices, triangles = _contour(field, low, high, cell)
    vertices = settle(field, vertices, cell)
    if faces is not None and faces < len(triangles):
        vertices, triangles = _thin(vertices, triangles, faces)
    vertices[np.abs(vertices[:, 1]) < 0.02 * cell, 1] = 0.0
    return vertices, triangles


def settle(field: Field, vertices: np.ndarray, cell: float, steps: int = 3) -> np.ndarray:
    """Move vertices (V, 3) along the field's gradient onto its zero, at most a third of a cell a step."""
    vertices = vertices.copy()
    h = 1e-4
    for _ in range(steps):
        x, y, z = vertices.T
        value = field(x, y, z)
        # The mirror image continues the field across y = 0, so central in y and one-sided elsewhere suffices.
        gradient = np.stack(
            [
                field(x + h, y, z) - value,
                0.5 * (field(x, y + h, z) - field(x, y - h, z)),
                field(x, y, z + h) - value,
            ],
            axis=1,
        )
        gradient /= h
        square = np.maximum((gradient * gradient).sum(axis=1), 0.05)
        move = -(value / square)[:, None] * gradient
        length = np.linalg.norm(move, axis=1, keepdims=True)
        vertices += move * np.minimum(1.0, cell / 3.0 / np.maximum(length, 1e-12))
    return vertices


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
    x, y, z = (low[i] + cell * np.arange(counts[i]) for i in range(3))
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


def _thin(vertices: np.ndarray, faces: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    from fast_simplification import simplify

    vertices, faces = simplify(vertices, faces, target_count=count, agg=3)
    return vertices.astype(np.float64), faces.astype(np.int32)
