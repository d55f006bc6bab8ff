"""Designs between the CFD cases of families of one mesh: drawn at random, labelled by a fit on the cases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from gnn.novelty import profile
from gnn.training.cars import FamilyCar, FamilyClouds
from gnn.training.clouds import SAMPLE_POINTS, Cloud
from gnn.training.labels import COEFFICIENTS, fit_best

_SPREAD = 0.85
"""Of each handle's range, as the corpus's own designs have it."""
_FAMILY_WEIGHT = 2.0


@dataclass(frozen=True, eq=False)
class FamilyShape:
    """A design of a family that may or may not have been computed. values: of its handles, those not named neutral."""

    clouds: FamilyClouds
    values: dict[str, float]

    def draw(self, n: int, rng: np.random.Generator) -> Cloud:
        return self.clouds.draw(self.clouds.family.handles.amounts_of(self.values), n, rng)

    def profile(self, rng: np.random.Generator) -> np.ndarray:
        """As of a sample that prediction sees (gnn.novelty.profile)."""
        cloud = self.draw(SAMPLE_POINTS, rng)
        return profile(cloud.points, cloud.normals)


def families_of(cars: Sequence[FamilyCar]) -> list[FamilyClouds]:
    """The families that cars are of, each once."""
    return list({car.clouds.family.name: car.clouds for car in cars}.values())


def random_family_designs(families: Sequence[FamilyClouds], n: int, seed: int) -> list[FamilyShape]:
    """n designs, as many of each family, spread over the handles' ranges."""
    from scipy.stats import qmc

    shapes = []
    for number, clouds in enumerate(families):
        handles = clouds.family.handles
        low, high = np.array([handles.range_of(name) for name in handles.names]).T
        rows = qmc.LatinHypercube(len(low), seed=seed + number).random(-(-n // len(families)))
        for row in 0.5 + _SPREAD * (rows - 0.5):
            shapes.append(
                FamilyShape(clouds, dict(zip(handles.names, (low + row * (high - low)).tolist(), strict=True)))
            )
    return shapes[:n]


def fit_family_coefficients(cars: Sequence[FamilyCar]) -> Callable[[Sequence[FamilyShape]], np.ndarray]:
    """Cd and Cl of any design, (n, 2), from one fit on the handles of all families' cases."""
    families = [clouds.family.name for clouds in families_of(cars)]
    handles = sorted({name for car in cars for name in car.clouds.family.handles.names})

    def row(clouds: FamilyClouds, values: dict[str, float]) -> list[float]:
        own = clouds.family.handles
        scaled = []
        for name in handles:
            if name not in own.names:
                scaled.append(0.0)
                continue
            low, high = own.range_of(name)
            neutral = float(own.neutral[own.names.index(name)])
            scaled.append(2 * (values.get(name, neutral) - neutral) / (high - low))
        return scaled + [_FAMILY_WEIGHT * (clouds.family.name == name) for name in families]

    rows = np.array([row(car.clouds, car.case.values) for car in cars])
    fits = [fit_best(rows, np.array([car.coefficients[name] for car in cars])) for name in COEFFICIENTS]

    def predict(shapes: Sequence[FamilyShape]) -> np.ndarray:
        query = np.array([row(shape.clouds, shape.values) for shape in shapes])
        return np.column_stack([fit(query) for fit in fits])

    return predict
