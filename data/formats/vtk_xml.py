"""VTK's XML files .vtp and .vtu: text, base64 or raw arrays, uncompressed or packed by zlib, LZMA or LZ4.

Own reader on lxml and numpy: VTK's ends the process (std::bad_alloc) on some damaged files, prints its errors to the
terminal, and reads all the fields, which are of no use here. Format: https://docs.vtk.org/en/latest/vtk_file_formats
"""

from __future__ import annotations

import base64
import binascii
import lzma
import re
import zlib

import numpy as np

from data.formats.parsing import parse_numbers
from data.formats.safe_xml import parse_xml, refuse_entities
from data.formats.source import Source
from data.formats.vtk_cells import Ghosts, Polygons, grid_mesh, polydata_mesh, polygons_of, without_hidden
from data.mesh import RawMesh

_TYPES = {"Int8": "i1", "UInt8": "u1", "Int16": "i2", "UInt16": "u2", "Int32": "i4", "UInt32": "u4"}
_TYPES |= {"Int64": "i8", "UInt64": "u8", "Float32": "f4", "Float64": "f8"}
_GHOSTS = "vtkGhostType"
_KINDS = ("PolyData", "UnstructuredGrid")


def read(source: Source) -> RawMesh:
    """All pieces. The file's own type decides, not .vtp or .vtu."""
    file = _File(source)
    pieces = list(file.root.iterfind(f"{{*}}{file.kind}/{{*}}Piece"))
    meshes = [file.polydata(piece) if file.kind == "PolyData" else file.grid(piece) for piece in pieces]
    if len(meshes) == 1:
        return meshes[0]
    if not meshes:
        raise source.error("holds no pieces", "export it again")
    first = np.cumsum([0] + [len(mesh.vertices) for mesh in meshes])
    return RawMesh(
        np.concatenate([mesh.vertices for mesh in meshes]),
        np.concatenate([mesh.faces + np.int32(n) for mesh, n in zip(meshes, first, strict=False)]),
        source.path,
        warnings=tuple(warning for mesh in meshes for warning in mesh.warnings),
    )


