"""A corpus's cars as training draws from them: read and sampled once, kept in a ``data.point_store``.

Of each car points (P, 3) in the car frame, normals, Cp and Cf or NaN (P, 4), and the wetted area in m². A car's record
belongs to its corpus, its name, the stamp of its files and its label, so that corpora which share cars share records,
and a killed filling goes on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from data.mesh import SurfaceSample
from data.point_store import SAMPLER, MeshStamp, PointStore
from data.sampling import closed_areas
from data.spawned import spawning
from gnn.input_frame import InputFrame
from gnn.training.cars import CorpusCar, LabelledCloud

_KEPT_AT_ONCE = 8
"""Cars: what a kill costs, against how often the disk is waited for."""


@dataclass(frozen=True)
class CarLayout:
    """What is kept of a car. vertices: points are random vertices of its mesh instead of an even sample."""

    n_points: int
    vertices: bool = False

    @property
    def key(self) -> str:
        text = json.dumps(["cars of a training", self.n_points, self.vertices, SAMPLER])
        kind = "vertices" if self.vertices else "cars"
        return f"{self.n_points}{kind}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"

    @property
    def fields(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        n = self.n_points
        return {
            "points": ("<f4", (n, 3)),
            "normals": ("<f2", (n, 3)),
            "values": ("<f2", (n, 4)),
            "wetted": ("<f4", (1,)),
        }


@dataclass(frozen=True, eq=False)
class Held:
    """A car's points (P, 3), normals (P, 3) and values (P, 4) in memory."""

    points: np.ndarray
    normals: np.ndarray
    values: np.ndarray


@dataclass(frozen=True, eq=False)
class Mapped:
    """As `Held`, of a car in a store on disk. Sent to another process it is the store's path and the record's name."""

    store: PointStore
    record: str

    @property
    def points(self) -> np.ndarray:
        return self.store.array(self.record, "points")

    @property
    def normals(self) -> np.ndarray:
        return self.store.array(self.record, "normals")

    @property
    def values(self) -> np.ndarray:
        return self.store.array(self.record, "values")


@dataclass(frozen=True, eq=False)
class PointStoreCar:
    """A car of a store. rows: its points (car frame), normals and values. See `gnn.training.cars.Car`."""

    name: str
    kind: str
    style: str | None
    split: str
    coefficients: Mapping[str, float]
    frontal_area: float
    rows: Held | Mapped
    wetted_area: float
    of_our_cfd: ClassVar[bool] = False  # which it may be; the models that learn from a store know one truth only

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
        """n random points; half of the clouds are mirrored, unless they are not to be.

        centred: in network coordinates (gnn.input_frame), as prediction has them, else in the car frame.
        """
        which = np.sort(rng.choice(len(self.points), n, replace=n > len(self.points)))
        points, normals, values = (np.asarray(a[which], np.float32) for a in (self.points, self.normals, self.values))
        cloud = LabelledCloud(self.frame.to_network(points) if centred else points, normals, values)
        return cloud.mirrored() if mirror and rng.random() < 0.5 else cloud

    @property
    def network_points(self) -> np.ndarray:
        """(P, 3) all points in network coordinates."""
        return self.frame.to_network(np.asarray(self.points))

    @cached_property
    def frame(self) -> InputFrame:
        return InputFrame.of(np.asarray(self.points))

    def raw(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """(n, 3) float32 random points in the car frame, not centred, as published loaders give them."""
        return np.array(self.points[rng.choice(len(self.points), n, replace=n > len(self.points))])

    def sample(self) -> tuple[SurfaceSample, np.ndarray]:
        normals, values = (np.asarray(rows, np.float32) for rows in (self.normals, self.values))
        areas = closed_areas(normals.astype(np.float64), self.wetted_area).astype(np.float32)
        return SurfaceSample(np.array(self.points), normals, areas), values


def stored(
    cars: Sequence[CorpusCar],
    splits: Sequence[str],
    cache: Path,
    *,
    n_points: int,
    vertices: bool = False,
    workers: int = 0,
    on_each: Callable[[int], None] = lambda _: None,
) -> list[PointStoreCar]:
    """The cars from a store of n_points a car in the cache folder, which is filled first as far as it is not.

    splits: train | val | test of each car. vertices: points are random vertices of the mesh, as published loaders take
    them, instead of an even sample. workers: processes that read meshes; 0 reads in this one.
    """
    store = PointStore(cache, CarLayout(n_points, vertices))
    records = [_record(car) for car in cars]
    missing = {record: car for record, car in zip(records, cars, strict=True) if record not in store}
    done = len(set(records)) - len(missing)
    sampled = zip(missing, _samples(missing.values(), n_points, vertices, workers), strict=True)
    while some := list(islice(sampled, _KEPT_AT_ONCE)):
        store.put_many([_kept(record, sample, values, n_points) for record, (sample, values) in some])
        done += len(some)
        on_each(done)
    return [
        PointStoreCar(
            *(car.name, car.kind, car.style, split, car.coefficients),
            float("nan") if car.area is None else car.area,  # not measured again
            Mapped(store, record),
            float(store.array(record, "wetted")[0]),
        )
        for car, split, record in zip(cars, splits, records, strict=True)
    ]


def _record(car: CorpusCar) -> str:
    """The name of a car's record, which changes with its files, its CFD and its label."""
    return f"{car.kind}/{car.name} {car.stamp} {car.coefficients['cd']}"


def _kept(
    record: str, sample: SurfaceSample, values: np.ndarray, n_points: int
) -> tuple[str, Mapping[str, np.ndarray], MeshStamp]:
    arrays = {name: rows[:n_points] for name, rows in (("points", sample.points), ("normals", sample.normals))}
    wetted = np.array([sample.areas.sum(dtype=np.float64)])
    whole = {**arrays, "values": values[:n_points], "wetted": wetted}
    return record, whole, MeshStamp(hashlib.sha256(record.encode()).hexdigest(), 0, 0)


def _samples(
    cars: Iterable[CorpusCar], n_points: int, vertices: bool, workers: int
) -> Iterator[tuple[SurfaceSample, np.ndarray]]:
    sample = partial(_sampled, n_points=n_points, vertices=vertices)
    if workers < 2:
        yield from map(sample, cars)
        return
    with ProcessPoolExecutor(workers, mp_context=spawning()) as pool:
        yield from pool.map(sample, cars)


def _sampled(car: Any, n_points: int, vertices: bool) -> tuple[SurfaceSample, np.ndarray]:
    if vertices:  # of a mesh: `gnn.training.corpora.MeshCar`
        return car.vertex_sample(n_points)
    sample, values = car.sample()
    again = np.arange(n_points) % len(sample)
    rows = (sample.points[again], sample.normals[again], sample.areas[again] * (len(sample) / n_points))
    return (SurfaceSample(*rows), values[again]) if len(sample) < n_points else (sample, values)
