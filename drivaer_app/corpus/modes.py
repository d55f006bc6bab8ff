"""What each handle does to one family, for ever: displacement fields per unit of its amount, and the amounts.

A handle's displacement is its amount times a fixed field, and the fields of several handles add. So a family needs its
fields once: on the surface, and carried into the volume mesh. Designs are sums of them. They are kept beside the
family, so that its designs stay the same when the handles are improved.
"""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from data.corpora.morphed_families import (
    CfdFaces,
    DeformablePoints,
    Handles,
    MorphedFamily,
    read_family,
    write_family,
)
from data.errors import DrivAerError
from data.polygons import polygon_faces
from data.replacing import replacing
from data.weld import weld
from drivaer_app.cfd.domain import REFERENCE_LENGTH, size_of
from drivaer_app.cfd.setup import CaseSetup
from drivaer_app.cfd.wheels import FRONT, REAR
from drivaer_app.corpus.bending import MeshMotion
from drivaer_app.corpus.families import Family
from drivaer_app.corpus.polymesh import VolumeMesh, read_mesh
from drivaer_app.shapes.landmarks import find_landmarks
from drivaer_app.shapes.morph import MorphField
from drivaer_app.shapes.wheels_of import BODY, FRONT_WHEELS, REAR_WHEELS

SURFACE, VOLUME = "family.npz", "volume_modes.npy"
_TABLE = 65
_STICKING = 0.1  # m
_OFF_PLANE = 1e-6  # m
_SAME_PLACE = 1e-3  # m


def make_modes(family: Family) -> None:
    """Work out a solved family's fields and keep them beside it; does nothing where they are."""
    if (family.folder / SURFACE).exists():
        return
    field = MorphField(find_landmarks(family.car))
    mesh = read_mesh(family.case / "constant" / "polyMesh")
    car, modes = _car_modes(field, mesh, family.setup)
    handles = handles_of(field)
    volume = _motion_of(mesh, car, size_of(family.car) / REFERENCE_LENGTH).bent(modes, handles.axis)
    with replacing(family.folder / VOLUME) as unfinished:
        np.save(unfinished, volume.astype(np.float32))
    write_family(family.folder / SURFACE, _compact(family, field, handles, mesh, car, modes))


def load_surface(family: Family) -> MorphedFamily:
    """The family's surface with its handles, as it is published."""
    return read_family(family.folder / SURFACE)


def handles_of(field: MorphField) -> Handles:
    """A car's handles, their ranges, and their amounts at even steps of them."""
    names, units, neutral, values, amounts, axis, owner = [], [], [], [], [], [], []
    for name, moves in field.moves.items():
        handle = moves.handle
        values.append(np.linspace(handle.low, handle.high, _TABLE))
        amounts.append([moves.amount(float(value)) for value in values[-1]])
        axis += [move.axis for move in moves.moves]
        owner += [len(names)] * len(moves.moves)
        names.append(name)
        units.append(handle.unit)
        neutral.append(handle.neutral)
    tables = (np.array(neutral), np.array(values), np.array(amounts), np.array(axis), np.array(owner))
    return Handles(tuple(names), tuple(units), *tables)


def modes_at(field: MorphField, points: np.ndarray, part: str | None) -> np.ndarray:
    """(n, N) what points (N, 3) of a part move by along each field's axis, per unit of its amount."""
    points = np.asarray(points, float)
    return np.array(
        [field.weight(name, move, points, part) for name, moves in field.moves.items() for move in moves.moves]
    )


def _car_modes(field: MorphField, mesh: VolumeMesh, setup: CaseSetup) -> tuple[np.ndarray, np.ndarray]:
    """The mesh's points (C,) on the car, and what they do (n, C)."""
    car = np.unique(np.concatenate([mesh.patches[name].points for name in setup.patches]))
    # Where wheels are no patches of their own, what lies within them goes with them.
    modes = modes_at(field, mesh.points[car], BODY if setup.axles else None)
    body = np.searchsorted(car, mesh.patches["body"].points)
    for patch, part in ((FRONT, FRONT_WHEELS), (REAR, REAR_WHEELS)):
        if patch in setup.patches:
            own = np.searchsorted(car, mesh.patches[patch].points)
            modes[:, own] = modes_at(field, mesh.points[car[own]], part)
            _stick(mesh.points[car], modes, body, own, _STICKING * size_of(setup.car) / REFERENCE_LENGTH)
    return car, modes


def _stick(points: np.ndarray, modes: np.ndarray, body: np.ndarray, wheel: np.ndarray, reach: float) -> None:
    """Where cells were too large for the gap between tyre and wheelhouse, the body's points near it go with the wheel.

    Else the cells there would fold. It is the CFD mesh alone that sticks together, and it shows on no outer surface.
    """
    from scipy.spatial import cKDTree

    shared = np.intersect1d(body, wheel)
    if not len(shared):
        return
    free = np.setdiff1d(body, shared)
    distance, nearest = cKDTree(points[shared]).query(points[free], distance_upper_bound=reach)
    near = np.isfinite(distance)
    free, share = free[near], (1.0 - distance[near] / reach) ** 2
    modes[:, free] += share * (modes[:, shared[nearest[near]]] - modes[:, free])


