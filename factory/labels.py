"""Labels for shapes between the CFD cases: Gaussian processes on the morph parameters and the rear roof line.

Several parameters move the same line: trunk-lid angle, backlight height and the two styles all move the roof's rear
edge, which drag depends on. So the features are the parameters and a few measures of the roof line. The label is the
mean of two Gaussian processes, one with a length scale for each feature and an additive one; each segment of the car is
fitted by itself and their forces are summed (`factory.segments`). :func:`cross_validate` measures how good such labels
are; docs/accuracy.md has the figures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from data.corpora.case import Case
from data.spawned import spawning
from factory.additive_gaussian_process import AdditiveGaussianProcess
from factory.gaussian_process import GaussianProcess
from factory.morph_generator import MorphGenerator, UnmorphedFaces
from factory.morphs import MorphDesign
from factory.segments import forces_of_cases, segment_of
from gnn.roof_line import roof_measures

COEFFICIENTS = ("cd", "cl")
"""What is fitted, in the order of the drag network's outputs."""

Fit = Callable[[np.ndarray], np.ndarray]
_FOLDS = 8
_ROUNDING = 1e-9


class DesignFeatures:
    """Features of designs for regressions."""

    def __init__(self, generator: MorphGenerator):
        self.generator, self.morph = generator, generator.morph
        self.low, self.high = np.array(list(self.morph.RANGES.values())).T

    def parameters(self, designs: Sequence[MorphDesign]) -> np.ndarray:
        """(n, 21): parameters scaled to [-1, 1], styles and underbody as 0 or 2."""
        own = np.array([[d.parameters[name] for name in self.morph.RANGES] for d in designs])
        styles = [
            [d.parameters.get("estate", 0.0), d.parameters.get("notch", 0.0), d.underbody == "smooth"] for d in designs
        ]
        return np.column_stack([2 * (own - self.low) / (self.high - self.low) - 1, 2 * np.array(styles, float)])

    def with_roof_line(self, designs: Sequence[MorphDesign]) -> np.ndarray:
        """(n, 26): parameters less the two styles, and the roof line's measures, each of order one."""
        return np.column_stack(
            [self.without_styles(designs), roof_measures(*np.moveaxis(self.roof_lines(designs), 2, 0))]
        )

    def without_styles(self, designs: Sequence[MorphDesign]) -> np.ndarray:
        """(n, 19): ``parameters`` less the two styles, which bend the roof line and nothing else."""
        return np.delete(self.parameters(designs), [-3, -2], axis=1)

    def roof_lines(self, designs: Sequence[MorphDesign]) -> np.ndarray:
        """(n, N_POINTS, 2): x and z of the roof's middle, m, car frame."""
        line = np.column_stack([self.morph.ROOF_X, np.full(len(self.morph.ROOF_X), 1e-6), self.morph.ROOF])
        return np.array([self.morph.morph_body(line, d.parameters)[:, ::2] for d in designs])

    def forces_by_segment(self, cases: Sequence[Case]) -> np.ndarray:
        """(n, 2, N_SEGMENTS): what each segment adds to Cd and Cl (`factory.segments`)."""
        faces = {kind: UnmorphedFaces.of(self.generator, kind) for kind in {case.underbody for case in cases}}
        segment = {kind: segment_of(of_kind.centres) for kind, of_kind in faces.items()}

        def faces_of(case: Case) -> tuple[np.ndarray, np.ndarray]:
            return segment[case.underbody], faces[case.underbody].on(self.generator, case.parameters)[1]

        return forces_of_cases(cases, faces_of)


def ridge(features: np.ndarray, values: np.ndarray, penalty: float = 3.0) -> Fit:
    """Ridge regression with an intercept that is not penalised. features (n, d), values (n,) or (n, m)."""
    centre, mean = features.mean(axis=0), values.mean(axis=0)
    x = features - centre
    weights = np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ (values - mean))
    return lambda query: (query - centre) @ weights + mean


def fit_label(rows: np.ndarray, values: np.ndarray) -> Fit:
    """The mean of two kinds of Gaussian process. rows (n, f) of order one, values (n,)."""
    return _mean_of([GaussianProcess.fit(rows, values), AdditiveGaussianProcess.fit(rows, values)])


def fit_label_of_few(rows: np.ndarray, values: np.ndarray) -> Fit:
    """The mean of those and of ridge regression: a hundred cases are too few for two dozen length scales."""
    return _mean_of([fit(rows, values) for fit in (ridge, GaussianProcess.fit, AdditiveGaussianProcess.fit)])


def _mean_of(fits: Sequence[Fit]) -> Fit:
    return lambda query: np.mean([fit(query) for fit in fits], axis=0)


