"""STL, binary and ASCII. Three vertices a face, as the file has them; welding is another room's work."""

from __future__ import annotations

import re

import numpy as np

from data.errors import MeshError
from data.formats.source import Source
from data.mesh import RawMesh

_HEADER = 84  # 80 bytes of comment and the face count
_RECORD = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
_GRID = 21  # words of one ASCII facet
_CORNER_WORDS = [8, 9, 10, 12, 13, 14, 16, 17, 18]
_KEYWORDS = {0: b"facet", 1: b"normal", 5: b"outer", 6: b"loop", 7: b"vertex", 11: b"vertex", 15: b"vertex"}
_KEYWORDS |= {19: b"endloop", 20: b"endfacet"}
_FACET_END = re.compile(rb"end\s*facet", re.IGNORECASE)
_FACET = re.compile(rb"\bfacet\b", re.IGNORECASE)
_VERTEX = re.compile(rb"\bvertex\s+(\S+)\s+(\S+)\s+(\S+)", re.IGNORECASE)
_SOLID_LINE = re.compile(rb"^[ \t]*(?P<end>end[ \t]*)?solid(?P<name>[^\n]*)$", re.IGNORECASE | re.MULTILINE)
_BLOCK = 2**23  # bytes of text turned into words at a time: words take ten times the memory of their text


def read(source: Source) -> RawMesh:
    """Faces of all bodies; each ASCII ``solid`` is a part."""
    data = source.data
    if len(data) >= _HEADER and len(data) == _HEADER + _RECORD.itemsize * _promised_faces(data):
        return _read_binary(source)  # the size decides: headers of binary files may start with "solid" too
    if _is_ascii(data):
        return _read_ascii(source)
    if b"\x00" not in data[:4096]:
        raise source.error("is text, but neither ASCII nor binary STL (no 'solid' line)", "export it as binary STL")
    return _read_binary(source)


def _promised_faces(data: bytes) -> int:
    return int.from_bytes(data[80:_HEADER], "little")


def _is_ascii(data: bytes) -> bool:
    head = data[:1024].removeprefix(b"\xef\xbb\xbf")
    return head.lstrip()[:5].lower() == b"solid" and b"\x00" not in head


def _read_binary(source: Source) -> RawMesh:
    data = source.data
    room = max(len(data) - _HEADER, 0) // _RECORD.itemsize
    if len(data) < _HEADER:
        raise source.error(
            f"truncated binary STL: {len(data)} bytes, the header alone takes {_HEADER}", "copy it again"
        )
    promised = _promised_faces(data)
    if int.from_bytes(data[80:_HEADER], "big") == room != promised:
        raise source.error("is binary STL in the wrong byte order (big-endian)", "export it again as little-endian STL")
    if promised > room:
        raise source.error(
            f"truncated or damaged binary STL: the header promises {promised} faces, found bytes for {room}",
            "export or copy it again",
        )
    extra = len(data) - _HEADER - promised * _RECORD.itemsize
    if extra >= _RECORD.itemsize:
        raise source.error(
            f"damaged binary STL: the header promises {promised} faces, found bytes for {room}", "export it again"
        )
    warnings = (f"{extra} bytes after the last face were passed over",) if extra else ()
    facets = np.frombuffer(data, dtype=_RECORD, count=promised, offset=_HEADER)
    with np.errstate(invalid="ignore"):  # a signalling NaN; told later with the file's name
        vertices = facets["corners"].astype(np.float64).reshape(-1, 3)
    return _soup(source, vertices, (("body", 0, promised),), warnings)


def _soup(source: Source, vertices: np.ndarray, parts, warnings: tuple[str, ...] = ()) -> RawMesh:
    if len(vertices) == 0:
        raise source.error("has no faces", "export the surface again")
    faces = np.arange(len(vertices), dtype=np.int32).reshape(-1, 3)
    return RawMesh(vertices, faces, source.path, parts, warnings=warnings)


