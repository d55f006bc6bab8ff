"""The figures by which a model is judged, over whole designs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from gnn.surrogate import Surrogate
    from gnn.training.cars import Car


@dataclass(frozen=True)
class Judged:
    """What a model said of one car, beside the truth.

    name, kind, style: of the car. cd, cl: true. cd_said, cl_said: the drag network's; cd_fields: from the fields.
    half_width: of the interval that was given with it. cp_l2, cf_l2, cp_l1: relative errors of the fields over the
    points whose values are known. novelty: > 1 is outside of training. seconds: what the prediction took.
    """

    name: str
    kind: str
    style: str | None
    cd: float
    cl: float
    cd_said: float
    cl_said: float
    cd_fields: float
    half_width: float
    cp_l2: float
    cf_l2: float
    cp_l1: float
    novelty: float
    seconds: float

    @property
    def error(self) -> float:
        """Of Cd: said less true."""
        return self.cd_said - self.cd


def judge(surrogate: Surrogate, cars: Iterable[Car], on_each: Callable[[int], None] | None = None) -> list[Judged]:
    """Predict each car as a user's file is predicted, and compare. on_each: told how many are done."""
    judged = []
    for number, car in enumerate(cars, 1):
        sample, values = car.sample()
        started = time.perf_counter()
        said = surrogate.predict(sample, car.frontal_area)
        seconds = time.perf_counter() - started
        true = values[: len(said.cp)]
        known = np.isfinite(true[:, 0])
        even = np.ones(int(known.sum()))
        cp, cf = (said.cp[known], true[known, 0]), (said.cf[known], true[known, 1:])
        judged.append(
            Judged(
                name=car.name,
                kind=car.kind,
                style=car.style,
                cd=car.coefficients["Cd"],
                cl=car.coefficients["Cl"],
                cd_said=said.cd,
                cl_said=said.cl,
                cd_fields=said.cd_pressure + said.cd_friction,
                half_width=said.cd_high - said.cd,
                cp_l2=relative_l2(*cp, even),
                cf_l2=relative_l2(*cf, even),
                cp_l1=float(np.abs(cp[0] - cp[1]).sum() / np.abs(cp[1]).sum()),
                novelty=said.novelty,
                seconds=seconds,
            )
        )
        if on_each:
            on_each(number)
    return judged


def coefficient_metrics(predicted: np.ndarray, true: np.ndarray) -> dict[str, float]:
    """R2, MAE, MSE, largest error and Spearman's rank correlation of (n,) predictions. Every design counts."""
    from scipy.stats import spearmanr

    predicted, true = np.asarray(predicted, float), np.asarray(true, float)
    error = predicted - true
    return {
        "n": len(true),
        "r2": float(1 - (error**2).sum() / ((true - true.mean()) ** 2).sum()),
        "mae": float(np.abs(error).mean()),
        "mse": float((error**2).mean()),
        "max_error": float(np.abs(error).max()),
        "rank_correlation": float(spearmanr(predicted, true).statistic),
    }


def relative_l2(predicted: np.ndarray, true: np.ndarray, weights: np.ndarray) -> float:
    """sqrt(sum w |p - t|^2 / sum w |t|^2) over points: predicted, true (N,) or (N, 3); weights (N,), areas say."""
    weights = weights[:, None] if predicted.ndim == 2 else weights
    error = (weights * (predicted - true) ** 2).sum()
    return float(np.sqrt(error / (weights * true**2).sum()))
