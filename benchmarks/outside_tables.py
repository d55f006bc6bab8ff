"""The tables of docs/outside.md, one function each, of what a model answered."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.outside_cars import BENT, Answer, ahmed_runs  # noqa: E402
from benchmarks.outside_handles import Slope, slope_of  # noqa: E402
from benchmarks.outside_truth import (  # noqa: E402
    Pair,
    Row,
    ahmed_left_out,
    ahmed_question,
    ahmed_tests,
    car_rows,
    pairs,
    pressure_questions,
)
from data.corpora.runs import AHMEDML  # noqa: E402
from drivaer_app.compare import Difference  # noqa: E402
from drivaer_app.results import COUNT  # noqa: E402
from factory.published_effects import MATCHES, Effect  # noqa: E402
from gnn.difference import DifferenceLaw  # noqa: E402
from gnn.evaluation import coefficient_metrics  # noqa: E402

# Single cars


def is_inside(low: float, high: float, answer: Answer) -> bool | None:
    """Whether a truth, a value or a range, and the answer's interval have something in common; None without one."""
    return None if answer["low"] is None else bool(answer["low"] <= high and low <= answer["high"])


def off(low: float, high: float, predicted: float) -> float:
    """How far ``predicted`` is from the nearest of a range, signed."""
    return predicted - min(max(predicted, low), high)


def cars_table(answers: Mapping[str, Answer]) -> Iterator[str]:
    yield "| what | geometry | truth | source | predicted | 90 % interval | inside | off, counts | novelty |"
    yield rule(9)
    for row in car_rows():
        answer = answers.get(row.question.key)
        if answer is not None:
            apart = off(row.low, row.high, answer["cd"]) / COUNT
            yield (
                f"| {row.what} | {row.geometry} | {_range(row.low, row.high)} | {row.source} | {answer['cd']:.3f} | "
                f"{_interval(answer)} | {yes(is_inside(row.low, row.high, answer))} | {apart:+.0f} | "
                f"{answer['novelty']:.1f} |"
            )


def left_out_table(metrics: Mapping[str, Any]) -> Iterator[str]:
    """Cd of the tunnel's cars by a model that learnt nothing of their body (factory.real_step)."""
    if "real" not in metrics:
        yield "This model has learnt nothing from outside."
        return
    half, alone = metrics["real"]["half_width"], metrics["real"]["errors_alone"]
    yield f"| left out | its whole body: off, counts | that car alone | both within ± {half / COUNT:.0f} |\n{rule(4)}"
    for car, error in metrics["real"]["errors"].items():
        within = max(abs(error), abs(alone[car])) <= half
        yield f"| {car} floor | {error / COUNT:+.0f} | {alone[car] / COUNT:+.0f} | {yes(within)} |"
    errors = np.abs(metrics["real"]["bodies"]["errors"]) / COUNT
    typical = f"{errors.mean():.0f} on average, {np.median(errors):.0f} in the middle"
    yield f"| {len(errors)} bodies of AhmedML | {typical} | – | – |"


def _range(low: float, high: float) -> str:
    return f"{low:.3f}" if low == high else f"{low:.3f} to {high:.3f}"


def _interval(answer: Answer) -> str:
    return "none" if answer["low"] is None else _range(answer["low"], answer["high"])


def yes(is_so: bool | None) -> str:
    return "–" if is_so is None else "yes" if is_so else "no"


# Differences


def difference(more: Answer, less: Answer) -> Difference:
    """As the program tells it of two cars."""
    return Difference.of(*(_as_result(answer) for answer in (more, less)))


def _as_result(answer: Answer) -> SimpleNamespace:
    law = answer["law"] and DifferenceLaw(*answer["law"])
    return SimpleNamespace(cd=answer["cd"], model="", difference_law=law, in_distribution=answer["known"])


def answered_pairs(answers: Mapping[str, Answer]) -> list[tuple[Pair, Difference]]:
    """Each pair that is answered, and its difference."""
    there = [pair for pair in pairs() if pair.more in answers and pair.less in answers]
    return [(pair, difference(answers[pair.more], answers[pair.less])) for pair in there]


def pairs_table(answers: Mapping[str, Answer]) -> Iterator[str]:
    yield "| what | geometry | truth, counts | source | predicted | 90 % interval | inside | called certain |"
    yield rule(8)
    for pair, found in answered_pairs(answers):
        truth = f"{pair.low:+.0f}" if pair.low == pair.high else f"{pair.low:+.0f} to {pair.high:+.0f}"
        half = found.half_width
        interval = "–" if half is None else f"{found.counts - half:+.0f} to {found.counts + half:+.0f}"
        inside = None if half is None else found.counts - half <= pair.high and pair.low <= found.counts + half
        yield (
            f"| {pair.what} | {pair.geometry} | {truth} | {pair.source} | {found.counts:+.0f} | {interval} | "
            f"{yes(inside)} | {yes(found.is_certain)} |"
        )


