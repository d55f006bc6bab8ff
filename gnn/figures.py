"""The metrics of an evaluation, as the benchmark's submissions give them, with bootstrapped ranges."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gnn.evaluation import CarEvaluation, coefficient_metrics, r2_score

COUNTS_APART = 5
"""Pairs of cars whose Cd differs by as many counts (0.001) or more should be ranked right."""
_RESAMPLES = 1000
_LEAST_FOR_BOOTSTRAP = 5


def figures(evaluated: Sequence[CarEvaluation]) -> dict[str, Any]:
    """Every metric that the cars and the model allow; empty without cars.

    ``cd``: of all cars and by style, with bootstrapped 90 % ranges (Efron, 1979). ``fields``: relative errors.
    ``coverage``: share of cars within their interval. ``seconds``: median wall time of a prediction.
    """
    if not evaluated:
        return {}
    found: dict[str, Any] = {"n": len(evaluated), "seconds": float(np.median([j.seconds for j in evaluated]))}
    if evaluated[0].cd_predicted is not None:
        found["cd"] = {"all": cd_figures(evaluated)}
        styles = list(dict.fromkeys(j.style for j in evaluated if j.style))
        kinds = list(dict.fromkeys(j.kind for j in evaluated))
        if len(styles) > 1:
            found["cd"] |= {style: cd_figures([j for j in evaluated if j.style == style]) for style in styles}
        if len(kinds) > 1:
            found["cd"] |= {kind: cd_figures([j for j in evaluated if j.kind == kind]) for kind in kinds}
        with_interval = [(j.error, j.half_width) for j in evaluated if j.half_width is not None]
        if with_interval:
            found["coverage"] = float(np.mean([abs(error) <= half for error, half in with_interval]))
    for name in ("cp_l2", "cp_l1", "cf_l2"):
        known = [value for j in evaluated if (value := getattr(j, name)) is not None and np.isfinite(value)]
        if known:
            found.setdefault("fields", {})[name] = {
                "value": float(np.mean(known)),
                "range": _bootstrap(np.mean, known),
            }
    return found


def cd_figures(evaluated: Sequence[CarEvaluation]) -> dict[str, Any]:
    """MSE, MAE, largest error, R2, rank correlations; with ranges where there are enough cars."""
    predicted, true = (np.array([getattr(j, name) for j in evaluated]) for name in ("cd_predicted", "cd"))
    if len(evaluated) < 3 or not np.ptp(true) > 0:
        error = np.abs(predicted - true)
        return {"n": len(evaluated), "mae": float(error.mean()), "max_error": float(error.max())}
    found: dict[str, Any] = {**coefficient_metrics(predicted, true), "pair_rank": pair_rank(predicted, true)}
    if len(evaluated) >= _LEAST_FOR_BOOTSTRAP:
        found["ranges"] = {
            "mae": _bootstrap(np.mean, np.abs(predicted - true)),
            "r2": _bootstrap(lambda p, t: r2_score(p, t) if np.ptp(t) > 0 else np.nan, predicted, true),
        }
    return found


def pair_rank(predicted: np.ndarray, true: np.ndarray, apart: float = COUNTS_APART * 1e-3) -> float | None:
    """Kendall's rank correlation over the pairs whose true values differ by ``apart`` or more; None without any."""
    i, j = np.triu_indices(len(true), 1)
    far = np.abs(true[i] - true[j]) >= apart
    if not far.any():
        return None
    return float((np.sign(predicted[i] - predicted[j]) * np.sign(true[i] - true[j]))[far].mean())


