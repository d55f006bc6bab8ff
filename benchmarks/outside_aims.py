"""How the model stands against what is aimed at, in one table and in a few sentences."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.outside_cars import Answer  # noqa: E402
from benchmarks.outside_handles import Verdict  # noqa: E402
from benchmarks.outside_tables import ahmed_figures, answered_cars, answered_pairs, is_inside, off, plain, rule, yes  # noqa: E402
from benchmarks.outside_truth import NETPP, TUNNEL, Row, ahmed_tests, car_rows  # noqa: E402
from drivaer_app.results import COUNT  # noqa: E402

Metrics = Mapping[str, Any]
"""A model's metrics.json."""


def intervals(answers: Mapping[str, Answer]) -> str:
    """How many of the single cars have their truth inside, and which of those that the model says it knows."""
    cars = answered_cars(answers)
    known = [(row, inside) for row, inside in cars if answers[row.question.key]["known"]]
    if not cars:
        return ""
    listed = ", ".join(f"{row.what} ({yes(inside)})" for row, inside in known)
    return (
        f"Of these {len(cars)} cars {_n_inside(cars)} have their truth inside. The model takes {len(known)} for its "
        f"own kind, and stands by their intervals; of those {_n_inside(known)}: {listed}."
    )


def _n_inside(cars: list[tuple[Row, bool | None]]) -> int:
    return sum(inside is True for _, inside in cars)


def aims_table(answers: Mapping[str, Answer], verdicts: Mapping[str, Verdict], metrics: Metrics) -> Iterator[str]:
    """metrics: the model's own, on held-out designs of our own CFD and on what was left out of teaching it the rest."""
    yield f"| figure | now | aim | |\n{rule(4)}"
    for name, now, aim, reached in _aim_rows(answers, verdicts, metrics):
        if now:  # else it has not been asked
            yield f"| {name} | {now} | {aim} | {_STANDS[reached]} |"


_STANDS = {True: "reached", False: "missed", None: ""}


def _aim_rows(
    answers: Mapping[str, Answer], verdicts: Mapping[str, Verdict], metrics: Metrics
) -> Iterator[tuple[str, str, str, bool | None]]:
    rows = {row.what: row for row in car_rows() if row.question.key in answers}
    styles = ("fastback", "notchback", "estate")
    errors = [
        off(row.low, row.high, answers[row.question.key]["cd"]) / COUNT
        for row in (rows.get(f"DrivAer {style}, detailed floor") for style in styles)
        if row is not None
    ]
    now = ", ".join(f"{error:+.0f}" for error in errors)
    yield "DrivAer fastback, notchback, estate, detailed floor, counts", now, "each within 8", _all_within(errors, 8)
    left_out = [e / COUNT for car, e in metrics.get("real", {}).get("errors_alone", {}).items() if "detailed" in car]
    yield (
        "the same, each left out of what it learns from",
        _counts(left_out),
        "each within 15",
        _all_within(left_out, 15),
    )
    pairs = [(pair, difference) for pair, difference in answered_pairs(answers) if pair.is_counted]
    floor = [d.counts for pair, d in pairs if pair.what == "fastback: smooth less detailed floor"]
    reached = bool(floor) and all(-40 <= d <= -15 for d in floor)
    yield "fastback: smooth less detailed floor, counts", _counts(floor), "-15 to -40", reached
    for style, aim in (("estate", 44), ("notchback", 4)):
        apart = [d.counts for pair, d in pairs if pair.what == f"{style} less fastback"]
        room = 12 if style == "estate" else 8
        wanted = f"{aim:+d} ± {room}"
        yield f"{style} less fastback, counts", _counts(apart), wanted, _all_within([d - aim for d in apart], room)
    real = [(row, answers[row.question.key]) for row in rows.values() if row.source == NETPP]
    apart = [off(row.low, row.high, answer["cd"]) / COUNT for row, answer in real]
    sound = all(is_inside(row.low, row.high, a) and a["known"] for row, a in real) and _all_within(apart, 12)
    now = ", ".join(f"{d:+.0f}{'' if a['known'] else ', outside'}" for d, (_, a) in zip(apart, real, strict=True))
    yield "DrivAerNet's real cars, counts", now, "within 12, in their interval, not outside", sound
    if all(found.n_asked for found in verdicts.values()):
        yield from _effect_aims(verdicts)
    for name, least in (("full", 0.9), ("geometry", 0.7)):
        tests = next(tests for of_set, tests in ahmed_tests().items() if name in of_set.split(", "))
        figures = ahmed_figures(answers, tests)
        if figures is not None:
            r2 = figures["own"]["r2"]
            yield f"AhmedML, `{name}` test set, Cd on own area, R2", f"{r2:.2f}", f"at least {least}", r2 >= least
    cars = answered_cars(answers)
    share = _n_inside(cars) / max(len(cars), 1)
    yield "outside truths in the 90 % interval", f"{_n_inside(cars)} of {len(cars)}", "at least 85 %", share >= 0.85
    if "cd" in metrics:
        held_out = metrics["cd"]["network"]["r2"]
        yield (
            "held-out designs of our own CFD, R2",
            f"{held_out:.3f}",
            "no worse than 0.950",
            round(held_out, 3) >= 0.95,
        )


