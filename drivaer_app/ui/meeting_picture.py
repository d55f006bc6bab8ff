"""A picture that speaks for itself on a slide: title, cars with Cd and interval, the colours' scale, and the brand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPixmap

from drivaer_app.report.brand import Brand
from drivaer_app.ui.words import MINUS

_MARGIN, _HEAD, _FOOT = 0.02, 0.075, 0.05
"""Parts of the width."""
_PAPER, _PALE = "#ffffff", "#5f6670"
_TICKS = 5


@dataclass(frozen=True, eq=False)
class ColourScale:
    """Of the colours. table: (N, 3) uint8 from low to high."""

    symbol: str
    table: np.ndarray
    low: float
    high: float


def meeting_picture(cars: QImage, title: str, lines: list[str], scale: ColourScale | None, brand: Brand) -> QImage:
    """As wide as the picture of the cars. lines: one a car. scale: None where the colours stand for no number."""
    width = cars.width()
    margin, head, foot = (round(part * width) for part in (_MARGIN, _HEAD, _FOOT))
    line_height = round(0.018 * width)
    top = head + line_height * len(lines)
    image = QImage(width, top + cars.height() + foot, QImage.Format.Format_RGB32)
    image.fill(QColor(_PAPER))
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.fillRect(QRectF(0, 0, width, 0.004 * width), QColor(brand.accent))
    left = _draw_brand(painter, brand, width, margin, head)
    _write(painter, QRectF(margin, 0.01 * width, left - 2 * margin, head), title, 0.026 * width, brand.ink, bold=True)
    for number, line in enumerate(lines):
        room = QRectF(margin, head + number * line_height, width - 2 * margin, line_height)
        _write(painter, room, line, 0.0135 * width, brand.ink)
    painter.drawImage(0, top, cars)
    if scale is not None:
        _draw_scale(painter, scale, QRectF(margin, top + cars.height(), width, foot), width)
    if brand.footer:
        room = QRectF(0.6 * width, top + cars.height(), 0.4 * width - margin, foot)
        _write(painter, room, brand.footer, 0.01 * width, _PALE, Qt.AlignmentFlag.AlignRight)
    painter.end()
    return image


def _write(
    painter: QPainter,
    room: QRectF,
    text: str,
    size: float,
    colour: str,
    side: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
    *,
    bold: bool = False,
) -> None:
    font = QFont(painter.font())
    font.setPixelSize(max(round(size), 1))
    font.setBold(bold)
    painter.setFont(font)
    painter.setPen(QColor(colour))
    cut = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, round(room.width()))
    painter.drawText(room, side | Qt.AlignmentFlag.AlignVCenter, cut)


def _draw_brand(painter: QPainter, brand: Brand, width: int, margin: int, head: int) -> float:
    """The logo, or the name, at the right; returns where it begins."""
    if brand.logo is not None:
        logo = QPixmap(str(brand.logo))
        if not logo.isNull():
            height = 0.6 * head
            wide = min(height * logo.width() / logo.height(), 0.25 * width)
            place = QRectF(width - margin - wide, 0.2 * head, wide, wide * logo.height() / logo.width())
            painter.drawPixmap(place, logo, QRectF(logo.rect()))
            return place.left()
    room = QRectF(0.7 * width, 0.01 * width, 0.3 * width - margin, head)
    _write(painter, room, brand.name, 0.016 * width, brand.accent, Qt.AlignmentFlag.AlignRight, bold=True)
    return 0.7 * width if brand.name else width


def _draw_scale(painter: QPainter, scale: ColourScale, foot: QRectF, width: int) -> None:
    box = QRectF(foot.left() + 0.06 * width, foot.top() + 0.3 * foot.height(), 0.35 * width, 0.25 * foot.height())
    row = np.ascontiguousarray(scale.table, np.uint8)
    image = QImage(row.tobytes(), len(row), 1, 3 * len(row), QImage.Format.Format_RGB888)
    painter.drawImage(box, image)
    symbol = QRectF(foot.left(), box.top() - 0.2 * foot.height(), 0.055 * width, 0.65 * foot.height())
    _write(painter, symbol, scale.symbol.replace("\n", " "), 0.011 * width, "#1c1e22", bold=True)
    for value in np.linspace(scale.low, scale.high, _TICKS):
        x = box.left() + box.width() * (value - scale.low) / (scale.high - scale.low)
        text = "0" if abs(value) < 1e-9 else f"{value:.3g}".replace("-", MINUS)
        painter.setPen(QColor(_PALE))
        painter.drawLine(QPointF(x, box.bottom()), QPointF(x, box.bottom() + 0.06 * foot.height()))
        room = QRectF(x - 0.04 * width, box.bottom() + 0.06 * foot.height(), 0.08 * width, 0.35 * foot.height())
        _write(painter, room, text, 0.009 * width, _PALE, Qt.AlignmentFlag.AlignHCenter)
