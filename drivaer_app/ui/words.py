"""Numbers as the window writes them."""

from __future__ import annotations

from drivaer_app.compare import Difference
from drivaer_app.results import Result

MINUS = "\N{MINUS SIGN}"


def signed(value: float, digits: int) -> str:
    """With a real minus sign; zero has none."""
    text = f"{value:+.{digits}f}"
    if float(text) == 0:
        return text.lstrip("+-")
    return text.replace("-", MINUS)


def plain(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace("-", MINUS)


def counts(difference: Difference) -> str:
    return f"{signed(difference.counts, 1)} counts"


def interval(result: Result) -> str:
    if result.cd_low is None:
        return "this model gives no interval"
    return f"90 % interval {result.cd_low:.3f} – {result.cd_high:.3f}"
