"""The pinned points: number, note, and what each car on screen has there."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QPushButton, QTableWidget, QTableWidgetItem, QWidget

from drivaer_app.desk.desk import Desk
from drivaer_app.ui.widgets import label
from drivaer_app.ui.words import plain

_HOW = "Click on the car and press N: the point gets a number, here and on every car"
_FIXED = ("Place, m", "Note")


class _PointsTable(QTableWidget):
    """Del is its own while it has the focus, and not the list of variants'."""

    taken_away = Signal()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and event.key() == Qt.Key.Key_Delete:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Delete:
            self.taken_away.emit()
        else:
            super().keyPressEvent(event)


class PointsPanel(QWidget):
    """Notes are typed in place; Del takes a point away."""

    def __init__(self, desk: Desk):
        super().__init__()
        self.desk = desk
        self.table = _PointsTable()
        self.table.setAccessibleName("Pinned points")
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.itemChanged.connect(self._edited)
        self.table.taken_away.connect(self.take_away)
        self.how = label(_HOW, "dim", wrap=True)
        self.how.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.away = QPushButton("Take away")
        self.away.setToolTip("The selected point (Del)")
        self.away.clicked.connect(self.take_away)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 4)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.how, 1)
        layout.addWidget(self.away, 0, Qt.AlignmentFlag.AlignTop)

    def refresh(self, shown: list[str]) -> None:
        """shown: keys of the cars on screen, a column each."""
        if self.table.state() == QAbstractItemView.State.EditingState:
            return
        pins, state = self.desk.study.state.pins, self.desk.study.state
        for widget, there in ((self.table, bool(pins)), (self.away, bool(pins)), (self.how, not pins)):
            widget.setVisible(there)
        names = [variant.name for key in shown if (variant := state.variant(key))]
        with QSignalBlocker(self.table):
            self.table.setColumnCount(len(_FIXED) + len(names))
            self.table.setHorizontalHeaderLabels([*_FIXED, *(f"Cp, {name}" for name in names)])
            self.table.setRowCount(len(pins))
            for row, pin in enumerate(pins):
                place = "  ".join(f"{axis} {plain(value, 2)}" for axis, value in zip("xyz", pin.place, strict=True))
                cells = [place, pin.note, *(self._cp(key, pin.place) for key in shown if state.variant(key))]
                for column, text in enumerate(cells):
                    item = QTableWidgetItem(text)
                    if column != 1:
                        item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsEditable)
                    self.table.setItem(row, column, item)

    def take_away(self) -> None:
        row = self.table.currentRow()
        if 0 <= row < len(self.desk.study.state.pins):
            self.desk.edit(lambda study: study.unpin(row + 1))

    def _cp(self, key: str, place: tuple[float, float, float]) -> str:
        drawn = self.desk.drawn(key)
        if drawn is None or not drawn.has_fields:
            return ""
        return plain(float(drawn.cp[drawn.nearest_seen(place)]), 3)

    def _edited(self, item: QTableWidgetItem) -> None:
        if item.column() == 1:
            self.desk.edit(lambda study: study.note(item.row() + 1, " ".join(item.text().split())))