# Effects


def slopes_of(car: str, answers: Mapping[str, Answer]) -> dict[str, Slope | None]:
    return {match.handle: slope_of(match, car, answers) for match in MATCHES}


def effects_table(answers: Mapping[str, Answer], effects: Mapping[str, Effect]) -> Iterator[str]:
    heads = " | ".join(f"{car}: down | up | both" for car in BENT)
    yield f"| parameter | range | counts a mm | over its range | handle | {heads} |"
    yield rule(5 + 3 * len(BENT))
    slopes = {car: slopes_of(car, answers) for car in BENT}
    for name in sorted(effects, key=lambda name: -abs(effects[name].over_range)):
        effect, matches = effects[name], [match for match in MATCHES if match.parameter == name]
        unit = "°" if name == "Vehicle_Pitch" else " mm"
        head = (
            f"| {plain(name)} | {effect.high - effect.low:.0f}{unit} | {effect.slope:+.3f} "
            f"± {effect.error:.3f} | {effect.over_range:+.1f} |"
        )
        if not matches:
            yield f"{head} no handle | {' | '.join('– | – | –' for _ in BENT)} |"
        for match in matches:
            cells = " | ".join(_slope_cells(slopes[car][match.handle]) for car in BENT)
            yield f"{head} `{match.handle}` | {cells} |"


def handles_table() -> Iterator[str]:
    yield "| handle | parameter | what moves |\n|---|---|---|"
    for match in MATCHES:
        yield f"| `{match.handle}` | {plain(match.parameter)} | {match.how} |"


def plain(parameter: str) -> str:
    return parameter.replace("_", " ").lower().replace("rearend", "rear-end").replace("diffusor", "diffuser")


def _slope_cells(slope: Slope | None) -> str:
    return "– | – | –" if slope is None else f"{slope.down:+.3f} | {slope.up:+.3f} | **{slope.both:+.3f}**"


# AhmedML


def ahmed_table(answers: Mapping[str, Answer]) -> Iterator[str]:
    yield (
        "| official test set | bodies | Cd, own area: MAE | R2 | r | Cd, fixed area: MAE | R2 | r | Cl: MAE | R2 | r "
        "| Cd inside |"
    )
    yield rule(12)
    for name, tests in ahmed_tests().items():
        figures = ahmed_figures(answers, tests)
        if figures is not None:
            cells = " | ".join(
                f"{f['mae']:.3f} | {f['r2']:.2f} | {f['r']:+.2f}" for f in (figures[k] for k in ("own", "fixed", "cl"))
            )
            yield f"| {name} | {len(tests)} | {cells} | {100 * figures['inside']:.0f} % |"
    left_out = ", ".join(str(run) for run in ahmed_left_out())
    yield ""
    yield f"Left out for known flaws or want of parameters: {left_out or 'none'}."


def ahmed_figures(answers: Mapping[str, Answer], tests: Iterable[int]) -> dict | None:
    """By area and coefficient MAE, R2 and Pearson's correlation; the share inside. None where one is not answered."""
    runs = ahmed_runs()
    answered = [(runs[run], answers.get(ahmed_question(run).key)) for run in tests]
    if any(answer is None for _, answer in answered):
        return None
    pairs_of = {
        "own": [(a["cd"], run.cd_own) for run, a in answered],
        "fixed": [(a["cd"] * a["area"] / AHMEDML.reference_area, run.cd) for run, a in answered],
        "cl": [(a["cl"], run.cl_own) for run, a in answered],
    }
    inside = np.mean([is_inside(run.cd_own, run.cd_own, a) is True for run, a in answered])
    return {**{name: agreement(np.array(rows)) for name, rows in pairs_of.items()}, "inside": float(inside)}


def agreement(predicted_and_true: np.ndarray) -> dict[str, float]:
    """MAE, R2 and Pearson's r of (n, 2) values, predicted and true."""
    predicted, true = predicted_and_true.T
    return {**coefficient_metrics(predicted, true), "r": float(np.corrcoef(predicted, true)[0, 1])}


def pressure_table(answers: Mapping[str, Answer]) -> Iterator[str]:
    yield "| body | Cp, relative L2 | MAE | share of the surface |\n|---|---|---|---|"
    for question in pressure_questions():
        answer = answers.get(question.key)
        if answer is not None:
            run = question.key.split("_")[1]
            errors = f"{answer['relative_l2']:.2f} | {answer['mae']:.2f}"
            yield f"| AhmedML {run} | {errors} | {100 * answer['share']:.0f} % |"


def answered_cars(answers: Mapping[str, Answer]) -> list[tuple[Row, bool | None]]:
    there = [row for row in car_rows() if row.is_counted and row.question.key in answers]
    return [(row, is_inside(row.low, row.high, answers[row.question.key])) for row in there]


def rule(columns: int) -> str:
    return "|" + "---|" * columns
