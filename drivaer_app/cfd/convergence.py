"""One PNG of how a simulation converged: Cd by iteration with its averaging window, and the residuals below.

Drawn with Pillow, as the pressure pictures are: two curves with axes need no plotting library.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.replacing import replacing
from drivaer_app.cfd.logs import Coefficients, SolverState
from drivaer_app.pictures.drawing import GRID, INK, PALE, PAPER, font, ticks

_WIDTH, _HEIGHT = 1200, 900
_LEFT, _RIGHT, _TOP, _GAP, _BOTTOM = 110, 40, 90, 70, 70
_WINDOW = (236, 243, 252)
_CD = (20, 90, 180)
_COLOURS = {
    "p": (28, 30, 34),
    "Ux": (20, 90, 180),
    "Uy": (90, 160, 230),
    "Uz": (150, 200, 240),
    "k": (200, 110, 20),
    "omega": (150, 30, 90),
}


@dataclass(frozen=True)
class _Axes:
    """A panel of the plot: pixels of its corners, values at its edges."""

    left: float
    top: float
    right: float
    bottom: float
    x: tuple[float, float]
    y: tuple[float, float]

    def at(self, x: np.ndarray, y: np.ndarray) -> list[tuple[float, float]]:
        across = self.left + (np.asarray(x) - self.x[0]) / (self.x[1] - self.x[0]) * (self.right - self.left)
        up = self.bottom - (np.asarray(y) - self.y[0]) / (self.y[1] - self.y[0]) * (self.bottom - self.top)
        up = np.clip(up, self.top, self.bottom)
        return list(zip(across.tolist(), up.tolist(), strict=True))


def write_convergence(
    path: Path, history: Coefficients, residuals: Sequence[SolverState], window: int, title: str
) -> None:
    """Draw and write the PNG. window: the last iterations, which the result averages over."""
    from PIL import Image, ImageDraw

    residuals = list({state.iteration: state for state in residuals}.values())  # a resumed run did some again
    image = Image.new("RGB", (_WIDTH, _HEIGHT), PAPER)
    pen = ImageDraw.Draw(image)
    pen.text((_LEFT, 28), title, font=font(26), fill=INK)
    last = max(float(history.iteration[-1]), 1.0)
    middle = _TOP + 0.55 * (_HEIGHT - _TOP - _BOTTOM)
    upper = _Axes(_LEFT, _TOP, _WIDTH - _RIGHT, middle, (0, last), _cd_range(history, window))
    lower = _Axes(_LEFT, middle + _GAP, _WIDTH - _RIGHT, _HEIGHT - _BOTTOM, (0, last), _residual_range(residuals))
    _draw_cd(pen, upper, history, window)
    _draw_residuals(pen, lower, residuals)
    with replacing(path) as unfinished:
        image.save(unfinished, format="PNG")


def _draw_cd(pen, axes: _Axes, history: Coefficients, window: int) -> None:
    start, end = history.iteration[-window:][0], history.iteration[-1]
    (x0, _), (x1, _) = axes.at([start, end], [axes.y[0]] * 2)
    pen.rectangle((x0, axes.top, x1, axes.bottom), fill=_WINDOW)
    _frame(pen, axes, "Cd", ticks(*axes.y, 6), lambda value: f"{value:.3f}")
    mean = float(history.cd[-window:].mean())
    pen.line(axes.at([start, end], [mean, mean]), fill=_CD, width=1)
    shown = (history.cd >= axes.y[0]) & (history.cd <= axes.y[1])
    first = int(np.argmax(shown))  # the start-up lies far above
    pen.line(axes.at(history.iteration[first:], history.cd[first:]), fill=_CD, width=3, joint="curve")
    words = f"mean of the last {window}: {mean:.4f}, scatter {history.cd[-window:].std():.4f}"
    pen.text((axes.right - 12, axes.top + 10), words, font=font(18), fill=PALE, anchor="ra")


def _draw_residuals(pen, axes: _Axes, residuals: Sequence[SolverState]) -> None:
    decades = np.arange(np.ceil(axes.y[0]), axes.y[1] + 0.5)
    _frame(pen, axes, "residual", decades, lambda value: f"1e{value:.0f}")
    right = axes.right - 12
    for name in [name for name in _COLOURS if residuals and name in residuals[-1].residuals]:
        known = [(s.iteration, s.residuals[name]) for s in residuals if s.residuals.get(name, 0) > 0]
        if len(known) > 1:
            x, y = np.array(known).T
            pen.line(axes.at(x, np.log10(y)), fill=_COLOURS[name], width=2)
        pen.text((right, axes.top + 8), name, font=font(18), fill=_COLOURS[name], anchor="ra")
        right -= pen.textlength(name, font=font(18)) + 16
    pen.text(((axes.left + axes.right) / 2, axes.bottom + 34), "iteration", font=font(18), fill=PALE, anchor="ma")
    for value in ticks(*axes.x, 8):
        ((x, y),) = axes.at([value], [axes.y[0]])
        pen.text((x, y + 8), f"{value:.0f}", font=font(16), fill=PALE, anchor="ma")


def _frame(pen, axes: _Axes, label: str, heights: Sequence[float], words) -> None:
    for value in heights:
        (start, end) = axes.at(axes.x, [value, value])
        pen.line([start, end], fill=GRID, width=1)
        pen.text((start[0] - 10, start[1]), words(value), font=font(16), fill=PALE, anchor="rm")
    pen.line([(axes.left, axes.top), (axes.left, axes.bottom), (axes.right, axes.bottom)], fill=PALE, width=1)
    pen.text((axes.left, axes.top - 8), label, font=font(18), fill=PALE, anchor="ls")


def _cd_range(history: Coefficients, window: int) -> tuple[float, float]:
    """What happens after the first tenth; the start-up's swing may leave the picture."""
    middle = float(history.cd[-window:].mean())
    low, high = np.quantile(history.cd[len(history) // 10 :], [0.005, 0.97])
    low, high = min(low, middle - 0.01 * abs(middle) - 1e-4), max(high, middle + 0.01 * abs(middle) + 1e-4)
    room = 0.2 * (high - low)
    return low - room, high + room


def _residual_range(residuals: Sequence[SolverState]) -> tuple[float, float]:
    values = [value for state in residuals for value in state.residuals.values() if value > 0]
    if not values:
        return -6.0, 0.0
    return float(np.floor(np.log10(min(values)))), float(np.ceil(np.log10(max(values)) + 1e-9))
