"""Pictures of a comparison: where the pressure differs from the baseline's, and where along the cars drag arises."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from data.replacing import replacing
from drivaer_app.compare import PressureDifference
from drivaer_app.drag_along import DragAlong
from drivaer_app.drawn_car import DrawnCar
from drivaer_app.pictures.colours import colour_bar
from drivaer_app.pictures.drawing import ALARM, GRID, INK, PALE, PAPER, SERIES, font, ticks
from drivaer_app.pictures.picture import VIEWS
from drivaer_app.pictures.raycast import Renderer, Surface

DELTA_RANGE = 0.3
"""ΔCp at the ends of the colours."""
_PANEL = (800, 440)
_HEADER, _FOOTER, _MARGIN = 96, 84, 36


def write_delta_picture(path: Path, car: DrawnCar, difference: PressureDifference, title: str, note: str = "") -> None:
    """Four views of ΔCp on a car. note: a warning under the title. Raises DrivAerError where it cannot be written."""
    from PIL import Image, ImageDraw

    values = difference.delta / np.float32(DELTA_RANGE)
    renderer = Renderer(Surface(car.points, car.faces, values, difference.counterpart))
    image = Image.new("RGB", (2 * _PANEL[0], _HEADER + 2 * _PANEL[1] + _FOOTER), PAPER)
    pen = ImageDraw.Draw(image)
    for i, view in enumerate(VIEWS):
        corner = (i % 2 * _PANEL[0], _HEADER + i // 2 * _PANEL[1])
        image.paste(Image.fromarray(renderer.render(view, *_PANEL)), corner)
        pen.text((corner[0] + 18, corner[1] + 14), view.name, font=font(17), fill=PALE)
    pen.text((_MARGIN, 18), title, font=font(28), fill=INK)
    pen.text((_MARGIN, 60), note, font=font(19), fill=ALARM)
    _bar(image, pen)
    with replacing(path) as unfinished:
        image.save(unfinished, format="PNG")


def _bar(image, pen) -> None:
    from PIL import Image

    length, thick = 720, 18
    left, top = (image.width - length) // 2, image.height - _FOOTER + 20
    image.paste(Image.fromarray(colour_bar(length, thick)), (left, top))
    pen.text((left - 16, top + thick // 2), "Cp minus baseline's", font=font(19), fill=INK, anchor="rm")
    for value in np.linspace(-DELTA_RANGE, DELTA_RANGE, 7):
        x = left + length * (value / DELTA_RANGE + 1) / 2
        label = f"{value:+.1f}" if abs(value) > 1e-9 else "0"
        pen.text((x, top + thick + 9), label, font=font(16), fill=PALE, anchor="mt")
    note = "grey: no counterpart"
    pen.text((image.width - _MARGIN, top + thick // 2), note, font=font(16), fill=PALE, anchor="rm")


def write_drag_picture(path: Path, curves: Sequence[tuple[str, DragAlong]]) -> None:
    """Cd of all ahead of x for each named car, the first being the baseline; below, what each differs by in counts.

    Raises DrivAerError where it cannot be written.
    """
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (1300, 900), PAPER)
    pen = ImageDraw.Draw(image)
    low, high = min(c.x.min() for _, c in curves), max(c.x.max() for _, c in curves)
    stations = np.linspace(low, high, 400)
    totals = [np.interp(stations, c.x, c.total) for _, c in curves]
    _panel(pen, (60, 430), stations, totals, "Cd of all ahead of x")
    _panel(pen, (500, 830), stations, [1000 * (t - totals[0]) for t in totals], "counts against the baseline")
    pen.text((650, 874), "x from the front axle, m", font=font(17), fill=PALE, anchor="ms")
    for i, (name, _) in enumerate(curves):
        y = 80 + 26 * i
        pen.line([(1035, y), (1065, y)], fill=SERIES[i % len(SERIES)], width=4)
        pen.text(
            (1075, y),
            name if len(name) <= 24 else f"{name[:11]}...{name[-10:]}",
            font=font(16),
            fill=INK,
            anchor="lm",
        )
    with replacing(path) as unfinished:
        image.save(unfinished, format="PNG")


def _panel(pen, rows: tuple[int, int], x: np.ndarray, curves: Sequence[np.ndarray], label: str) -> None:
    top, bottom = rows
    left, right = 90, 1010
    low, high = min(float(c.min()) for c in curves), max(float(c.max()) for c in curves)
    if high - low < 1e-6:
        low, high = low - 1.0, high + 1.0

    def at(across: float, up: float) -> tuple[float, float]:
        return left + (across - x[0]) / (x[-1] - x[0]) * (right - left), bottom - (up - low) / (high - low) * (
            bottom - top
        )

    for value in ticks(low, high, 6):
        _, y = at(x[0], value)
        pen.line([(left, y), (right, y)], fill=GRID)
        pen.text((left - 10, y), f"{value:g}", font=font(15), fill=PALE, anchor="rm")
    for value in ticks(float(x[0]), float(x[-1]), 8):
        across, _ = at(value, low)
        pen.text((across, bottom + 8), f"{value:g}", font=font(15), fill=PALE, anchor="ma")
    pen.text((left, top - 12), label, font=font(17), fill=PALE, anchor="ls")
    for i, curve in enumerate(curves):
        points = [at(a, b) for a, b in zip(x.tolist(), curve.tolist(), strict=True)]
        pen.line(points, fill=SERIES[i % len(SERIES)], width=3, joint="curve")
