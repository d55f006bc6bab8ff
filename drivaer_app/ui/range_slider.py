"""A slider with two handles. Qt has none, and superqt's does not draw itself under an application's style sheet."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPalette
from PySide6.QtWidgets import QSizePolicy, QWidget

_RADIUS, _GROOVE, _HEIGHT = 7.0, 4.0, 22
_STEPS, _LEAPS = 100, 10
"""Along the whole slider by an arrow key, and by a page key."""


class RangeSlider(QWidget):
    """Two values within ``bounds``, the lower never above the upper.

    The mouse takes the handle that is nearer; arrow keys, Page, Home and End move the one that was last taken.
    """

    changed = Signal(float, float)
    """Lower and upper value, whenever a person moves either."""

    def __init__(self) -> None:
        super().__init__()
        self.bounds = (0.0, 1.0)
        self.values = [0.0, 1.0]
        self._taken = 0
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(80)

    def sizeHint(self) -> QSize:
        return QSize(160, _HEIGHT)

    def set_bounds(self, low: float, high: float) -> None:
        """Both handles go to the ends."""
        self.bounds = (low, high)
        self.set_values(low, high)

    def set_values(self, low: float, high: float) -> None:
        """Tells nobody."""
        self.values = [self._within(low), self._within(max(low, high))]
        self.setAccessibleDescription(f"{self.values[0]:.4g} to {self.values[1]:.4g}")
        self.update()

    def place_of(self, value: float) -> QPointF:
        """Where a value is on the widget."""
        low, high = self.bounds
        share = (value - low) / (high - low) if high > low else 0.0
        return QPointF(_RADIUS + 1 + share * (self.width() - 2 * _RADIUS - 2), self.height() / 2)

    def _value_at(self, x: float) -> float:
        low, high = self.bounds
        return self._within(low + (high - low) * (x - _RADIUS - 1) / max(self.width() - 2 * _RADIUS - 2, 1))

    def _within(self, value: float) -> float:
        return min(max(value, self.bounds[0]), self.bounds[1])

    def _move(self, value: float) -> None:
        other = self.values[1 - self._taken]
        value = self._within(min(value, other) if self._taken == 0 else max(value, other))
        if value != self.values[self._taken]:
            self.values[self._taken] = value
            self.set_values(*self.values)
            self.changed.emit(*self.values)

    # Mouse and keys

    def mousePressEvent(self, event) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        x = event.position().x()
        low, high = (self.place_of(value).x() for value in self.values)
        both = low == high  # which is meant shows the side that it is taken from
        self._taken = int(x > low if both else abs(x - high) < abs(x - low))
        self._move(self._value_at(x))
        self.update()

    def mouseMoveEvent(self, event) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._move(self._value_at(event.position().x()))

    def keyPressEvent(self, event) -> None:
        key, keys = event.key(), Qt.Key
        step = (self.bounds[1] - self.bounds[0]) / _STEPS
        ways = {keys.Key_Left: -1, keys.Key_Down: -1, keys.Key_Right: 1, keys.Key_Up: 1}
        ways |= {keys.Key_PageDown: -_LEAPS, keys.Key_PageUp: _LEAPS}
        if key in ways:
            self._move(self.values[self._taken] + ways[key] * step)
        elif key in (keys.Key_Home, keys.Key_End):
            self._move(self.bounds[key == keys.Key_End])
        elif key == keys.Key_Space:
            self._taken = 1 - self._taken
            self.update()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event) -> None:
        super().focusOutEvent(event)
        self.update()

    # Drawing

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        role, palette = QPalette.ColorRole, self.palette()
        accent = palette.color(role.Accent if self.isEnabled() else role.Mid)
        ends = [self.place_of(value) for value in self.values]
        whole = QRectF(_RADIUS, self.height() / 2 - _GROOVE / 2, self.width() - 2 * _RADIUS, _GROOVE)
        for box, colour in ((whole, palette.color(role.Mid)), (_between(whole, ends), accent)):
            painter.setBrush(colour)
            painter.drawRoundedRect(box, _GROOVE / 2, _GROOVE / 2)
        for number in (1 - self._taken, self._taken):  # the one that keys move lies above
            shown = self.hasFocus() and number == self._taken
            painter.setBrush(QColor(palette.color(role.WindowText)) if shown else accent)
            painter.drawEllipse(ends[number], _RADIUS, _RADIUS)


def _between(groove: QRectF, ends: list[QPointF]) -> QRectF:
    return QRectF(ends[0].x(), groove.top(), ends[1].x() - ends[0].x(), groove.height())
