"""Endless training clouds: material points followed to the designs of the DrivAer morphs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.corpora.cases import Case, style_of
from data.corpora.morphed_families import FamilyCase
from data.corpora.morphs import NO_FACE, STYLES, MaterialPoints, MorphGenerator, material_points
from gnn.input_frame import middle_x, to_network
from gnn.novelty import profile

UNDERBODIES = ("detailed", "smooth")
SAMPLE_POINTS = 16384
"""Points of a sample as prediction draws them."""
_N_EXTREME = 64


@dataclass(frozen=True)
class Design:
    """A morphed car that may or may not have been computed: generator parameters and underbody."""

    parameters: dict[str, float]
    underbody: str

    @property
    def style(self) -> str:
        return style_of(self.parameters)

    @classmethod
    def of(cls, case: Case) -> Design:
        return cls(case.parameters, case.underbody)


@dataclass(frozen=True, eq=False)
class Cloud:
    """points (N, 3) float32 in network coordinates, normals (N, 3) float32, cfd_face (N,) or NO_FACE."""

    points: np.ndarray
    normals: np.ndarray
    cfd_face: np.ndarray


class MorphClouds:
    """Draws clouds of any design; the point pools of each style and underbody are sampled once."""

    def __init__(self, generator: MorphGenerator, pool: int = 65536):
        self.generator, self.pool = generator, pool
        self._pools = {
            (style, underbody): material_points(generator, style, underbody, pool)
            for style in STYLES
            for underbody in UNDERBODIES
        }
        self._ends = {key: _extreme_rows(generator, key[0], points) for key, points in self._pools.items()}

    def x_middle(self, design: Design) -> float:
        """Middle of the design's length, m."""
        key = (design.style, design.underbody)
        ends, _ = self._pools[key].cloud(self.generator, design.parameters, self._ends[key])
        return middle_x(ends)

    def profile(self, design: Design, rng: np.random.Generator) -> np.ndarray:
        """The profile (gnn.novelty.profile) of a design, as of a sample that prediction sees."""
        cloud = self.draw(design, min(SAMPLE_POINTS, self.pool), rng)
        return profile(cloud.points, cloud.normals)

    def draw(self, design: Design, n: int, rng: np.random.Generator) -> Cloud:
        """n random points of a design; half of the clouds are mirrored, which no car would notice."""
        pool = self._pools[design.style, design.underbody]
        which = rng.choice(len(pool), n, replace=False)
        points, normals = pool.cloud(self.generator, design.parameters, which)
        if rng.random() < 0.5:
            points, normals = points * [1, -1, 1], normals * [1, -1, 1]
        return Cloud(to_network(points, self.x_middle(design)), normals.astype(np.float32), pool.cfd_face[which])


def labels(case: Case | FamilyCase, cloud: Cloud) -> np.ndarray:
    """(N, 4) float32 Cp, Cf at the cloud's points; NaN where no CFD face is.

    The case has the +y half; on the other half (told by the CFD face's mirror image) Cf's y component turns over.
    """
    face = np.maximum(cloud.cfd_face, 0)
    values = np.column_stack([case.face_cp[face], case.face_cf[face]])
    values[cloud.points[:, 1] < 0, 2] *= -1
    values[cloud.cfd_face == NO_FACE] = np.nan
    return values.astype(np.float32)


def random_designs(generator: MorphGenerator, n: int, seed: int) -> list[Design]:
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
        designs.append(Design(parameters, UNDERBODIES[int(rng.integers(2))]))
    return designs


def _extreme_rows(generator: MorphGenerator, style: str, pool: MaterialPoints) -> np.ndarray:
    """Rows at the car's two ends: morphs are smooth, so a design's ends are among them to a millimetre or two."""
    points, _ = pool.cloud(generator, generator.neutral(style), np.arange(len(pool)))
    order = np.argsort(points[:, 0])
    return np.concatenate([order[:_N_EXTREME], order[-_N_EXTREME:]])
