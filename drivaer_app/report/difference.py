"""What may be said of two predicted cars' difference in drag. All faces of a batch take their words from here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from drivaer_app.compare import Difference
from drivaer_app.results import COUNT, Result

if TYPE_CHECKING:
    from drivaer_app.predict import Prediction


@dataclass(frozen=True)
class Judgement:
    """counts: Cd minus the baseline's, 0.001 each.

    half_width: counts, of the difference's 90 % interval; None: unknown, as it is wherever ``holds`` is not.
    calibrated: whether half_width was measured on differences; otherwise it is the sum of both cars' own half widths,
    which no pair of errors within the two intervals exceeds. holds: whether both cars lie where intervals hold.
    """

    counts: float
    half_width: float | None
    calibrated: bool
    holds: bool

    @property
    def is_certain(self) -> bool | None:
        """Whether the difference is larger than its uncertainty; None where nothing can be said."""
        if self.half_width is None:
            return None
        return abs(self.counts) > self.half_width

    @property
    def in_words(self) -> str:
        if not self.holds:
            return "unknown how certain: outside of what the model was trained on, where no interval holds"
        if self.half_width is None:
            return "unknown how certain: this model gives no interval, or two models were used"
        width = f"± {self.half_width:.0f} counts" if self.half_width >= 10 else f"± {self.half_width:.1f} counts"
        if not self.calibrated:
            width += ", both intervals added: differences are not calibrated"
        if not self.is_certain:
            return f"within the uncertainty ({width})"
        return f"{'lower' if self.counts < 0 else 'higher'} by more than the uncertainty ({width})"

    def record(self) -> dict[str, float | bool | str | None]:
        """As ``compare --json`` says it."""
        return {
            "delta_counts": round(self.counts, 2),
            "delta_half_width_counts": None if self.half_width is None else round(self.half_width, 2),
            "delta_calibrated": self.calibrated,
            "delta_verdict": self.verdict,
        }

    @property
    def verdict(self) -> str:
        """One word for tables: lower, higher, unclear (within the uncertainty) or unknown."""
        if self.is_certain is None:
            return "unknown"
        if not self.is_certain:
            return "unclear"
        return "lower" if self.counts < 0 else "higher"


def judged(result: Result | Prediction, baseline: Result | Prediction) -> Judgement:
    """Both under the same conditions and with their coefficients on areas that compare."""
    difference = Difference.of(result, baseline)
    holds = result.in_distribution is not False and baseline.in_distribution is not False
    if difference.half_width is not None:
        return Judgement(difference.counts, difference.half_width, True, holds)
    if not holds:
        return Judgement(difference.counts, None, False, holds)
    halves = [_half_width(result), _half_width(baseline)]
    added = None if None in halves or result.model != baseline.model else sum(halves) / COUNT
    return Judgement(difference.counts, added, False, holds)


def _half_width(result: Result | Prediction) -> float | None:
    if result.cd_low is None or result.cd_high is None:
        return None
    return (result.cd_high - result.cd_low) / 2