def _motion_of(mesh: VolumeMesh, car: np.ndarray, scale: float) -> MeshMotion:
    patches = {name: patch.points for name, patch in mesh.patches.items()}
    outside = np.unique(np.concatenate([patches[name] for name in ("inlet", "outlet", "far")]))
    return MeshMotion(mesh.points, car, patches["ground"], patches["symmetry"], outside, scale)


def _compact(
    family: Family, field: MorphField, handles: Handles, mesh: VolumeMesh, car: np.ndarray, modes: np.ndarray
) -> MorphedFamily:
    vertices, faces, face_part, mirrored = _true_surface(family)
    vertex_part = np.zeros(len(vertices), int)
    for number in (1, 2):
        vertex_part[faces[face_part == number]] = number
    at_vertices = np.zeros((len(modes), len(vertices)))
    first = BODY if family.setup.axles else None
    for number, part in enumerate((first, FRONT_WHEELS, REAR_WHEELS)):
        own = vertex_part == number
        at_vertices[:, own] = modes_at(field, vertices[own], part)
    cfd = _cfd_faces(family.setup, mesh, car)
    _check_order(family, mesh.points[car], cfd)
    result = family.result()
    source = family.source
    meta = {
        "seed": source.seed,
        "file": source.file.name if source.file else None,
        "parameters": asdict(source.parameters) if source.parameters else None,
        "preset": family.settings.preset,
        "cells": result.mesh.n_cells,
        "frontal_area": family.car.frontal_area,
        "Cd": round(result.cd, 5),
        "Cl": round(result.cl, 5),
        "Cd_std": round(result.cd_std, 5),
        "non_orthogonality": result.mesh.non_orthogonality,
        "skewness": result.mesh.skewness,
        "solver": result.solver,
    }
    return MorphedFamily(
        name=family.name,
        style=source.style,
        meta=meta,
        handles=handles,
        surface=DeformablePoints(vertices, at_vertices),
        faces=faces,
        face_part=face_part,
        mirrored=mirrored,
        cfd_points=DeformablePoints(mesh.points[car], modes),
        cfd=cfd,
    )


def _true_surface(family: Family) -> tuple[np.ndarray, np.ndarray, np.ndarray, bool]:
    """Vertices, faces, part of each face, and whether they are half of an exactly mirrored car."""
    car = family.car
    vertices, faces, _ = weld(car.vertices, car.faces)
    part = np.zeros(len(faces), int)
    for axle in family.setup.axles:
        part[axle.faces] = 1 if axle.name == FRONT else 2
    y = vertices[:, 1][faces]
    left, right = (y >= -_OFF_PLANE).all(axis=1), (y <= _OFF_PLANE).all(axis=1)
    mirrored = bool((left | right).all()) and _is_image(vertices, faces[left], faces[right])
    if mirrored:
        faces, part = faces[left], part[left]
    used, index = np.unique(faces, return_inverse=True)
    return vertices[used], index.reshape(-1, 3).astype(np.int32), part, mirrored


def _is_image(vertices: np.ndarray, left: np.ndarray, right: np.ndarray) -> bool:
    from scipy.spatial import cKDTree

    if len(left) != len(right) or not len(left):
        return False
    middles = [vertices[faces].mean(axis=1) for faces in (left, right)]
    distance, _ = cKDTree(middles[0]).query(middles[1] * (1.0, -1.0, 1.0))
    return bool(distance.max() < _SAME_PLACE / 10)


def _cfd_faces(setup: CaseSetup, mesh: VolumeMesh, car: np.ndarray) -> CfdFaces:
    """In the order that the solver's surface is sampled in: patch by patch, as the mesh has them."""
    corners, sizes, part = [], [], []
    for name, patch in mesh.patches.items():
        if name in setup.patches:
            corners.append(np.searchsorted(car, patch.corners))
            sizes.append(np.diff(patch.starts))
            part.append(np.full(len(patch), {FRONT: 1, REAR: 2}.get(name, 0)))
    starts = np.concatenate([[0], np.cumsum(np.concatenate(sizes))])
    return CfdFaces(np.concatenate(corners), starts, np.concatenate(part))


def _check_order(family: Family, points: np.ndarray, cfd: CfdFaces) -> None:
    """Fields are told by face numbers: the sampled surface must have the mesh's order."""
    sampled = family.result().surface.centres
    centres, _ = polygon_faces(points, cfd.corners, cfd.starts)
    if sampled.shape != centres.shape or np.abs(sampled - centres).max() > _SAME_PLACE:
        raise DrivAerError("the sampled surface has not the mesh's order of faces", file=family.case)
