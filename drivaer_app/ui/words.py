"""Numbers as the window writes them."""

from __future__ import annotations

import re

from drivaer_app.compare import Difference
from drivaer_app.results import OUTSIDE, Result

MINUS = "\N{MINUS SIGN}"


def signed(value: float, digits: int) -> str:
    """With a real minus sign; zero has none."""
    text = f"{value:+.{digits}f}"
    if float(text) == 0:
        return text.lstrip("+-")
    return text.replace("-", MINUS)


def plain(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace("-", MINUS)


_PLACES = {
    "--units, --up and --forward": "Unit, Roof and Nose under Read as",
    "--units": "Unit under Read as",
    "--up": "Roof points along under Read as",
    "--forward": "Nose points along under Read as",
    "--area": "Reference area under Conditions",
    "--model": "Model",
    "--device cpu": "the processor",
}
"""Where the window has what an option of the terminal says."""


def in_window(text: str) -> str:
    """A sentence of the engine, which speaks of the terminal's options, with the window's words for them."""
    for option in sorted(_PLACES, key=len, reverse=True):
        text = text.replace(option, _PLACES[option])
    return text


def title_of(column: str) -> str:
    """A dataset's column as the window heads it; most are words, or symbols that everybody knows, already."""
    return {"clf": "cl front", "clr": "cl rear"}.get(column, column)


def breakable(name: str) -> str:
    """A name that a line may be broken in also where it has no spaces."""
    return re.sub(r"([_\-./])", "\\1\u200b", name)


def counts(difference: Difference, *, with_uncertainty: bool = False) -> str:
    """``−22.0 counts``, or ``−22.0 ± 12.7 counts`` where that is known."""
    told = with_uncertainty and difference.half_width is not None
    return f"{signed(difference.counts, 1)}{f' ± {difference.half_width:.1f}' if told else ''} counts"


def cd_of(result: Result) -> str:
    """``0.299``, or ``0.222 ▲`` of a car that the model does not know."""
    return f"{result.cd:.3f}{result.mark}"


def interval(result: Result) -> str:
    if result.cd_low is None:
        return "this model gives no interval"
    if result.is_outside:
        return f"{OUTSIDE} outside of what the model learnt from: no interval holds"
    return f"90 % interval {result.cd_low:.3f} – {result.cd_high:.3f}"
