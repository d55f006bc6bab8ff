"""Reading any car mesh file: ``read_mesh`` gives a RawMesh, or one clear line about what is wrong.

Each family of formats has its own file; this one only knows which suffix goes where.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np

from data.errors import MeshError
from data.formats.source import Source, mesh_suffix, open_source
from data.formats.unreadable import advice
from data.mesh import RawMesh
from data.outline import bounds

__all__ = ["MESH_SUFFIXES", "find_meshes", "read_mesh"]

_log = logging.getLogger(__name__)

# suffix -> module and function; modules are imported when a file needs them (vtk, lxml, open3d are slow to import)
_READERS = {
    ".stl": "stl:read",
    ".stla": "stl:read",
    ".stlb": "stl:read",
    ".obj": "obj:read",
    ".ply": "ply:read",
    ".off": "off:read",
    ".glb": "gltf:read",
    ".gltf": "gltf:read",
    ".dae": "collada:read",
    ".3mf": "threemf:read",
    ".vtk": "vtk_legacy:read",
    ".vtp": "vtk_xml:read",
    ".vtu": "vtk_xml:read",
    ".step": "cad:read_step",
    ".stp": "cad:read_step",
    ".p21": "cad:read_step",
    ".iges": "cad:read_iges",
    ".igs": "cad:read_iges",
    ".pcd": "points:read_pcd",
    ".npz": "points:read_npz",
    ".xyz": "point_table:read",
    ".xyzn": "point_table:read",
    ".xyzrgb": "point_table:read",
    ".pts": "point_table:read",
    ".asc": "point_table:read",
    ".txt": "point_table:read",
    ".csv": "point_table:read",
}
# What a folder is searched for: notes and tables in .txt and .csv are read as clouds only when named themselves.
_ONLY_WHEN_NAMED = {".txt", ".csv", ".asc"}

MESH_SUFFIXES: tuple[str, ...] = tuple(s + gz for s in _READERS for gz in ("", ".gz"))

LARGEST_COORDINATE = 1e30  # far beyond any car in any unit, and small enough to be squared
FEWEST_POINTS = 100  # of a point cloud: normals of fewer mean nothing


def read_mesh(path: str | Path) -> RawMesh:
    """Read one mesh or point cloud, exactly as the file has it (unit, axes, place, vertex order).

    Polygons become triangles, scene transforms are applied, several bodies become one surface with named parts.
    A point cloud without normals gets them: unit length, pointing outwards.

    Raises MeshError, one line naming the file, for whatever is wrong with it.
    """
    path = Path(path)
    reader = _reader(path)
    source = open_source(path)
    try:
        mesh = reader(source)
    except MeshError:
        raise
    except MemoryError as error:
        raise source.error("needs more memory than there is (or its counts are damaged)", "export it again") from error
    except Exception as error:  # whatever a parser library, or ours, stumbles over in a damaged file
        _log.debug("reader of %s failed on %s", source.suffix, path, exc_info=True)
        reason = str(error) or type(error).__name__
        raise source.error(f"cannot be read as {source.suffix} ({reason[:200]})", "export it again") from error
    if mesh.is_point_cloud:
        mesh = _without_gaps(source, mesh)
    return completed(source, mesh)


def completed(source: Source, mesh: RawMesh) -> RawMesh:
    """The mesh, checked for what must hold of any; a point cloud with outward normals. Raises MeshError."""
    _check(source, mesh)
    if mesh.is_point_cloud:
        from data.formats.normals import with_outward_normals

        return with_outward_normals(source, mesh)
    return mesh


CASE_STATE = "drivaer_case.json"
"""In a folder that holds it lies a CFD case of ours: its surfaces are results, not designs."""


def find_meshes(folder: str | Path, *, recursive: bool = False) -> list[Path]:
    """The mesh files of a folder, sorted by name. Raises MeshError when there are none."""
    folder = Path(folder)
    if not folder.exists():
        raise MeshError("no such folder", file=folder, fix="check the name")
    if not folder.is_dir():
        raise MeshError("is not a folder", file=folder)
    try:
        entries = sorted(folder.rglob("*") if recursive else folder.iterdir())
    except OSError as error:
        raise MeshError(f"cannot be listed ({error.strerror})", file=folder, fix="change its permissions") from error
    wanted = set(_READERS) - _ONLY_WHEN_NAMED
    found = [p for p in entries if mesh_suffix(p) in wanted and not p.name.startswith(".") and p.is_file()]
    cases = {place for p in found for place in _within(p.parent, folder) if (place / CASE_STATE).is_file()}
    found = [p for p in found if cases.isdisjoint(_within(p.parent, folder))]
    if not found:
        raise MeshError("holds no meshes", file=folder, fix=f"it may hold {' '.join(sorted(wanted))}, also as .gz")
    return found


def _within(place: Path, folder: Path) -> list[Path]:
    """A folder and those above it, up to and with ``folder``."""
    return [place, *(above for above in place.parents if above.is_relative_to(folder))]


def _reader(path: Path) -> Callable[[Source], RawMesh]:
    suffix = mesh_suffix(path)
    target = _READERS.get(suffix)
    if target is None:
        if path.is_dir() or not path.exists():
            open_source(path)  # says so
        what, fix = advice(suffix)
        raise MeshError(what, file=path, fix=fix)
    module, function = target.split(":")
    return getattr(import_module(f".{module}", __package__), function)


def _without_gaps(source: Source, mesh: RawMesh) -> RawMesh:
    """A cloud without the places of an organised scan from which nothing came back: their coordinates are NaN."""
    gaps = np.isnan(mesh.vertices).any(axis=1)
    if not gaps.any():
        return mesh
    if gaps.all():
        raise source.error("none of its points has coordinates", "export the scan again")
    kept = mesh.normals[~gaps] if mesh.normals is not None else None
    warning = f"{int(gaps.sum())} of {len(gaps)} points have no coordinates (NaN) and were left out"
    return replace(mesh, vertices=mesh.vertices[~gaps], normals=kept, warnings=(*mesh.warnings, warning))


def _check(source: Source, mesh: RawMesh) -> None:
    """What must hold for every mesh, whichever reader made it."""
    if len(mesh.vertices) == 0:
        raise source.error("has no vertices", "export the surface again")
    low, high = bounds(mesh.vertices)  # NaN wherever there is one
    if not np.isfinite([low, high]).all():
        bad = ~np.isfinite(mesh.vertices).all(axis=1)
        which = f"{int(bad.sum())} of {len(bad)} vertices (first: number {int(bad.argmax())}, counted from 0)"
        raise source.error(f"NaN or infinite coordinates in {which}", "export it again")
    if (largest := float(np.abs([low, high]).max())) > LARGEST_COORDINATE:
        raise source.error(f"has coordinates up to {largest:.1e}", "the file is damaged: export it again")
    if mesh.is_point_cloud and len(mesh.vertices) < FEWEST_POINTS:
        raise source.error(
            f"has no faces and only {len(mesh.vertices)} points; a point cloud needs at least {FEWEST_POINTS}",
            "export the surface with its faces",
        )
