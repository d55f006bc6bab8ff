"""Cars with known flow, of whatever corpus: what every training draws its clouds from and every evaluation asks.

A `Car` draws random clouds with the values on them, and gives the even sample that prediction would see. Behind it
stand a case with its own points, or a design of a family of one mesh.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np

from data.corpora.case import Case
from data.corpora.case_files import read_cases
from data.corpora.morphed_families import FAMILIES, MorphedFamily, read_families
from data.errors import DrivAerError
from data.mesh import SurfaceSample
from data.nearest import nearest_faces
from data.sampling import closed_areas, sample_surface
from gnn.input_frame import InputFrame
from gnn.training.clouds import SAMPLE_POINTS, Cloud, labels

DRIVAER, PROCEDURAL, OWN = "morphed DrivAers", "procedural cars", "own cars"
_MIRROR = np.array([1.0, -1.0, 1.0], np.float32)
_TURN = np.array([1.0, 1.0, -1.0, 1.0], np.float32)


@dataclass(frozen=True, eq=False)
class LabelledCloud:
    """points (N, 3) in network coordinates, normals (N, 3), values (N, 4) Cp and Cf or NaN: float32."""

    points: np.ndarray
    normals: np.ndarray
    values: np.ndarray

    def mirrored(self) -> LabelledCloud:
        """The same car seen in a mirror, which no flow would notice."""
        return LabelledCloud(self.points * _MIRROR, self.normals * _MIRROR, self.values * _TURN)


class Car(Protocol):
    """A car with known flow.

    kind: the corpus that it is reported under. frontal_area: m². of_our_cfd: whether its coefficients are our own
    CFD's, not a published corpus's.
    """

    @property
    def of_our_cfd(self) -> bool: ...

    @property
    def name(self) -> str: ...

    @property
    def kind(self) -> str: ...

    @property
    def style(self) -> str | None: ...

    @property
    def is_test(self) -> bool: ...

    @property
    def coefficients(self) -> Mapping[str, float]: ...

    @property
    def frontal_area(self) -> float: ...

    @property
    def face_values(self) -> np.ndarray:
        """(M, 4) Cp and Cf at the case's own M places, faces or points."""

    def draw(self, n: int, rng: np.random.Generator) -> LabelledCloud:
        """n random points, even over the surface; half of the clouds are mirrored."""

    def sample(self) -> tuple[SurfaceSample, np.ndarray]:
        """What prediction sees, car frame, and the values (N, 4) at its points, NaN where none are known."""


class CorpusCar(Car, Protocol):
    """A car as its corpus has it, before it is sampled into a store (gnn.training.point_store).

    area: m², the frontal area where it is known without measuring the mesh. stamp: changes where the CFD or the files
    do. has_mesh: whether it is a mesh, whose vertices can be taken (gnn.training.corpora.MeshCar).
    """

    @property
    def area(self) -> float | None: ...

    @property
    def stamp(self) -> str: ...

    @property
    def has_mesh(self) -> bool: ...


class OfCase:
    """The properties that a car has from its CFD case, in whichever corpus that is."""

    case: Case
    has_mesh = False
    of_our_cfd = True

    @property
    def name(self) -> str:
        return self.case.name

    @property
    def area(self) -> float:
        return self.case.frontal_area

    @property
    def stamp(self) -> str:
        return hashlib.sha256(np.ascontiguousarray(self.face_values).data).hexdigest()[:16]

    @property
    def style(self) -> str | None:
        return self.case.style

    @property
    def is_test(self) -> bool:
        return self.case.is_test

    @property
    def coefficients(self) -> Mapping[str, float]:
        return self.case.coefficients

    @property
    def frontal_area(self) -> float:
        return self.case.frontal_area

    @property
    def face_values(self) -> np.ndarray:
        return self.case.face_values


@dataclass(frozen=True, eq=False)
class PointCar(OfCase):
    """A case with its own points."""

    case: Case
    kind: str = OWN

    @property
    def face_values(self) -> np.ndarray:
        values = self.case.point_values
        return values[np.isfinite(values[:, 0])]

    def draw(self, n: int, rng: np.random.Generator) -> LabelledCloud:
        points, normals, values = self.case.on_whole_car()
        which = rng.choice(len(points), n, replace=n > len(points))
        cloud = LabelledCloud(InputFrame.of(points).to_network(points[which]), normals[which], values[which])
        return cloud.mirrored() if rng.random() < 0.5 else cloud

    def sample(self) -> tuple[SurfaceSample, np.ndarray]:
        points, normals, values = self.case.on_whole_car()
        geometry = self.case.geometry
        assert geometry is not None
        if geometry.half:  # points on either side by turns, then all their images: each prefix is even
            row = np.arange(len(geometry.points))
            order = np.concatenate([2 * row + row % 2, 2 * row + 1 - row % 2])
            points, normals, values = points[order], normals[order], values[order]
        if len(points) < SAMPLE_POINTS:  # a coarse case: its points come again
            again = np.arange(SAMPLE_POINTS) % len(points)
            points, normals, values = points[again], normals[again], values[again]
        areas = closed_areas(normals.astype(np.float64), geometry.wetted_area).astype(np.float32)
        return SurfaceSample(points, normals, areas), values


