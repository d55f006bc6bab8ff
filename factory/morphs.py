"""Morphed DrivAers with their generator at hand: designs between the cases, endless clouds of them, cases as cars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from data.corpora.case import Case
from data.corpora.case_files import read_cases, style_of
from data.errors import DrivAerError
from data.mesh import SurfaceSample
from data.sampling import sample_surface
from factory.morph_generator import COMPUTED, STYLES, MorphGenerator, UnmorphedFaces, UnmorphedPoints, material_points
from gnn.input_frame import middle_x, to_network
from gnn.novelty import profile
from gnn.training.cars import DRIVAER, LabelledCloud, OfCase, values_near
from gnn.training.clouds import SAMPLE_POINTS, Cloud, labels

_N_EXTREME = 64


@dataclass(frozen=True)
class MorphDesign:
    """A morphed car that may or may not have been computed: generator parameters and underbody."""

    parameters: dict[str, float]
    underbody: str

    @property
    def style(self) -> str:
        return style_of(self.parameters)

    @classmethod
    def of(cls, case: Case) -> MorphDesign:
        return cls(case.parameters, case.underbody)


def read_morph_cases(*folders: str | Path) -> list[Case]:
    """Cases of the generator's designs, in their order: see `data.corpora.case_files.read_cases`.

    Raises DrivAerError for a case of another car.
    """
    cases = read_cases(*folders)
    for case in cases:
        if case.design is None or case.family is not None:
            raise DrivAerError(f"{case.name} is no case of a morphed DrivAer", fix="move it to another folder")
    return cases


class MorphClouds:
    """Draws clouds of any design of some styles and underbodies, whose point pools are sampled once each."""

    def __init__(
        self,
        generator: MorphGenerator,
        pool: int = 65536,
        styles: Sequence[str] = STYLES,
        underbodies: Sequence[str] = COMPUTED,
    ):
        self.generator, self.pool = generator, pool
        self._pools = {
            (style, underbody): material_points(generator, style, underbody, pool)
            for style in styles
            for underbody in underbodies
        }
        self._ends = {key: _extreme_rows(generator, key[0], points) for key, points in self._pools.items()}

    def x_middle(self, design: MorphDesign) -> float:
        """Middle of the design's length, m."""
        key = (design.style, design.underbody)
        ends, _ = self._pools[key].cloud(self.generator, design.parameters, self._ends[key])
        return middle_x(ends)

    def profile(self, design: MorphDesign, rng: np.random.Generator) -> np.ndarray:
        """The profile (gnn.novelty.profile) of a design, as of a sample that prediction sees."""
        cloud = self.draw(design, min(SAMPLE_POINTS, self.pool), rng)
        return profile(cloud.points, cloud.normals)

    def draw(self, design: MorphDesign, n: int, rng: np.random.Generator) -> Cloud:
        """n random points of a design; half of the clouds are mirrored, which no car would notice."""
        pool = self._pools[design.style, design.underbody]
        which = rng.choice(len(pool), n, replace=False)
        points, normals = pool.cloud(self.generator, design.parameters, which)
        if rng.random() < 0.5:
            points, normals = points * [1, -1, 1], normals * [1, -1, 1]
        return Cloud(to_network(points, self.x_middle(design)), normals.astype(np.float32), pool.cfd_face[which])


@dataclass(frozen=True)
class MorphShape:
    """A morphed DrivAer that may or may not have been computed."""

    design: MorphDesign
    clouds: MorphClouds

    def draw(self, n: int, rng: np.random.Generator) -> Cloud:
        return self.clouds.draw(self.design, n, rng)


@dataclass(frozen=True, eq=False)
class MorphCar(OfCase):
    """A morphed DrivAer's case, with the generator that makes its shape."""

    case: Case
    clouds: MorphClouds
    kind: str = DRIVAER

    def draw(self, n: int, rng: np.random.Generator) -> LabelledCloud:
        cloud = self.clouds.draw(MorphDesign.of(self.case), n, rng)
        return LabelledCloud(cloud.points, cloud.normals, labels(self.case, cloud))

    def sample(self) -> tuple[SurfaceSample, np.ndarray]:
        generator = self.clouds.generator
        sample = sample_surface(*generator.mesh(self.case.parameters, self.case.underbody), SAMPLE_POINTS)
        centres, areas = _cfd_faces(generator, self.case.underbody).on(generator, self.case.parameters)
        return sample, values_near(centres, areas, sample.points, sample.normals, self.case)


@lru_cache(maxsize=4)
def _cfd_faces(generator, underbody: str) -> UnmorphedFaces:
    return UnmorphedFaces.of(generator, underbody)


def random_designs(generator: MorphGenerator, n: int, seed: int) -> list[MorphDesign]:
    """n designs between the corpus's own, in its ranges: half fastbacks, a quarter each estates and notchbacks."""
    from scipy.stats import qmc

    low, high = np.array(list(generator.morph.RANGES.values())).T
    rng = np.random.default_rng(seed)
    designs = []
    for i, row in enumerate(qmc.LatinHypercube(len(low), seed=seed).random(n)):
        parameters = dict(zip(generator.morph.RANGES, (low + row * (high - low)).tolist(), strict=True))
        style = (None, "estate", None, "notch")[i % 4]
        if style:
            parameters[style] = float(rng.uniform(0.8, 1.05))
        designs.append(MorphDesign(parameters, COMPUTED[int(rng.integers(2))]))
    return designs


def _extreme_rows(generator: MorphGenerator, style: str, pool: UnmorphedPoints) -> np.ndarray:
    """Rows at the car's two ends: morphs are smooth, so a design's ends are among them to a millimetre or two."""
    points, _ = pool.cloud(generator, generator.neutral(style), np.arange(len(pool)))
    order = np.argsort(points[:, 0])
    return np.concatenate([order[:_N_EXTREME], order[-_N_EXTREME:]])
