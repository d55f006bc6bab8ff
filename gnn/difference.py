"""How certain a difference in drag between two cars is: the larger the difference, the wider its interval.

A network's errors of two cars are correlated and partly cancel in the difference. What remains is measured on pairs of
held-out designs. The half width is a line over the predicted difference, as wide as a normalised conformal
interval (Papadopoulos et al. 2002; Lei et al., JASA 113, 2018) makes it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gnn.calibration import LEAST

_STEEPEST, _N_STEEPNESSES = 60.0, 61  # of (half width / half width at no difference - 1) per unit of Cd


@dataclass(frozen=True)
class DifferenceLaw:
    """Half width of a difference's interval: base + slope * |predicted difference|, all in Cd.

    level: of the interval. n: designs whose pairs it was fitted on.
    """

    level: float
    base: float
    slope: float
    n: int = 0

    def half_width(self, difference: float | np.ndarray) -> float | np.ndarray:
        return self.base + self.slope * np.abs(difference)

    def scaled(self, factor: float) -> DifferenceLaw:
        """The same for coefficients on another area, all of them larger by a factor."""
        return replace(self, base=self.base * factor)

    @classmethod
    def fit(cls, predicted: np.ndarray, true: np.ndarray, level: float = 0.9) -> DifferenceLaw:
        """The line that covers a new pair with probability ``level`` and is narrowest on average over the pairs.

        predicted, true: (n,) Cd of designs that the network had not seen. Pairs share designs, so the sample counts as
        large as there are designs. ValueError where those are too few.
        """
        n = len(true)
        rank = math.ceil((n + 1) * level) / n
        if rank > 1:
            raise ValueError(f"{n} designs cannot calibrate a {level:.0%} interval of differences")
        difference, error = _pairs(predicted, true)
        lines = []
        for steepness in np.linspace(0.0, _STEEPEST, _N_STEEPNESSES):
            shape = 1.0 + steepness * difference
            base = float(np.quantile(error / shape, rank))
            lines.append((base * float(shape.mean()), base, base * float(steepness)))
        _, base, slope = min(lines)
        return cls(level, base, slope, n)

    @classmethod
    def of_held_out(cls, predicted: Sequence[float], true: Sequence[float], level: float) -> DifferenceLaw | None:
        """``fit``, or None where the designs are too few for it."""
        return cls.fit(np.array(predicted), np.array(true), level) if len(true) > LEAST else None

    def covered(self, predicted: np.ndarray, true: np.ndarray) -> np.ndarray:
        """(pairs,) bool: whether the true difference of each pair of designs lies within the interval."""
        difference, error = _pairs(predicted, true)
        return error <= self.half_width(difference)


def left_out_coverage(
    predicted: np.ndarray, true: np.ndarray, level: float = 0.9, n_folds: int = 7, repeats: int = 20
) -> float:
    """Share of pairs covered when neither of their designs was in the fit: what two new designs can expect.

    Mean over ``repeats`` random divisions of the designs into ``n_folds``.
    """
    covered = []
    for seed in range(repeats):
        fold = np.random.default_rng(seed).permutation(np.arange(len(true)) % n_folds)
        for number in range(n_folds):
            out = fold == number
            law = DifferenceLaw.fit(predicted[~out], true[~out], level)
            covered.append(law.covered(predicted[out], true[out]))
    return float(np.concatenate(covered).mean())


def _pairs(predicted: np.ndarray, true: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of every pair of designs: the predicted difference and how far it is from the true one, both without sign."""
    i, j = np.triu_indices(len(true), 1)
    difference = np.asarray(predicted)[i] - np.asarray(predicted)[j]
    return np.abs(difference), np.abs(difference - (np.asarray(true)[i] - np.asarray(true)[j]))
