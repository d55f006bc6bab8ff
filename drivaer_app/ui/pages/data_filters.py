"""Which designs the table shows: choices, a condition, ranges of columns."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QLineEdit, QPushButton, QWidget

from data.catalogue.listing import CHOICES, Overview
from data.catalogue.where_words import WhereError
from drivaer_app.ui.pages.data_ranges import RangeFilters
from drivaer_app.ui.widgets import label

_ALL = "all"


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
        self.ranges = RangeFilters()
        self.ranges.changed.connect(self.changed)
        self.clear = QPushButton("Show all")
        self.clear.setToolTip("Take all filters off")
        self.clear.clicked.connect(self.take_off)
        first.addStretch(1)
        first.addWidget(self.ranges.more)
        first.addWidget(self.clear)
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
        grid.addWidget(self.where, 0, 0)
        grid.addWidget(self.error, 1, 0)
        grid.addLayout(first, 2, 0)
        grid.addWidget(self.ranges, 3, 0)

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
        self.ranges.offer(dict(there.spans))

    def take_off(self) -> None:
        for box in (*self.choices.values(), self.where):
            box.blockSignals(True)
        for box in self.choices.values():
            box.setCurrentIndex(0)
        self.where.clear()
        for box in (*self.choices.values(), self.where):
            box.blockSignals(False)
        self.ranges.reset()
        self.changed.emit()

    @property
    def equal(self) -> dict[str, str]:
        return {name: box.currentText() for name, box in self.choices.items() if box.currentIndex() > 0}

    @property
    def within(self) -> dict[str, tuple[float, float]]:
        return self.ranges.within

    def show_error(self, error: WhereError | None) -> None:
        """In place, with carets under the word that is wrong."""
        self.error.setText("" if error is None else f"{error.picture}\n{error.line}")
        self.error.setVisible(error is not None)
