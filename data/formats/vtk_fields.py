"""What lies on the points and faces of a VTK surface: pressure, wall shear.

Legacy files (.vtk), binary and ASCII, by our own reader (see ``vtk_legacy``); .vtp and .vtu by VTK's.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.errors import MeshError
from data.formats.source import open_source
from data.formats.vtk_legacy import Reader, attributes, surface_of
from data.mesh import RawMesh


@dataclass(frozen=True, eq=False)
class VtkSurface:
    """mesh: the surface as the file has it. arrays: by name, (n,) or (n, c) float64 on its vertices or its faces."""

    mesh: RawMesh
    arrays: dict[str, np.ndarray]


def read_fields(path: str | Path) -> VtkSurface:
    """A VTK surface with its arrays on the vertices; those on faces are brought there by the mean of the faces around.

    Raises MeshError for a file that is no VTK surface, or damaged.
    """
    path = Path(path)
    if path.suffix.lower() in (".vtp", ".vtu"):
        return _by_vtk(path)
    source = open_source(path)
    reader = Reader(source)
    kind, sections = reader.sections()
    mesh = surface_of(source, kind, sections)
    on_points, on_cells = attributes(reader)
    for name, values in on_points.items():
        if len(values) != len(mesh.vertices):
            raise source.error(
                f"array {name} has {len(values)} values for {len(mesh.vertices)} points", "export it again"
            )
    for name, values in on_cells.items():
        if len(values) == len(mesh.faces):  # else faces were polygons, and values are no longer one a face
            on_points.setdefault(name, _on_vertices(mesh, values))
    return VtkSurface(mesh, on_points)


def _on_vertices(mesh: RawMesh, values: np.ndarray) -> np.ndarray:
    """Means over the faces around each vertex; vertices of no face get 0."""
    corners = mesh.faces.ravel()
    count = np.maximum(np.bincount(corners, minlength=len(mesh.vertices)), 1)
    columns = [
        np.bincount(corners, np.repeat(column, 3), len(mesh.vertices)) / count
        for column in values.reshape(len(values), -1).T
    ]
    return columns[0] if values.ndim == 1 else np.stack(columns, axis=1)


def read_face_fields(path: str | Path) -> VtkSurface:
    """A VTK surface (.vtp, .vtk, .vtu, .vtm) with its arrays on the faces; those on points alone are brought there.

    Raises MeshError for a file that holds no surface, or is damaged.
    """
    surface = _surface_by_vtk(Path(path))
    if surface.n_cells == 0:
        raise MeshError("has no faces", file=path, fix="export the car's surface with its fields")
    on_points = surface.point_data_to_cell_data()
    return VtkSurface(_raw(surface, Path(path)), _arrays(on_points.cell_data) | _arrays(surface.cell_data))


def _by_vtk(path: Path) -> VtkSurface:
    surface = _surface_by_vtk(path)
    return VtkSurface(_raw(surface, path), _arrays(surface.cell_data_to_point_data().point_data))


def _surface_by_vtk(path: Path):
    """A pyvista.PolyData of triangles."""
    import pyvista

    open_source(path)  # says what is wrong with a file that is missing, empty or a Git-LFS pointer
    try:
        read = pyvista.read(path)
        if isinstance(read, pyvista.MultiBlock):
            read = read.combine()
        surface = (read if isinstance(read, pyvista.PolyData) else read.extract_surface(algorithm=None)).triangulate()
    except Exception as error:  # VTK's readers and filters raise whatever they like
        raise MeshError(f"cannot be read as {path.suffix} ({error})", file=path, fix="export it again") from error
    if surface.n_points == 0:
        raise MeshError("holds no surface, or is damaged", file=path, fix="export it again")
    return surface


def _raw(surface, path: Path) -> RawMesh:
    faces = surface.regular_faces.astype(np.int32) if surface.n_cells else np.zeros((0, 3), np.int32)
    return RawMesh(np.array(surface.points, float), faces, path=path)


def _arrays(data) -> dict[str, np.ndarray]:
    """Those that hold numbers."""
    return {name: np.array(values, float) for name, values in data.items() if np.issubdtype(values.dtype, np.number)}
