"""Ranges of numeric columns as filters: each a column, a slider with two handles, and its ends as numbers."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from drivaer_app.ui.range_slider import RangeSlider
from drivaer_app.ui.widgets import NumberBox
from drivaer_app.ui.words import title_of

_AT_FIRST = ("cd", "area")
_MOST = 6
_ROUNDING = 5e-5
"""What the boxes round a value by at most: their ends lie so far outside, and all values within."""


class RangeFilter(QWidget):
    """A column and its lowest and highest value to be shown; at both ends of what there is it filters nothing."""

    changed = Signal()

    def __init__(self, number: int):
        super().__init__()
        self._spans: dict[str, tuple[float, float]] = {}
        self.column, self.low, self.high = QComboBox(), NumberBox(), NumberBox()
        self.column.setAccessibleName(f"Column of range {number}")
        self.column.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.column.setMinimumContentsLength(11)
        self.slider = RangeSlider()
        self.slider.setAccessibleName(f"Range {number}")
        self.slider.setToolTip("Both ends of the range; Space takes the other handle")
        self.slider.changed.connect(self._slid)
        for box, end in ((self.low, "Lowest"), (self.high, "Highest")):
            box.setAccessibleName(f"{end} value of range {number}")
            box.setToolTip(f"{end} value that is shown")
            box.setDecimals(4)
            box.setMinimumWidth(92)
        self.low.valueChanged.connect(lambda value: self._typed(value, self.slider.values[1]))
        self.high.valueChanged.connect(lambda value: self._typed(self.slider.values[0], value))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.column)
        row.addWidget(self.low)
        row.addWidget(self.slider, 1)
        row.addWidget(self.high)
        self.column.currentIndexChanged.connect(self._take)

    def offer(self, spans: dict[str, tuple[float, float]], preferred: str) -> None:
        kept = self.column.currentData()
        self._spans = spans
        self.column.blockSignals(True)
        self.column.clear()
        for name in spans:
            self.column.addItem(title_of(name), name)
        self.column.setCurrentIndex(self.column.findData(kept if kept in spans else preferred))
        self.column.blockSignals(False)
        self.setEnabled(bool(spans))
        self.reset()

    def reset(self) -> None:
        """To the ends of what there is."""
        low, high = self._spans.get(self.column.currentData(), (0.0, 0.0))
        low, high = low - _ROUNDING, high + _ROUNDING
        self.slider.set_bounds(low, high)
        for box in (self.low, self.high):
            box.blockSignals(True)
            box.setRange(low, high)
            box.setSingleStep(max((high - low) / 50, 1e-4))
            box.blockSignals(False)
        self._write(low, high)

    @property
    def range(self) -> dict[str, tuple[float, float]]:
        """Of the column; empty where nothing is filtered out."""
        name = self.column.currentData()
        if name not in self._spans:
            return {}
        low, high = self._spans[name]
        if self.low.value() <= low and self.high.value() >= high:
            return {}
        return {name: (self.low.value(), self.high.value())}

    def _write(self, low: float, high: float) -> None:
        for box, value in ((self.low, low), (self.high, high)):
            box.blockSignals(True)
            box.setValue(value)
            box.blockSignals(False)

    def _slid(self, low: float, high: float) -> None:
        self._write(low, high)
        self.changed.emit()

    def _typed(self, low: float, high: float) -> None:
        self.slider.set_values(low, high)
        self._write(*self.slider.values)  # a lowest value above the highest takes that along
        self.changed.emit()

    def _take(self, _: int) -> None:
        self.reset()
        self.changed.emit()


class RangeFilters(QWidget):
    """Ranges below each other; another one can be added."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.all: list[RangeFilter] = []
        self._spans: dict[str, tuple[float, float]] = {}
        self._column = QVBoxLayout()
        self._column.setSpacing(4)
        self.more = QToolButton(text="Add a range")
        self.more.setToolTip("Filter by another column as well")
        self.more.clicked.connect(self.add)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addLayout(self._column, 1)
        for _ in _AT_FIRST:
            self.add()

    def add(self) -> None:
        made = RangeFilter(len(self.all) + 1)
        made.changed.connect(self.changed)
        self.all.append(made)
        self._column.addWidget(made)
        taken = {one.column.currentData() for one in self.all}
        free = [*_AT_FIRST, *self._spans]
        made.offer(self._spans, next((name for name in free if name not in taken), ""))
        self.more.setEnabled(len(self.all) < _MOST)

    def offer(self, spans: dict[str, tuple[float, float]]) -> None:
        """spans: lowest and highest value of each column. Chosen columns stay where they can."""
        self._spans = spans
        for one, preferred in zip(self.all, [*_AT_FIRST, *spans], strict=False):
            one.offer(spans, preferred)
        self.more.setEnabled(bool(spans) and len(self.all) < _MOST)

    def reset(self) -> None:
        for one in self.all:
            one.reset()

    @property
    def within(self) -> dict[str, tuple[float, float]]:
        """Ranges by column; where two are of one column, what both leave."""
        found: dict[str, tuple[float, float]] = {}
        for one in self.all:
            for name, (low, high) in one.range.items():
                before = found.get(name, (low, high))
                found[name] = max(low, before[0]), min(high, before[1])
        return found