def paired_bootstrap(name: str, one: Sequence[CarEvaluation], other: str, two: Sequence[CarEvaluation]) -> list[str]:
    """Which of two models has the smaller mean error on the same cars: a sentence for drag and one for Cp.

    The range is the bootstrapped 90 % range of the mean paired difference; where it contains 0, the difference may be
    chance.
    """
    lines = []
    measures: tuple[tuple[str, Callable[[CarEvaluation], float | None]], ...] = (
        ("absolute error of Cd", lambda j: None if j.cd_predicted is None else abs(j.error)),
        ("relative L2 error of Cp", lambda j: j.cp_l2),
    )
    for what, figure in measures:
        values = [(figure(a), figure(b)) for a, b in zip(one, two, strict=True)]
        pairs = [(a, b) for a, b in values if a is not None and b is not None]
        less = np.array([b - a for a, b in pairs])
        span = _bootstrap(np.mean, less)
        if span is None:
            continue
        low, high = span
        better, worse = (name, other) if less.mean() > 0 else (other, name)
        sure = "may be chance" if low <= 0 <= high else "is no chance"
        sizes = f"{abs(less.mean()):.4f} ({min(abs(low), abs(high)):.4f} – {max(abs(low), abs(high)):.4f})"
        if low <= 0 <= high:
            sizes = f"{abs(less.mean()):.4f} (range {low:.4f} – {high:.4f})"
        lines.append(f"{what}: {better} is better than {worse} by {sizes} on {len(pairs)} cars, which {sure}")
    return lines


def calibration(evaluated: Sequence[CarEvaluation]) -> list[tuple[float, float]]:
    """(level, coverage) at nine levels: each car against an interval that is calibrated on all others."""
    errors = np.abs([j.error for j in evaluated])
    n = len(errors)
    curve = []
    for level in np.linspace(0.1, 0.9, 9):
        rank = int(np.ceil(n * level))  # of the n - 1 others, counted with the new one
        kept = [errors[i] <= np.sort(np.delete(errors, i))[min(rank, n - 1) - 1] for i in range(n)]
        curve.append((float(level), float(np.mean(kept))))
    return curve


def figures_as_markdown(found: dict[str, Any]) -> str:
    """Tables of :func:`figures`."""
    if not found:
        return "There are no such cars."
    parts = []
    if "cd" in found:
        rows = ["| Cd | n | R2 | MAE | MSE | largest error | rank correlation | pairs ≥ 5 counts |", "|---" * 8 + "|"]
        rows += [_cd_row(name, own) for name, own in found["cd"].items()]
        parts.append("\n".join(rows))
    if "coverage" in found:
        parts.append(f"The interval holds for {found['coverage']:.0%} of these cars.")
    if "fields" in found:
        words = {"cp_l2": "Cp, relative L2", "cp_l1": "Cp, relative L1", "cf_l2": "Cf, relative L2"}
        rows = ["| fields | error |", "|---|---|"]
        rows += [
            f"| {words[key]} | {_with_range(own['value'], own['range'], 3)} |" for key, own in found["fields"].items()
        ]
        parts.append("\n".join(rows))
    parts.append(f"A prediction takes {found['seconds']:.2f} s (median; networks and sampling order, not reading).")
    return "\n\n".join(parts)


def _cd_row(name: str, own: dict[str, Any]) -> str:
    ranges = own.get("ranges", {})
    if "r2" not in own:
        return f"| {name} | {own['n']} | | {own['mae']:.4f} | | {own['max_error']:.4f} | | |"
    pairs = "" if own["pair_rank"] is None else f"{own['pair_rank']:.3f}"
    r2, mae = _with_range(own["r2"], ranges.get("r2"), 3), _with_range(own["mae"], ranges.get("mae"), 4)
    rest = f"{own['mse']:.2e} | {own['max_error']:.4f} | {own['rank_correlation']:.3f} | {pairs}"
    return f"| {name} | {own['n']} | {r2} | {mae} | {rest} |"


def _with_range(value: float, span: Sequence[float] | None, digits: int) -> str:
    text = f"{value:.{digits}f}"
    return text if span is None else f"{text} ({span[0]:.{digits}f} – {span[1]:.{digits}f})"


def _bootstrap(figure: Callable[..., float], *columns: ArrayLike) -> tuple[float, float] | None:
    """5th and 95th percentile of a figure of columns (n,) over resampled cars, by scipy; None of too few.

    Resamples of which the figure is NaN do not count.
    """
    from scipy.stats import DegenerateDataWarning, bootstrap

    if np.size(columns[0]) < _LEAST_FOR_BOOTSTRAP:
        return None
    how: dict[str, Any] = {"paired": True, "vectorized": False, "method": "percentile", "n_resamples": _RESAMPLES}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DegenerateDataWarning)  # of resamples that are NaN
        found = bootstrap(columns, figure, **how, rng=np.random.default_rng(0))
    low, high = np.nanquantile(found.bootstrap_distribution, (0.05, 0.95))
    return float(low), float(high)
