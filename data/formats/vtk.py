"""VTK's own formats: legacy .vtk, and the XML files .vtp and .vtu. Of a volume mesh the boundary is taken.

VTK reads; this file keeps it away from what would end the process (impossible sizes, cells that refer to points
which are not there) and turns its messages into ours.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from data.formats.polygons import check_indices, triangulate
from data.formats.safe_xml import refuse_entities
from data.formats.source import Source
from data.mesh import RawMesh

_log = logging.getLogger(__name__)
_quiet_lock = threading.Lock()  # VTK's message window is one for the whole process

_MOST_PACKED = 1100  # zlib and LZ4 pack no tighter than that
_LEGACY_DATASETS = (b"POLYDATA", b"UNSTRUCTURED_GRID")
# Number of points of VTK's cell types; of the flat ones also which of them are corners, in order around the cell.
_FLAT = {5: (3, [0, 1, 2]), 8: (4, [0, 1, 3, 2]), 9: (4, [0, 1, 2, 3])}
_FLAT |= {22: (6, [0, 1, 2]), 23: (8, [0, 1, 2, 3]), 28: (9, [0, 1, 2, 3]), 34: (7, [0, 1, 2])}
_SOLID = {10: 4, 11: 8, 12: 8, 13: 6, 14: 5, 15: 10, 16: 12, 24: 10, 25: 20, 26: 15, 27: 13, 29: 27}
_POLYHEDRON, _POLYGON, _STRIP = 42, 7, 6
_THIN = {0, 1, 2, 3, 4, 21}  # points and lines: no surface


def read_legacy(source: Source) -> RawMesh:
    """``# vtk DataFile``, ASCII or binary."""
    data = source.data
    kind = re.search(rb"^\s*DATASET\s+(\w+)", data[:4096], re.MULTILINE | re.IGNORECASE)
    if not data.startswith(b"# vtk DataFile") or kind is None:
        raise source.error("is not a legacy VTK file, or truncated", "export it again")
    if kind.group(1).upper() not in _LEGACY_DATASETS:
        raise source.error(f"holds {kind.group(1).decode()}, not a surface", "extract its surface and save it as .vtp")
    data = _without_fields(data)
    _refuse_impossible_legacy(source, data)
    from vtkmodules.vtkIOLegacy import vtkPolyDataReader, vtkUnstructuredGridReader

    reader = vtkPolyDataReader() if kind.group(1).upper() == b"POLYDATA" else vtkUnstructuredGridReader()
    reader.ReadFromInputStringOn()
    reader.SetBinaryInputString(data, len(data))
    return _surface(source, _output(source, reader))


def _without_fields(data: bytes) -> bytes:
    """The geometry alone: fields on it may be large, and are of no use here."""
    fields = re.search(rb"\n(POINT_DATA|CELL_DATA)[ \t]+\d+[ \t]*\r?\n", data)
    return data[: fields.start()] + b"\n" if fields else data


def _refuse_impossible_legacy(source: Source, data: bytes) -> None:
    """Every number takes a byte at least; VTK would ask for the memory first."""
    sizes = re.finditer(
        rb"^(POINTS|CELLS|CELL_TYPES|POLYGONS|VERTICES|LINES|TRIANGLE_STRIPS|OFFSETS|CONNECTIVITY)"
        rb"[ \t]+(\d+)(?:[ \t]+(\d+))?",
        data,
        re.MULTILINE,
    )
    for match in sizes:
        promised = max(int(match.group(2)) * (3 if match.group(1) == b"POINTS" else 1), int(match.group(3) or 0))
        if promised > len(data):
            raise source.error(
                f"truncated or damaged VTK file: {match.group(1).decode()} promises {promised} numbers, "
                f"the file has {len(data)} bytes",
                "export or copy it again",
            )
    for match in re.finditer(rb"^\S+[ \t]+(\d+)[ \t]+(\d+)[ \t]+[a-z_]+[ \t]*\r?$", data, re.MULTILINE):
        if int(match.group(1)) * int(match.group(2)) > len(data):
            raise source.error("damaged VTK file: a field is larger than the file", "export or copy it again")


def read_polydata(source: Source) -> RawMesh:
    """``.vtp``; the file's own type decides, so a grid under this name is read too."""
    return _read_xml(source)


def read_unstructured(source: Source) -> RawMesh:
    """``.vtu``; the file's own type decides, so polydata under this name is read too."""
    return _read_xml(source)


