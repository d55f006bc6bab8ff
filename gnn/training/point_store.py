"""Samples of a corpus's cars on disk, memory-mapped: read and sampled once, drawn from for ever after.

A store is a folder named after what is in it: ``points.npy`` (n, P, 3) float32 m in the car frame, ``normals.npy``
(n, P, 3) float16, ``values.npy`` (n, P, 4) float16 Cp and Cf or NaN, ``areas.npy`` (n,) m² wetted, ``done.npy``. It is
filled row by row, so that a killed filling goes on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from data.mesh import SurfaceSample
from data.sampling import closed_areas
from gnn.input_frame import middle_x, to_network
from gnn.training.cars import Car, LabelledCloud

_ARRAYS = {"points": (3, np.float32), "normals": (3, np.float16), "values": (4, np.float16)}


@dataclass(frozen=True, eq=False)
class Held:
    """A car's points (P, 3), normals (P, 3) and values (P, 4) in memory."""

    points: np.ndarray
    normals: np.ndarray
    values: np.ndarray


@dataclass(frozen=True)
class Mapped:
    """The same, of one car of a store on disk: handed to another process it is a path and a number."""

    folder: Path
    row: int

    @property
    def points(self) -> np.ndarray:
        return _opened(self.folder, "points")[self.row]

    @property
    def normals(self) -> np.ndarray:
        return _opened(self.folder, "normals")[self.row]

    @property
    def values(self) -> np.ndarray:
        return _opened(self.folder, "values")[self.row]


@lru_cache(maxsize=64)
def _opened(folder: Path, name: str) -> np.ndarray:
    return np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)


@dataclass(frozen=True, eq=False)
class StoredCar:
    """A car of a store. rows: its points (car frame), normals and values. See `gnn.training.cars.Car`."""

    name: str
    kind: str
    style: str | None
    split: str
    coefficients: Mapping[str, float]
    frontal_area: float
    rows: Held | Mapped
    wetted_area: float

    @property
    def points(self) -> np.ndarray:
        return self.rows.points

    @property
    def normals(self) -> np.ndarray:
        return self.rows.normals

    @property
    def values(self) -> np.ndarray:
        return self.rows.values

    @property
    def is_test(self) -> bool:
        return self.split == "test"

    @property
    def face_values(self) -> np.ndarray:
        values = np.asarray(self.values, np.float32)
        return values[np.isfinite(values[:, 0])]

    def draw(self, n: int, rng: np.random.Generator, *, mirror: bool = True, centred: bool = True) -> LabelledCloud:
        """n random points; half of the clouds are mirrored, unless they are not to be. centred: see gnn.input_frame."""
        which = np.sort(rng.choice(len(self.points), n, replace=n > len(self.points)))
        points, normals, values = (np.asarray(a[which], np.float32) for a in (self.points, self.normals, self.values))
        cloud = LabelledCloud(to_network(points, self.x_middle) if centred else points, normals, values)
        return cloud.mirrored() if mirror and rng.random() < 0.5 else cloud

    @property
    def network_points(self) -> np.ndarray:
        """(P, 3) all points in network coordinates."""
        return to_network(np.asarray(self.points), self.x_middle)

    @cached_property
    def x_middle(self) -> float:
        return middle_x(np.asarray(self.points))

    def raw(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """(n, 3) float32 random points in the car frame, not centred, as published loaders give them."""
        return np.array(self.points[rng.choice(len(self.points), n, replace=n > len(self.points))])

    def sample(self) -> tuple[SurfaceSample, np.ndarray]:
        normals, values = (np.asarray(rows, np.float32) for rows in (self.normals, self.values))
        areas = closed_areas(normals.astype(np.float64), self.wetted_area).astype(np.float32)
        return SurfaceSample(np.array(self.points), normals, areas), values


def stored(
    cars: Sequence[Car],
    splits: Sequence[str],
    cache: Path,
    *,
    n_points: int,
    vertices: bool = False,
    workers: int = 0,
    on_each: Callable[[int], None] = lambda _: None,
) -> list[StoredCar]:
    """The cars from a store of n_points a car in the cache folder, which is filled first as far as it is not.

    splits: train | val | test of each car. vertices: points are random vertices of the mesh, as published loaders take
    them, instead of an even sample. workers: processes that read meshes; 0 reads in this one.
    """
    keys = [f"{car.kind}/{car.name} {getattr(car, 'stamp', '')} {car.coefficients['Cd']}" for car in cars]
    name = hashlib.sha256(json.dumps([keys, n_points, vertices]).encode()).hexdigest()[:16]
    folder = cache / name
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {key: _array(folder / f"{key}.npy", (len(cars), n_points, c), kind) for key, (c, kind) in _ARRAYS.items()}
    areas, done = (_array(folder / f"{key}.npy", (len(cars),), np.float32) for key in ("areas", "done"))
    missing = np.flatnonzero(done[:] == 0)
    for i, (sample, values) in zip(
        missing, _samples([cars[i] for i in missing], n_points, vertices, workers), strict=True
    ):
        rows = {"points": sample.points, "normals": sample.normals, "values": values}
        for key, array in arrays.items():
            array[i] = rows[key][:n_points]
            array.flush()
        areas[i] = sample.areas.sum(dtype=np.float64)
        done[i] = 1
        on_each(int((done[:] != 0).sum()))
    return [
        StoredCar(
            *(car.name, car.kind, car.style, split, car.coefficients),
            float("nan") if getattr(car, "area", 0.0) is None else car.frontal_area,  # not measured again
            Mapped(folder, i),
            float(areas[i]),
        )
        for i, (car, split) in enumerate(zip(cars, splits, strict=True))
    ]


def _array(path: Path, shape: tuple[int, ...], kind: type) -> np.memmap:
    if path.exists():
        return np.load(path, mmap_mode="r+", allow_pickle=False)
    return np.lib.format.open_memmap(path, mode="w+", dtype=kind, shape=shape)


def _samples(
    cars: Iterable[Car], n_points: int, vertices: bool, workers: int
) -> Iterator[tuple[SurfaceSample, np.ndarray]]:
    sample = partial(_sampled, n_points=n_points, vertices=vertices)
    if workers < 2:
        yield from map(sample, cars)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(sample, cars)


def _sampled(car: Car, n_points: int, vertices: bool) -> tuple[SurfaceSample, np.ndarray]:
    if vertices:
        return car.vertex_sample(n_points)
    sample, values = car.sample()
    again = np.arange(n_points) % len(sample)
    rows = (sample.points[again], sample.normals[again], sample.areas[again] * (len(sample) / n_points))
    return (SurfaceSample(*rows), values[again]) if len(sample) < n_points else (sample, values)
