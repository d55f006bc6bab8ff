"""PLY, ASCII and binary of both byte orders: surfaces (any polygons, triangle strips) and point clouds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from data.formats.parsing import parse_numbers
from data.formats.polygons import check_indices, triangulate
from data.formats.source import Source
from data.mesh import RawMesh

_TYPES = {"char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4"}
_TYPES |= {"float": "f4", "double": "f8", "int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2"}
_TYPES |= {"int32": "i4", "uint32": "u4", "int64": "i8", "uint64": "u8", "float32": "f4", "float64": "f8"}
_ORDERS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}
_CORNER_LISTS = ("vertex_indices", "vertex_index")
_SURFACES = ("face", "tristrips")
_NAME_IT = "call the right one vertex_indices"


@dataclass(frozen=True)
class _Property:
    name: str
    type: str  # numpy code without byte order
    count_type: str | None  # of a list's length; None for a single value


@dataclass
class _Element:
    name: str
    n: int
    properties: list[_Property]


def read(source: Source) -> RawMesh:
    """The ``vertex`` element with ``face`` (or ``tristrips``); without faces a point cloud."""
    order, elements, body = _header(source)
    reader = _Ascii(source, body) if order == "" else _Binary(source, body, order)
    wanted: dict[str, tuple[str, ...]] = {"vertex": ("x", "y", "z", "nx", "ny", "nz")}
    wanted |= {element.name: _corner_list(source, element) for element in elements if element.name in _SURFACES}
    tables: dict[str, dict] = {}
    for element in elements:  # in file order; nothing after the last wanted one needs to be read
        tables[element.name] = reader.element(element, wanted.get(element.name, ()))
        if all(later.name not in wanted for later in elements[elements.index(element) + 1 :]):
            break
    mesh = _mesh(source, tables)
    passed = [e.name for e in elements if e.name not in wanted and e.n and any(p.count_type for p in e.properties)]
    if passed and mesh.is_point_cloud:
        names = ", ".join(passed)
        raise source.error(f"has no element 'face', and lists in {names}, which are not read", "export it again")
    return mesh


def _corner_list(source: Source, element: _Element) -> tuple[str, ...]:
    """The name of the list that holds a face's corners: the usual ones, else the only list of whole numbers."""
    lists = [p.name for p in element.properties if p.count_type is not None and not p.type.startswith("f")]
    usual = [name for name in lists if name in _CORNER_LISTS]
    if element.n and not lists:
        raise source.error(f"damaged PLY: '{element.name}' has no list of corners", "export it again")
    if len(usual or lists) > 1:
        raise source.error(f"'{element.name}' has several lists ({', '.join(lists)}): which are its corners?", _NAME_IT)
    return tuple(usual or lists)


def _header(source: Source) -> tuple[str, list[_Element], bytes]:
    data = source.data
    if not data.startswith((b"ply\n", b"ply\r")):
        raise source.error("is not a PLY file: the first line is not 'ply'", "export it again")
    end = data.find(b"end_header", 0, 2**20)
    line_end = data.find(b"\n", end) if b"\n" in data[:end] else data.find(b"\r", end)
    if end < 0 or line_end < 0:
        raise source.error("truncated PLY: the header has no 'end_header' line", "export or copy it again")
    order, elements = None, []
    for line in data[:end].decode("ascii", "replace").splitlines():
        words = line.split()
        if words[:1] == ["format"]:
            order = _ORDERS.get(words[1] if len(words) > 1 else "")
        elif words[:1] == ["element"]:
            elements.append(_element(source, words))
        elif words[:1] == ["property"]:
            if not elements:
                raise source.error("damaged PLY header: a property before any element", "export it again")
            elements[-1].properties.append(_property(source, words))
    if order is None:
        raise source.error("damaged PLY header: no known 'format' line", "export it again")
    return order, elements, data[line_end + 1 :]


def _element(source: Source, words: list[str]) -> _Element:
    if len(words) != 3 or not words[2].isdecimal():
        raise source.error(f"damaged PLY header: '{' '.join(words)}'", "export it again")
    return _Element(words[1], int(words[2]), [])


def _property(source: Source, words: list[str]) -> _Property:
    is_list = words[1:2] == ["list"]
    types = words[2:4] if is_list else words[1:2]
    if (
        len(words) != (5 if is_list else 3)
        or any(name not in _TYPES for name in types)
        or (is_list and _TYPES[types[0]].startswith("f"))
    ):
        raise source.error(f"damaged PLY header: '{' '.join(words)}'", "export it again")
    return _Property(words[-1], _TYPES[types[-1]], _TYPES[types[0]] if is_list else None)


def _too_short(source: Source, element: _Element):
    return source.error(
        f"truncated PLY: the header promises {element.n} of '{element.name}', the file ends before", "copy it again"
    )


