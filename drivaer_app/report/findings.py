"""What a reader is told first of a batch: the answer in a few sentences, and which cars stand apart."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from drivaer_app.report.car import ReportCar
from drivaer_app.report.texts import shortened

_FAR = 4.0  # robust standard deviations from the median Cd from which a car stands apart
_UNSURE = 0.9  # confidence in unit and axes below which a reader should look


def answer_of(cars: Sequence[ReportCar], base: ReportCar | None) -> tuple[str, ...]:
    """The most important first. cars: by Cd, failed ones last."""
    good = [car for car in cars if car.result is not None]
    failed = len(cars) - len(good)
    if not good:
        return (f"None of {len(cars)} cars could be predicted.",)
    sentences = [f"Lowest drag: {_in_words(good[0])}."]
    inside = [car for car in good if not car.is_outside]
    if good[0].is_outside and inside:
        sentences.append(f"Lowest of the cars whose interval holds: {_in_words(inside[0])}.")
    if base is not None:
        sentences.append(f"Baseline: {_in_words(base)}.")
        sentences.append(_compared([car.judgement.verdict for car in good if car.judgement is not None]))
    if len(inside) < len(good):
        n = len(good) - len(inside)
        sentences.append(
            f"{n} of {len(good)} cars lie{'s' if n == 1 else ''} outside of what the model was trained on and "
            f"{'is' if n == 1 else 'are'} marked ▲: the intervals do not hold there."
        )
    if failed:
        sentences.append(f"{failed} of {len(cars)} cars could not be predicted; why is told in the end.")
    return tuple(sentences)


def _compared(verdicts: Sequence[str]) -> str:
    lower, higher, unclear = (verdicts.count(name) for name in ("lower", "higher", "unclear"))
    apart = f"{lower} {'is' if lower == 1 else 'are'} lower and {higher} higher by more than the uncertainty"
    within = f"{unclear} {'lies' if unclear == 1 else 'lie'} within it"
    sentence = f"Of {len(verdicts)} cars compared to it, {apart}, {within}"
    unknown = len(verdicts) - lower - higher - unclear
    return sentence + (f"; of {unknown} nothing can be said." if unknown else ".")


def apart_of(cars: Sequence[ReportCar]) -> dict[ReportCar, tuple[str, ...]]:
    """What sets a car apart from the fleet: a designer wants to see it before believing its number."""
    good = [car for car in cars if car.result is not None]
    if not good:
        return {}
    values = sorted(car.result.cd for car in good)
    middle = values[len(values) // 2]
    spread = 1.4826 * sorted(abs(value - middle) for value in values)[len(values) // 2]
    readings = Counter((car.result.unit, car.result.up, car.result.forward) for car in good)
    usual, n_usual = readings.most_common(1)[0]
    reasons: dict[ReportCar, list[str]] = {}
    for car in good:
        result, why = car.result, reasons.setdefault(car, [])
        if result.in_distribution is False:
            why.append(f"outside of what the model was trained on (novelty {result.novelty:.2f})")
        if len(good) >= 8 and spread > 0 and abs(result.cd - middle) > _FAR * spread:
            away = 1000 * (result.cd - middle)
            why.append(f"its Cd is {abs(away):.0f} counts {'above' if away > 0 else 'below'} the fleet's median")
        if (result.unit, result.up, result.forward) != usual and n_usual > len(good) / 2:
            why.append(
                f"read as {result.unit}, up {result.up}, forward {result.forward}; most of the others as "
                f"{usual[0]}, up {usual[1]}, forward {usual[2]}"
            )
        if result.confidence < _UNSURE:
            why.append(f"unit and axes are only {result.confidence:.0%} sure")
        if result.mirrored:
            why.append("half a car, completed by its mirror image")
    return {car: tuple(why) for car, why in reasons.items() if why}


def _in_words(car: ReportCar) -> str:
    r = car.result
    interval = f" (90 % interval {r.cd_low:.3f} to {r.cd_high:.3f})" if r.cd_low is not None else " (no interval)"
    if car.is_outside:
        interval = " ▲ (outside of the training designs: no interval holds)"
    against = ""
    if car.judgement is not None and math.isfinite(car.judgement.counts):
        against = f", {car.judgement.counts:+.1f} counts against the baseline: {car.judgement.in_words}"
    return f"{shortened(car.name, 60)} with Cd {r.cd:.3f}{interval}{against}"
