"""A scene's placed meshes made into one surface."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from data.formats.polygons import check_indices
from data.formats.source import Source
from data.mesh import RawMesh

MOST_FACES = 100_000_000  # of all instances: a small file can show a mesh in itself 2^40 times


@dataclass(frozen=True, eq=False)
class Instance:
    """One placed mesh: its name, vertices (V, 3), triangles (F, 3), and the 4 x 4 matrix that places it."""

    name: str
    vertices: np.ndarray
    faces: np.ndarray
    matrix: np.ndarray


def compose(
    source: Source,
    instances: Iterable[Instance],
    *,
    unit: str | None = None,
    up: str | None = None,
    warnings: tuple[str, ...] = (),
) -> RawMesh:
    """All instances in their order, each a part. A mirroring matrix turns the winding back to what it was."""
    vertices, faces, parts = [], [], []
    n_vertices = n_faces = 0
    for instance in instances:
        if len(instance.faces) == 0:
            continue
        check_indices(source, instance.faces, len(instance.vertices))
        if n_faces + len(instance.faces) > MOST_FACES:
            raise source.error(f"its scene shows more than {MOST_FACES} faces", "export a coarser mesh")
        linear = instance.matrix[:3, :3]
        with np.errstate(all="ignore"):  # what overflows is not finite, and refused as that
            placed = instance.vertices @ linear.T + instance.matrix[:3, 3]
        corners = instance.faces[:, ::-1] if np.linalg.det(linear) < 0 else instance.faces
        vertices.append(placed)
        faces.append(corners.astype(np.int32) + np.int32(n_vertices))
        parts.append((instance.name, n_faces, n_faces + len(corners)))
        n_vertices += len(instance.vertices)
        n_faces += len(corners)
    if not faces:
        raise source.error("has no triangles in its scene", "export the surface again")
    return RawMesh(
        np.concatenate(vertices),
        np.concatenate(faces),
        source.path,
        tuple(parts),
        unit=unit,
        up=up,
        warnings=warnings,
    )
