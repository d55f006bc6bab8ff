"""The panel of handles: sliders that bend the current variant, its drag as they move, and a button to keep it."""

from __future__ import annotations

import math
from collections.abc import Mapping

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QFont, QPainter, QPalette
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QInputDialog,
    QMenu,
    QPushButton,
    QScrollArea,
    QSlider,
    QStyle,
    QStyleOptionSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from drivaer_app.desk.desk import Desk
from drivaer_app.desk.morphing import Bending
from drivaer_app.results import COUNT
from drivaer_app.settings import Settings
from drivaer_app.shapes.handles import GROUPS, Handle
from drivaer_app.shapes.landmarks import measured
from drivaer_app.ui.theme import LIGHT, Colours
from drivaer_app.ui.widgets import Elided, NumberBox, label, line, set_role, show_value, tall
from drivaer_app.ui.words import signed

_SCALES = {"m": (1000.0, " mm", 0, 1.0), "deg": (1.0, "°", 1, 0.1), "": (1.0, "", 2, 0.01)}
"""For each unit: what a value is multiplied by to be shown, what stands behind it, digits, and the smallest step."""


_STEPS_A_PAGE = 5  # Page Up and Page Down, alike to both sides; the arrows take one step


class _Slider(QSlider):
    """Leaves the wheel to the list that it is in. A tick marks ``home``."""

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setProperty("role", "handle")
        self.home = 0

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        span = max(self.maximum() - self.minimum(), 1)
        knob = self.style().subControlRect(
            QStyle.ComplexControl.CC_Slider, option, QStyle.SubControl.SC_SliderHandle, self
        )
        x = round((self.home - self.minimum()) / span * (self.width() - knob.width()) + knob.width() / 2)
        painter.fillRect(x, self.height() // 2 - 7, 1, 14, self.palette().color(QPalette.ColorRole.PlaceholderText))
        painter.end()
        super().paintEvent(event)

    def wheelEvent(self, event) -> None:
        event.ignore()


class _Box(NumberBox):
    def wheelEvent(self, event) -> None:
        event.ignore()


class HandleRow(QWidget):
    """One handle: its name, value, reset, and slider. Values are in the handle's own unit."""

    moved = Signal()
    """The slider is being dragged."""
    rested = Signal()
    """Somebody let go of it, or gave a value in another way."""
    looked_at = Signal(bool)
    """The mouse came over it, or left."""

    def __init__(self, handle: Handle, own: float, measure: float | None = None):
        """own: what the variant has by itself. measure: what the handle changes as it is on the file's car."""
        super().__init__()
        self.handle, self._own, self._measure = handle, own, measure
        self._scale, suffix, digits, self._step = _SCALES[handle.unit]
        title = handle.name.replace("_", " ").capitalize()
        tip = f"{handle.what[0].upper()}{handle.what[1:]}"
        self.name = label(title)
        self.absolute = label("", "dim")
        self.absolute.setAccessibleName(f"{title} as it is")
        self.box = _Box()
        self.box.setDecimals(digits)
        self.box.setSingleStep(self._step)
        self.box.setSuffix(suffix)
        self.box.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.box.setButtonSymbols(QDoubleSpinBox.ButtonSymbols.NoButtons)
        self.box.setFixedWidth(82)
        tall(self.box)
        self.slider = _Slider()
        low = math.ceil(round(handle.low * self._scale / self._step, 6))
        high = math.floor(round(handle.high * self._scale / self._step, 6))
        self.slider.setRange(low, high)
        self.slider.home = self._steps(own)
        self.slider.setPageStep(_STEPS_A_PAGE)
        self.box.setRange(low * self._step, high * self._step)
        self.reset = QToolButton(text="↺")
        self.reset.setToolTip(f"{title} back to what the variant has")
        self.reset.setAccessibleName(f"Reset {title.lower()}")
        for widget in (self.name, self.box, self.slider):
            widget.setToolTip(tip)
        self.box.setAccessibleName(title)
        self.slider.setAccessibleName(f"{title}, slider")
        self.name.setBuddy(self.slider)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 4)
        layout.setVerticalSpacing(0)
        layout.setColumnStretch(0, 1)
        layout.addWidget(self.name, 0, 0)
        layout.addWidget(self.absolute, 0, 1)
        layout.addWidget(self.box, 0, 2)
        layout.addWidget(self.reset, 0, 3)
        layout.addWidget(self.slider, 1, 0, 1, 4)
        self.set_value(own)
        self.slider.valueChanged.connect(self._slid)
        self.slider.sliderReleased.connect(self.rested)
        self.box.valueChanged.connect(self._typed)
        self.reset.clicked.connect(self._back)

    @property
    def value(self) -> float:
        """The variant's own where the slider stands on it, however finely that was given."""
        value = round(self.slider.value() * self._step / self._scale, 6)
        return self._own if self._steps(self._own) == self.slider.value() else value

    def set_value(self, value: float) -> None:
        """Show a value; nobody is told."""
        with QSignalBlocker(self.slider):
            self.slider.setValue(self._steps(value))
        show_value(self.box, self.slider.value() * self._step)
        self._mark()

    def follow(self, value: float) -> None:
        """Stand where the car is bent to."""
        if self._steps(value) != self.slider.value():
            self.set_value(value)

    def _steps(self, value: float) -> int:
        return round(value * self._scale / self._step)

    def _slid(self, steps: int) -> None:
        with QSignalBlocker(self.box):
            self.box.setValue(steps * self._step)
        self._mark()
        (self.moved if self.slider.isSliderDown() else self.rested).emit()

    def _typed(self, value: float) -> None:
        with QSignalBlocker(self.slider):
            self.slider.setValue(round(value / self._step))
        self._mark()
        self.rested.emit()

    def _back(self) -> None:
        self.set_value(self._own)
        self.rested.emit()

    def enterEvent(self, event) -> None:
        self.looked_at.emit(True)
        super().enterEvent(event)

    def leaveEvent(self, event) -> None:
        self.looked_at.emit(False)
        super().leaveEvent(event)

    def _mark(self) -> None:
        if self._measure is not None:
            now = (self._measure + self.value) * self._scale
            self.absolute.setText(f"{now:,.{1 if self.handle.unit == 'deg' else 0}f}{_SCALES[self.handle.unit][1]}")
        self.reset.setEnabled(self.value != self._own)


