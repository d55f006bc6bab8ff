"""The DrivAer bent by the program's own handles: what a designer's hand does to it must be known as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from data.car import CarMesh
from data.load import place_car
from data.mesh import RawMesh
from data.sampling import sample_surface
from drivaer_app.shapes.morph import Morph
from factory.morph_generator import MorphGenerator
from gnn.input_frame import InputFrame
from gnn.training.clouds import Cloud

_POOL = 16384
_MOST_AT_ONCE = 3
_SPREAD = 0.85  # of each handle's range


class BendableCar:
    """A car with its handles and the points that clouds are drawn from, sampled once."""

    def __init__(self, car: CarMesh):
        self.morph = Morph.of(car)
        sample = sample_surface(car.vertices, car.faces, _POOL)
        self.points, self.normals = sample.points.astype(float), sample.normals

    @classmethod
    def of(cls, generator: MorphGenerator, underbody: str) -> BendableCar:
        """The unmorphed car of a generator."""
        vertices, faces = generator.mesh(generator.neutral("fastback"), underbody)
        return cls(place_car(RawMesh(vertices, faces.astype(np.int32)), unit="m", up="z", forward="-x"))


@dataclass(frozen=True, eq=False)
class HandleShape:
    """One bent car. values: of its handles. Normals are the unbent car's, which the drag network does not look at."""

    car: BendableCar
    values: dict[str, float]

    def draw(self, n: int, rng: np.random.Generator) -> Cloud:
        """n random points in network coordinates; half of the clouds are mirrored. No CFD faces are known."""
        bent = self.car.points + self.car.morph.field.displacement(self.car.points, self.values)
        which = rng.choice(len(bent), n, replace=False)
        points = InputFrame.of(bent).to_network(bent)[which]
        normals = self.car.normals[which]
        if rng.random() < 0.5:
            points, normals = points * np.float32([1, -1, 1]), normals * np.float32([1, -1, 1])
        return Cloud(points, normals, np.full(n, -1))

    def furthest(self, values) -> float:
        """m that values move the car's points by at most."""
        return float(np.abs(self.car.morph.field.displacement(self.car.points, values)).max())


def random_handle_shapes(car: BendableCar, n: int, seed: int) -> list[HandleShape]:
    """The unbent car, each handle alone at both ends, and n designs of up to three handles at once."""
    rng, handles = np.random.default_rng(seed), car.morph.handles
    shapes = [HandleShape(car, {})]
    for name, handle in handles.items():
        ends = (
            handle.neutral + share * (end - handle.neutral)
            for end in (handle.low, handle.high)
            for share in (0.4, _SPREAD)
        )
        shapes += [HandleShape(car, {name: float(value)}) for value in ends]
    for _ in range(n):
        some: Sequence[str] = rng.choice(list(handles), rng.integers(2, _MOST_AT_ONCE + 1), replace=False)
        values = {}
        for name in some:
            handle = handles[name]
            end = handle.low if rng.random() < 0.5 else handle.high
            values[str(name)] = float(handle.neutral + 0.6 * rng.random() * (end - handle.neutral))
        shapes.append(HandleShape(car, values))
    return shapes
