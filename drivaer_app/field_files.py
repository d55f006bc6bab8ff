"""Writing a surface with Cp and Cf for other programs: ParaView (.vtp .vtu .vtk), MeshLab (.ply), tables, numpy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from data.errors import DrivAerError
from data.replacing import replacing
from drivaer_app.fields import SurfaceFields


def write_fields(path: str | Path, fields: SurfaceFields) -> None:
    """Write the surface with point arrays ``Cp``, ``Cf`` and ``Exposed`` (0 or 1) in the format of the suffix.

    Formats without vectors (.ply, .csv) have Cf as ``Cf_x``, ``Cf_y``, ``Cf_z``. A file of that name is replaced
    once the new one is complete. Raises DrivAerError for a suffix that is none of ``FIELD_SUFFIXES`` and where
    the file cannot be written.
    """
    path = Path(path)
    writer = _WRITERS.get(path.suffix.lower())
    if writer is None:
        raise DrivAerError("is no format that fields are written in", file=path, fix=f"use {' '.join(FIELD_SUFFIXES)}")
    with replacing(path) as unfinished:
        writer(unfinished, fields)


def _write_vtp(path: Path, fields: SurfaceFields) -> None:
    from vtkmodules.vtkIOXML import vtkXMLPolyDataWriter

    _write_xml(vtkXMLPolyDataWriter(), path, _poly_data(fields))


def _write_vtu(path: Path, fields: SurfaceFields) -> None:
    from vtkmodules.vtkCommonDataModel import VTK_TRIANGLE, VTK_VERTEX, vtkUnstructuredGrid
    from vtkmodules.vtkIOXML import vtkXMLUnstructuredGridWriter

    surface = _poly_data(fields)
    grid = vtkUnstructuredGrid()
    grid.SetPoints(surface.GetPoints())
    if len(fields.faces):
        grid.SetCells(VTK_TRIANGLE, surface.GetPolys())
    else:
        grid.SetCells(VTK_VERTEX, surface.GetVerts())
    grid.GetPointData().ShallowCopy(surface.GetPointData())
    _write_xml(vtkXMLUnstructuredGridWriter(), path, grid)


def _write_xml(writer, path: Path, data) -> None:
    writer.SetDataModeToAppended()
    writer.EncodeAppendedDataOff()
    writer.SetCompressorTypeToLZ4()  # a third of the size for a tenth of the time that zlib would take
    _run(writer, path, data)


def _write_vtk(path: Path, fields: SurfaceFields) -> None:
    from vtkmodules.vtkIOLegacy import vtkPolyDataWriter

    writer = vtkPolyDataWriter()
    writer.SetFileTypeToBinary()
    writer.SetFileVersion(42)  # the layout that every reader knows; 5.1 is VTK's own since 2020
    _run(writer, path, _poly_data(fields))


def _run(writer, path: Path, data) -> None:
    writer.SetFileName(str(path))
    writer.SetInputData(data)
    path.touch()  # VTK would only say that it could not; this raises the reason
    if not writer.Write() or writer.GetErrorCode():
        raise OSError(f"VTK's writer failed with error {writer.GetErrorCode()}; is the disk full?")


def _poly_data(fields: SurfaceFields):
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonCore import vtkPoints
    from vtkmodules.vtkCommonDataModel import vtkPolyData

    points = vtkPoints()
    points.SetData(numpy_to_vtk(np.ascontiguousarray(fields.vertices), deep=True))
    surface = vtkPolyData()
    surface.SetPoints(points)
    if len(fields.faces):
        surface.SetPolys(_cells(fields.faces))
    else:
        surface.SetVerts(_cells(np.arange(len(fields.vertices), dtype=np.int32)[:, None]))
    for name, values in _arrays(fields).items():
        array = numpy_to_vtk(np.ascontiguousarray(values), deep=True)
        array.SetName(name)
        surface.GetPointData().AddArray(array)
    surface.GetPointData().SetActiveScalars("Cp")
    return surface


def _cells(corners: np.ndarray):
    """(F, n) vertex numbers as VTK cells."""
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonDataModel import vtkCellArray

    cells = vtkCellArray()
    n = corners.shape[1]
    offsets = np.arange(0, corners.size + 1, n, dtype=np.int32)
    flat = np.ascontiguousarray(corners.ravel(), dtype=np.int32)
    cells.SetData(numpy_to_vtk(offsets, deep=True), numpy_to_vtk(flat, deep=True))
    return cells


def _arrays(fields: SurfaceFields) -> dict[str, np.ndarray]:
    return {"Cp": fields.cp, "Cf": fields.cf, "Exposed": fields.exposed.astype(np.uint8)}


def _write_ply(path: Path, fields: SurfaceFields) -> None:
    table = _table(fields)
    names = {"f4": "float", "f8": "double", "u1": "uchar"}
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {len(table)}"]
    header += [f"property {names[table.dtype[name].str[1:]]} {name}" for name in table.dtype.names]
    faces = np.empty(len(fields.faces), [("n", "u1"), ("corners", "<i4", 3)])
    faces["n"], faces["corners"] = 3, fields.faces
    if len(faces):
        header += [f"element face {len(faces)}", "property list uchar int vertex_indices"]
    with open(path, "wb") as file:
        file.write("\n".join([*header, "end_header", ""]).encode("ascii"))
        table.tofile(file)
        faces.tofile(file)


def _write_csv(path: Path, fields: SurfaceFields) -> None:
    table = _table(fields)
    place = "%.9g" if fields.vertices.dtype == np.float32 else "%.17g"
    row = ",".join([place] * 3 + ["%.6g"] * 4 + ["%d"]) + "\n"
    with open(path, "w", encoding="ascii", newline="") as file:
        file.write(",".join(table.dtype.names) + "\n")
        for start in range(0, len(table), 10_000):  # one % over many rows is several times faster than savetxt
            block = table[start : start + 10_000]
            file.write(row * len(block) % tuple(value for values in block.tolist() for value in values))


def _table(fields: SurfaceFields) -> np.ndarray:
    """(V,) structured array of x y z Cp Cf_x Cf_y Cf_z Exposed."""
    place = "<f4" if fields.vertices.dtype == np.float32 else "<f8"
    columns = [(name, place) for name in "xyz"] + [(name, "<f4") for name in ("Cp", "Cf_x", "Cf_y", "Cf_z")]
    table = np.empty(len(fields.vertices), [*columns, ("Exposed", "u1")])
    for axis, name in enumerate("xyz"):
        table[name] = fields.vertices[:, axis]
        table[f"Cf_{name}"] = fields.cf[:, axis]
    table["Cp"], table["Exposed"] = fields.cp, fields.exposed
    return table


def _write_npz(path: Path, fields: SurfaceFields) -> None:
    np.savez(path, vertices=fields.vertices, faces=fields.faces, **_arrays(fields))


_WRITERS: dict[str, Callable[[Path, SurfaceFields], None]] = {
    ".vtp": _write_vtp,
    ".vtu": _write_vtu,
    ".vtk": _write_vtk,
    ".ply": _write_ply,
    ".csv": _write_csv,
    ".npz": _write_npz,
}
FIELD_SUFFIXES: tuple[str, ...] = tuple(_WRITERS)
