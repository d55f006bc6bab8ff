"""OpenFOAM's binary files, as far as bending a mesh and passing a flow on needs them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.errors import DrivAerError
from data.replacing import replacing

_ARCH = b"LSB;label=32;scalar=64"


@dataclass(frozen=True, eq=False)
class Patch:
    """A boundary's faces: corners (K,) into the mesh's points, face after face; starts (M + 1,)."""

    corners: np.ndarray
    starts: np.ndarray

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def points(self) -> np.ndarray:
        """(n,) the mesh's points on it, ascending."""
        return np.unique(self.corners)


@dataclass(frozen=True, eq=False)
class VolumeMesh:
    """A case's mesh: points (P, 3) m, and its boundary patches in the mesh's order."""

    points: np.ndarray
    patches: dict[str, Patch]
    _head: bytes
    _tail: bytes

    def write_points(self, folder: Path, points: np.ndarray) -> None:
        """Put points (P, 3) in place of those of the mesh in folder ``polyMesh``."""
        with replacing(folder / "points") as unfinished:
            unfinished.write_bytes(self._head + np.ascontiguousarray(points, "<f8").tobytes() + self._tail)


def read_mesh(folder: Path) -> VolumeMesh:
    """The mesh in a folder ``polyMesh``. Raises DrivAerError for one in another number format."""
    raw = _checked(folder / "points")
    n, start = _list_start(raw, _after_header(raw))
    end = start + 24 * n
    points = np.frombuffer(raw, "<f8", 3 * n, start).reshape(n, 3).copy()
    return VolumeMesh(points, _patches(folder), raw[:start], raw[end:])


def _patches(folder: Path) -> dict[str, Patch]:
    raw = _checked(folder / "faces")
    n, start = _list_start(raw, _after_header(raw))
    starts = np.frombuffer(raw, "<i4", n, start)
    n_corners, begin = _list_start(raw, start + 4 * n)
    corners = np.frombuffer(raw, "<i4", n_corners, begin)
    text = (folder / "boundary").read_text("ascii", errors="replace")
    patches = {}
    for name, count, at in re.findall(r"(\w+)\s*\{[^}]*?nFaces\s+(\d+);\s*startFace\s+(\d+);", text):
        own = starts[int(at) : int(at) + int(count) + 1].astype(np.int64)
        patches[name] = Patch(corners[own[0] : own[-1]].astype(np.int64), own - own[0])
    return patches


def _checked(path: Path) -> bytes:
    raw = path.read_bytes()
    if _ARCH not in raw[:2000]:
        raise DrivAerError(
            "is not in the number format that can be read here (32-bit labels, 64-bit scalars, binary)",
            file=path,
            fix="use an OpenFOAM that was built with its defaults",
        )
    return raw


def _after_header(raw: bytes) -> int:
    return raw.index(b"}", raw.index(b"FoamFile")) + 1


def _list_start(raw: bytes, begin: int) -> tuple[int, int]:
    """How long a list is, and where its bytes begin. Looked for in the next few bytes only: the rest is binary."""
    found = re.search(rb"\n\s*(\d+)\s*\(", raw[begin : begin + 400])
    if found is None:
        raise DrivAerError("an OpenFOAM file has no list where one must be")
    return int(found[1]), begin + found.end()


def pass_flow_on(mean: Path, last: Path, destination: Path, origins: dict[str, tuple[float, float, float]]) -> None:
    """Write a field to start from: the mean inside, the last iteration's conditions at the boundaries.

    origins: of turning patches, where their axles are now, m.
    """
    inside, edges = mean.read_bytes(), last.read_bytes()
    inside, edges = inside[: inside.index(b"boundaryField")], edges[edges.index(b"boundaryField") :]
    for patch, origin in origins.items():
        place = b"(" + b" ".join(f"{value:.8g}".encode() for value in origin) + b")"
        pattern = rb"(\b" + patch.encode() + rb"\s*\{[^{}]*?origin\s+)\([^)]*\)"
        edges, n = re.subn(pattern, lambda found, place=place: found[1] + place, edges, count=1)
        if n != 1:
            raise DrivAerError(f"{patch} does not turn in this field", file=last)
    with replacing(destination) as unfinished:
        unfinished.write_bytes(inside + edges)
