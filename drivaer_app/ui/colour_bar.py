"""The colour bar under the viewport, with its range beside it."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPolygonF
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QToolButton, QWidget

from drivaer_app.ui.theme import LIGHT, Colours
from drivaer_app.ui.widgets import NumberBox, is_being_edited, label
from drivaer_app.ui.words import MINUS


class _Bar(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.colours: Colours = LIGHT
        self.table = np.zeros((2, 3), np.uint8)
        self.low, self.high = -1.0, 1.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(320, 36)

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(24, 4, self.width() - 48, 12)
        row = np.ascontiguousarray(self.table, np.uint8)
        image = QImage(row.tobytes(), len(row), 1, 3 * len(row), QImage.Format.Format_RGB888)
        painter.drawImage(box, image)
        for x, tip, colour in ((box.left(), -9, row[0]), (box.right(), 9, row[-1])):
            if tip < 0 and self.low == 0:
                continue
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(*(int(c) for c in colour)))
            tips = [QPointF(x, box.top()), QPointF(x, box.bottom()), QPointF(x + tip, box.center().y())]
            painter.drawPolygon(QPolygonF(tips))
        font = painter.font()
        font.setPointSizeF(font.pointSizeF() * 0.85)
        painter.setFont(font)
        painter.setPen(QColor(self.colours.dim))
        for value in np.linspace(self.low, self.high, 5 if self.width() < 420 else 9):
            x = box.left() + box.width() * (value - self.low) / (self.high - self.low)
            painter.drawLine(QPointF(x, box.bottom() + 1), QPointF(x, box.bottom() + 4))
            text = "0" if abs(value) < 1e-9 else f"{value:.3g}".replace("-", MINUS)
            room = QRectF(x - 40, box.bottom() + 4, 80, 16)
            painter.drawText(room, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, text)


class ColourBar(QFrame):
    """Symbol, bar, range, and what is under the mouse."""

    span_changed = Signal(float)
    fit_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "foot")
        self.symbol = label("Cp")
        self._bar = _Bar()
        self.span = NumberBox()
        self.span.setRange(0.0005, 10.0)
        self.span.setAccessibleName("Range of the colours")
        self.span.setToolTip("The range of the colours, the same for every variant")
        self.span.valueChanged.connect(self.span_changed)
        self._fit = QToolButton(text="Fit")
        self._fit.setToolTip("Set the range to what is on screen")
        self._fit.clicked.connect(self.fit_asked)
        self.probe = label("", "dim")
        self.probe.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.probe.setAccessibleName("Value under the mouse")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 3, 12, 3)
        layout.addWidget(self.symbol)
        layout.addWidget(self._bar, 4)
        layout.addWidget(self.span)
        layout.addWidget(self._fit)
        layout.addSpacing(12)
        layout.addWidget(self.probe, 3)

    def show_scale(self, symbol: str, table: np.ndarray | None, low: float, high: float) -> None:
        """table: None hides the bar."""
        for widget in (self.symbol, self._bar, self.span, self._fit):
            widget.setVisible(table is not None)
        if table is None:
            return
        self.symbol.setText(symbol)
        self._bar.table, self._bar.low, self._bar.high = table, low, high
        self._bar.setAccessibleName(f"{symbol} from {low:g} to {high:g}")
        if not is_being_edited(self.span):
            with QSignalBlocker(self.span):
                self.span.setDecimals(4 if high < 0.05 else 2)
                self.span.setSingleStep(0.001 if high < 0.05 else 0.05)
                self.span.setPrefix("± " if low < 0 else "0 – ")
                self.span.setValue(high)
        self._bar.update()

    def set_colours(self, colours: Colours) -> None:
        self._bar.colours = colours
        self._bar.update()
