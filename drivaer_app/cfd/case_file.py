"""The files that a simulation leaves: the case file (.npz) that training reads, and a surface for ParaView (.vtp)."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np

from data.car import CarMesh
from data.corpora.case import COEFFICIENTS, CaseGeometry
from data.corpora.case_files import named_in_files, write_case
from data.load import sample_car
from data.replacing import replacing
from drivaer_app.cfd.read import SurfaceFlow
from drivaer_app.cfd.result import CaseResult
from drivaer_app.cfd.setup import VISCOSITY

_N_POINTS = 32768


def write_case_file(path: Path, result: CaseResult) -> None:
    """Write the case file, whole or not at all. Raises OSError."""
    setup, surface = result.setup, result.surface
    geometry = geometry_of(setup.car, surface, setup.domain.half, max_distance=1.5 * setup.surface_cell)
    write_case(path, meta(result), surface.cp, surface.cf, geometry=geometry)


def geometry_of(car: CarMesh, surface: SurfaceFlow, half: bool, max_distance: float) -> CaseGeometry:
    """Even points of a car with the CFD faces next to them. max_distance: m, between the two surfaces."""
    sample = sample_car(car, _N_POINTS)
    keep = sample.points[:, 1] >= 0 if half else slice(None)
    points, normals = (of[keep].astype(np.float64) for of in (sample.points, sample.normals))
    faces = surface.centres, surface.normals, surface.areas
    return CaseGeometry.with_nearest_faces(points, normals, *faces, half=half, max_distance=max_distance)


def meta(result: CaseResult) -> dict:
    """What the case file says in words and numbers."""
    setup = result.setup
    return {
        "name": result.folder.resolve().name,
        "base": setup.car.path.name if setup.car.path else None,
        **named_in_files({name: getattr(result, name) for name in COEFFICIENTS}),
        "Cl_std": result.cl_std,
        "Cd_artefact": result.cd_artefact,
        "frontal_area": setup.frontal_area,
        "settled": result.settled,
        "wheelbase": setup.axle_xs[1] - setup.axle_xs[0],
        "cells": result.mesh.n_cells,
        "wall_s": sum(result.seconds.values()),
        "conditions": {
            "U": setup.conditions.speed,
            "rho": setup.conditions.density,
            "nu": VISCOSITY,
            "moving_ground": setup.moving_ground,
            "rotating": [axle.name for axle in setup.axles],
        },
        "provenance": {
            "solver": result.solver,
            "turbulence": f"{setup.preset.schemes.model}, wall functions",
            "preset": setup.preset.name,
            "surface_cell_m": setup.surface_cell,
            "layers": asdict(setup.preset.layers),
            "schemes": asdict(setup.preset.schemes),
            "iterations": result.iterations,
            "window": result.window,
            "blockage": setup.domain.blockage,
            "fingerprint": setup.fingerprint(),
        },
        "warnings": list(result.warnings),
    }


def write_surface(path: Path, surface: SurfaceFlow) -> None:
    """The CFD mesh's faces with ``Cp`` and ``Cf`` as cell data, as .vtp."""
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonCore import vtkPoints
    from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData
    from vtkmodules.vtkIOXML import vtkXMLPolyDataWriter

    points = vtkPoints()
    points.SetData(numpy_to_vtk(np.ascontiguousarray(surface.points, np.float32), deep=True))
    cells = vtkCellArray()
    cells.SetData(numpy_to_vtk(surface.starts, deep=True), numpy_to_vtk(surface.corners, deep=True))
    poly = vtkPolyData()
    poly.SetPoints(points)
    poly.SetPolys(cells)
    for name, values in (("Cp", surface.cp), ("Cf", surface.cf)):
        array = numpy_to_vtk(np.ascontiguousarray(values, np.float32), deep=True)
        array.SetName(name)
        poly.GetCellData().AddArray(array)
    poly.GetCellData().SetActiveScalars("Cp")
    writer = vtkXMLPolyDataWriter()
    with replacing(path) as unfinished:
        unfinished.touch()
        writer.SetFileName(str(unfinished))
        writer.SetInputData(poly)
        if not writer.Write():
            raise OSError("VTK's writer failed; is the disk full?")