def _read_ascii(source: Source) -> RawMesh:
    data = _in_lines(source.data.removeprefix(b"\xef\xbb\xbf"))
    pieces, parts, n_faces = [], [], 0
    solids, behind = _solids(source, data)
    for name, body in solids:
        corners = _corners(source, body)
        if len(corners):
            parts.append((name, n_faces, n_faces + len(corners)))
            pieces.append(corners)
            n_faces += len(corners)
    vertices = np.concatenate(pieces).reshape(-1, 3) if pieces else np.zeros((0, 3))
    warnings = (f"{behind} bytes after the last 'endsolid' were passed over",) if behind else ()
    return _soup(source, vertices, tuple(parts), warnings)


def _in_lines(data: bytes) -> bytes:
    """The text with ``solid`` and ``endsolid`` at the beginning of lines, also where all of it was on one."""
    if b"\n" not in data[:4096]:
        data = data.replace(b"\r", b"\n")
    if data.count(b"\n", 0, 4096) < data[:4096].lower().count(b"endfacet"):
        data = re.sub(rb"\s(?=(?:facet\s+normal|endsolid|solid)\b)", b"\n", data, flags=re.IGNORECASE)
    return data


def _solids(source: Source, data: bytes) -> tuple[list[tuple[str, bytes]], int]:
    """Name and facet text of each body, and how many bytes come after the last one.

    ``endsolid`` must close every one of them. Some programs glue the name to it.
    """
    solids: list[tuple[str, bytes]] = []
    opened: tuple[str, int] | None = None
    behind = 0
    for line in _SOLID_LINE.finditer(data):
        if line["end"] and opened is not None:
            solids.append((opened[0] or f"solid {len(solids) + 1}", data[opened[1] : line.start()]))
            opened, behind = None, line.end()
        elif not line["end"] and opened is None:
            opened = line["name"].strip().decode("utf-8", "replace"), line.end()
        else:
            raise source.error("damaged ASCII STL: 'solid' and 'endsolid' do not pair up", "export it again")
    if opened is not None:
        raise source.error("truncated ASCII STL: the last 'endsolid' is missing", "export or copy it again")
    return solids, len(data[behind:].strip())


def _corners(source: Source, text: bytes) -> np.ndarray:
    """(F, 9) float64 from the facets of one body."""
    blocks, start = [], 0
    while start < len(text):
        cut = _FACET_END.search(text, start + _BLOCK)
        end = cut.end() if cut else len(text)
        blocks.append(_block_corners(source, text[start:end]))
        start = end
    return np.concatenate(blocks) if blocks else np.zeros((0, 9))


def _block_corners(source: Source, text: bytes) -> np.ndarray:
    words = text.split()
    if not _is_grid(words):
        return _loose_corners(source, text)
    corners = np.empty((len(words) // _GRID, len(_CORNER_WORDS)))
    try:
        for column, place in zip(corners.T, _CORNER_WORDS, strict=True):
            column[:] = np.fromiter(map(float, words[place::_GRID]), np.float64, len(corners))
        return corners
    except ValueError as error:
        raise _no_number(source) from error


def _is_grid(words: list[bytes]) -> bool:
    """Whether every facet has the words that the format asks for, and no others."""
    if len(words) % _GRID:
        return False
    for place, keyword in _KEYWORDS.items():
        found = words[place::_GRID]
        if found.count(keyword) != len(found) and {word.lower() for word in found} != {keyword}:
            return False
    return True


def _loose_corners(source: Source, text: bytes) -> np.ndarray:
    """(F, 9) from facets with words of a vendor's own: ANSA's ``color``, ``end loop``, a name behind ``endfacet``."""
    *facets, rest = _FACET_END.split(text)
    if _FACET.search(rest) or _VERTEX.search(rest):
        raise source.error("damaged ASCII STL: a facet is incomplete", "export or copy it again")
    corners = np.empty((len(facets), 9))
    for i, facet in enumerate(facets):
        found = _VERTEX.findall(facet)
        if len(found) != 3:
            raise source.error(f"damaged ASCII STL: a facet has {len(found)} vertices, not 3", "export it again")
        try:
            corners[i] = [float(word) for words in found for word in words]
        except ValueError as error:
            raise _no_number(source) from error
    return corners


def _no_number(source: Source) -> MeshError:
    return source.error("damaged ASCII STL: a coordinate is not a number", "export it again")
