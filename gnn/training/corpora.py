"""Any corpus on disk as cars: case files, families of one mesh, and whatever the catalogue knows (DrivAerNet, folders).

Each car comes with its side of the split: the corpus's own where it has one, else by rules that stay as it grows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np

from data.car import CarMesh
from data.catalogue.opening import files_to_read, load_mesh, pressure_of
from data.catalogue.records import CorpusFile
from data.catalogue.records import Design as CatalogueDesign
from data.catalogue.store import CATALOGUE_NAME, Catalogue, find_catalogue, open_catalogue
from data.corpora.case import is_test_name
from data.corpora.case_files import case_paths
from data.corpora.morphed_families import FAMILIES
from data.corpora.pressure import READER
from data.errors import DrivAerError
from data.load import sample_car
from data.mesh import SurfaceSample
from gnn.training.cars import CorpusCar, cars_of_cases
from gnn.training.clouds import SAMPLE_POINTS

SPLITS = ("train", "val", "test")
_VALIDATION = 8  # of the cars without a split one in so many


@dataclass(frozen=True, eq=False)
class MeshCar:
    """A catalogue's design whose mesh is on disk and whose drag is known. See `gnn.training.cars.Car`.

    catalogue: the SQLite file. stamp: changes when the files do. area: m², where the corpus tells it.
    """

    name: str
    kind: str
    style: str | None
    coefficients: Mapping[str, float]
    catalogue: Path
    stamp: str
    area: float | None = None
    is_test: bool = False
    has_mesh: ClassVar[bool] = True
    of_our_cfd: ClassVar[bool] = False

    @property
    def frontal_area(self) -> float:
        """m²; measured on the mesh where the corpus does not tell it."""
        return self._car().frontal_area if self.area is None else self.area

    @property
    def face_values(self) -> np.ndarray:
        return self.sample()[1]

    def draw(self, n: int, rng: np.random.Generator):
        raise NotImplementedError("meshes are drawn from through gnn.training.point_store")

    def sample(self) -> tuple[SurfaceSample, np.ndarray]:
        """See `Car.sample`. Cf is NaN, because a corpus's pressure file has none; so is Cp without such a file."""
        car = self._car()
        sample = sample_car(car, SAMPLE_POINTS)
        values = np.full((len(sample), 4), np.nan, np.float32)
        with open_catalogue(self.catalogue, read_only=True) as catalogue:
            pressure = pressure_of(catalogue, _design(catalogue, self.name))
        if pressure is not None:
            values[:, 0] = pressure.placed(car.frame).at(sample.points.astype(float))
        return sample, values

    def vertex_sample(self, n: int) -> tuple[SurfaceSample, np.ndarray]:
        """n random vertices, padded with zeros where the mesh has fewer; no normals and no values."""
        vertices = self._car().vertices.astype(np.float32)
        rng = np.random.default_rng(int(hashlib.sha256(self.name.encode()).hexdigest()[:8], 16))
        points = np.zeros((n, 3), np.float32)
        taken = rng.permutation(len(vertices))[:n]
        points[: len(taken)] = vertices[taken]
        return SurfaceSample(points, np.zeros_like(points), np.ones(n, np.float32)), np.full((n, 4), np.nan, np.float32)

    def _car(self) -> CarMesh:
        return _loaded(self.catalogue, self.name, self.area)


@lru_cache(maxsize=1)  # a car is asked for its points and its area one after the other
def _loaded(path: Path, design: str, area: float | None) -> CarMesh:
    with open_catalogue(path, read_only=True) as catalogue:
        return load_mesh(catalogue, _design(catalogue, design), area)[0]


def _design(catalogue: Catalogue, name: str) -> CatalogueDesign:
    design = catalogue.design(name)
    if design is None:
        raise DrivAerError(f"there is no design {name} any more", file=catalogue.path)
    return design


