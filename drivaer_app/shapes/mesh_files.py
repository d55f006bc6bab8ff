"""Meshes written as they were read: same faces in the same order, same parts, by a file's suffix."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import numpy as np

from data.errors import DrivAerError
from data.mesh import RawMesh
from data.replacing import replacing

WRITTEN_SUFFIXES = (".stl", ".obj", ".ply")


def check_written(path: Path, *, cloud: bool = False) -> None:
    """Raise DrivAerError when a mesh, or a point cloud, cannot be written in the format that the suffix names."""
    suffixes = (".ply",) if cloud else WRITTEN_SUFFIXES
    if path.suffix.lower() not in suffixes:
        what = "a point cloud" if cloud else "a mesh"
        named = path.suffix or "a file without suffix"
        raise DrivAerError(f"cannot write {what} as {named}", file=path, fix=f"name it {', '.join(suffixes)}")


def write_mesh(path: str | Path, mesh: RawMesh) -> None:
    """Write a mesh whole or not at all: STL (ASCII with a solid a part where there are several), OBJ or binary PLY.

    Raises DrivAerError for another suffix or a place that cannot be written.
    """
    path = Path(path)
    check_written(path, cloud=mesh.is_point_cloud)
    write = {".stl": _write_stl, ".obj": _write_obj, ".ply": _write_ply}[path.suffix.lower()]
    with replacing(path) as unfinished, unfinished.open("wb") as file:
        write(file, mesh)


def _write_stl(file: BinaryIO, mesh: RawMesh) -> None:
    if len(mesh.parts) > 1:
        _write_ascii_stl(file, mesh)
    else:
        file.write(_as_trimesh(mesh).export(file_type="stl"))


def _write_ascii_stl(file: BinaryIO, mesh: RawMesh) -> None:
    """Binary STL has no room for the parts' names."""
    corners = mesh.vertices[mesh.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-300)
    rows = np.concatenate([normals[:, None], corners], axis=1).reshape(-1, 12)
    facet = "facet normal %.6g %.6g %.6g\n outer loop\n" + "  vertex %.9g %.9g %.9g\n" * 3 + " endloop\nendfacet\n"
    for name, first, last in _all_parts(mesh):
        file.write(f"solid {name}\n".encode())
        for start in range(first, last, 8192):
            block = rows[start : min(start + 8192, last)]
            file.write(((facet * len(block)) % tuple(block.ravel().tolist())).encode())
        file.write(f"endsolid {name}\n".encode())


def _write_obj(file: BinaryIO, mesh: RawMesh) -> None:
    for start in range(0, len(mesh.vertices), 8192):
        block = mesh.vertices[start : start + 8192]
        file.write((("v %.9g %.9g %.9g\n" * len(block)) % tuple(block.ravel().tolist())).encode())
    for name, first, last in _all_parts(mesh):
        file.write(f"g {name}\n".encode())
        for start in range(first, last, 8192):
            block = mesh.faces[start : min(start + 8192, last)] + 1
            file.write((("f %d %d %d\n" * len(block)) % tuple(block.ravel().tolist())).encode())


def _write_ply(file: BinaryIO, mesh: RawMesh) -> None:
    import trimesh

    surface = trimesh.PointCloud(mesh.vertices) if mesh.is_point_cloud else _as_trimesh(mesh)
    file.write(surface.export(file_type="ply"))


def _as_trimesh(mesh: RawMesh):
    import trimesh

    return trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)


def _all_parts(mesh: RawMesh) -> list[tuple[str, int, int]]:
    """The parts in the order of their faces, with a nameless rest between them where they leave faces out."""
    parts, done = [], 0
    for name, first, last in sorted(mesh.parts, key=lambda part: part[1]):
        if first > done:
            parts.append(("rest", done, first))
        parts.append(("_".join(name.split()) or "part", max(first, done), last))
        done = max(done, last)
    return [*parts, *([("rest", done, len(mesh.faces))] if done < len(mesh.faces) else [])]
