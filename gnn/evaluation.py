"""The figures by which a model is judged, over whole designs."""

from __future__ import annotations

import numpy as np


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
