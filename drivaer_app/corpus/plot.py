"""One PNG of a growing corpus: Cd and Cl of every design, family by family."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from data.corpora.case import Case
from data.replacing import replacing
from drivaer_app.corpus.status import CorpusStatus
from drivaer_app.pictures.drawing import GRID, INK, PALE, PAPER, SERIES, font, ticks

_WIDTH, _PANEL, _TOP, _GAP, _BOTTOM = 1200, 340, 90, 60, 70
_LEFT, _RIGHT = 100, 220


def write_plot(path: Path, status: CorpusStatus) -> None:
    """Draw and write the PNG. Raises DrivAerError where it cannot be written."""
    from PIL import Image, ImageDraw

    height = _TOP + 2 * _PANEL + _GAP + _BOTTOM
    image = Image.new("RGB", (_WIDTH, height), PAPER)
    pen = ImageDraw.Draw(image)
    title = f"{len(status.cases)} designs in {len(status.families)} families"
    pen.text((_LEFT, 26), title.replace("1 families", "1 family"), font=font(26), fill=INK)
    cases = list(status.cases)
    last = max([case.design for case in cases], default=1)
    for row, name in enumerate(("cd", "cl")):
        top = _TOP + row * (_PANEL + _GAP)
        _panel(pen, top, name, cases, [*status.families], last)
    _legend(pen, [*status.families], status)
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    pen.text((middle, height - 24), "design", font=font(18), fill=PALE, anchor="ms")
    with replacing(path) as unfinished:
        image.save(unfinished, format="PNG")


def _panel(pen, top: float, name: str, cases: list[Case], families: list[str], last: int) -> None:
    right, bottom = _WIDTH - _RIGHT, top + _PANEL
    values = np.array([case.coefficients[name] for case in cases] or [0.0, 1.0])
    reach = max(float(np.ptp(values)), 0.02)
    low, high = float(values.min()) - 0.08 * reach, float(values.max()) + 0.08 * reach

    def at(x: float, y: float) -> tuple[float, float]:
        across = _LEFT + 14 + x / max(last, 1) * (right - _LEFT - 28)
        return across, bottom - (y - low) / (high - low) * _PANEL

    heights = ticks(low, high, 6)
    digits = 3 if heights[1] - heights[0] < 0.0099 else 2
    for value in heights:
        _, y = at(0, value)
        pen.line([(_LEFT, y), (right, y)], fill=GRID, width=1)
        pen.text((_LEFT - 10, y), f"{value:.{digits}f}", font=font(16), fill=PALE, anchor="rm")
    for value in np.unique(np.round(ticks(0, max(last, 1), 8))):
        x, _ = at(value, low)
        pen.text((x, bottom + 8), f"{value:.0f}", font=font(16), fill=PALE, anchor="ma")
    pen.line([(_LEFT, top), (_LEFT, bottom), (right, bottom)], fill=PALE, width=1)
    pen.text((_LEFT, top - 8), name.capitalize(), font=font(18), fill=PALE, anchor="ls")
    for i, family in enumerate(families):
        for case in cases:
            if case.family == family:
                _dot(pen, *at(case.design, case.coefficients[name]), SERIES[i % len(SERIES)], case.is_test)


def _legend(pen, families: list[str], status: CorpusStatus) -> None:
    x = _WIDTH - _RIGHT + 30
    for i, family in enumerate(families):
        y = _TOP + 20 + 30 * i
        _dot(pen, x, y, SERIES[i % len(SERIES)], False)
        pen.text((x + 16, y), f"{family} ({len(status.of(family))})", font=font(18), fill=INK, anchor="lm")
    y = _TOP + 40 + 30 * len(families)
    _dot(pen, x, y, PALE, True)
    pen.text((x + 16, y), "held-out test", font=font(18), fill=PALE, anchor="lm")


def _dot(pen, x: float, y: float, colour: tuple[int, int, int], hollow: bool) -> None:
    box = (x - 5, y - 5, x + 5, y + 5)
    pen.ellipse(box, fill=PAPER if hollow else colour, outline=colour, width=2)
