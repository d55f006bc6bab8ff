"""Designs between the CFD cases of families of one mesh: drawn at random, labelled by a fit on the cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from data.corpora.case import Case
from factory.labels import CoefficientFit, fit_label_of_few
from factory.segments import forces_of_cases, segment_of
from gnn.novelty import profile
from gnn.training.cars import FamilyCar, FamilyClouds
from gnn.training.clouds import SAMPLE_POINTS, Cloud

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
        """The profile (gnn.novelty.profile) of a sample as prediction draws it."""
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


def fit_family_coefficients(cars: Sequence[FamilyCar]) -> CoefficientFit:
    """A fit of Cd and Cl of `FamilyShape`s: one for all families, on the handles of their cases."""
    families = [clouds.family.name for clouds in families_of(cars)]
    handles = sorted({name for car in cars for name in car.clouds.family.handles.names})

    def row(shape: FamilyShape) -> list[float]:
        own = shape.clouds.family.handles
        scaled = []
        for name in handles:
            if name not in own.names:
                scaled.append(0.0)
                continue
            low, high = own.range_of(name)
            neutral = float(own.neutral[own.names.index(name)])
            scaled.append(2 * (shape.values.get(name, neutral) - neutral) / (high - low))
        return scaled + [_FAMILY_WEIGHT * (shape.clouds.family.name == name) for name in families]

    def rows(shapes: Sequence[FamilyShape]) -> np.ndarray:
        return np.array([row(shape) for shape in shapes])

    shapes = [FamilyShape(car.clouds, car.case.parameters) for car in cars]
    coefficients = [car.coefficients for car in cars]
    return CoefficientFit.of(rows, shapes, family_forces(cars), coefficients, fit_label_of_few)


def family_forces(cars: Sequence[FamilyCar]) -> np.ndarray:
    """(n, 2, N_SEGMENTS): what each segment adds to Cd and Cl (`factory.segments`)."""
    families = {clouds.family.name: clouds.family for clouds in families_of(cars)}
    segment = {name: segment_of(family.faces_on(family.neutral)[0]) for name, family in families.items()}

    def faces_of(case: Case) -> tuple[np.ndarray, np.ndarray]:
        return segment[case.family], families[case.family].faces_on(case.amounts)[1]

    return forces_of_cases([car.case for car in cars], faces_of)
