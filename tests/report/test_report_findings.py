"""What a report says first, in words."""

import pytest

from drivaer_app.report.findings import _compared


@pytest.mark.parametrize(
    ("verdicts", "sentence"),
    [
        (["lower", "unclear"], "1 is lower and 0 higher by more than the uncertainty, 1 lies within it."),
        (["higher"] * 3 + ["unclear"] * 2, "0 are lower and 3 higher by more than the uncertainty, 2 lie within it."),
        (["lower", "unknown"], "1 is lower and 0 higher by more than the uncertainty, 0 lie within it; of 1 nothing"),
    ],
)
def test_cars_compared_are_counted_and_those_without_a_verdict_only_where_there_are_any(verdicts, sentence):
    whole = _compared(verdicts)
    assert sentence in whole and whole.startswith(f"Of {len(verdicts)} cars")
    assert ("nothing can be said" in whole) == ("unknown" in verdicts)