class MorphPanel(QWidget):
    """What can be bent of one variant. While it is not in front nothing is worked out for it."""

    shown = Signal()
    """It came to the front, or left it."""
    keep_asked = Signal()
    moves_asked = Signal(object)
    """Show how far each point is moved, (P,) in 0..1, or None for the usual colours."""

    remembered = Signal()
    """The settings have other presets."""

    def __init__(self, desk: Desk, settings: Settings):
        super().__init__()
        self.desk, self.settings = desk, settings
        self.key: str | None = None
        self.colours: Colours = LIGHT
        self.rows: dict[str, HandleRow] = {}
        self._shown_basis: object = None
        self.is_in_front = False
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 6, 0, 12)
        layout.setSpacing(6)
        layout.addLayout(self._headline())
        self.state = label("", "dim", wrap=True)
        layout.addWidget(self.state)
        layout.addWidget(line())
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        layout.addWidget(self._area, 1)
        layout.addLayout(self._buttons())
        self._build_rows(None)
        self.refresh()

    def _headline(self) -> QVBoxLayout:
        self.name = Elided("heading")
        self.cd = label("–", selectable=True)
        big = QFont(self.cd.font())
        big.setPointSizeF(big.pointSizeF() * 2.2)
        big.setWeight(QFont.Weight.DemiBold)
        self.cd.setFont(big)
        self.cd.setAccessibleName("Drag coefficient of the bent car")
        self.change = label("")
        self.change.setAccessibleName("Change of drag by bending")
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addWidget(label("Cd", "dim"), 0, Qt.AlignmentFlag.AlignBaseline)
        row.addWidget(self.cd, 0, Qt.AlignmentFlag.AlignBaseline)
        row.addWidget(self.change, 1, Qt.AlignmentFlag.AlignBaseline)
        column = QVBoxLayout()
        column.setSpacing(2)
        column.addWidget(self.name)
        column.addLayout(row)
        return column

    def _buttons(self) -> QHBoxLayout:
        self.keep = QPushButton("Keep as a variant")
        self.keep.setToolTip("Add the bent car to the study, named by its values; its file stays as it is")
        self.keep.clicked.connect(self.keep_asked)
        self.reset = QPushButton("Reset all")
        self.reset.setToolTip("All handles back to what the variant has")
        self.reset.clicked.connect(self._reset_all)
        self.presets = QToolButton(text="Presets")
        self.presets.setToolTip("Values of handles by a name, for any car and study")
        self.presets.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self.presets)
        menu.aboutToShow.connect(lambda: self._fill_presets(menu))
        self.presets.setMenu(menu)
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 16, 0)
        row.addWidget(self.keep, 1)
        row.addWidget(self.presets)
        row.addWidget(self.reset)
        return row

    # Showing

    def set_colours(self, colours: Colours) -> None:
        self.colours = colours

    def show_variant(self, key: str | None) -> None:
        self.key = key
        self.take_hold()
        self.refresh()

    def take_hold(self) -> None:
        """Have the variant's handles found, where somebody looks."""
        if self.key and self.is_in_front:
            self.desk.take_hold(self.key)

    def set_in_front(self, on: bool) -> None:
        """Whether somebody sees it: a dock behind another is not hidden in Qt's sense, and says so by a signal."""
        if on != self.is_in_front:
            self.is_in_front = on
            self.take_hold()
            self.refresh()
            self.shown.emit()

    def refresh(self) -> None:
        bending = self._bending()
        if (bending and bending.basis) is not self._shown_basis:
            self._build_rows(bending)
        elif bending and not any(row.slider.isSliderDown() for row in self.rows.values()):
            for name, row in self.rows.items():  # an undo moves them too
                row.follow(bending.values.get(name, row.handle.neutral))
        variant = self.desk.study.state.variant(self.key)
        self.name.setText(variant.name if variant else "No variant is selected")
        self._show_drag(bending)
        self._show_state(bending)
        bent = bending is not None and bending.is_bent
        self.keep.setEnabled(bent)
        self.reset.setEnabled(any(row.reset.isEnabled() for row in self.rows.values()))

    def _bending(self) -> Bending | None:
        now = self.desk.morphing.now
        return now if now is not None and now.key == self.key else None

    def _build_rows(self, bending: Bending | None) -> None:
        self._shown_basis = bending and bending.basis
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 4, 14, 4)
        column.setSpacing(4)
        self.rows = {}
        handles = bending.handles if bending else {}
        for group, names in GROUPS.items():
            there = [name for name in names if name in handles]
            if there:
                column.addWidget(label(group, "heading"))
            for name in there:
                self.rows[name] = row = self._row(bending, name)
                column.addWidget(row)
        column.addStretch(1)
        self._area.setWidget(body)

    def _row(self, bending: Bending, name: str) -> HandleRow:
        handle = bending.handles[name]
        measure = measured(name, bending.basis.field.landmarks)
        row = HandleRow(handle, bending.own.get(name, handle.neutral), measure)
        row.set_value(bending.values.get(name, handle.neutral))
        row.moved.connect(lambda: self._bend(exact=False))
        row.rested.connect(lambda: self._bend(exact=True))
        row.looked_at.connect(lambda on: self._show_moves(name if on else None))
        return row

    def _show_moves(self, name: str | None) -> None:
        """Which region a handle moves; while one is dragged, the car keeps its colours."""
        bending = self._bending()
        dragged = any(row.slider.isSliderDown() for row in self.rows.values())
        if bending is not None and bending.basis is not None and not dragged:
            self.moves_asked.emit(None if name is None else bending.moved_by(name))

    def _show_drag(self, bending: Bending | None) -> None:
        result = self.desk.result(self.key) if self.key else None
        measured = self.desk.prediction(self.key).result if self.key else None
        cd = result.cd if result else None
        change = None
        if bending and bending.is_bent and bending.cd is not None and result:
            if bending.result is not None:
                cd = bending.result.on(self.desk.study.state.conditions).cd
            else:  # the bent car's own area is not known yet: the variant's stands in for it
                cd = bending.cd * result.cd / measured.cd
            change = (cd - result.cd) / COUNT
        self.cd.setText("–" if cd is None else f"{cd:.3f}")
        self.change.setText("" if change is None else f"{signed(change, 1)} counts")
        set_role(self.change, "" if change is None else "dim")

    def _show_state(self, bending: Bending | None) -> None:
        text, role = "", "dim"
        prediction = self.desk.prediction(self.key) if self.key else None
        if bending is not None and bending.error:
            text, role = bending.error, "bad"
        elif prediction is not None and prediction.error:
            text, role = prediction.error, "bad"
        elif self.key and not self.rows:
            text = "finding the handles"
        elif bending is not None and bending.is_bent:
            exact = bending.result is not None and bending.cd_values == bending.values
            text = "quick estimate" if bending.cd is not None else "predicting"
            text = "predicted, in its own colours" if exact else f"{text}; the colours are the unbent car's"
        elif self.rows:
            text = "Drag a handle: the car bends and Cd follows"
        self.state.setText(text)
        set_role(self.state, role)

    # Editing

    def _values(self) -> dict[str, float]:
        values = {name: row.value for name, row in self.rows.items()}
        return {name: value for name, value in values.items() if value != self.rows[name].handle.neutral}

    def _bend(self, *, exact: bool) -> None:
        self.desk.bend(self._values(), exact=exact)
        self.refresh()

    def _fill_presets(self, menu: QMenu) -> None:
        menu.clear()
        for name, values in self.settings.presets.items():
            menu.addAction(name.replace("&", "&&")).triggered.connect(lambda _=False, v=values: self.take_preset(v))
        if self.settings.presets:
            menu.addSeparator()
            away = menu.addMenu("Take away")
            for name in self.settings.presets:
                forget = away.addAction(name.replace("&", "&&"))
                forget.triggered.connect(lambda _=False, name=name: self._forget_preset(name))
        save = menu.addAction("Save these values…")
        save.setEnabled(bool(self._values()))
        save.triggered.connect(self._save_preset)

    def take_preset(self, values: Mapping[str, float]) -> None:
        """Bring the handles that the car has to these values, as far as they go on it; the others to neutral."""
        for name, row in self.rows.items():
            row.set_value(float(values.get(name, row.handle.neutral)))
        self._bend(exact=True)

    def _save_preset(self) -> None:
        name, there = QInputDialog.getText(self, "Save a preset", "Name of the values")
        if there and name.strip():
            self.settings.presets[name.strip()] = self._values()
            self.remembered.emit()

    def _forget_preset(self, name: str) -> None:
        self.settings.presets.pop(name, None)
        self.remembered.emit()

    def _reset_all(self) -> None:
        for row in self.rows.values():
            row.set_value(row._own)
        self._bend(exact=True)
