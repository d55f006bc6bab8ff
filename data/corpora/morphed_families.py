"""Families of CFD cases: one car and its morphed designs, with what rebuilds any design's surface.

All designs of a family have the same CFD faces in the same order. A design's displacement is linear in the handles'
amounts: the sum of each handle's displacement field times its amount. So a family's file holds the unmorphed surface,
the CFD faces' corners, and the fields at both; a case's file holds amounts, coefficients, Cp and Cf
(``resources/corpus/procedural_cars/README.md`` describes both). No geometry code is needed to read them.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from data.corpora.case import Case
from data.corpora.case_files import read_cases
from data.corpora.npz import write_npz
from data.errors import DrivAerError
from data.nearest import NO_FACE, closest_points, nearest_faces
from data.polygons import points_on_triangles, polygon_faces
from data.sampling import sample_surface

FAMILIES = "families"
"""The folder of a corpus that its families' files lie in."""
BODY, FRONT_WHEELS, REAR_WHEELS = 0, 1, 2

_STEP = 1e-4  # m, of stored places
_MODE_STEPS = 16383  # of a stored displacement, from nothing to its largest


@dataclass(frozen=True, eq=False)
class Handles:
    """A family's handles: what can be changed, and by which amounts its displacements are multiplied.

    names, units (``m``, ``deg`` or "" for a factor), neutral (H,): the value that changes nothing.
    values (H, K): from each handle's lowest to its highest value; amounts (H, K): what they amount to.
    axis (n,): 0 to 2, along which each displacement field goes; owner (n,): the handle that it belongs to.
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    neutral: np.ndarray
    values: np.ndarray
    amounts: np.ndarray
    axis: np.ndarray
    owner: np.ndarray

    def range_of(self, name: str) -> tuple[float, float]:
        row = self.values[self.names.index(name)]
        return float(row[0]), float(row[-1])

    def amounts_of(self, values: Mapping[str, float]) -> np.ndarray:
        """(n,) what each displacement field is multiplied by, for handle values; those not given are neutral.

        Raises DrivAerError for an unknown handle, or a value out of its range.
        """
        by_handle = np.zeros(len(self.names))
        for name, value in values.items():
            if name not in self.names:
                raise DrivAerError(f"the family has no handle {name}", fix=f"the handles are {', '.join(self.names)}")
            low, high = self.range_of(name)
            if not low <= value <= high:
                raise DrivAerError(f"{name} = {value} is out of range", fix=f"choose it from {low:.4g} to {high:.4g}")
            i = self.names.index(name)
            if value != self.neutral[i]:
                by_handle[i] = np.interp(value, self.values[i], self.amounts[i])
        return by_handle[self.owner]


@dataclass(frozen=True, eq=False)
class DeformablePoints:
    """Points with their displacement modes. places: (N, 3) m, unmorphed. modes: (n, N) per unit of amount."""

    places: np.ndarray
    modes: np.ndarray

    def on(self, handles: Handles, amounts: np.ndarray) -> np.ndarray:
        """(N, 3) m on the design with amounts (n,); where they are fewer, handles that came later are neutral."""
        moved = self.places.copy()
        amounts = np.pad(amounts, (0, len(handles.axis) - len(amounts)))
        for axis in range(3):
            own = handles.axis == axis
            moved[:, axis] += amounts[own] @ self.modes[own]
        return moved

    def furthest(self, handles: Handles) -> np.ndarray:
        """(n, N) m: how far each displacement field moves each point at its handle's largest amount."""
        return np.abs(handles.amounts).max(axis=1)[handles.owner, None] * self.modes


@dataclass(frozen=True, eq=False)
class CfdFaces:
    """Faces of the CFD mesh on the +y half of the car: polygons.

    corners (K,) into the family's CFD points, face after face; starts (M + 1,); part (M,) what each face is of.
    """

    corners: np.ndarray
    starts: np.ndarray
    part: np.ndarray

    def __len__(self) -> int:
        return len(self.part)


