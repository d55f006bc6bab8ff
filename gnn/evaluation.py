"""The figures by which a model is evaluated, over whole designs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from gnn.prediction import SurfacePrediction
    from gnn.surrogate import Surrogate
    from gnn.training.cars import Car


@dataclass(frozen=True)
class CarEvaluation:
    """A model's prediction of one car beside its CFD; None where the model or the CFD lacks a value.

    name, kind, style: of the car. cd, cl: of the CFD. cd_predicted, cl_predicted: by the drag network, beside our own
    CFD what that should give (`SurfacePrediction.compared`); cd_fields: the integral of the predicted fields.
    half_width: of the predicted interval. cp_l2, cf_l2, cp_l1: relative errors of the fields over the points whose CFD
    values are known. novelty: > 1 is outside of the training designs. on_template: the model's template fits the car.
    seconds: wall time of the prediction.
    """

    name: str
    kind: str
    style: str | None
    cd: float
    cl: float | None
    cd_predicted: float | None
    cl_predicted: float | None
    cd_fields: float | None
    half_width: float | None
    cp_l2: float | None
    cf_l2: float | None
    cp_l1: float | None
    novelty: float | None
    on_template: bool
    seconds: float

    @property
    def error(self) -> float:
        """Predicted minus true Cd, where there is a prediction."""
        assert self.cd_predicted is not None
        return self.cd_predicted - self.cd


def evaluate_cars(
    model: Surrogate, cars: Iterable[Car], on_each: Callable[[int], None] | None = None
) -> list[CarEvaluation]:
    """Predict each car as a user's file is predicted, and compare. on_each: called with how many are done."""
    evaluated = []
    for number, car in enumerate(cars, 1):
        sample, values = car.sample()
        started = time.perf_counter()
        prediction = model.predict(sample, car.frontal_area)
        seconds = time.perf_counter() - started
        evaluated.append(
            CarEvaluation(
                name=car.name,
                kind=car.kind,
                style=car.style,
                cd=car.coefficients["cd"],
                cl=car.coefficients.get("cl"),
                cd_predicted=prediction.compared if car.of_our_cfd else prediction.cd,
                cl_predicted=prediction.cl,
                cd_fields=_sum(prediction.cd_pressure, prediction.cd_friction),
                half_width=_half_width(prediction, car.of_our_cfd),
                **_field_errors(prediction, values),
                novelty=prediction.novelty,
                on_template=prediction.on_template,
                seconds=seconds,
            )
        )
        if on_each:
            on_each(number)
    return evaluated


def _sum(pressure: float | None, friction: float | None) -> float | None:
    return None if pressure is None or friction is None else pressure + friction


def _half_width(prediction: SurfacePrediction, of_our_cfd: bool) -> float | None:
    cd, high = prediction.cd, prediction.cd_high
    if of_our_cfd and prediction.cd_rans is not None:
        cd, high = prediction.cd_rans, prediction.cd_rans_high
    return None if cd is None or high is None else high - cd


def _field_errors(prediction: SurfacePrediction, values: np.ndarray) -> dict[str, float | None]:
    """Relative errors of the fields, over the points that the model looked at and whose values are known."""
    errors: dict[str, float | None] = dict.fromkeys(("cp_l2", "cf_l2", "cp_l1"))
    if prediction.cp is None:
        return errors
    true = np.asarray(values, np.float32)[np.arange(len(prediction.cp)) % len(values)]
    known = np.isfinite(true[:, 0])
    if known.any():
        cp, true_cp = prediction.cp[known], true[known, 0]
        errors["cp_l2"] = relative_l2(cp, true_cp, np.ones(len(cp)))
        errors["cp_l1"] = float(np.abs(cp - true_cp).sum() / np.abs(true_cp).sum())
    known &= np.isfinite(true[:, 1])
    if prediction.cf is not None and known.any():
        errors["cf_l2"] = relative_l2(prediction.cf[known], true[known, 1:], np.ones(int(known.sum())))
    return errors


def r2_score(predicted: np.ndarray, true: np.ndarray) -> float:
    """Share of the variance of (n,) values that is explained; below 0 is worse than their mean."""
    return float(1 - ((predicted - true) ** 2).sum() / ((true - true.mean()) ** 2).sum())


def coefficient_metrics(predicted: np.ndarray, true: np.ndarray) -> dict[str, float]:
    """R2, MAE, MSE, largest error and Spearman's rank correlation of (n,) predictions. Every design counts.

    Predictions that are all the same rank nothing: their correlation is 0.
    """
    from scipy.stats import spearmanr

    predicted, true = np.asarray(predicted, float), np.asarray(true, float)
    error = predicted - true
    return {
        "n": len(true),
        "r2": r2_score(predicted, true),
        "mae": float(np.abs(error).mean()),
        "mse": float((error**2).mean()),
        "max_error": float(np.abs(error).max()),
        "rank_correlation": float(spearmanr(predicted, true).statistic) if np.ptp(predicted) > 0 else 0.0,
    }


def relative_l2(predicted: np.ndarray, true: np.ndarray, weights: np.ndarray) -> float:
    """sqrt(sum w |p - t|^2 / sum w |t|^2) over points: predicted, true (N,) or (N, 3); weights (N,) such as areas."""
    weights = weights[:, None] if predicted.ndim == 2 else weights
    error = (weights * (predicted - true) ** 2).sum()
    return float(np.sqrt(error / (weights * true**2).sum()))