class _Binary:
    """Reads one element after the other from a binary body."""

    def __init__(self, source: Source, body: bytes, order: str):
        self.source, self.body, self.order, self.at = source, body, order, 0

    def element(self, element: _Element, wanted: tuple[str, ...]) -> dict:
        if not element.properties or element.n == 0:
            return {}
        if all(p.count_type is None for p in element.properties):
            return self._rows(element, {}, wanted)
        return self._lists(element, wanted)

    def _rows(self, element: _Element, lengths: dict[str, int], wanted: tuple[str, ...]) -> dict:
        """Rows of one size, each list having the same length in every row."""
        fields: list[Any] = []
        for i, p in enumerate(element.properties):  # numbered: two properties may share a name
            if p.count_type is not None:
                fields.append((f"n{i}", self.order + p.count_type))
                fields.append((f"v{i}", self.order + p.type, (lengths[p.name],)))
            else:
                fields.append((f"v{i}", self.order + p.type))
        row = np.dtype(fields)
        if element.n * row.itemsize > len(self.body) - self.at:
            raise _UnevenLists if lengths else _too_short(self.source, element)
        rows = np.frombuffer(self.body, row, element.n, self.at)
        table = {}
        for i, p in enumerate(element.properties):
            if p.count_type is not None and (rows[f"n{i}"] != lengths[p.name]).any():
                raise _UnevenLists
            if p.name in wanted:
                values = rows[f"v{i}"]
                is_list = p.count_type is not None
                counts = np.full(element.n, lengths[p.name]) if is_list else None
                table[p.name] = (counts, values.ravel()) if is_list else values
        self.at += element.n * row.itemsize
        return table

    def _lists(self, element: _Element, wanted: tuple[str, ...]) -> dict:
        """The fast way when every list is as long as in the first row, else row by row."""
        try:
            return self._rows(element, self._first_lengths(element), wanted)
        except _UnevenLists:
            return self._uneven(element, wanted)

    def _first_lengths(self, element: _Element) -> dict[str, int]:
        at, lengths = self.at, {}
        for p in element.properties:
            n = 1
            if p.count_type is not None:
                n = lengths[p.name] = self._integer(at, p.count_type, element)
                at += np.dtype(p.count_type).itemsize
            at += n * np.dtype(p.type).itemsize
        return lengths

    def _integer(self, at: int, code: str, element: _Element) -> int:
        size = np.dtype(code).itemsize
        if at + size > len(self.body):
            raise _too_short(self.source, element)
        value = int(np.frombuffer(self.body, self.order + code, 1, at)[0])
        if value < 0 or value > len(self.body):
            raise self.source.error(f"damaged PLY: a list of {value} entries in '{element.name}'", "export it again")
        return value

    def _uneven(self, element: _Element, wanted: tuple[str, ...]) -> dict:
        if element.n > len(self.body) - self.at:  # every row takes at least a byte
            raise _too_short(self.source, element)
        counts: dict[str, list[int]] = {p.name: [] for p in element.properties if p.name in wanted}
        pieces: dict[str, list[bytes]] = {name: [] for name in counts}
        plan = [(p, self._unpacker(p), np.dtype(p.type).itemsize) for p in element.properties]
        at, end, body = self.at, len(self.body), self.body
        for _ in range(element.n):
            for p, (count_size, signed, byte_order), size in plan:
                n = 1
                if count_size:
                    n = int.from_bytes(body[at : at + count_size], byte_order, signed=signed)
                    at += count_size
                stop = at + n * size
                if n < 0 or stop > end:
                    raise _too_short(self.source, element)
                if p.name in pieces:
                    counts[p.name].append(n)
                    pieces[p.name].append(body[at:stop])
                at = stop
        self.at = at
        table = {}
        for p in element.properties:
            if p.name in pieces:
                values = np.frombuffer(b"".join(pieces[p.name]), self.order + p.type)
                table[p.name] = (np.array(counts[p.name]), values) if p.count_type else values
        return table

    def _unpacker(self, p: _Property) -> tuple[int, bool, Literal["big", "little"]]:
        size = np.dtype(p.count_type).itemsize if p.count_type else 0
        return size, (p.count_type or "").startswith("i"), "big" if self.order == ">" else "little"


class _UnevenLists(Exception):
    """The lists of an element differ in length, so its rows do too."""