def _read_xml(source: Source) -> RawMesh:
    head = re.search(rb"<VTKFile\b[^>]*?\btype\s*=\s*[\"'](\w+)[\"']", source.data[:65536])
    if head is None:
        raise source.error("is not a VTK XML file, or truncated: no <VTKFile type=...>", "export or copy it again")
    refuse_entities(source, source.data)
    _refuse_impossible_xml(source)
    from vtkmodules.vtkIOXML import vtkXMLPolyDataReader, vtkXMLUnstructuredGridReader

    readers = {b"PolyData": vtkXMLPolyDataReader, b"UnstructuredGrid": vtkXMLUnstructuredGridReader}
    if head.group(1) not in readers:
        raise source.error(f"holds {head.group(1).decode()}, not a surface", "extract its surface and save it as .vtp")
    reader = readers[head.group(1)]()
    reader.ReadFromInputStringOn()
    reader.SetInputString(source.data)
    with _quiet(source):
        reader.UpdateInformation()
        reader.GetPointDataArraySelection().DisableAllArrays()
        reader.GetCellDataArraySelection().DisableAllArrays()
    return _surface(source, _output(source, reader))


def _refuse_impossible_xml(source: Source) -> None:
    """Counts in the text must fit the file, packed as tightly as can be."""
    for match in re.finditer(
        rb"\bNumberOf(?:Points|Cells|Verts|Lines|Strips|Polys|Tuples)\s*=\s*[\"'](\d+)", source.data
    ):
        if int(match.group(1)) > len(source.data) * _MOST_PACKED // 4:
            raise source.error(
                f"truncated or damaged VTK file: it promises {match.group(1).decode()} entries in "
                f"{len(source.data)} bytes",
                "export or copy it again",
            )


@contextmanager
def _quiet(source: Source) -> Iterator[None]:
    """Keep VTK's messages off the terminal; raise MeshError with the first error among them."""
    from vtkmodules.vtkCommonCore import vtkLogger, vtkOutputWindow, vtkStringOutputWindow

    with _quiet_lock:
        before, window = vtkOutputWindow.GetInstance(), vtkStringOutputWindow()
        vtkOutputWindow.SetInstance(window)
        vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_OFF)
        try:
            yield
        finally:
            vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_INFO)
            vtkOutputWindow.SetInstance(before)
    text = window.GetOutput() or ""
    if text:
        _log.debug("VTK on %s: %s", source.path, text)
    error = re.search(r"ERROR: In.*?\):\s*(.+?)(?:\n\n|\n?$)", text, re.DOTALL)
    if error:
        reason = " ".join(error.group(1).split())
        raise source.error(f"truncated or damaged VTK file ({reason[:200]})", "export or copy it again")


def _output(source: Source, reader):
    with _quiet(source):
        reader.Update()
    dataset = reader.GetOutput()
    if dataset is None or dataset.GetNumberOfPoints() == 0:
        raise source.error("has no vertices", "export the surface again")
    return dataset


def _surface(source: Source, dataset) -> RawMesh:
    from vtkmodules.util.numpy_support import vtk_to_numpy

    vertices = vtk_to_numpy(dataset.GetPoints().GetData()).astype(np.float64)
    if dataset.IsA("vtkPolyData"):
        faces = _polydata_faces(source, dataset, vertices)
        if len(faces) == 0 and dataset.GetNumberOfLines():
            raise source.error("holds lines, not a surface", "export the surface")
        return RawMesh(vertices, faces, source.path)
    counts, corners = _cells(source, dataset.GetCells(), len(vertices))
    types = _cell_types(source, dataset, counts)
    if np.isin(types, [*_SOLID, _POLYHEDRON]).any():
        return _boundary(source, dataset, vertices)
    faces = _flat_faces(vertices, types, counts, corners)
    if len(faces) == 0:
        raise source.error("has no surface cells", "extract its surface and save it as .vtp")
    return RawMesh(vertices, faces, source.path)


def _cells(source: Source, cells, n_vertices: int) -> tuple[np.ndarray, np.ndarray]:
    """Points of each cell, and all of them in a row: checked, as VTK's filters do not."""
    offsets, corners = _whole_numbers(cells.GetOffsetsArray()), _whole_numbers(cells.GetConnectivityArray())
    if len(offsets) == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    counts = np.diff(offsets)
    if offsets[0] != 0 or offsets[-1] != len(corners) or (counts < 0).any():
        raise source.error("damaged VTK file: the offsets of its cells make no sense", "export or copy it again")
    check_indices(source, corners, n_vertices)
    return counts, corners


def _whole_numbers(array) -> np.ndarray:
    """(N,) int64 from any of VTK's ways to keep whole numbers."""
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkCommonCore import vtkIdTypeArray

    plain = vtkIdTypeArray()
    plain.DeepCopy(array)
    return vtk_to_numpy(plain).astype(np.int64).ravel()


