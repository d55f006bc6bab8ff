"""DrivAerML's parameters beside the program's handles: which is which, and what a model says that each does to drag."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.outside_cars import BENT, Answer, Question, ask_bent  # noqa: E402
from data.corpora.runs import DRIVAERML  # noqa: E402
from drivaer_app.results import COUNT  # noqa: E402
from factory.published_effects import MATCHES, Effect, Match  # noqa: E402

STEP_SHARE = 0.25  # of a parameter's range, either way; less where a handle does not go so far


@dataclass(frozen=True)
class Slope:
    """Counts of Cd on DrivAerML's area for each mm or degree of its parameter: over the step down, up, and over both.

    step_down, step_up: how far the two went.
    """

    down: float
    up: float
    both: float
    step_down: float
    step_up: float


def central(below: tuple[float, float], here: tuple[float, float], above: tuple[float, float]) -> Slope:
    """Slopes through three (place, value), the places ascending."""
    (x0, y0), (x1, y1), (x2, y2) = below, here, above
    return Slope((y1 - y0) / (x1 - x0), (y2 - y1) / (x2 - x1), (y2 - y0) / (x2 - x0), x1 - x0, x2 - x1)


def handle_questions(effects: Mapping[str, Effect]) -> list[Question]:
    """Either way of every handle, on every car that is bent."""
    questions = []
    for car in BENT:
        for match in MATCHES:
            effect = effects[match.parameter]
            step = STEP_SHARE * (effect.high - effect.low)
            for sign in (-1, 1):
                arguments = (car, match.handle, sign * step, match.by_value)
                questions.append(Question(_key(car, match, sign), ask_bent, arguments))
    return questions


def _key(car: str, match: Match, sign: int) -> str:
    return f"bent/{car} {match.handle} {'up' if sign > 0 else 'down'}"


CAR_KEYS = {"fastback": "car/DrivAer fastback, detailed", "notchback": "car/sample notchback"}
"""Where the answers for the cars as they are stand."""


def slope_of(match: Match, car: str, answers: Mapping[str, Answer]) -> Slope | None:
    """None where it has not been asked, or the car lacks the handle."""
    three = [answers.get(key) for key in (_key(car, match, -1), CAR_KEYS[car], _key(car, match, 1))]
    if any(answer is None or "cd" not in answer for answer in three):
        return None
    points = [(match.sense * answer.get("by", 0.0), _counts(answer)) for answer in three]
    return central(*sorted(points))


def _counts(answer: Answer) -> float:
    return answer["cd"] * answer["area"] / DRIVAERML.reference_area / COUNT


@dataclass(frozen=True)
class Verdict:
    """How one car's effects agree with DrivAerML's.

    n_asked: handles that have an answer. n_secure: parameters that move drag; signs: of those the right sign;
    within_two: within a factor of 2.
    large: the four that move it most, with predicted over true; n_large: of those within a factor of 1.5.
    idle: the largest of the others over its parameter's range, counts, and which.
    """

    n_asked: int
    n_secure: int
    signs: int
    within_two: int
    large: dict[str, float]
    n_large: int
    idle: float
    idle_name: str


def verdict(effects: Mapping[str, Effect], slopes: Mapping[str, Slope | None]) -> Verdict:
    """slopes: by handle. A parameter that no handle stands for agrees with nothing."""
    secure = {name: effect for name, effect in effects.items() if effect.is_secure}
    predicted: dict[str, float] = {}
    idle = (0.0, "none")
    for match in MATCHES:
        slope = slopes.get(match.handle)
        if slope is None:
            continue
        if match.parameter in secure:
            predicted[match.parameter] = slope.both
        else:
            effect = effects[match.parameter]
            idle = max(idle, (abs(slope.both) * (effect.high - effect.low), match.handle))
    ratios = {name: predicted[name] / effect.slope for name, effect in secure.items() if name in predicted}
    largest = sorted(secure, key=lambda name: -abs(secure[name].over_range))[:4]
    large = {name: ratios.get(name, float("nan")) for name in largest}
    return Verdict(
        n_asked=sum(slope is not None for slope in slopes.values()),
        n_secure=len(secure),
        signs=sum(ratio > 0 for ratio in ratios.values()),
        within_two=sum(0.5 <= ratio <= 2 for ratio in ratios.values()),
        large=large,
        n_large=sum(1 / 1.5 <= ratio <= 1.5 for ratio in large.values()),
        idle=idle[0],
        idle_name=idle[1],
    )