@dataclass(frozen=True, eq=False)
class SplitCars:
    """Cars with their side of the split: train | val | test."""

    cars: Sequence[CorpusCar]
    splits: Sequence[str]

    def of(self, split: str) -> list[CorpusCar]:
        return [car for car, own in zip(self.cars, self.splits, strict=True) if own == split]

    def __add__(self, other: SplitCars) -> SplitCars:
        return SplitCars([*self.cars, *other.cars], [*self.splits, *other.splits])


def read_corpora(folders: Sequence[str | Path], catalogue_folder: Path) -> SplitCars:
    """All cars of some corpus folders whose drag is known.

    catalogue_folder: where the catalogue of a folder without one is kept. Raises DrivAerError for a folder that holds
    none.
    """
    found = SplitCars([], [])
    for folder in map(Path, folders):
        if not folder.exists():
            raise DrivAerError("there is no such folder", file=folder, fix="give a corpus's folder")
        found = found + _read_corpus(folder, catalogue_folder)
    return found


def licences_of_corpora(folders: Sequence[str | Path], catalogue_folder: Path) -> tuple[str, ...]:
    """What binds who learns from these corpora, by their catalogues; nothing for cars that are nobody else's.

    catalogue_folder: see ``read_corpora``, which made the catalogues.
    """
    from data.catalogue.licences import licences_of

    found: list[str] = []
    for folder in map(Path, folders):
        path = folder / CATALOGUE_NAME if _has_cases(folder) else _catalogue_of(folder, catalogue_folder)
        if path.is_file():
            with open_catalogue(path, read_only=True) as catalogue:
                found += licences_of(catalogue)
    return tuple(dict.fromkeys(found))


def _has_cases(folder: Path) -> bool:
    """Whether its cars are CFD cases, which are read without a catalogue."""
    return (folder / FAMILIES).is_dir() or bool(case_paths(folder))


def _catalogue_of(folder: Path, catalogue_folder: Path) -> Path:
    """Where the catalogue of a folder of meshes is, or goes."""
    name = f"{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]}.sqlite"
    return find_catalogue(folder) or catalogue_folder / name


def _read_corpus(folder: Path, catalogue_folder: Path) -> SplitCars:
    if _has_cases(folder):
        return _with_own_rule(cars_of_cases(folder))
    return _of_catalogue(folder, catalogue_folder)


def _with_own_rule(cars: Sequence[CorpusCar]) -> SplitCars:
    return SplitCars(cars, ["test" if car.is_test else _train_or_val(car.name) for car in cars])


def _train_or_val(name: str) -> str:
    return "val" if hashlib.sha256(f"validation {name}".encode()).digest()[0] % _VALIDATION == 0 else "train"


def _of_catalogue(folder: Path, catalogue_folder: Path) -> SplitCars:
    from data.catalogue.scan import scan

    path = _catalogue_of(folder, catalogue_folder)
    if find_catalogue(folder) is None:
        catalogue_folder.mkdir(parents=True, exist_ok=True)
        scan(folder, catalogue=path)
    with open_catalogue(path, read_only=True) as catalogue:
        designs = [design for design in catalogue.designs() if design.cd is not None]
        files = files_to_read(catalogue)
    cars, splits = [], []
    for design in sorted(designs, key=lambda design: design.id):
        mesh, pressure = (files.get((design.id, kind)) for kind in ("mesh", "pressure"))
        if mesh is None:
            continue
        known = {"cd": design.cd, "cl": design.cl}
        coefficients = {name: value for name, value in known.items() if value is not None}
        is_test = design.split == "test"
        stamp = _stamp(mesh) + (f" {_stamp(pressure)} {READER}" if pressure else "")
        cars.append(MeshCar(design.id, design.corpus, design.style, coefficients, path, stamp, design.area, is_test))
        splits.append(design.split or ("test" if is_test_name(design.id) else _train_or_val(design.id)))
    if not cars:
        raise DrivAerError(
            f"no mesh with a known Cd ({len(designs)} designs with Cd)",
            file=folder,
            fix="add a CSV with the meshes' names and a column Cd",
        )
    return SplitCars(cars, splits)


def _stamp(file: CorpusFile) -> str:
    return f"{file.path} {file.member} {file.size} {file.mtime_ns}"
