"""The files that a simulation leaves: the case file (.npz) that training reads, and a surface for ParaView (.vtp).

The case file is the corpus's format. Where a surface is too large for its 16-bit numbers (more than 65,534 faces, a
vehicle longer than 6.5 m) the same arrays have 32 bits.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from data.load import sample_car
from data.nearest import nearest_faces
from data.replacing import replacing
from drivaer_app.cfd.read import SurfaceFlow
from drivaer_app.cfd.result import CaseResult
from drivaer_app.cfd.setup import VISCOSITY, CaseSetup

_STEP = 1e-4  # m
_N_POINTS = 32768


def write_case_file(path: Path, result: CaseResult) -> None:
    """Write the case file, whole or not at all. Raises DrivAerError where it cannot be."""
    points, normals = _sample(result.setup)
    write_arrays(path, result.surface, points, normals, 1.5 * result.setup.surface_cell, meta(result))


def write_arrays(
    path: Path, surface: SurfaceFlow, points: np.ndarray, normals: np.ndarray, reach: float, told: dict
) -> None:
    """Write a case file of any origin: points, normals (N, 3) of the true surface; told: what `meta` tells."""
    face = nearest_faces(surface.centres, surface.normals, points, normals, reach=reach)
    both = np.concatenate([points, surface.centres])
    offset = np.floor(both.min(axis=0) / _STEP) * _STEP
    place = np.uint16 if np.ptp(both, axis=0).max() < 65535 * _STEP else np.uint32
    number = np.uint16 if len(surface) < 65535 else np.uint32
    arrays = {
        "points": np.round((points - offset) / _STEP).astype(place),
        "normals": _bytes(normals),
        "point_face": np.where(face < 0, np.iinfo(number).max, face).astype(number),
        "face_centers": np.round((surface.centres - offset) / _STEP).astype(place),
        "face_normals": _bytes(surface.normals),
        "face_area": (1e4 * surface.areas).astype(np.float16),
        "face_cp": np.clip(surface.cp, -6e4, 6e4).astype(np.float16),
        "face_cf": surface.cf.astype(np.float16),
        "offset": offset.astype(np.float64),
        "meta": json.dumps(told),
    }
    with replacing(path) as unfinished:
        np.savez_compressed(unfinished, **arrays)


def meta(result: CaseResult) -> dict:
    """What the case file says in words and numbers."""
    setup = result.setup
    return {
        "name": result.folder.resolve().name,
        "base": setup.car.path.name if setup.car.path else None,
        "Cd": result.cd,
        "Cd_std": result.cd_std,
        "Cl": result.cl,
        "Cl_std": result.cl_std,
        "Clf": result.clf,
        "Clr": result.clr,
        "Cd_pressure": result.cd_pressure,
        "Cd_friction": result.cd_friction,
        "Cd_artefact": result.cd_artefact,
        "frontal_area": setup.frontal_area,
        "settled": result.settled,
        "half": setup.domain.half,
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


def _sample(setup: CaseSetup) -> tuple[np.ndarray, np.ndarray]:
    sample = sample_car(setup.car, _N_POINTS)
    keep = sample.points[:, 1] >= 0 if setup.domain.half else slice(None)
    return sample.points[keep].astype(np.float64), sample.normals[keep].astype(np.float64)


def _bytes(normals: np.ndarray) -> np.ndarray:
    return np.round(127 * normals).astype(np.int8)


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