class FamilyClouds:
    """Draws clouds of a family's designs; its points are sampled once, and its CFD faces found."""

    def __init__(self, family: MorphedFamily, pool: int = 65536):
        self.family = family
        self._points = family.material_points(pool)

    def draw(self, amounts: np.ndarray, n: int, rng: np.random.Generator) -> Cloud:
        """n random points of the design with amounts, with their CFD faces; half of the clouds are mirrored."""
        which = rng.choice(len(self._points), n, replace=False)
        points, normals = self._points.cloud(amounts, which)
        if rng.random() < 0.5:
            points, normals = points * _MIRROR, normals * _MIRROR
        vertices = self.family.surface.on(self.family.handles, amounts)
        return Cloud(InputFrame.of(vertices).to_network(points), normals, self._points.cfd_face[which])


@dataclass(frozen=True, eq=False)
class FamilyCar(OfCase):
    """A design of a family of one mesh."""

    case: Case
    clouds: FamilyClouds
    kind: str = PROCEDURAL

    @property
    def amounts(self) -> np.ndarray:
        """Of the family's handles on this car."""
        assert self.case.amounts is not None
        return self.case.amounts

    def draw(self, n: int, rng: np.random.Generator) -> LabelledCloud:
        cloud = self.clouds.draw(self.amounts, n, rng)
        return LabelledCloud(cloud.points, cloud.normals, labels(self.case, cloud))

    def sample(self) -> tuple[SurfaceSample, np.ndarray]:
        sample = sample_surface(*self.clouds.family.mesh_on(self.amounts), SAMPLE_POINTS)
        centres, areas = self.clouds.family.faces_on(self.amounts)
        return sample, values_near(centres, areas, sample.points, sample.normals, self.case)


def family_cars(folder: str | Path, kind: str = PROCEDURAL, pool: int = 65536) -> list[FamilyCar]:
    """The cars of a corpus of families of one mesh, each family's points sampled once. Raises DrivAerError."""
    families, cases = read_families(folder)
    clouds = {name: FamilyClouds(families[name], pool) for name in {str(case.family) for case in cases}}
    return [FamilyCar(case, clouds[str(case.family)], kind) for case in cases]


def point_cars(folder: str | Path, kind: str = OWN) -> list[PointCar]:
    """The cars of a corpus's case files, or of a folder of such files, by name.

    Raises DrivAerError where there are none, or one has no points.
    """
    cases = read_cases(folder)
    for case in cases:
        if case.geometry is None:
            raise DrivAerError(f"{case.name} has no points: its geometry is with its generator", file=folder)
    return [PointCar(case, kind) for case in cases]


def cars_of_cases(folder: Path, pool: int = 65536) -> list[FamilyCar] | list[PointCar]:
    """The cars of a corpus of CFD cases, of families of one mesh or with points of their own, under its own name."""
    kind = folder.resolve().name
    return family_cars(folder, kind, pool) if (folder / FAMILIES).is_dir() else point_cars(folder, kind)


def values_near(
    centres: np.ndarray, areas: np.ndarray, points: np.ndarray, normals: np.ndarray, case: Case
) -> np.ndarray:
    """(N, 4) Cp and Cf at points of the car from the CFD face near each, NaN where none is: centres, areas (M, 3)."""
    facing = areas / np.maximum(np.linalg.norm(areas, axis=1, keepdims=True), 1e-300)
    face = nearest_faces(centres, facing, points.astype(np.float64), normals.astype(np.float64), half=True)
    return labels(case, Cloud(points, normals, face))


_Car = TypeVar("_Car", bound=Car)


def split(cars: Sequence[_Car]) -> tuple[list[_Car], list[_Car]]:
    """Those to learn from, and those held out."""
    return [car for car in cars if not car.is_test], [car for car in cars if car.is_test]
