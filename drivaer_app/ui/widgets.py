"""Small widgets that several panels use."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QLocale, QObject, QPointF, QRectF, QSignalBlocker, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QFont, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QFrame, QLabel, QSizePolicy, QWidget

from drivaer_app.ui.theme import LIGHT, Colours


def label(text: str = "", role: str = "", *, wrap: bool = False, selectable: bool = False) -> QLabel:
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setProperty("role", role)
    made.setWordWrap(wrap)
    if selectable:
        flags = Qt.TextInteractionFlag
        made.setTextInteractionFlags(flags.TextSelectableByMouse | flags.TextSelectableByKeyboard)
    return made


def page_title(text: str) -> QLabel:
    """The large heading of a page."""
    made = label(text)
    big = QFont(made.font())
    big.setPointSizeF(big.pointSizeF() * 2.1)
    big.setWeight(QFont.Weight.DemiBold)
    made.setFont(big)
    return made


def set_role(widget: QWidget, role: str) -> None:
    """Change what the style sheet sees."""
    if widget.property("role") != role:
        widget.setProperty("role", role)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def line() -> QFrame:
    made = QFrame()
    made.setProperty("role", "line")
    made.setFixedHeight(1)
    return made


class IntervalBar(QWidget):
    """Cd as a mark on its interval, the baseline's Cd as a second mark, on a scale that all variants share."""

    def __init__(self) -> None:
        super().__init__()
        self.colours: Colours = LIGHT
        self._cd: float | None = None
        self._low: float | None = None
        self._high: float | None = None
        self._baseline: float | None = None
        self._cfd: float | None = None
        self._scale = (0.2, 0.4)
        self._holds = True
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Drag coefficient with its interval")

    def sizeHint(self) -> QSize:
        return QSize(240, 46)

    def show_values(
        self,
        cd: float | None,
        low: float | None,
        high: float | None,
        baseline: float | None,
        scale: tuple[float, float],
        holds: bool,
        cfd: float | None = None,
    ) -> None:
        """scale: the ends of the axis. holds: whether the interval can be relied on; else it is drawn hollow.

        cfd: Cd of a CFD run, a diamond.
        """
        self._cd, self._low, self._high = cd, low, high
        self._baseline, self._cfd, self._scale, self._holds = baseline, cfd, scale, holds
        self.setAccessibleDescription("" if cd is None or low is None else f"{cd:.3f}, from {low:.3f} to {high:.3f}")
        self.update()

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        c = self.colours
        left, right, middle = 6.0, self.width() - 6.0, 14.0
        start, end = self._scale

        def place(value: float) -> float:
            return left + (right - left) * (value - start) / (end - start)

        painter.setPen(QPen(QColor(c.line), 2))
        painter.drawLine(QPointF(left, middle), QPointF(right, middle))
        self._ticks(painter, place, middle)
        if self._cd is None:
            return
        accent = QColor(c.accent)
        if self._low is not None:
            box = QRectF(place(self._low), middle - 5, max(place(self._high) - place(self._low), 2), 10)
            fill = QColor(accent)
            fill.setAlpha(90)
            painter.setBrush(fill if self._holds else Qt.BrushStyle.NoBrush)
            style = Qt.PenStyle.NoPen if self._holds else Qt.PenStyle.DashLine
            painter.setPen(QPen(accent, 1, style))
            painter.drawRoundedRect(box, 5, 5)
        if self._baseline is not None:
            painter.setPen(QPen(QColor(c.dim), 2))
            x = place(self._baseline)
            painter.drawLine(QPointF(x, middle - 9), QPointF(x, middle + 9))
        painter.setPen(QPen(QColor(c.base), 1.5))
        painter.setBrush(accent)
        painter.drawEllipse(QPointF(place(self._cd), middle), 6, 6)
        if self._cfd is not None:
            x = min(max(place(self._cfd), left), right)
            painter.setBrush(QColor(c.warn))
            corners = [(x, middle - 8), (x + 6, middle), (x, middle + 8), (x - 6, middle)]
            painter.drawPolygon(QPolygonF([QPointF(*corner) for corner in corners]))

    def _ticks(self, painter: QPainter, place, middle: float) -> None:
        start, end = self._scale
        step = next((s for s in (0.01, 0.02, 0.05, 0.1, 0.2) if (end - start) / s <= 6), 0.5)
        font = painter.font()
        font.setPointSizeF(font.pointSizeF() * 0.85)
        painter.setFont(font)
        painter.setPen(QColor(self.colours.dim))
        n = int(start / step) + 1
        while n * step < end:
            x = place(n * step)
            painter.drawLine(QPointF(x, middle + 2), QPointF(x, middle + 6))
            box = QRectF(x - 30, middle + 11, 60, 18)
            painter.drawText(box, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, f"{n * step:.2f}")
            n += 1


def single_shot(parent: QObject, after_ms: int, do: Callable[[], object]) -> QTimer:
    """A timer that does it once some time after its last start: many events in a row are answered once."""
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(after_ms)
    timer.timeout.connect(do)
    return timer


class NumberBox(QDoubleSpinBox):
    """Numbers as the rest of the window writes them, with a point; a comma that is typed is taken for one."""

    def __init__(self) -> None:
        super().__init__()
        self.setLocale(QLocale.c())
        self.setKeyboardTracking(False)

    def validate(self, text: str, place: int) -> object:
        return super().validate(text.replace(",", "."), place)

    def valueFromText(self, text: str) -> float:
        return super().valueFromText(text.replace(",", "."))


class Elided(QLabel):
    """One line of text that never asks for more room than there is: its middle is left out, the tooltip has all."""

    def __init__(self, role: str = "") -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("role", role)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def setText(self, text: str) -> None:
        super().setText(text)
        self.setToolTip(text)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideMiddle, self.width())
        self.style().drawItemText(painter, self.rect(), int(self.alignment()), self.palette(), True, text)


def is_being_edited(field: QDoubleSpinBox | QComboBox) -> bool:
    """Whether somebody has begun to change a field and not come to an end: its text, or its list is open.

    Such a field is theirs: what the engine finds meanwhile is shown elsewhere, and in it once they are done.
    """
    if isinstance(field, QComboBox):
        return field.view().isVisible()
    said = field.prefix() + field.textFromValue(field.value()) + field.suffix()
    if field.specialValueText() and field.value() == field.minimum():
        said = field.specialValueText()
    return field.hasFocus() and field.text() != said


def show_value(box: QDoubleSpinBox, value: float) -> None:
    """What the program knows; nobody is told, and nothing that is being typed is overwritten."""
    if not is_being_edited(box):
        with QSignalBlocker(box):
            box.setValue(value)


def tall(*boxes: QWidget) -> None:
    """Fusion's own height cuts descenders off in some fonts."""
    for box in boxes:
        box.setMinimumHeight(box.fontMetrics().height() + 10)
