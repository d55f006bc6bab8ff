"""The curve of drag along a car, the baseline's dashed behind it: for HTML as SVG, for PDF as a drawing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from drivaer_app.drag_along import DragAlong
from drivaer_app.report.brand import Brand
from drivaer_app.report.car import ReportCar
from drivaer_app.report.pdf_plots import GRID, PALE, colour, write_text

if TYPE_CHECKING:
    from reportlab.graphics.shapes import Drawing

_SVG = (40.0, 412.0, 10.0, 148.0)  # left, right, top, bottom


@dataclass(frozen=True, eq=False)
class _Plot:
    """own, baseline: (x, y), (S,) each, as shares of the plot's width and height from its lower left corner.

    ticks: (share of the height, Cd), which zero is one of. baseline: None for the baseline itself and without one.
    """

    own: tuple[np.ndarray, np.ndarray]
    baseline: tuple[np.ndarray, np.ndarray] | None
    zero: float
    ticks: tuple[tuple[float, float], ...]


def _plot(car: ReportCar, baseline: ReportCar | None) -> _Plot | None:
    """None where the model gives no fields."""
    if car.drag is None:
        return None
    other = baseline.drag if baseline is not None and baseline is not car else None
    curves = [curve for curve in (car.drag, other) if curve is not None]
    x_low, x_high = min(c.x.min() for c in curves), max(c.x.max() for c in curves)
    low, high = min(0.0, *(float(c.total.min()) for c in curves)), max(float(c.total.max()) for c in curves)

    def up(value):
        return (value - low) / (high - low)

    def line(curve: DragAlong) -> tuple[np.ndarray, np.ndarray]:
        return (curve.x - x_low) / (x_high - x_low), up(curve.total.astype(np.float64))

    step = 0.1 if high - low > 0.25 else 0.05
    ticks = [k * step for k in range(int(np.ceil(low / step)), int(high / step) + 1)]
    return _Plot(line(car.drag), line(other) if other else None, up(0.0), tuple((up(v), v) for v in ticks))


@dataclass(frozen=True)
class SvgCurve:
    """own, baseline: points of polylines, the latter empty without one. zero: y of Cd 0. ticks: (y, label)."""

    own: str
    baseline: str
    zero: float
    ticks: tuple[tuple[float, str], ...]


def svg_of(car: ReportCar, baseline: ReportCar | None) -> SvgCurve | None:
    """In the coordinates of the template's SVG. None where the model gives no fields."""
    plot = _plot(car, baseline)
    if plot is None:
        return None
    left, right, top, bottom = _SVG

    def at(share: float) -> float:
        return round(bottom - share * (bottom - top), 1)

    def points(x: np.ndarray, y: np.ndarray) -> str:
        across = left + x * (right - left)
        return " ".join(f"{a:.1f},{at(b)}" for a, b in zip(across.tolist(), y.tolist(), strict=True))

    ticks = tuple((at(share), f"{cd:.2f}") for share, cd in plot.ticks)
    return SvgCurve(points(*plot.own), points(*plot.baseline) if plot.baseline else "", at(plot.zero), ticks)


def drawing_of(car: ReportCar, baseline: ReportCar | None, width: float, height: float, brand: Brand) -> Drawing | None:
    """width, height: points. None where the model gives no fields."""
    from reportlab.graphics.shapes import Drawing, Line, PolyLine

    plot = _plot(car, baseline)
    if plot is None:
        return None
    drawing = Drawing(width, height)
    left, right, bottom, top = 26.0, width - 2, 14.0, height - 4
    for share, cd in plot.ticks:
        y = bottom + share * (top - bottom)
        drawing.add(Line(left, y, right, y, strokeColor=colour(GRID), strokeWidth=0.5))
        write_text(drawing, left - 3, y - 2, f"{cd:.2f}", 6, PALE, "end")
    looks = ((plot.baseline, PALE, 0.8, [3, 2]), (plot.own, brand.accent, 1.4, None))
    for curve, ink, thick, dashes in looks:
        if curve is not None:
            x, y = left + curve[0] * (right - left), bottom + curve[1] * (top - bottom)
            line = PolyLine(np.column_stack([x, y]).ravel().tolist(), strokeWidth=thick)
            line.strokeColor, line.strokeDashArray = colour(ink), dashes
            drawing.add(line)
    for x, anchor, text in ((left, "start", "nose"), (right, "end", "tail")):
        write_text(drawing, x, 3, text, 6, PALE, anchor)
    dashed = ", dashed: baseline" if plot.baseline else ""
    marked = " ▲" if car.is_outside else ""
    write_text(drawing, (left + right) / 2, 3, f"Cd of all ahead of x{dashed}{marked}", 6, PALE, "middle")
    return drawing