def _effect_aims(verdicts: Mapping[str, Verdict]) -> Iterator[tuple[str, str, str, bool | None]]:
    each = list(verdicts.values())
    n = each[0].n_secure
    signs = ", ".join(f"{car} {v.signs} of {n}" for car, v in verdicts.items())
    yield f"DrivAerML's {n} effects, right sign", signs, f"{n} of {n}", all(v.signs == n for v in each)
    two = ", ".join(f"{car} {v.within_two} of {n}" for car, v in verdicts.items())
    yield "of them within a factor of 2", two, "–", None
    large = ", ".join(f"{car} {v.n_large} of 4" for car, v in verdicts.items())
    yield "the four largest within a factor of 1.5", large, "4 of 4", all(v.n_large == 4 for v in each)
    idle = ", ".join(f"{car} {v.idle:.0f} ({v.idle_name})" for car, v in verdicts.items())
    yield "largest of the others over its range, counts", idle, "at most 5", all(v.idle <= 5 for v in each)


def _counts(values: list[float]) -> str:
    return ", ".join(f"{value:+.0f}" for value in values)


def _all_within(values: list[float], room: float) -> bool:
    return bool(values) and all(abs(value) <= room for value in values)


# In words


def in_words(answers: Mapping[str, Answer], verdicts: Mapping[str, Verdict]) -> Iterator[str]:
    """What the tables say, a line of Markdown each."""
    cars = [(row, answers[row.question.key]["cd"]) for row, _ in answered_cars(answers)]
    for floor in ("detailed", "smooth"):
        apart = [off(row.low, row.high, cd) / COUNT for row, cd in cars if row.source == TUNNEL and floor in row.what]
        if apart:
            yield f"- DrivAers of the tunnel, {floor} floor: {_counts(apart)} counts off ({_mean(apart)} on average)."
    for pair, found in answered_pairs(answers):
        if pair.what == "fastback: smooth less detailed floor":
            yield (
                f"- A smooth floor changes the fastback by {found.counts:+.0f} counts here, by {pair.low:.0f} to "
                f"{pair.high:.0f} in the tunnel."
            )
    for car, found in verdicts.items():
        if not found.n_asked:
            continue
        large = ", ".join(f"{plain(name)} {100 * ratio:.0f} %" for name, ratio in found.large.items())
        yield (
            f"- Of the {found.n_secure} effects that DrivAerML is sure of the {car} has {found.signs} the right way. "
            f"The four largest come out at these shares of the truth: {large}. The largest of those that should be "
            f"near zero is `{found.idle_name}`: {found.idle:.0f} counts over its range."
        )
    for name, tests in ahmed_tests().items():
        figures = ahmed_figures(answers, tests)
        if figures is not None and name.startswith("full"):
            yield (
                f"- Ahmed bodies (`full` test set): Cd on own area off by {figures['own']['mae'] / COUNT:.0f} counts "
                f"on average, correlation {figures['own']['r']:+.2f}."
            )


def _mean(values: list[float]) -> str:
    return f"{np.mean(values):+.0f}"
