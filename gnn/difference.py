"""How certain a difference in drag between two cars is: less so the larger it is.

What a network has wrong of two cars is partly the same, and leaves their difference. How much is left is measured on
pairs of held-out designs. The half width is a line over the predicted difference, as wide as a normalised conformal
interval (Papadopoulos et al. 2002; Lei et al., JASA 113, 2018) makes it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from gnn.calibration import LEAST

ON_TEMPLATE, ELSEWHERE = "difference", "difference_elsewhere"
"""Where a model's configuration keeps the law of cars that its template fits, and of all others."""
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
        """The narrowest such line, on average over the pairs, that covers a new pair with probability ``level``.

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
    def section_of(cls, judged: Sequence[Mapping[str, Any]], level: float) -> dict[str, Any] | None:
        """For a model's configuration, from held-out cars' ``cd_said`` and ``cd``; None of too few."""
        if len(judged) <= LEAST:
            return None
        said, true = (np.array([row[key] for row in judged]) for key in ("cd_said", "cd"))
        return cls.fit(said, true, level).section()

    def covered(self, predicted: np.ndarray, true: np.ndarray) -> np.ndarray:
        """(pairs,) bool: whether the true difference of each pair of designs lies within the interval."""
        difference, error = _pairs(predicted, true)
        return error <= self.half_width(difference)

    def section(self) -> dict[str, Any]:
        """For a model's configuration."""
        return asdict(self)

    @classmethod
    def of_config(cls, config: dict[str, Any], on_template: bool = True) -> DifferenceLaw | None:
        """What a model's configuration has of it; None where it was not calibrated for differences.

        on_template: of cars that its template fits; those that it does not fit may have a law of their own.
        """
        section = (None if on_template else config.get(ELSEWHERE)) or config.get(ON_TEMPLATE)
        return cls(**section) if section else None


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
