"""Any corpus on disk as cars: case files, families of one mesh, and whatever the catalogue knows (DrivAerNet, folders).

Each car comes with its side of the split: the corpus's own where it has one, else by rules that stay as it grows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from data.corpora.point_cases import is_test_name, read_point_cases
from data.errors import DrivAerError
from data.load import load_car, sample_car
from data.mesh import CarMesh, SurfaceSample
from gnn.training.cars import Car, PointCar, family_cars
from gnn.training.clouds import SAMPLE_POINTS

SPLITS = ("train", "val", "test")
_VALIDATION = 8  # of the cars without a split one in so many
_PRESSURE = ("p", "pMean", "Cp", "pressure")
_IN_CAR_FRAME = {"unit": "m", "up": "z", "forward": "-x"}


@dataclass(frozen=True, eq=False)
class MeshCar:
    """A mesh on disk whose drag is known. See `gnn.training.cars.Car`.

    stamp: changes when the files do. reading: how the mesh is read. pressure: a VTK surface with kinematic pressure.
    cp_per_p: what turns that into Cp.
    """

    name: str
    kind: str
    style: str | None
    coefficients: Mapping[str, float]
    mesh: Path
    stamp: str
    area: float | None = None
    reading: Mapping[str, str] | None = None
    pressure: Path | None = None
    cp_per_p: float = 1.0
    is_test: bool = False

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
        sample = sample_car(self._car(), SAMPLE_POINTS)
        return sample, self._values(sample.points)

    def vertex_sample(self, n: int) -> tuple[SurfaceSample, np.ndarray]:
        """n random vertices, padded with zeros where the mesh has fewer; no normals and no values."""
        vertices = self._car().vertices.astype(np.float32)
        rng = np.random.default_rng(int(hashlib.sha256(self.name.encode()).hexdigest()[:8], 16))
        points = np.zeros((n, 3), np.float32)
        taken = rng.permutation(len(vertices))[:n]
        points[: len(taken)] = vertices[taken]
        return SurfaceSample(points, np.zeros_like(points), np.ones(n, np.float32)), np.full((n, 4), np.nan, np.float32)

    def _car(self) -> CarMesh:
        return _loaded(self.mesh, tuple((self.reading or {}).items()), self.area)

    def _values(self, points: np.ndarray) -> np.ndarray:
        """(N, 4): Cp of the pressure file's nearest point, NaN for friction, of which it says nothing."""
        values = np.full((len(points), 4), np.nan, np.float32)
        if self.pressure is None:
            return values
        from scipy.spatial import cKDTree

        from data.formats.vtk_fields import read_fields

        fields = read_fields(self.pressure)
        name = next((name for name in _PRESSURE if name in fields.point_arrays), None)
        if name is None:
            has = ", ".join(fields.point_arrays) or "no fields"
            raise DrivAerError(f"has no pressure ({has})", file=self.pressure, fix="name the field p")
        near = cKDTree(fields.mesh.vertices).query(points)[1]
        values[:, 0] = fields.point_arrays[name][near] * (1.0 if name == "Cp" else self.cp_per_p)
        return values


@lru_cache(maxsize=1)  # a car is asked for its points and its area one after the other
def _loaded(mesh: Path, reading: tuple[tuple[str, str], ...], area: float | None) -> CarMesh:
    return load_car(mesh, **dict(reading), frontal_area=area)


@dataclass(frozen=True, eq=False)
class SplitCars:
    """Cars with their side of the split: train | val | test."""

    cars: Sequence[Car]
    splits: Sequence[str]

    def of(self, split: str) -> list[Car]:
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
    from data.catalogue.store import CATALOGUE_NAME, open_catalogue

    found: list[str] = []
    for folder in map(Path, folders):
        path = folder / CATALOGUE_NAME if _has_cases(folder) else _catalogue_of(folder, catalogue_folder)
        if path.is_file():
            with open_catalogue(path, read_only=True) as catalogue:
                found += licences_of(catalogue)
    return tuple(dict.fromkeys(found))


def _has_cases(folder: Path) -> bool:
    """Whether its cars are CFD cases, which are read without a catalogue."""
    return (folder / "families").is_dir() or any((folder / "cases").glob("*.npz")) or any(folder.glob("*.npz"))


def _catalogue_of(folder: Path, catalogue_folder: Path) -> Path:
    """Where the catalogue of a folder of meshes is, or goes."""
    from data.catalogue.store import find_catalogue

    name = f"{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]}.sqlite"
    return find_catalogue(folder) or catalogue_folder / name


def _read_corpus(folder: Path, catalogue_folder: Path) -> SplitCars:
    if (folder / "families").is_dir():
        return _with_own_rule(family_cars(folder))
    if _has_cases(folder):
        return _with_own_rule([PointCar(case, folder.resolve().name) for case in read_point_cases(folder)])
    return _of_catalogue(folder, catalogue_folder)


def _with_own_rule(cars: Sequence[Car]) -> SplitCars:
    return SplitCars(cars, ["test" if car.is_test else _train_or_val(car.name) for car in cars])


def _train_or_val(name: str) -> str:
    return "val" if hashlib.sha256(f"validation {name}".encode()).digest()[0] % _VALIDATION == 0 else "train"


def _of_catalogue(folder: Path, catalogue_folder: Path) -> SplitCars:
    from data.catalogue.scan import scan
    from data.catalogue.store import find_catalogue, open_catalogue
    from data.corpora import drivaernet

    path = _catalogue_of(folder, catalogue_folder)
    if find_catalogue(folder) is None:
        catalogue_folder.mkdir(parents=True, exist_ok=True)
        scan(folder, catalogue=path)
    with open_catalogue(path, read_only=True) as catalogue:
        designs = {design.id: design for design in catalogue.designs() if design.cd is not None}
        files = [
            file for file in catalogue.files() if file.state == "here" and file.design in designs and not file.member
        ]
        root = catalogue.root
    meshes, pressures = ({f.design: f for f in files if f.kind == kind} for kind in ("mesh", "pressure"))
    cars, splits = [], []
    for name, design in sorted(designs.items()):
        if name not in meshes:
            continue
        own = [meshes[name], *([pressures[name]] if name in pressures else [])]
        coefficients = {"Cd": design.cd} | ({"Cl": design.cl} if design.cl is not None else {})
        published = design.corpus == drivaernet.NAME
        cars.append(
            MeshCar(
                name=name,
                kind=design.corpus,
                style=design.style,
                coefficients=coefficients,
                mesh=root / meshes[name].path,
                stamp=" ".join(f"{f.path} {f.size} {f.mtime_ns}" for f in own),
                area=design.area,
                reading=_IN_CAR_FRAME if published else None,
                pressure=root / pressures[name].path if name in pressures else None,
                cp_per_p=drivaernet.CP_PER_P if published else 1.0,
                is_test=design.split == "test",
            )
        )
        splits.append(design.split or ("test" if is_test_name(name) else _train_or_val(name)))
    if not cars:
        what = f"no mesh with a known Cd ({len(meshes)} meshes, {len(designs)} designs with Cd)"
        raise DrivAerError(
            what, file=folder, fix="add a CSV with the meshes' names and a column Cd; archives: unpack them"
        )
    return SplitCars(cars, splits)
