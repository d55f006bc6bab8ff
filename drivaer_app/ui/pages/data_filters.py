"""Which designs the table shows: choices, a condition, ranges of two columns."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QGridLayout, QHBoxLayout, QLineEdit, QPushButton, QWidget

from data.catalogue.listing import CHOICES, Overview
from data.catalogue.where_words import WhereError
from drivaer_app.ui.widgets import label

_ALL = "all"
_RANGED = ("cd", "area")


class RangeFilter(QWidget):
    """A column and its lowest and highest value to be shown; at both ends of what there is it filters nothing."""

    changed = Signal()

    def __init__(self, number: int):
        super().__init__()
        self._spans: dict[str, tuple[float, float]] = {}
        self.column, self.low, self.high = QComboBox(), QDoubleSpinBox(), QDoubleSpinBox()
        self.column.setAccessibleName(f"Column of range {number}")
        self.column.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.column.setMinimumContentsLength(11)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.column)
        for box, end in ((self.low, "Lowest"), (self.high, "Highest")):
            box.setAccessibleName(f"{end} value of range {number}")
            box.setToolTip(f"{end} value that is shown")
            box.setDecimals(4)
            box.setKeyboardTracking(False)
            box.setMinimumWidth(92)
            box.valueChanged.connect(lambda _: self.changed.emit())
        row.addWidget(self.low)
        row.addWidget(label("to", "dim"))
        row.addWidget(self.high)
        self.column.currentTextChanged.connect(self._take)

    def offer(self, spans: dict[str, tuple[float, float]], preferred: str) -> None:
        kept = self.column.currentText()
        self._spans = spans
        self.column.blockSignals(True)
        self.column.clear()
        self.column.addItems(list(spans))
        self.column.setCurrentText(kept if kept in spans else preferred)
        self.column.blockSignals(False)
        self.reset()

    def reset(self) -> None:
        """To the ends of what there is."""
        low, high = self._spans.get(self.column.currentText(), (0.0, 0.0))
        step = max((high - low) / 50, 1e-4)
        for box, value in ((self.low, low - 5e-5), (self.high, high + 5e-5)):  # what the boxes round lies inside
            box.blockSignals(True)
            box.setRange(low - 5e-5, high + 5e-5)
            box.setSingleStep(step)
            box.setValue(value)
            box.blockSignals(False)

    @property
    def range(self) -> dict[str, tuple[float, float]]:
        """Of the column; empty where nothing is filtered out."""
        name = self.column.currentText()
        if name not in self._spans:
            return {}
        low, high = self._spans[name]
        if self.low.value() <= low and self.high.value() >= high:
            return {}
        return {name: (self.low.value(), self.high.value())}

    def _take(self, _: str) -> None:
        self.reset()
        self.changed.emit()


class Filters(QWidget):
    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        grid = QGridLayout(self)
        grid.setContentsMargins(12, 6, 12, 4)
        grid.setHorizontalSpacing(14)
        self.choices: dict[str, QComboBox] = {}
        first = QHBoxLayout()
        for name in CHOICES:
            box = QComboBox()
            box.setAccessibleName(f"Designs of which {name}")
            box.setMinimumWidth(96)
            box.currentTextChanged.connect(lambda _: self.changed.emit())
            self.choices[name] = box
            title = label(f"{name.capitalize()} ", "dim")
            title.setBuddy(box)
            first.addWidget(title)
            first.addWidget(box)
            first.addSpacing(12)
        first.addStretch(1)
        self.where = QLineEdit()
        self.where.setPlaceholderText("Condition, such as cd < 0.3 and style = 'fastback'; Enter applies it")
        self.where.setClearButtonEnabled(True)
        self.where.setAccessibleName("Condition on the designs")
        self.where.returnPressed.connect(self.changed)
        self.where.textChanged.connect(lambda text: text or self.changed.emit())
        self.error = label("", "bad", selectable=True)
        self.error.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.error.setAccessibleName("What is wrong with the condition")
        self.error.hide()
        self.ranges = (RangeFilter(1), RangeFilter(2))
        second = QHBoxLayout()
        for one in self.ranges:
            one.changed.connect(self.changed)
            second.addWidget(one)
            second.addSpacing(12)
        self.clear = QPushButton("Show all")
        self.clear.setToolTip("Take all filters off")
        self.clear.clicked.connect(self.take_off)
        second.addStretch(1)
        second.addWidget(self.clear)
        grid.addWidget(self.where, 0, 0)
        grid.addWidget(self.error, 1, 0)
        grid.addLayout(first, 2, 0)
        grid.addLayout(second, 3, 0)

    def offer(self, there: Overview) -> None:
        """What a catalogue has to choose from; what is chosen stays where it still can be."""
        for name, box in self.choices.items():
            kept = box.currentText()
            box.blockSignals(True)
            box.clear()
            box.addItems([_ALL, *there.choices[name]])
            box.setCurrentIndex(max(box.findText(kept), 0))
            box.setEnabled(bool(there.choices[name]))
            box.blockSignals(False)
        spans = dict(there.spans)
        for one, preferred in zip(self.ranges, _RANGED, strict=True):
            one.offer(spans, preferred)
            one.setEnabled(bool(spans))

    def take_off(self) -> None:
        for box in (*self.choices.values(), self.where):
            box.blockSignals(True)
        for box in self.choices.values():
            box.setCurrentIndex(0)
        self.where.clear()
        for box in (*self.choices.values(), self.where):
            box.blockSignals(False)
        for one in self.ranges:
            one.reset()
        self.changed.emit()

    @property
    def equal(self) -> dict[str, str]:
        return {name: box.currentText() for name, box in self.choices.items() if box.currentIndex() > 0}

    @property
    def within(self) -> dict[str, tuple[float, float]]:
        found: dict[str, tuple[float, float]] = {}
        for one in self.ranges:
            for name, (low, high) in one.range.items():
                before = found.get(name, (low, high))
                found[name] = max(low, before[0]), min(high, before[1])
        return found

    def show_error(self, error: WhereError | None) -> None:
        """In place, with carets under the word that is wrong."""
        self.error.setText("" if error is None else f"{error.picture}\n{error.line}")
        self.error.setVisible(error is not None)
