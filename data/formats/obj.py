"""Wavefront OBJ: vertices exactly in the file's order, polygons as triangles, objects and groups as parts."""

from __future__ import annotations

import re

import numpy as np

from data.formats.parsing import parse_numbers
from data.formats.polygons import check_indices, triangulate
from data.formats.source import Source
from data.mesh import RawMesh

_CORNER_TAIL = re.compile(rb"/[^ \t\n]*")  # texture and normal numbers of a face corner


def read(source: Source) -> RawMesh:
    """All ``v`` and ``f`` lines; materials, normals and texture are of no use here."""
    lines = _lines(source)
    vertex_lines, face_lines, vertices_before, parts = _sort(lines)
    if not vertex_lines:
        raise source.error("has no vertices ('v' lines): empty, or not an OBJ file", "export the surface again")
    if not face_lines:
        raise source.error(
            f"has {len(vertex_lines)} vertices but no faces",
            "export the surface, or save the points as .ply or .xyz for a point cloud",
        )
    vertices = _vertices(source, vertex_lines)
    counts, corners = _faces(source, face_lines, vertices_before)
    check_indices(source, corners, len(vertices))
    faces, owner = triangulate(vertices, counts, corners)
    starts = np.searchsorted(owner, [start for _, start in parts] + [len(face_lines)])
    ranges = [(name, int(starts[i]), int(starts[i + 1])) for i, (name, _) in enumerate(parts)]
    warnings = _dropped(counts) + _unused(faces, len(vertices))
    return RawMesh(vertices, faces, source.path, tuple(r for r in ranges if r[2] > r[1]), warnings=warnings)


def _lines(source: Source) -> list[bytes]:
    data = source.data.removeprefix(b"\xef\xbb\xbf")
    if b"\\" in data:
        data = re.sub(rb"\\[ \t]*\r?\n", b" ", data)
    return data.splitlines()


def _sort(lines: list[bytes]):
    """Vertex lines, face lines (without keyword), vertices above each face line, and where each part starts."""
    vertices: list[bytes] = []
    faces: list[bytes] = []
    above: list[int] = []
    parts: list[tuple[str, int]] = [("default", 0)]
    name_of = {b"o": "", b"g": ""}
    for line in lines:
        words = line.split(None, 1)
        if len(words) < 2:
            continue
        keyword = words[0]
        if keyword == b"v":
            vertices.append(words[1])
        elif keyword == b"f":
            faces.append(words[1])
            above.append(len(vertices))
        elif keyword in name_of:
            name_of[keyword] = words[1].strip().decode("utf-8", "replace")
            if keyword == b"o":
                name_of[b"g"] = ""
            parts.append(("/".join(filter(None, (name_of[b"o"], name_of[b"g"]))), len(faces)))
    return vertices, faces, above, parts


def _vertices(source: Source, lines: list[bytes]) -> np.ndarray:
    """(V, 3) float64. A line may carry a weight or colours behind x y z, and not every line the same."""
    text = b" ".join(lines)
    if b"#" in text:
        lines = [line.partition(b"#")[0] for line in lines]
    elif all(len(line.split()) == 3 for line in lines):
        return parse_numbers(source, text, "vertices").reshape(len(lines), 3)
    words = [line.split(None, 3)[:3] for line in lines]
    if any(len(row) < 3 for row in words):
        raise source.error("a vertex has fewer than three coordinates", "the file is damaged: export it again")
    return parse_numbers(source, b" ".join([b" ".join(row) for row in words]), "vertices").reshape(len(lines), 3)


def _faces(source: Source, lines: list[bytes], above: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Corners of each polygon, and all corners in a row, counted from 0."""
    text = b"\n".join(lines)
    if b"#" in text:
        text = re.sub(rb"#[^\n]*", b"", text)
    if b"/" in text:
        text = _CORNER_TAIL.sub(b"", text)
    counts = np.array([len(line.split()) for line in text.split(b"\n")], dtype=np.int64)
    corners = parse_numbers(source, text, "faces", dtype=np.int64)
    if len(corners) != counts.sum():
        raise source.error("a face corner is not a whole number", "the file is damaged: export it again")
    if (corners == 0).any():
        raise source.error("a face refers to vertex 0, but OBJ counts from 1", "the file is damaged: export it again")
    relative = corners < 0
    corners = corners - 1
    if relative.any():  # -1 is the last vertex above the face's own line
        corners[relative] += 1 + np.repeat(np.array(above, dtype=np.int64), counts)[relative]
    return counts, corners


def _dropped(counts: np.ndarray) -> tuple[str, ...]:
    n = int((counts < 3).sum())
    return (f"{n} faces with fewer than three corners were passed over",) if n else ()


def _unused(faces: np.ndarray, n_vertices: int) -> tuple[str, ...]:
    """OBJ promises no number of faces: where its end is lost, only vertices without a face tell."""
    used = np.zeros(n_vertices, dtype=bool)
    used[faces] = True
    n = int(n_vertices - used.sum())
    return (f"{n} of {n_vertices} vertices belong to no face: is the file complete?",) if n > n_vertices // 50 else ()
