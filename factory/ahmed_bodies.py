"""Ahmed bodies to learn from: AhmedML's own (Ashton et al., arXiv:2407.20801, CC BY-SA 4.0), and others between them.

Drag over the slant's angle has two branches. On the one the flow holds to the slant between two vortices, and drag
rises with the angle; on the other it has left the slant, and drag hardly depends on it. Where it leaves depends on the
body. So each branch has a regression of its own, and a third tells which one a body is on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from data.corpora.published_runs import PublishedRun
from data.errors import DrivAerError
from data.sampling import sample_surface
from drivaer_app.shapes.ahmed import AhmedBody
from factory.labels import Fit, fit_label
from gnn.input_frame import InputFrame
from gnn.novelty import profile
from gnn.training.clouds import SAMPLE_POINTS, Cloud

_EDGE = 0.03  # m: of the triangles that points are drawn from
_POOL = 8192
_ALWAYS_ATTACHED, _ALWAYS_SEPARATED = 26.0, 50.0  # degrees
_BETWEEN = 33.0
_ATTACHED_ABOVE = (0.305, 0.335)  # Cd on own area, of slants below and above _BETWEEN
_STEEP = 4.0  # of the logistic law of what tells the branches apart, whose targets are -1 and 1


@dataclass(frozen=True)
class AhmedShape:
    """An Ahmed body that may or may not have been computed."""

    body: AhmedBody

    def draw(self, n: int, rng: np.random.Generator) -> Cloud:
        """n random points in network coordinates; half of the clouds are mirrored. No CFD faces are known."""
        points, normals = _pool(self.body)
        which = rng.choice(len(points), n, replace=n > len(points))
        points, normals = points[which], normals[which]
        if rng.random() < 0.5:
            points, normals = points * np.float32([1, -1, 1]), normals * np.float32([1, -1, 1])
        return Cloud(points, normals, np.full(n, -1))

    def profile(self, rng: np.random.Generator) -> np.ndarray:
        """As of a sample that prediction sees (gnn.novelty.profile)."""
        cloud = self.draw(SAMPLE_POINTS, rng)
        return profile(cloud.points, cloud.normals)


@lru_cache(maxsize=64)
def _pool(body: AhmedBody) -> tuple[np.ndarray, np.ndarray]:
    sample = sample_surface(*body.mesh(_EDGE), _POOL)
    return InputFrame.of(sample.points).to_network(sample.points), sample.normals


def bodies_of(runs: Sequence[PublishedRun]) -> list[AhmedBody]:
    return [AhmedBody.of_parameters(run.parameters) for run in runs]


def random_bodies(like: Sequence[AhmedBody], n: int, seed: int) -> list[AhmedBody]:
    """n bodies whose dimensions lie in the ranges of others', spread evenly."""
    from scipy.stats import qmc

    names = ("length", "width", "height", "front_radius", "slant_length", "slant_deg")
    low, high = np.quantile([[getattr(body, name) for name in names] for body in like], (0.0, 1.0), axis=0)
    found: list[AhmedBody] = []
    for row in qmc.LatinHypercube(len(names), seed=seed).random(2 * n):
        try:
            found.append(AhmedBody(*(low + row * (high - low)).tolist()))
        except DrivAerError:  # its rounding or its slant has no room
            continue
        if len(found) == n:
            break
    return found


@dataclass(frozen=True)
class AhmedFit:
    """Cd and Cl of Ahmed bodies on their own area, from runs whose forces are known."""

    centre: np.ndarray
    spread: np.ndarray
    attached: Mapping[str, Fit]
    separated: Mapping[str, Fit]
    is_attached: Fit

    @classmethod
    def of(cls, runs: Sequence[PublishedRun]) -> AhmedFit:
        rows = _rows(bodies_of(runs))
        centre, spread = rows.mean(axis=0), rows.std(axis=0)
        rows = (rows - centre) / spread
        values = {"cd": np.array([run.cd_own for run in runs]), "cl": np.array([run.cl_own for run in runs])}
        slant = np.array([run.parameters["slant-angle-degrees"] for run in runs])
        attached = values["cd"] > np.where(slant < _BETWEEN, *_ATTACHED_ABOVE)
        attached |= slant < _ALWAYS_ATTACHED + 1
        unclear = (slant > _ALWAYS_ATTACHED - 2) & (slant < _ALWAYS_SEPARATED + 2)
        branches = [{name: _fit(rows[on], v[on]) for name, v in values.items()} for on in (attached, ~attached)]
        tells = _fit(rows[unclear], np.where(attached, 1.0, -1.0)[unclear])
        return cls(centre, spread, *branches, tells)

    def __call__(self, bodies: Sequence[AhmedBody]) -> np.ndarray:
        """(n, 2): Cd and Cl; between the branches, their mean by how likely either is."""
        rows = (_rows(bodies) - self.centre) / self.spread
        slant = np.array([body.slant_deg for body in bodies])
        share = 1 / (1 + np.exp(-_STEEP * self.is_attached(rows)))
        share = np.where(slant < _ALWAYS_ATTACHED, 1.0, np.where(slant > _ALWAYS_SEPARATED, 0.0, share))
        return np.column_stack(
            [share * self.attached[name](rows) + (1 - share) * self.separated[name](rows) for name in ("cd", "cl")]
        )


def _rows(bodies: Sequence[AhmedBody]) -> np.ndarray:
    """(n, 6): ratios of the dimensions, and the slant's angle."""
    rows = []
    for body in bodies:
        size = np.sqrt(body.area)
        _, down = body.slant_run
        rows.append(
            [
                body.length / size,
                body.height / body.width,
                body.front_radius / body.width,
                body.slant_length / body.width,
                body.slant_deg,
                down / body.height,
            ]
        )
    return np.array(rows)


def _fit(rows: np.ndarray, values: np.ndarray) -> Fit:
    mean, spread = values.mean(), values.std()
    fit = fit_label(rows, (values - mean) / spread)
    return lambda query: fit(query) * spread + mean
