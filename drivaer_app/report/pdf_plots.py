"""What is drawn in a PDF: the ranking with its intervals, and drag along a car."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from drivaer_app.report.brand import Brand
from drivaer_app.report.content import ReportCar
from drivaer_app.report.pdf_fonts import FONT, register_fonts, writable
from drivaer_app.report.texts import shortened

if TYPE_CHECKING:
    from reportlab.graphics.shapes import Drawing

ALARM, PALE, GRID = "#b05400", "#676c76", "#dfe2e7"
_ROW = 13.5  # points
_NAME = 175.0


def ranking(cars: Sequence[ReportCar], axis: tuple[float, float], width: float, brand: Brand, base: float | None):
    """Cars below each other on one axis of Cd. base: Cd of the baseline."""
    from reportlab.graphics.shapes import Circle, Drawing, Line, Polygon

    height = _ROW * len(cars) + 26
    drawing = Drawing(width, height)
    left, right = _NAME + 8, width - 52
    low, high = axis

    def at(value: float) -> float:
        return left + (value - low) / (high - low) * (right - left)

    for value in ticks(low, high, 6):
        drawing.add(Line(at(value), 20, at(value), height, strokeColor=_colour(GRID), strokeWidth=0.5))
        _write(drawing, at(value), 8, f"{value:.3f}", 7, PALE, "middle")
    if base is not None:
        drawing.add(
            Line(at(base), 20, at(base), height, strokeColor=_colour(PALE), strokeWidth=0.8, strokeDashArray=[2, 2])
        )
    for row, car in enumerate(cars):
        y, r = height - (row + 0.5) * _ROW, car.result
        told = f"{car.rank}  {shortened(car.name, 38)}{' (baseline)' if car.is_baseline else ''}"
        _write(drawing, 0, y - 2.6, told, 7.5, ALARM if car.is_outside else brand.ink)
        x = at(r.cd)
        if car.is_outside:
            corners = [x, y + 3.6, x + 3.8, y - 3, x - 3.8, y - 3]
            drawing.add(Polygon(corners, fillColor=_colour("#ffffff"), strokeColor=_colour(ALARM), strokeWidth=0.9))
        else:
            if r.cd_low is not None:
                line = Line(at(r.cd_low), y, at(r.cd_high), y, strokeColor=_colour(brand.accent), strokeWidth=3.4)
                line.strokeOpacity = 0.3
                drawing.add(line)
            drawing.add(Circle(x, y, 2.6, fillColor=_colour(brand.accent), strokeColor=None))
        mark = " ▲" if car.is_outside else ""
        _write(drawing, width, y - 2.6, f"{r.cd:.4f}{mark}", 7.5, ALARM if car.is_outside else brand.ink, "end")
    return drawing


def along(car: ReportCar, baseline: ReportCar | None, width: float, height: float, brand: Brand) -> Drawing | None:
    """Cd of all ahead of x, the baseline's dashed. None where the model gives no fields."""
    from reportlab.graphics.shapes import Drawing, Line, PolyLine

    own = car.stored.drag_along
    if own is None:
        return None
    other = baseline.stored.drag_along if baseline is not None and baseline is not car else None
    curves = [(rows[0], rows[1] + rows[2]) for rows in (other, own) if rows is not None]
    drawing = Drawing(width, height)
    left, right, bottom, top = 26.0, width - 2, 14.0, height - 4
    x_low, x_high = min(float(x.min()) for x, _ in curves), max(float(x.max()) for x, _ in curves)
    low, high = min(0.0, *(float(y.min()) for _, y in curves)), max(float(y.max()) for _, y in curves)
    for value in ticks(low, high, 3):
        y = bottom + (value - low) / (high - low) * (top - bottom)
        drawing.add(Line(left, y, right, y, strokeColor=_colour(GRID), strokeWidth=0.5))
        _write(drawing, left - 3, y - 2, f"{value:.2f}", 6, PALE, "end")
    for i, (x, y) in enumerate(curves):
        across = left + (x - x_low) / (x_high - x_low) * (right - left)
        up = bottom + (y - low) / (high - low) * (top - bottom)
        is_own = i == len(curves) - 1
        line = PolyLine(np.column_stack([across, up]).ravel().tolist(), strokeWidth=1.4 if is_own else 0.8)
        line.strokeColor = _colour(brand.accent if is_own else PALE)
        line.strokeDashArray = None if is_own else [3, 2]
        drawing.add(line)
    for x, anchor, text in ((left, "start", "nose"), (right, "end", "tail")):
        _write(drawing, x, 3, text, 6, PALE, anchor)
    dashed = ", dashed: baseline" if len(curves) > 1 else ""
    marked = " ▲" if car.is_outside else ""
    _write(drawing, (left + right) / 2, 3, f"Cd of all ahead of x{dashed}{marked}", 6, PALE, "middle")
    return drawing


def ticks(low: float, high: float, n: int) -> list[float]:
    """About n round values between low and high."""
    rough = (high - low) / n
    power = 10.0 ** np.floor(np.log10(rough))
    step = min((1, 2, 5, 10), key=lambda factor: abs(factor * power - rough)) * power
    return [float(k * step) for k in range(int(np.ceil(low / step)), int(np.floor(high / step)) + 1)]


def _write(drawing: Drawing, x: float, y: float, text: str, size: float, colour: str, anchor: str = "start") -> None:
    from reportlab.graphics.shapes import String

    register_fonts()
    told = writable(text)
    drawing.add(String(x, y, told, fontName=FONT, fontSize=size, fillColor=_colour(colour), textAnchor=anchor))


def _colour(told: str):
    from reportlab.lib.colors import HexColor

    return HexColor(told)