def _polydata_faces(source: Source, dataset, vertices: np.ndarray) -> np.ndarray:
    counts, corners = _cells(source, dataset.GetPolys(), len(vertices))
    faces = triangulate(vertices, counts, corners)[0]
    strip_counts, strip_corners = _cells(source, dataset.GetStrips(), len(vertices))
    return np.concatenate([faces, _strips(strip_counts, strip_corners)]).astype(np.int32)


def _strips(counts: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Triangles (F, 3) of strips, every second one turned round."""
    n = np.maximum(counts - 2, 0)
    step = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
    first = np.repeat(np.cumsum(counts) - counts, n) + step
    odd = step % 2
    return np.stack([corners[first], corners[first + 1 + odd], corners[first + 2 - odd]], axis=1)


def _cell_types(source: Source, grid, counts: np.ndarray) -> np.ndarray:
    types = np.array([grid.GetCellType(i) for i in range(0)], dtype=np.int64)
    array = grid.GetCellTypesArray() if hasattr(grid, "GetCellTypesArray") else grid.GetCellTypes()
    if array is not None:
        types = _whole_numbers(array)
    if len(types) != len(counts):
        raise source.error(f"damaged VTK file: {len(counts)} cells but {len(types)} cell types", "export it again")
    sizes = {kind: n for kind, (n, _) in _FLAT.items()} | _SOLID
    for kind in np.unique(types).tolist():
        if kind not in sizes and kind not in _THIN and kind not in (_POLYGON, _STRIP, _POLYHEDRON):
            raise source.error(f"has cells of VTK type {kind}, which is not read", "extract its surface as .vtp")
        if kind in sizes and (counts[types == kind] != sizes[kind]).any():
            raise source.error(f"damaged VTK file: cells of type {kind} need {sizes[kind]} points", "export it again")
    return types


def _flat_faces(vertices: np.ndarray, types: np.ndarray, counts: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Triangles of all flat cells, in the order of the cells."""
    starts = np.cumsum(counts) - counts
    faces, owners = [np.zeros((0, 3), np.int32)], [np.zeros(0, np.int64)]
    for kind in np.unique(types).tolist():
        cells = np.flatnonzero(types == kind)
        if kind in _FLAT:
            ring = _FLAT[kind][1]
            found = triangulate(
                vertices, np.full(len(cells), len(ring)), corners[starts[cells][:, None] + ring].ravel()
            )
        elif kind in (_POLYGON, _STRIP):
            members = np.concatenate([np.arange(starts[c], starts[c] + counts[c]) for c in cells])
            if kind == _STRIP:
                found = (
                    _strips(counts[cells], corners[members]),
                    np.repeat(np.arange(len(cells)), np.maximum(counts[cells] - 2, 0)),
                )
            else:
                found = triangulate(vertices, counts[cells], corners[members])
        else:
            continue
        faces.append(found[0])
        owners.append(cells[found[1]])
    order = np.argsort(np.concatenate(owners), kind="stable")
    return np.concatenate(faces)[order].astype(np.int32)


def _boundary(source: Source, grid, vertices: np.ndarray) -> RawMesh:
    """Outer faces of a volume mesh; the vertices on it, in the file's order."""
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkFiltersGeometry import vtkGeometryFilter

    _check_polyhedra(source, grid, len(vertices))
    geometry = vtkGeometryFilter()
    geometry.SetInputData(grid)
    geometry.PassThroughPointIdsOn()
    geometry.SetOriginalPointIdsName("file_vertex")
    with _quiet(source):
        geometry.Update()
    surface = geometry.GetOutput()
    ids = surface.GetPointData().GetArray("file_vertex")
    if ids is None or surface.GetNumberOfPolys() == 0:
        raise source.error("its volume mesh has no boundary faces", "extract its surface and save it as .vtp")
    rows = vtk_to_numpy(ids).astype(np.int64)
    faces = rows[_polydata_faces(source, surface, vertices[rows])]
    kept, faces = np.unique(faces, return_inverse=True)
    warning = f"volume mesh: the {len(kept)} of {len(vertices)} vertices on its boundary were taken"
    return RawMesh(vertices[kept], faces.reshape(-1, 3).astype(np.int32), source.path, warnings=(warning,))


def _check_polyhedra(source: Source, grid, n_vertices: int) -> None:
    faces = grid.GetPolyhedronFaces() if hasattr(grid, "GetPolyhedronFaces") else None
    if faces is not None:
        counts, _ = _cells(source, faces, n_vertices)
        locations = grid.GetPolyhedronFaceLocations()
        if locations is not None:
            _cells(source, locations, len(counts))
