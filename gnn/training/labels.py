"""Labels for shapes between the CFD cases: a Gaussian process on the morph parameters and the rear roof line.

The generator's parameters say little by themselves where several of them bend the same line: trunk-lid angle, backlight
height and the two styles all move the roof's rear edge, and drag follows that edge. So the features are the parameters
and a few measures of the roof line, with a length of its own along each of them: with 275 training designs those
lengths take R2 from 0.847 to 0.891 on the held-out ones, and the mean with a process that looks at features in pairs
and threes too takes it to 0.912 (cross-validated 0.849, 0.899 and 0.909; docs/accuracy.md). :func:`cross_validate` says
how good such labels are before anyone trusts them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from data.corpora.cases import Case
from data.corpora.morphs import MorphGenerator
from gnn.roof_line import roof_measures
from gnn.training.additive_process import AdditiveProcess
from gnn.training.clouds import Design
from gnn.training.process import Process

COEFFICIENTS = ("Cd", "Cl")
"""What is fitted, in the order of the drag network's outputs."""

Fit = Callable[[np.ndarray], np.ndarray]

_PROCESSES = (Process.fit, AdditiveProcess.fit)


class DesignFeatures:
    """Turns designs into the rows that fits work on."""

    def __init__(self, generator: MorphGenerator):
        self.morph = generator.morph
        self.low, self.high = np.array(list(self.morph.RANGES.values())).T

    def parameters(self, designs: Sequence[Design]) -> np.ndarray:
        """(n, 21): parameters scaled to [-1, 1], styles and underbody as 0 or 2."""
        own = np.array([[d.parameters[name] for name in self.morph.RANGES] for d in designs])
        styles = [
            [d.parameters.get("estate", 0.0), d.parameters.get("notch", 0.0), d.underbody == "smooth"] for d in designs
        ]
        return np.column_stack([2 * (own - self.low) / (self.high - self.low) - 1, 2 * np.array(styles, float)])

    def with_roof_line(self, designs: Sequence[Design]) -> np.ndarray:
        """(n, 26): parameters less the two styles, and the roof line's measures, each of order one."""
        return np.column_stack(
            [self.without_styles(designs), roof_measures(*np.moveaxis(self.roof_lines(designs), 2, 0))]
        )

    def without_styles(self, designs: Sequence[Design]) -> np.ndarray:
        """(n, 19): ``parameters`` less the two styles, which bend the roof line and nothing else."""
        return np.delete(self.parameters(designs), [-3, -2], axis=1)

    def roof_lines(self, designs: Sequence[Design]) -> np.ndarray:
        """(n, N_POINTS, 2): x and z of the roof's middle, m, car frame."""
        line = np.column_stack([self.morph.ROOF_X, np.full(len(self.morph.ROOF_X), 1e-6), self.morph.ROOF])
        return np.array([self.morph.morph_body(line, d.parameters)[:, ::2] for d in designs])


def ridge(features: np.ndarray, values: np.ndarray, penalty: float = 3.0) -> Fit:
    """The honest yardstick: a linear fit with a free constant. features (n, d), values (n,) or (n, m)."""
    centre, mean = features.mean(axis=0), values.mean(axis=0)
    x = features - centre
    weights = np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ (values - mean))
    return lambda query: (query - centre) @ weights + mean


def fit_label(rows: np.ndarray, values: np.ndarray) -> Fit:
    """The mean of two Gaussian processes that err differently. rows (n, f) of order one, values (n,)."""
    return _mean_of([fit(rows, values) for fit in _PROCESSES])


def fit_best(rows: np.ndarray, values: np.ndarray) -> Fit:
    """The linear fit, the processes' mean or the mean of all three, whichever cross-validates best.

    Two dozen lengths take some hundred cases to find.
    """
    fits = (ridge, *_PROCESSES)
    said = np.array([cross_validate(rows, values, fit) for fit in fits])
    mixtures = ([0], [1, 2], [0, 1, 2])
    errors = [np.square(said[mixture].mean(axis=0) - values).mean() for mixture in mixtures]
    return _mean_of([fits[i](rows, values) for i in mixtures[int(np.argmin(errors))]])


def _mean_of(fits: Sequence[Fit]) -> Fit:
    return lambda query: np.mean([fit(query) for fit in fits], axis=0)


def fit_coefficients(cases: Sequence[Case], features: DesignFeatures) -> Callable[[Sequence[Design]], np.ndarray]:
    """Cd and Cl of any design, (n, 2), from Gaussian processes on the cases."""
    rows = features.with_roof_line([Design.of(c) for c in cases])
    fits = [fit_label(rows, np.array([c.coefficients[name] for c in cases])) for name in COEFFICIENTS]

    def predict(designs: Sequence[Design]) -> np.ndarray:
        query = features.with_roof_line(designs)
        return np.column_stack([fit(query) for fit in fits])

    return predict


def cross_validate(rows: np.ndarray, values: np.ndarray, fit: Callable, folds: int = 8, seed: int = 0) -> np.ndarray:
    """(n,) each value as predicted by a fit that did not see it."""
    order = np.random.default_rng(seed).permutation(len(values))
    predicted = np.empty_like(values)
    for fold in range(folds):
        held = order[fold::folds]
        kept = np.setdiff1d(order, held)
        predicted[held] = fit(rows[kept], values[kept])(rows[held])
    return predicted