class _Ascii:
    """Reads one element after the other from a text body, one row a line."""

    def __init__(self, source: Source, body: bytes):
        self.source = source
        self.lines = [line for line in body.splitlines() if line.strip()]
        self.at = 0

    def element(self, element: _Element, wanted: tuple[str, ...]) -> dict:
        if not element.properties or element.n == 0:
            return {}
        if self.at + element.n > len(self.lines):
            raise _too_short(self.source, element)
        lines = self.lines[self.at : self.at + element.n]
        self.at += element.n
        if not wanted:
            return {}
        if all(p.count_type is None for p in element.properties):
            return self._rows(element, lines, wanted)
        return self._lists(element, lines, wanted)

    def _rows(self, element: _Element, lines: list[bytes], wanted: tuple[str, ...]) -> dict:
        width = len(element.properties)
        if set(map(len, map(bytes.split, lines))) != {width}:
            raise self.source.error(f"damaged PLY: '{element.name}' needs {width} numbers a line", "export it again")
        rows = parse_numbers(self.source, b" ".join(lines), element.name).reshape(element.n, width)
        return {p.name: rows[:, i] for i, p in enumerate(element.properties) if p.name in wanted}

    def _lists(self, element: _Element, lines: list[bytes], wanted: tuple[str, ...]) -> dict:
        widths = set(map(len, map(bytes.split, lines)))
        if len(widths) == 1 and (table := self._even_lists(element, lines, widths.pop(), wanted)) is not None:
            return table
        counts: dict[str, list[int]] = {p.name: [] for p in element.properties if p.name in wanted}
        words_of: dict[str, list[bytes]] = {name: [] for name in counts}
        for line in lines:
            words, at = line.split(), 0
            for p in element.properties:
                n = 1
                if p.count_type is not None:
                    n = int(words[at]) if at < len(words) and words[at].isdigit() else len(words)
                    at += 1
                if at + n > len(words):
                    raise self.source.error(f"damaged PLY: a line of '{element.name}' is cut short", "export it again")
                if p.name in counts:
                    counts[p.name].append(n)
                    words_of[p.name] += words[at : at + n]
                at += n
        table = {}
        for p in element.properties:
            if p.name in words_of:
                values = parse_numbers(self.source, b" ".join(words_of[p.name]), element.name)
                table[p.name] = (np.array(counts[p.name], dtype=np.int64), values) if p.count_type else values
        return table

    def _even_lists(self, element: _Element, lines: list[bytes], width: int, wanted: tuple[str, ...]) -> dict | None:
        """The common case of a triangle mesh: each list as long on every line; None where they are not."""
        rows = parse_numbers(self.source, b" ".join(lines), element.name).reshape(element.n, width)
        table, at = {}, 0
        for p in element.properties:
            n = 1
            if p.count_type is not None:
                if at >= width or not 0 <= rows[0, at] <= width or (rows[:, at] != rows[0, at]).any():
                    return None
                n = int(rows[0, at])
                at += 1
            if at + n > width:
                return None
            if p.name in wanted:
                values = rows[:, at : at + n].ravel()
                table[p.name] = (np.full(element.n, n), values) if p.count_type else values
            at += n
        return table


def _mesh(source: Source, tables: dict[str, dict]) -> RawMesh:
    vertex = tables.get("vertex", {})
    if not all(axis in vertex for axis in "xyz"):
        raise source.error("has no vertices", "export the surface again")
    vertices = np.stack([np.asarray(vertex[axis], dtype=np.float64) for axis in "xyz"], axis=1)
    normals = None
    if all(axis in vertex for axis in ("nx", "ny", "nz")):
        normals = np.stack([np.asarray(vertex[axis], dtype=np.float32) for axis in ("nx", "ny", "nz")], axis=1)
    counts, corners = _polygons(source, tables)
    check_indices(source, corners, len(vertices))
    faces, _ = triangulate(vertices, counts, corners)
    return RawMesh(vertices, faces, source.path, normals=normals if len(faces) == 0 else None)


def _polygons(source: Source, tables: dict[str, dict]) -> tuple[np.ndarray, np.ndarray]:
    for element in _SURFACES:
        for lists in tables.get(element, {}).values():
            counts, corners = lists
            if corners.dtype.kind == "f" and not (corners == np.trunc(corners)).all():
                raise source.error("a face corner is not a whole number", "export it again")
            corners = corners.astype(np.int64)
            return (counts, corners) if element == "face" else _strips(counts, corners)
    return np.zeros(0, np.int64), np.zeros(0, np.int64)


def _strips(counts: np.ndarray, corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Triangle strips, with -1 between two strips, as triangles of alternating winding."""
    ends = np.zeros(len(corners) + 1, dtype=bool)
    ends[np.cumsum(counts)] = True
    triangles = []
    for piece in np.split(corners, np.flatnonzero(ends[:-1])):
        for strip in np.split(piece, np.flatnonzero(piece == -1)):
            strip = strip[strip != -1]
            rows = np.stack([strip[:-2], strip[1:-1], strip[2:]], axis=1) if len(strip) > 2 else np.zeros((0, 3), int)
            rows[1::2] = rows[1::2, ::-1]
            triangles.append(rows)
    faces = np.concatenate(triangles)
    return np.full(len(faces), 3), faces.ravel()
