"""OFF, also with colours and comments (COFF, NOFF, STOFF); binary and higher dimensions are refused."""

from __future__ import annotations

import re

import numpy as np

from data.formats.parsing import parse_numbers
from data.formats.polygons import check_indices, triangulate
from data.formats.source import Source
from data.mesh import RawMesh

_HEADER = re.compile(rb"\s*(ST)?(C)?(N)?(4)?(n)?OFF[ \t]*(BINARY)?", re.IGNORECASE)


def read(source: Source) -> RawMesh:
    """Vertices in the file's order; polygons as triangles."""
    data = re.sub(rb"#[^\n]*", b"", source.data.removeprefix(b"\xef\xbb\xbf")).replace(b"\r\n", b"\n")
    header = _HEADER.match(data)
    if header and (header.group(4) or header.group(5) or header.group(6)):
        raise source.error("is a binary or many-dimensional OFF file", "export it as ASCII OFF or binary STL")
    lines = [line for line in data[header.end() if header else 0 :].splitlines() if line.strip()]
    n_vertices, n_faces = _counts(source, lines)
    if len(lines) < 1 + n_vertices + n_faces:
        raise source.error(
            f"truncated OFF: the header promises {n_vertices} vertices and {n_faces} faces, "
            f"found {len(lines) - 1} lines",
            "export or copy it again",
        )
    vertices = _leading(source, lines[1 : 1 + n_vertices], 3, "vertices", np.float64)
    counts, corners = _faces(source, lines[1 + n_vertices : 1 + n_vertices + n_faces])
    check_indices(source, corners, n_vertices)
    faces, _ = triangulate(vertices, counts, corners)
    return RawMesh(vertices, faces, source.path)


def _counts(source: Source, lines: list[bytes]) -> tuple[int, int]:
    words = lines[0].split() if lines else []
    if len(words) < 2 or not all(word.isdigit() for word in words[:2]):
        raise source.error("is not an OFF file: no line with the numbers of vertices and faces", "export it again")
    n_vertices, n_faces = int(words[0]), int(words[1])
    if n_vertices == 0 or n_faces == 0:
        raise source.error(f"has {n_vertices} vertices and {n_faces} faces", "export the surface again")
    return n_vertices, n_faces


def _leading(source: Source, lines: list[bytes], n: int, what: str, dtype: type) -> np.ndarray:
    """The first ``n`` numbers of each line (the rest are colours, normals, texture)."""
    if {len(line.split()) for line in lines} != {n}:
        words = [line.split(None, n)[:n] for line in lines]
        if any(len(row) < n for row in words):
            raise source.error(f"truncated line among the {what}", "export or copy it again")
        lines = [b" ".join(row) for row in words]
    return parse_numbers(source, b" ".join(lines), what, dtype).reshape(len(lines), n)


def _faces(source: Source, lines: list[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """Corners of each polygon, and all corners in a row."""
    if {len(line.split()) for line in lines} == {4}:  # triangles without colours, or so it seems
        rows = _leading(source, lines, 4, "faces", np.int64)
        if (rows[:, 0] == 3).all():
            return rows[:, 0], rows[:, 1:].ravel()
    counts = _leading(source, lines, 1, "faces", np.int64).ravel()
    rings = []
    for count, line in zip(counts.tolist(), lines, strict=True):
        words = line.split()
        if not 0 < count < len(words):
            raise source.error("truncated line among the faces", "export or copy it again")
        rings.append(b" ".join(words[1 : count + 1]))
    return counts, parse_numbers(source, b" ".join(rings), "faces", np.int64)