@dataclass(frozen=True)
class SumFit:
    """A total as the sum of its parts, each with a regression of its own; the last part is the remainder."""

    parts: tuple[Fit, ...]

    @classmethod
    def of(cls, rows: np.ndarray, parts: np.ndarray, totals: np.ndarray, fit: Callable[..., Fit] = fit_label) -> SumFit:
        """rows (n, f), parts (n, p), totals (n,)."""
        every = np.column_stack([parts, totals - parts.sum(axis=1)]).T
        return cls(tuple((fit if np.ptp(part) > _ROUNDING else ridge)(rows, part) for part in every))

    def of_parts(self, query: np.ndarray) -> np.ndarray:
        """(q, p + 1)"""
        return np.column_stack([fit(query) for fit in self.parts])

    def __call__(self, query: np.ndarray) -> np.ndarray:
        """(q,)"""
        return self.of_parts(query).sum(axis=1)


@dataclass(frozen=True)
class CoefficientFit:
    """Cd and Cl of any design, from fits on what each segment of the cases' cars adds to them.

    rows: the rows (n, f) of n designs. fits: of COEFFICIENTS.
    """

    rows: Callable[[Sequence[Any]], np.ndarray]
    fits: tuple[SumFit, ...]

    @classmethod
    def of(
        cls,
        rows: Callable[[Sequence[Any]], np.ndarray],
        designs: Sequence[Any],
        forces: np.ndarray,
        coefficients: Sequence[Mapping[str, float]],
        fit: Callable[..., Fit] = fit_label,
    ) -> CoefficientFit:
        """designs: n that were computed. forces (n, 2, N_SEGMENTS). coefficients: of each."""
        own = rows(designs)
        totals = ([c[name] for c in coefficients] for name in COEFFICIENTS)
        return cls(rows, tuple(SumFit.of(own, forces[:, i], np.array(t), fit) for i, t in enumerate(totals)))

    def with_segments(self, designs: Sequence[Any]) -> np.ndarray:
        """(n, 2 + 2 N_SEGMENTS): Cd and Cl, then what each segment adds to the one and to the other."""
        query = self.rows(designs)
        parts = [fit.of_parts(query) for fit in self.fits]
        return np.column_stack([*(p.sum(axis=1) for p in parts), *(p[:, :-1] for p in parts)])

    def __call__(self, designs: Sequence[Any]) -> np.ndarray:
        """(n, 2)"""
        return self.with_segments(designs)[:, : len(COEFFICIENTS)]


def fit_coefficients(cases: Sequence[Case], features: DesignFeatures) -> CoefficientFit:
    """A fit of Cd and Cl of `MorphDesign`s."""
    designs = [MorphDesign.of(case) for case in cases]
    forces = features.forces_by_segment(cases)
    return CoefficientFit.of(features.with_roof_line, designs, forces, [case.coefficients for case in cases])


def cross_validate(rows: np.ndarray, values: np.ndarray, fit: Callable[..., Fit]) -> np.ndarray:
    """(n,) each value as predicted by a fit that did not see it."""
    return _by_folds(len(values), partial(_predict_fold, rows, values, fit))


def cross_validate_sum(
    rows: np.ndarray, parts: np.ndarray, totals: np.ndarray, fit: Callable[..., Fit] = fit_label, workers: int = 1
) -> np.ndarray:
    """(n,) each total (n,) as predicted by a `SumFit` that saw neither it nor its parts (n, p).

    workers: processes that share the folds; with more than one, ``fit`` must be a module's function.
    """
    return _by_folds(len(totals), partial(_predict_sum_fold, rows, parts, totals, fit), workers)


def _predict_fold(
    rows: np.ndarray, values: np.ndarray, fit: Callable[..., Fit], kept: np.ndarray, held: np.ndarray
) -> np.ndarray:
    return fit(rows[kept], values[kept])(rows[held])


def _predict_sum_fold(
    rows: np.ndarray,
    parts: np.ndarray,
    totals: np.ndarray,
    fit: Callable[..., Fit],
    kept: np.ndarray,
    held: np.ndarray,
) -> np.ndarray:
    return SumFit.of(rows[kept], parts[kept], totals[kept], fit)(rows[held])


def _by_folds(n: int, predict: Callable[[np.ndarray, np.ndarray], np.ndarray], workers: int = 1) -> np.ndarray:
    """(n,) in eight parts, of which each is predicted from the others: predict(rows kept, rows held)."""
    order = np.random.default_rng(0).permutation(n)
    held = [order[fold::_FOLDS] for fold in range(_FOLDS)]
    kept = [np.setdiff1d(order, rows) for rows in held]
    with ExitStack() as stack:
        each = map
        if workers > 1:
            pool = ProcessPoolExecutor(workers, spawning(), torch.set_num_threads, (1,))
            each = stack.enter_context(pool).map
        folds = list(each(predict, kept, held))
    predicted = np.empty(n)
    predicted[np.concatenate(held)] = np.concatenate(folds)
    return predicted
