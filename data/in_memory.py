"""Meshes that other programs hold in memory, taken as a file's content is: same checks, same triangles."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import numpy as np

from data.errors import MeshError
from data.formats import completed, read_mesh
from data.formats.polygons import check_indices, triangulate
from data.formats.source import Source
from data.mesh import RawMesh

if TYPE_CHECKING:
    import pyvista
    import trimesh
    from numpy.typing import ArrayLike

MeshLike: TypeAlias = Union[
    str, "os.PathLike[str]", RawMesh, "trimesh.Trimesh", "pyvista.PolyData", "tuple[ArrayLike, ArrayLike]"
]
"""A mesh file's path, or a mesh in memory; ``(vertices, faces)`` are (V, 3) and (F, 3), F = 0 for a point cloud."""

_KINDS = "a path, a trimesh.Trimesh, a pyvista.PolyData or (vertices, faces)"
# What trimesh's readers write into ``units``, as far as it is one of ours (data.units.METRES).
_UNITS = {"m": "m", "meters": "m", "meter": "m", "cm": "cm", "centimeters": "cm", "mm": "mm", "millimeters": "mm"}
_UNITS |= {"millimeter": "mm", "centimeter": "cm", "in": "in", "inches": "in", "inch": "in", "ft": "ft", "feet": "ft"}


def raw_mesh(mesh: MeshLike) -> RawMesh:
    """The mesh as a file's content would be: its own unit, axes, place and vertex order.

    Arrays are copied. Polygons become triangles as those of a file do; of trimesh's the stated unit is kept. Raises
    MeshError for what is no mesh, indices that point nowhere, coordinates that are not finite.
    """
    if isinstance(mesh, RawMesh):
        return mesh
    if isinstance(mesh, (str, os.PathLike)):
        return read_mesh(Path(mesh))
    given = Source(Path(f"the given {type(mesh).__name__}"), "", b"")  # what errors name in a file's place
    trimesh, pyvista = sys.modules.get("trimesh"), sys.modules.get("pyvista")
    if trimesh and isinstance(mesh, trimesh.Trimesh):
        raw = _of_arrays(given, mesh.vertices, mesh.faces, _UNITS.get(str(mesh.units).lower()))
    elif pyvista and isinstance(mesh, pyvista.PolyData):
        raw = _of_poly_data(given, mesh)
    elif isinstance(mesh, (tuple, list)) and len(mesh) == 2:
        raw = _of_arrays(given, *mesh)
    else:
        fix = "give its surface: mesh.extract_surface()" if hasattr(mesh, "extract_surface") else ""
        fix = "give scene.to_mesh()" if hasattr(mesh, "to_mesh") else fix
        raise MeshError(f"a {type(mesh).__name__} is no mesh that can be read: give {_KINDS}", fix=fix)
    return completed(given, raw)


def _of_arrays(given: Source, vertices: ArrayLike, faces: ArrayLike, unit: str | None = None) -> RawMesh:
    points = _array(given, "vertices", vertices, np.floating)
    corners = _array(given, "faces", faces, np.integer)
    check_indices(given, corners, len(points))
    return RawMesh(points.astype(np.float64), corners.astype(np.int32), unit=unit)


def _array(given: Source, name: str, values: ArrayLike, kind: Any) -> np.ndarray:
    """(N, 3) numbers of a kind (np.floating, np.integer); integers are floats too. Raises MeshError."""
    try:
        array = np.asarray(values)
    except ValueError as error:  # rows of several lengths
        raise given.error(f"its {name} are no array: {error}") from error
    if array.size == 0:
        return np.empty((0, 3), np.int32)
    if array.ndim != 2 or array.shape[1] != 3:
        letter = name[0].upper()
        raise given.error(f"its {name} have the shape {array.shape}, not ({letter}, 3)", "give triangles")
    if not (np.issubdtype(array.dtype, kind) or np.issubdtype(array.dtype, np.integer)):
        raise given.error(f"its {name} are of the type {array.dtype}, not {kind.__name__}")
    return array


def _of_poly_data(given: Source, mesh: pyvista.PolyData) -> RawMesh:
    from data.formats.vtk_cells import polygons_of, strips_to_triangles

    vertices = np.array(mesh.points, np.float64).reshape(-1, 3)
    faces, _ = triangulate(vertices, *_cells(mesh.GetPolys()))
    strips = polygons_of(given, *_cells(mesh.GetStrips()), len(vertices))
    faces = np.concatenate([faces, strips_to_triangles(strips).astype(np.int32)])
    normals = None if len(faces) else mesh.point_data.get("Normals")
    return RawMesh(vertices, faces, normals=None if normals is None else np.array(normals, np.float32))


def _cells(cells: Any) -> tuple[np.ndarray, np.ndarray]:
    """Corners of each cell of a vtkCellArray, and all of them in a row."""
    from vtkmodules.util.numpy_support import vtk_to_numpy

    offsets = vtk_to_numpy(cells.GetOffsetsArray()).astype(np.int64)
    return np.diff(offsets), vtk_to_numpy(cells.GetConnectivityArray()).astype(np.int64)