class _File:
    """The XML tree and the appended data behind it."""

    def __init__(self, source: Source):
        self.source = source
        refuse_entities(source, source.data)
        text, mark, tail = source.data.partition(b"<AppendedData")
        self.root = parse_xml(source, text + b"</VTKFile>" if mark else text, "VTK file")
        self.kind = self.root.get("type", "")
        if not str(self.root.tag).endswith("VTKFile") or self.kind not in _KINDS:
            what = f"holds {self.kind}, not a surface" if self.kind else "is not a VTK XML file"
            raise source.error(what, "extract the surface and save it as .vtp")
        self.order = ">" if self.root.get("byte_order") == "BigEndian" else "<"
        self.header = np.dtype(self.order + ("u8" if self.root.get("header_type") == "UInt64" else "u4"))
        self.compressor = self.root.get("compressor", "")
        attributes, _, data = tail.partition(b">")
        self.raw = re.search(rb"encoding\s*=\s*[\"']raw", attributes) is not None
        self.appended = data.partition(b"_")[2]  # an underscore marks the first byte

    def _damaged(self, what: str) -> Exception:
        return self.source.error(f"truncated or damaged VTK file: {what}", "export or copy it again")

    # pieces ----------------------------------------------------------------------------------------------------

    def _vertices(self, piece) -> np.ndarray:
        points = self._array(piece.find("{*}Points/{*}DataArray"), "points").astype(np.float64)
        n = int(piece.get("NumberOfPoints", "-1"))
        if n * 3 != len(points):
            raise self._damaged(f"{n} points promised, found {len(points) / 3:.0f}")
        return points.reshape(-1, 3)

    def polydata(self, piece) -> RawMesh:
        vertices = self._vertices(piece)
        n_lines = int(piece.get("NumberOfLines", "0"))
        polygons = self._cells(piece.find("{*}Polys"), len(vertices), int(piece.get("NumberOfPolys", "0")))
        strips = self._cells(piece.find("{*}Strips"), len(vertices), int(piece.get("NumberOfStrips", "0")))
        n_cells, first = len(polygons.counts) + len(strips.counts), int(piece.get("NumberOfVerts", "0")) + n_lines
        ghosts = self._ghosts(piece, first + n_cells, len(vertices))
        strips = ghosts.seen(strips, first + len(polygons.counts))
        polygons = ghosts.seen(polygons, first)
        mesh = polydata_mesh(self.source, vertices, polygons, strips, n_lines)
        left = len(polygons.counts) + len(strips.counts)
        return without_hidden(mesh, n_cells, left)

    def grid(self, piece) -> RawMesh:
        vertices = self._vertices(piece)
        element = piece.find("{*}Cells")
        cells = self._cells(element, len(vertices), int(piece.get("NumberOfCells", "0")))
        types = self._named(element, "types").astype(np.int64) if len(cells.counts) else np.zeros(0, np.int64)
        ghosts = self._ghosts(piece, len(cells.counts), len(vertices))
        keep = ghosts.which(cells)
        mesh = grid_mesh(self.source, vertices, types[keep], cells.take(keep), self._polyhedra(element, len(vertices)))
        return without_hidden(mesh, len(cells.counts), len(keep))

    def _ghosts(self, piece, n_cells: int, n_points: int) -> Ghosts:
        found = (piece.find(f"{{*}}{where}/{{*}}DataArray[@Name='{_GHOSTS}']") for where in ("CellData", "PointData"))
        flags = (None if array is None else self._array(array, _GHOSTS).astype(np.uint8) for array in found)
        ghosts = Ghosts(*flags)
        ghosts.check(self.source, n_cells, n_points)
        return ghosts

    def _named(self, element, name: str) -> np.ndarray:
        found = None if element is None else element.find(f"{{*}}DataArray[@Name='{name}']")
        return self._array(found, name)

    def _cells(self, element, n_vertices: int, n: int) -> Polygons:
        if n == 0:
            return Polygons.join([])
        return self._lists(element, "offsets", "connectivity", n_vertices, n)

    def _lists(self, element, offsets_name: str, members_name: str, limit: int, n: int | None = None) -> Polygons:
        """Lists kept as the end of each and all members in a row."""
        ends = self._named(element, offsets_name).astype(np.int64)
        if len(ends) and n is None and ends[0] == 0:  # the newer polyhedra arrays begin with a zero
            ends = ends[1:]
        if n is not None and len(ends) != n:
            raise self._damaged(f"{n} cells promised, found {len(ends)}")
        return polygons_of(
            self.source, np.diff(ends, prepend=0), self._named(element, members_name).astype(np.int64), limit
        )

    def _polyhedra(self, element, n_vertices: int) -> Polygons | None:
        """Faces of all polyhedra, in either of the two ways that VTK has written them."""
        names = {array.get("Name") for array in element.iterfind("{*}DataArray")}
        if "face_connectivity" in names:
            return self._lists(element, "face_offsets", "face_connectivity", n_vertices)
        if "faces" not in names:
            return None
        stream = self._named(element, "faces").astype(np.int64).tolist()
        counts, corners, at = [], [], 0
        while at < len(stream):  # each cell: number of faces, then each face: number of corners, corners
            n_faces, at = stream[at], at + 1
            for _ in range(n_faces):
                if at >= len(stream) or stream[at] < 0 or at + stream[at] >= len(stream):
                    raise self._damaged("the faces of its polyhedra are cut short")
                counts.append(stream[at])
                corners += stream[at + 1 : at + 1 + stream[at]]
                at += 1 + stream[at]
        return polygons_of(self.source, np.array(counts, np.int64), np.array(corners, np.int64), n_vertices)

    # arrays ----------------------------------------------------------------------------------------------------

    def _array(self, element, what: str) -> np.ndarray:
        """One DataArray, flat, in its own type."""
        code = _TYPES.get(element.get("type", "")) if element is not None else None
        if code is None:
            raise self._damaged(f"its array '{what}' is missing")
        form = element.get("format", "ascii")
        if form == "ascii":
            return parse_numbers(self.source, element.text or "", what)
        if form == "appended":
            offset = int(element.get("offset", "0"))
            if not 0 <= offset < len(self.appended):
                raise self._damaged(f"its array '{what}' lies behind the end")
            data, encoded = self.appended[offset:], not self.raw
        else:
            data, encoded = (element.text or "").strip().encode(), True
        content = self._unpacked(data, encoded, what) if self.compressor else self._plain(data, encoded, what)
        if len(content) % np.dtype(code).itemsize:
            raise self._damaged(f"its array '{what}' is cut short")
        return np.frombuffer(content, self.order + code)

    def _decode(self, data: bytes, n: int, encoded: bool, what: str) -> tuple[bytes, bytes]:
        """The first ``n`` bytes, and the data behind them; base64 ends in its own group."""
        size = -(-n // 3) * 4 if encoded else n
        head = data[:size]
        if encoded:
            try:
                head = base64.b64decode(head, validate=True)
            except binascii.Error as error:
                raise self._damaged(f"its array '{what}' is not base64") from error
        if len(head) < n:
            raise self._damaged(f"its array '{what}' is cut short")
        return head[:n], data[size:]

    def _plain(self, data: bytes, encoded: bool, what: str) -> bytes:
        """One length, then so many bytes; in base64 both may be one run or two."""
        width = self.header.itemsize
        head, behind = self._decode(data, width, encoded, what)
        length = int(np.frombuffer(head, self.header)[0])
        if length > len(data):
            raise self._damaged(f"its array '{what}' of {length} bytes has only {len(data)}")
        if encoded and b"=" not in data[: -(-width // 3) * 4]:
            return self._decode(data, width + length, encoded, what)[0][width:]
        return self._decode(behind, length, encoded, what)[0]

    def _unpacked(self, data: bytes, encoded: bool, what: str) -> bytes:
        """Number of blocks, their size, the last one's size, each one's packed size; then the blocks."""
        width = self.header.itemsize
        head, _ = self._decode(data, 3 * width, encoded, what)
        n, size, last = (int(v) for v in np.frombuffer(head, self.header))
        if n * width > len(data):
            raise self._damaged(f"its array '{what}' promises {n} blocks")
        head, blocks = self._decode(data, (3 + n) * width, encoded, what)
        packed = np.frombuffer(head, self.header)[3:].astype(np.uint64).tolist()
        if sum(packed) > len(blocks):
            raise self._damaged(f"its array '{what}' of {sum(packed)} bytes has only {len(blocks)}")
        blocks, _ = self._decode(blocks, sum(packed), encoded, what)
        pieces, at = [], 0
        for i, length in enumerate(packed):
            expected = last if i == n - 1 and last else size
            pieces.append(self._unpack(blocks[at : at + length], expected, what))
            at += length
        return b"".join(pieces)

    def _unpack(self, block: bytes, size: int, what: str) -> bytes:
        """One block; never more than its promised size is made."""
        try:
            if self.compressor == "vtkZLibDataCompressor":
                content = zlib.decompressobj().decompress(block, size) if size else b""
            elif self.compressor == "vtkLZMADataCompressor":
                content = lzma.LZMADecompressor().decompress(block, size)
            elif self.compressor == "vtkLZ4DataCompressor":
                content = _unpack_lz4(block, size)
            else:
                raise self.source.error(f"is packed by {self.compressor[:40]}, which is not read", "save it unpacked")
        except (zlib.error, lzma.LZMAError, EOFError, IndexError) as error:
            raise self._damaged(f"its array '{what}' cannot be unpacked ({error})") from error
        if len(content) != size:
            raise self._damaged(f"a block of its array '{what}' unpacks to {len(content)} bytes, not {size}")
        return content


def _unpack_lz4(block: bytes, size: int) -> bytes:
    """An LZ4 block (https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md); IndexError where it is damaged."""
    out, at = bytearray(), 0
    while at < len(block):
        token = block[at]
        literals, at = _lz4_length(block, at + 1, token >> 4)
        out += block[at : at + literals]
        at += literals
        if at >= len(block):
            break
        offset = block[at] | block[at + 1] << 8
        length, at = _lz4_length(block, at + 2, token & 15)
        length += 4
        if not 0 < offset <= len(out) or len(out) + length > size:
            raise IndexError("a copy from outside")
        piece = out[-offset:][:length]
        out += (piece * -(-length // len(piece)))[:length]  # a copy that overlaps its own end repeats
    return bytes(out)


def _lz4_length(block: bytes, at: int, length: int) -> tuple[int, int]:
    if length == 15:
        while True:
            length, at = length + block[at], at + 1
            if block[at - 1] != 255:
                break
    return length, at
