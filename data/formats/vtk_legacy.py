"""Legacy VTK files (.vtk): POLYDATA and UNSTRUCTURED_GRID, ASCII and binary, old cell lists and those of version 5.

Own reader on numpy: VTK's asks for the memory that a damaged count promises, which ends the process.
Format: https://docs.vtk.org/en/latest/vtk_file_formats/vtk_legacy_file_format.html
"""

from __future__ import annotations

import re
from urllib.parse import unquote

import numpy as np

from data.formats.parsing import parse_numbers
from data.formats.source import Source
from data.formats.vtk_cells import Ghosts, Polygons, grid_mesh, polydata_mesh, polygons_of, without_hidden
from data.mesh import RawMesh

_TYPES = {"char": "i1", "unsigned_char": "u1", "short": "i2", "unsigned_short": "u2", "int": "i4", "float": "f4"}
_TYPES |= {"unsigned_int": "u4", "long": "i8", "unsigned_long": "u8", "double": "f8", "vtkidtype": "i4"}
_TYPES |= {"vtktypeint32": "i4", "vtktypeint64": "i8", "vtktypeuint32": "u4", "vtktypeuint64": "u8"}
_KEYWORD = re.compile(rb"\n[ \t]*[A-Z][A-Z_]{3,}")
_POLYDATA = ("VERTICES", "LINES", "POLYGONS", "TRIANGLE_STRIPS")  # in the order that VTK numbers cells in
_CELLS = (*_POLYDATA, "CELLS")
_NEXT_LINE_OF_WORDS = re.compile(rb"\n[ \t]*(?!nan\b|inf\b)[A-Za-z_]", re.IGNORECASE)
_VECTORS = {"VECTORS": 3, "NORMALS": 3, "TENSORS": 9, "TENSORS6": 6}


def read(source: Source) -> RawMesh:
    """The geometry; what lies on it (POINT_DATA, CELL_DATA) is for `attributes`."""
    reader = Reader(source)
    kind, sections = reader.sections()
    return surface_of(source, kind, sections, _ghosts(reader))


def _ghosts(reader: Reader) -> Ghosts:
    if b"vtkGhostType" not in reader.data:
        return Ghosts()
    on_points, on_cells = attributes(reader)
    flags = (values.get("vtkGhostType") for values in (on_cells, on_points))
    return Ghosts(*(None if array is None else array.astype(np.uint8) for array in flags))


def surface_of(source: Source, kind: str, sections: dict, ghosts: Ghosts | None = None) -> RawMesh:
    """The mesh of a file's sections; without the cells that ghosts hide."""
    if "POINTS" not in sections:
        raise source.error("has no POINTS", "export it again")
    ghosts = ghosts or Ghosts()
    vertices = sections["POINTS"].reshape(-1, 3)
    none = Polygons.join([])
    cells = {name: none for name in _CELLS}
    for name in _CELLS:
        if name in sections:
            counts, corners = sections[name]
            cells[name] = polygons_of(source, counts, corners, len(vertices))
    names = _POLYDATA if kind == "POLYDATA" else ("CELLS",)
    n_cells = [len(cells[name].counts) for name in names]
    ghosts.check(source, sum(n_cells), len(vertices))
    if kind != "POLYDATA":
        keep = ghosts.which(cells["CELLS"])
        types = sections.get("CELL_TYPES", np.zeros(0, np.int64))
        if len(types) != n_cells[0]:
            raise source.error(f"damaged VTK file: {n_cells[0]} cells but {len(types)} cell types", "export it again")
        mesh = grid_mesh(source, vertices, types[keep], cells["CELLS"].take(keep))
        return without_hidden(mesh, n_cells[0], len(keep))
    polygons = ghosts.seen(cells["POLYGONS"], sum(n_cells[:2]))
    strips = ghosts.seen(cells["TRIANGLE_STRIPS"], sum(n_cells[:3]))
    mesh = polydata_mesh(source, vertices, polygons, strips, n_cells[1])
    return without_hidden(mesh, sum(n_cells[2:]), len(polygons.counts) + len(strips.counts))


