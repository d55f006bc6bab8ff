"""What is drawn in a PDF: the ranking with its intervals, and what its drawings share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from drivaer_app.pictures.drawing import ticks
from drivaer_app.report.brand import Brand
from drivaer_app.report.car import ReportCar
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
        drawing.add(Line(at(value), 20, at(value), height, strokeColor=colour(GRID), strokeWidth=0.5))
        write_text(drawing, at(value), 8, f"{value:.3f}", 7, PALE, "middle")
    if base is not None:
        drawing.add(
            Line(at(base), 20, at(base), height, strokeColor=colour(PALE), strokeWidth=0.8, strokeDashArray=[2, 2])
        )
    for row, car in enumerate(cars):
        y, r = height - (row + 0.5) * _ROW, car.result
        label = f"{car.rank}  {shortened(car.name, 38)}{' (baseline)' if car.is_baseline else ''}"
        write_text(drawing, 0, y - 2.6, label, 7.5, ALARM if car.is_outside else brand.ink)
        x = at(r.cd)
        if car.is_outside:
            corners = [x, y + 3.6, x + 3.8, y - 3, x - 3.8, y - 3]
            drawing.add(Polygon(corners, fillColor=colour("#ffffff"), strokeColor=colour(ALARM), strokeWidth=0.9))
        else:
            if r.cd_low is not None:
                line = Line(at(r.cd_low), y, at(r.cd_high), y, strokeColor=colour(brand.accent), strokeWidth=3.4)
                line.strokeOpacity = 0.3
                drawing.add(line)
            drawing.add(Circle(x, y, 2.6, fillColor=colour(brand.accent), strokeColor=None))
        mark = " ▲" if car.is_outside else ""
        write_text(drawing, width, y - 2.6, f"{r.cd:.4f}{mark}", 7.5, ALARM if car.is_outside else brand.ink, "end")
    return drawing


def write_text(drawing: Drawing, x: float, y: float, text: str, size: float, ink: str, anchor: str = "start") -> None:
    from reportlab.graphics.shapes import String

    register_fonts()
    printed = writable(text)
    drawing.add(String(x, y, printed, fontName=FONT, fontSize=size, fillColor=colour(ink), textAnchor=anchor))


def colour(text: str):
    from reportlab.lib.colors import HexColor

    return HexColor(text)
