"""The flow on the car's surface, read from a solved case."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.errors import DrivAerError
from data.polygons import polygon_faces

PHYSICAL_CP = (-3.0, 1.1)
"""Cp outside of this is no flow but a bad cell: left out of forces, and counted."""


@dataclass(frozen=True, eq=False)
class SurfaceFlow:
    """The mean flow on the faces of the CFD mesh that lie on the car: of one half where only that was solved.

    points: (V, 3) m. corners: (K,) into points, face after face; starts: (M + 1,) where each face's corners begin.
    centres: (M, 3) m. normals: (M, 3) unit, out of the car into the flow. areas: (M,) m².
    cp: (M,) as solved. cf: (M, 3) wall shear on the car over q.
    """

    points: np.ndarray
    corners: np.ndarray
    starts: np.ndarray
    centres: np.ndarray
    normals: np.ndarray
    areas: np.ndarray
    cp: np.ndarray
    cf: np.ndarray

    def __len__(self) -> int:
        return len(self.cp)

    @property
    def physical(self) -> np.ndarray:
        """(M,) bool: faces whose Cp can be believed."""
        return (self.cp >= PHYSICAL_CP[0]) & (self.cp <= PHYSICAL_CP[1])

    @property
    def believable_cp(self) -> np.ndarray:
        """(M,) Cp with what no flow can have clipped."""
        return np.clip(self.cp, *PHYSICAL_CP)

    def pressure_force(self, cp: np.ndarray) -> np.ndarray:
        """(3,) m²: pressure force over q of the faces that were solved."""
        return -(cp * self.areas) @ self.normals

    def friction_force(self) -> np.ndarray:
        """(3,) m²: friction force over q of the faces that were solved."""
        return self.areas @ self.cf


def read_surface(folder: Path, speed: float) -> SurfaceFlow:
    """The surface that postProcess sampled last. Raises DrivAerError where there is none.

    speed: m/s, for Cp and Cf; OpenFOAM's incompressible pressure and stress are per density already.
    """
    files = sorted(folder.glob("postProcessing/carSurface/*/car.vt[pk]"), key=lambda path: float(path.parent.name))
    if not files:
        raise DrivAerError("no surface was written", file=folder, fix="see log.postProcess there")
    surface = _read_vtk(files[-1])
    q = 0.5 * speed**2
    points, corners, starts = _polygons(surface)
    centres, vectors = polygon_faces(points, corners, starts)
    areas = np.linalg.norm(vectors, axis=1)
    arrays = surface.GetCellData()
    return SurfaceFlow(
        points=points,
        corners=corners,
        starts=starts,
        centres=centres,
        # A boundary face's normal points out of the mesh, that is into the car.
        normals=-vectors / np.maximum(areas, 1e-300)[:, None],
        areas=areas,
        cp=_array(arrays, "pMean", files[-1]).astype(np.float64) / q,
        # wallShearStress is the stress on the air.
        cf=-_array(arrays, "wallShearStressMean", files[-1]).astype(np.float64) / q,
    )


def _read_vtk(path: Path):
    from vtkmodules.vtkIOLegacy import vtkPolyDataReader
    from vtkmodules.vtkIOXML import vtkXMLPolyDataReader

    reader = vtkXMLPolyDataReader() if path.suffix == ".vtp" else vtkPolyDataReader()
    reader.SetFileName(str(path))
    if path.suffix == ".vtk":
        reader.ReadAllScalarsOn()
        reader.ReadAllVectorsOn()
        reader.ReadAllFieldsOn()
    reader.Update()
    surface = reader.GetOutput()
    if surface.GetNumberOfPolys() == 0:
        raise DrivAerError("has no faces: the mesh holds no car", file=path, fix="see log.snappyHexMesh in the case")
    return surface


def _array(arrays, name: str, path: Path) -> np.ndarray:
    from vtkmodules.util.numpy_support import vtk_to_numpy

    array = arrays.GetArray(name)
    if array is None:
        raise DrivAerError(f"lacks the field {name}", file=path, fix="see log.postProcess in the case")
    return vtk_to_numpy(array)


def _polygons(surface) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    from vtkmodules.util.numpy_support import vtk_to_numpy

    polys = surface.GetPolys()
    points = vtk_to_numpy(surface.GetPoints().GetData()).astype(np.float64)
    corners = vtk_to_numpy(polys.GetConnectivityArray()).astype(np.int64)
    starts = vtk_to_numpy(polys.GetOffsetsArray()).astype(np.int64)
    return points, corners, starts
