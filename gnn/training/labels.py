"""Labels for shapes between the CFD cases: a Gaussian process on the morph parameters and the rear roof line.

The generator's parameters say little by themselves where several of them bend the same line: trunk-lid angle, backlight
height and the two styles all move the roof's rear edge, and drag follows that edge. So the features are the parameters
and a few measures of the roof line, and the kernel is linear plus one smooth bump (Rasmussen and Williams, "Gaussian
Processes for Machine Learning", 2006). :func:`cross_validate` says how good such labels are before anyone trusts them.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import numpy as np

from data.corpora.cases import Case
from data.corpora.morphs import MorphGenerator
from gnn.training.clouds import Design

COEFFICIENTS = ("Cd", "Cl")
"""What is fitted, in the order of the drag network's outputs."""

Fit = Callable[[np.ndarray], np.ndarray]


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
        """(n, 26): parameters less the two styles, and seven measures of the roof line, each of order one."""
        roof = np.array([self._roof_line(d) for d in designs])
        parameters = np.delete(self.parameters(designs), [-3, -2], axis=1)
        return np.column_stack([parameters, (roof - _ROOF_MIDDLE) / _ROOF_SPREAD])

    def _roof_line(self, design: Design) -> np.ndarray:
        """Edge height, slopes of upper and lower backlight, deck and whole, drop (m, degrees), roof height."""
        line = np.column_stack([self.morph.ROOF_X, np.full(len(self.morph.ROOF_X), 1e-6), self.morph.ROOF])
        x, _, z = self.morph.morph_body(line, design.parameters).T

        def slope(i: int, j: int) -> float:
            return float(np.degrees(np.arctan2(z[i] - z[j], x[j] - x[i])))

        return np.array([z[-1], slope(4, 8), slope(8, 10), slope(11, 13), slope(3, 13), z.max() - z[-1], z.max()])


_ROOF_MIDDLE = np.array([1.12, 14.0, 12.0, 4.0, 13.0, 0.35, 1.45])
_ROOF_SPREAD = np.array([0.13, 10.0, 9.0, 7.0, 6.0, 0.13, 0.05])


def gaussian_process(features: np.ndarray, values: np.ndarray) -> Fit:
    """Linear plus radial kernel, its three scales and the noise by maximum likelihood. features (n, d), values (n,)."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, WhiteKernel

    kernel = (
        ConstantKernel() * DotProduct() + ConstantKernel(0.5) * RBF(4.0, (1.0, 30.0)) + WhiteKernel(0.1, (0.03, 1.0))
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return GaussianProcessRegressor(kernel, normalize_y=True, random_state=0).fit(features, values).predict


def ridge(features: np.ndarray, values: np.ndarray, penalty: float = 3.0) -> Fit:
    """The honest yardstick: a linear fit with a free constant. features (n, d), values (n,) or (n, m)."""
    centre, mean = features.mean(axis=0), values.mean(axis=0)
    x = features - centre
    weights = np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ (values - mean))
    return lambda query: (query - centre) @ weights + mean


def fit_coefficients(cases: Sequence[Case], features: DesignFeatures) -> Callable[[Sequence[Design]], np.ndarray]:
    """Cd and Cl of any design, (n, 2), from a Gaussian process on the cases."""
    rows = features.with_roof_line([Design.of(c) for c in cases])
    fits = [gaussian_process(rows, np.array([c.coefficients[name] for c in cases])) for name in COEFFICIENTS]

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