class Reader:
    """Goes through the file from one keyword to the next. attributes: the words that data on the mesh begin with."""

    def __init__(self, source: Source):
        self.source, self.data, self.at = source, source.data, 0
        self.attributes: list[str] = []

    def damaged(self, what: str) -> Exception:
        return self.source.error(f"truncated or damaged VTK file: {what}", "export or copy it again")

    def line(self) -> list[str] | None:
        """Words of the next line that is not blank; None at the end."""
        while self.at < len(self.data):
            end = self.data.find(b"\n", self.at)
            end = len(self.data) if end < 0 else end
            words = self.data[self.at : min(end, self.at + 1000)].decode("ascii", "replace").split()
            self.at = end + 1
            if words:
                return words
        return None

    def sections(self) -> tuple[str, dict]:
        """Kind of dataset, and its arrays by keyword: cells as (counts, corners)."""
        if not self.data.startswith(b"# vtk DataFile"):
            raise self.source.error("is not a legacy VTK file", "export it again")
        self.line()
        self.at = self.data.find(b"\n", self.at) + 1  # the title, which may be blank
        form = (self.line() or [""])[0].upper()
        words = self.line() or [""]
        if form not in ("ASCII", "BINARY") or words[0].upper() != "DATASET" or len(words) < 2:
            raise self.damaged("no ASCII or BINARY, or no DATASET line")
        self.binary, kind = form == "BINARY", words[1].upper()
        if kind not in ("POLYDATA", "UNSTRUCTURED_GRID"):
            raise self.source.error(f"holds {kind[:40]}, not a surface", "extract its surface and save it as .vtp")
        sections: dict = {}
        while line := self.line():
            keyword = line[0].upper()
            if keyword in ("POINT_DATA", "CELL_DATA"):
                self.attributes = line
                break
            self._section(keyword, line, sections)
        return kind, sections

    def _section(self, keyword: str, words: list[str], sections: dict) -> None:
        if keyword == "POINTS":
            sections[keyword] = self.numbers(3 * self.count(words, 1), self.type(words, 2)).astype(np.float64)
        elif keyword in _CELLS:
            sections[keyword] = self._cells(self.count(words, 1), self.count(words, 2))
        elif keyword == "CELL_TYPES":
            sections[keyword] = self.numbers(self.count(words, 1), "i4").astype(np.int64)
        elif keyword == "METADATA":
            self.skip_metadata()
        elif keyword == "FIELD":
            for _ in range(self.count(words, 2)):
                self._skip_field()
        else:
            raise self.damaged(f"'{' '.join(words)[:40]}' where a keyword should be")

    def count(self, words: list[str], place: int) -> int:
        if len(words) <= place or not words[place].isdecimal():
            raise self.damaged(f"no number in '{' '.join(words)[:40]}'")
        return int(words[place])

    def type(self, words: list[str], place: int) -> str:
        name = words[place].lower() if len(words) > place else ""
        if name not in _TYPES:
            raise self.damaged(f"no known type in '{' '.join(words)[:40]}'")
        return _TYPES[name]

    def numbers(self, n: int, code: str, *, until: re.Pattern[bytes] = _KEYWORD) -> np.ndarray:
        """The next ``n`` numbers; in ASCII all up to what ``until`` finds."""
        size = n * np.dtype(code).itemsize if self.binary else n
        if size > len(self.data) - self.at:
            raise self.damaged(f"{n} numbers promised, found {max(len(self.data) - self.at, 0)} bytes")
        if self.binary:
            values = np.frombuffer(self.data, ">" + code, n, self.at)
            self.at += size
            return values
        end = until.search(self.data, max(self.at - 1, 0))
        stop = end.start() if end else len(self.data)
        dtype = np.float64 if code.startswith("f") else np.int64
        values = parse_numbers(self.source, self.data[self.at : stop], "VTK file's numbers", dtype)
        if len(values) != n:
            raise self.damaged(f"{n} numbers promised, found {len(values)}")
        self.at = stop
        return values

    def _cells(self, n: int, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Points of each cell, and all of them in a row."""
        before, words = self.at, self.line() or [""]
        if words[0].upper() == "OFFSETS":  # version 5: n is one more than the number of cells
            offsets = self.numbers(n, self.type(words, 1)).astype(np.int64)
            words = self.line() or [""]
            if words[0].upper() != "CONNECTIVITY":
                raise self.damaged("OFFSETS without CONNECTIVITY")
            corners = self.numbers(size, self.type(words, 1)).astype(np.int64)
            if n and (offsets[0] != 0 or (np.diff(offsets) < 0).any()):
                raise self.damaged("the offsets of its cells make no sense")
            return np.diff(offsets), corners
        self.at = before
        return self._old_cells(self.numbers(size, "i4").astype(np.int64), n)

    def _old_cells(self, numbers: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
        """From runs of a count and so many corners."""
        if n and len(numbers) % n == 0:
            rows = numbers.reshape(n, -1)
            if rows.shape[1] and (rows[:, 0] == rows.shape[1] - 1).all():
                return rows[:, 0], rows[:, 1:].ravel()
        starts, at, values = [], 0, numbers.tolist()
        while at < len(values):
            if values[at] < 0:
                raise self.damaged("a cell with fewer than no points")
            starts.append(at)
            at += values[at] + 1
        if len(starts) != n or at != len(values):
            raise self.damaged(f"{n} cells promised, found {len(starts)}")
        return numbers[starts], np.delete(numbers, starts)

    def skip_metadata(self) -> None:
        end = re.compile(rb"\n[ \t]*\r?\n").search(self.data, max(self.at - 1, 0))
        self.at = end.end() if end else len(self.data)

    def _skip_field(self) -> None:
        words = self.line() or [""]
        if words[0].upper() == "METADATA":
            self.skip_metadata()
            words = self.line() or [""]
        n = self.count(words, 1) * self.count(words, 2)
        if self.binary:
            self.numbers(n, self.type(words, 3))
            return
        for _ in range(n):
            word = re.compile(rb"\s*\S+").match(self.data, self.at)
            if word is None:
                raise self.damaged("a field is cut short")
            self.at = word.end()


def attributes(reader: Reader) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Arrays on points and on cells, by name."""
    found: dict[str, dict[str, np.ndarray]] = {"POINT_DATA": {}, "CELL_DATA": {}}
    words: list[str] | None = reader.attributes
    here, n = found["POINT_DATA"], 0
    while words:
        keyword = words[0].upper()
        if keyword in found:
            here, n = found[keyword], reader.count(words, 1)
        elif keyword == "SCALARS":
            words = _scalars(reader, words, n, here)
            continue
        elif keyword in _VECTORS:
            here[_name(words)] = _array(reader, n, _VECTORS[keyword], reader.type(words, 2))
        elif keyword == "TEXTURE_COORDINATES":
            here[_name(words)] = _array(reader, n, reader.count(words, 2), reader.type(words, 3))
        elif keyword == "COLOR_SCALARS":
            colours = _array(reader, n, reader.count(words, 2), "u1" if reader.binary else "f4")
            if _name(words) == "vtkGhostType":  # VTK writes any bytes so; in ASCII as shares of 255
                here[_name(words)] = colours if reader.binary else np.round(255 * colours)
        elif keyword == "LOOKUP_TABLE":
            _array(reader, reader.count(words, 2), 4, "u1" if reader.binary else "f4")
        elif keyword == "METADATA":
            reader.skip_metadata()
        elif keyword == "FIELD":
            _field(reader, reader.count(words, 2), here)
        else:
            raise reader.damaged(f"'{' '.join(words)[:40]}' where an array should be")
        words = reader.line()
    return found["POINT_DATA"], found["CELL_DATA"]


def _scalars(reader: Reader, words: list[str], n: int, here: dict[str, np.ndarray]) -> list[str] | None:
    """One SCALARS array; returns the words that follow it."""
    width = reader.count(words, 3) if len(words) > 3 else 1
    before, following = reader.at, reader.line() or [""]
    if following[0].upper() != "LOOKUP_TABLE":
        reader.at = before
    here[_name(words)] = _array(reader, n, width, reader.type(words, 2))
    return reader.line()


def _field(reader: Reader, n_arrays: int, here: dict[str, np.ndarray]) -> None:
    for _ in range(n_arrays):
        words = reader.line() or [""]
        while words[0].upper() == "METADATA":
            reader.skip_metadata()
            words = reader.line() or [""]
        width, n = reader.count(words, 1), reader.count(words, 2)
        if len(words) > 3 and words[3].lower() == "string":
            raise reader.damaged("an array of texts, which is not read")
        here[unquote(words[0])] = _array(reader, n, width, reader.type(words, 3))


def _array(reader: Reader, n: int, width: int, code: str) -> np.ndarray:
    values = reader.numbers(n * width, code, until=_NEXT_LINE_OF_WORDS).astype(np.float64)
    return values if width == 1 else values.reshape(n, width)


def _name(words: list[str]) -> str:
    return unquote(words[1]) if len(words) > 1 else ""