@dataclass(frozen=True, eq=False)
class MorphedFamily:
    """One car, its handles, its surface and its CFD faces.

    name: of the family; style: of its car, None for a car that is no procedural one. meta: what else its file says.
    surface: the true surface's vertices; faces (F, 3) triangles, outward; face_part (F,).
    mirrored: only the +y half of the surface is held, the other one is its image.
    cfd_points: corners of the CFD faces, which round the true surface off.
    """

    name: str
    style: str | None
    meta: dict
    handles: Handles
    surface: DeformablePoints
    faces: np.ndarray
    face_part: np.ndarray
    mirrored: bool
    cfd_points: DeformablePoints
    cfd: CfdFaces

    def faces_on(self, amounts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """CFD faces on a design: centres (M, 3) m, and (M, 3) m² area vectors out of the car."""
        points = self.cfd_points.on(self.handles, amounts)
        centres, inward = polygon_faces(points, self.cfd.corners, self.cfd.starts)
        return centres, -inward

    def mesh_on(self, amounts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The whole car's true surface on a design: vertices (V, 3) m, faces (F, 3)."""
        vertices = self.surface.on(self.handles, amounts)
        if not self.mirrored:
            return vertices, self.faces
        other = vertices * (1.0, -1.0, 1.0)
        return np.concatenate([vertices, other]), np.concatenate([self.faces, self.faces[:, ::-1] + len(vertices)])

    def covers(self, other: MorphedFamily, within: float = 1e-3) -> bool:
        """Whether all cases of ``other`` are cases of this family: the same car and handles; more handles may follow.

        Faces have to be equal and all points, morphed or not, to agree to ``within`` m, as they do when one car is
        meshed on two machines.
        """
        own, theirs = self.handles, other.handles
        n_handles, n_fields = len(theirs.names), len(theirs.axis)
        exact = [(own.neutral[:n_handles], theirs.neutral)]
        exact += [(getattr(own, key)[:n_fields], getattr(theirs, key)) for key in ("axis", "owner")]
        exact += [(self.faces, other.faces), (self.face_part, other.face_part)]
        exact += [(getattr(self.cfd, key), getattr(other.cfd, key)) for key in ("corners", "starts", "part")]
        near = [(own.values[:n_handles], theirs.values), (own.amounts[:n_handles], theirs.amounts)]
        for bent, bent_too in ((self.surface, other.surface), (self.cfd_points, other.cfd_points)):
            near += [(bent.places, bent_too.places), (bent.furthest(own)[:n_fields], bent_too.furthest(theirs))]
        kinds = list(zip(own.names, own.units, strict=True))[:n_handles]
        return (
            (kinds, self.mirrored) == (list(zip(theirs.names, theirs.units, strict=True)), other.mirrored)
            and bool((own.owner[n_fields:] >= n_handles).all())
            and all(np.array_equal(a, b) for a, b in exact)
            and all(a.shape == b.shape and np.allclose(a, b, rtol=0.0, atol=within) for a, b in near)
        )

    @cached_property
    def neutral(self) -> np.ndarray:
        """(n,) the amounts of the unmorphed car."""
        return np.zeros(len(self.handles.axis))

    def material_points(self, n: int = 65536) -> MaterialPoints:
        """Sample the unmorphed car as prediction does, and fix the sample to the material."""
        vertices, faces = self.mesh_on(self.neutral)
        sample = sample_surface(vertices, faces, n)
        hit = closest_points(vertices, faces, sample.points)
        sign = np.where(np.einsum("nd,nd->n", hit.normals, sample.normals) < 0, -1.0, 1.0)
        image = hit.triangles >= len(self.faces)
        own = hit.triangles - image * len(self.faces)
        # An image's triangle is wound the other way: its corners come in reverse.
        weights = np.where(image[:, None], hit.weights[:, ::-1], hit.weights)
        points = MaterialPoints(self, own, weights, image, sign, np.full(n, NO_FACE))
        at, normals = points.cloud(self.neutral, np.arange(n))
        centres, vectors = self.faces_on(self.neutral)
        outward = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-300)
        points.cfd_face[:] = nearest_faces(centres, outward, at.astype(float), normals.astype(float), half=True)
        return points


@dataclass(frozen=True, eq=False)
class MaterialPoints:
    """Points fixed to the material of a family's car, even over what the flow sees of it.

    triangle (N,) of the family's faces. weights (N, 3) barycentric. image (N,) bool: on the mirrored half.
    sign (N,): +1 or -1, which side of the triangle is in the flow. cfd_face (N,) or NO_FACE.
    """

    family: MorphedFamily
    triangle: np.ndarray
    weights: np.ndarray
    image: np.ndarray
    sign: np.ndarray
    cfd_face: np.ndarray

    def __len__(self) -> int:
        return len(self.triangle)

    def cloud(self, amounts: np.ndarray, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Points (n, 3) m and outward normals (n, 3) of the given rows on a design, float32."""
        vertices = self.family.surface.on(self.family.handles, amounts)
        corners = vertices[self.family.faces[self.triangle[which]]]
        points, normals = points_on_triangles(corners, self.weights[which], self.sign[which])
        for of in (points, normals):
            of[self.image[which], 1] *= -1.0
        return points, normals


def read_family(path: str | Path) -> MorphedFamily:
    """A family's file. Raises DrivAerError for a file that is none."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        meta = json.loads(str(arrays["meta"]))
        handles = Handles(
            tuple(meta["handles"]),
            tuple(meta["units"]),
            arrays["neutral"],
            arrays["values"],
            arrays["amounts"],
            arrays["axis"].astype(int),
            arrays["owner"].astype(int),
        )
        return MorphedFamily(
            name=meta["name"],
            style=meta["style"],
            meta=meta,
            handles=handles,
            surface=_deformable(arrays, "surface"),
            faces=arrays["faces"].astype(np.int32),
            face_part=arrays["face_part"].astype(int),
            mirrored=bool(meta["mirrored"]),
            cfd_points=_deformable(arrays, "cfd"),
            cfd=CfdFaces(
                arrays["cfd_corners"].astype(np.int64),
                np.concatenate([[0], np.cumsum(arrays["cfd_sizes"], dtype=np.int64)]),
                arrays["cfd_part"].astype(int),
            ),
        )
    except (OSError, EOFError, KeyError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise DrivAerError(f"not a family of CFD cases ({error})", file=path) from error


def write_family(path: str | Path, family: MorphedFamily) -> None:
    """Write a family's file: places to 0.1 mm, displacements to 1/16383 of their largest."""
    handles = family.handles
    meta = {
        **family.meta,
        "name": family.name,
        "style": family.style,
        "mirrored": family.mirrored,
        "handles": list(handles.names),
        "units": list(handles.units),
    }
    members = {
        "meta": np.array(json.dumps(meta)),
        "neutral": handles.neutral,
        "values": handles.values,
        "amounts": handles.amounts,
        "axis": handles.axis.astype(np.uint8),
        "owner": handles.owner.astype(np.uint8),
        "faces": _small(family.faces),
        "face_part": family.face_part.astype(np.uint8),
        "cfd_corners": _small(family.cfd.corners),
        "cfd_sizes": np.diff(family.cfd.starts).astype(np.uint8),
        "cfd_part": family.cfd.part.astype(np.uint8),
        **_stored(family.surface, "surface"),
        **_stored(family.cfd_points, "cfd"),
    }
    write_npz(path, members)


def read_families(folder: str | Path) -> tuple[dict[str, MorphedFamily], list[Case]]:
    """A corpus folder's families by name, and its cases in the order of family and design.

    Raises DrivAerError if there are none, or the family of a case is missing.
    """
    families = {family.name: family for family in map(read_family, sorted(Path(folder, FAMILIES).glob("*.npz")))}
    cases = read_cases(folder)
    for case in cases:
        if case.family not in families:
            what = f"the family {case.family or '(none)'} of {case.name} is missing"
            raise DrivAerError(
                what, file=Path(folder, FAMILIES), fix="give a folder with families/ and cases/ of these"
            )
    return families, cases


def _small(indices: np.ndarray) -> np.ndarray:
    return indices.astype(np.uint16 if indices.max(initial=0) < 65535 else np.uint32)


def _stored(of: DeformablePoints, name: str) -> dict[str, np.ndarray]:
    offset = np.floor(of.places.min(axis=0) / _STEP) * _STEP
    steps = np.round((of.places - offset) / _STEP)
    largest = np.maximum(np.abs(of.modes).max(axis=1), 1e-12)
    return {
        f"{name}_offset": offset,
        f"{name}_places": _small(steps),
        f"{name}_largest": largest,
        f"{name}_modes": np.round(of.modes / largest[:, None] * _MODE_STEPS).astype(np.int16),
    }


def _deformable(arrays: dict[str, np.ndarray], name: str) -> DeformablePoints:
    places = arrays[f"{name}_places"] * _STEP + arrays[f"{name}_offset"]
    modes = arrays[f"{name}_modes"] * (arrays[f"{name}_largest"][:, None] / _MODE_STEPS)
    return DeformablePoints(places, modes)
