"""The table of all variants: sorted by a click on a title, rows copied to a spreadsheet, a double click shows one."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QItemSelectionModel, QModelIndex, QSortFilterProxyModel, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QTableView, QVBoxLayout, QWidget

from drivaer_app.desk.comparison_table import CD, ComparisonTable, table_of
from drivaer_app.desk.desk import Desk
from drivaer_app.results import OUTSIDE
from drivaer_app.ui.words import MINUS

_ROLES = Qt.ItemDataRole


class _ComparisonModel(QAbstractTableModel):
    def __init__(self, desk: Desk):
        super().__init__()
        self.desk = desk
        self.table = ComparisonTable((), (), ())

    def refresh(self) -> None:
        """Rows and columns that stay keep their selection."""
        before, self.table = self.table, table_of(self.desk)
        if (before.keys, [c.title for c in before.columns]) != (self.table.keys, [c.title for c in self.table.columns]):
            self.beginResetModel()
            self.endResetModel()
        elif self.table.rows:
            self.dataChanged.emit(self.index(0, 0), self.index(self.rowCount() - 1, self.columnCount() - 1))

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.table.rows)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.table.columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _ROLES.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal or section >= len(self.table.columns):
            return None
        column = self.table.columns[section]
        return {_ROLES.DisplayRole: column.title, _ROLES.ToolTipRole: column.tip or None}.get(role)

    def data(self, index: QModelIndex, role: int = _ROLES.DisplayRole) -> Any:
        column, cell = self.table.columns[index.column()], self.table.rows[index.row()][index.column()]
        if role == _ROLES.DisplayRole:
            text = column.text(cell).replace("-", MINUS) if column.digits is not None else column.text(cell)
            return f"{text} {OUTSIDE}" if column is CD and self.is_outside(index.row()) else text
        if role == _ROLES.TextAlignmentRole and column.digits is not None:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def is_outside(self, row: int) -> bool:
        result = self.desk.result(self.table.keys[row])
        return result is not None and result.is_outside

    def sort_key(self, index: QModelIndex) -> tuple:
        """What is not known comes last, and a guess at drag never before what the model knows."""
        column, cell = self.table.columns[index.column()], self.table.rows[index.row()][index.column()]
        if cell is None:
            return (2, 0.0, "")
        if isinstance(cell, str):
            return (0, 0.0, cell.casefold())
        return (int(column is CD and self.is_outside(index.row())), cell, "")


class _SortedComparison(QSortFilterProxyModel):
    def lessThan(self, left: QModelIndex, right: QModelIndex) -> bool:
        return self.sourceModel().sort_key(left) < self.sourceModel().sort_key(right)


class ComparisonPanel(QWidget):
    """Of the study on the desk; kept up to date while it is in front."""

    asked = Signal(list)
    """Bring this variant on screen."""

    def __init__(self, desk: Desk):
        super().__init__()
        self.model = _ComparisonModel(desk)
        self._sorted = _SortedComparison()
        self._sorted.setSourceModel(self.model)
        self.view = QTableView()
        self.view.setModel(self._sorted)
        self.view.setSortingEnabled(True)
        self.view.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        self.view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.view.setAlternatingRowColors(True)
        self.view.setAccessibleName("All variants in numbers")
        self.view.setToolTip("A click on a title sorts, Ctrl+C copies the selected rows, a double click shows one")
        self.view.verticalHeader().hide()
        self.view.verticalHeader().setDefaultSectionSize(self.view.fontMetrics().height() + 8)
        self.view.activated.connect(lambda index: self.asked.emit([self._key(index.row())]))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.view)

    def refresh(self) -> None:
        n_columns = self.model.columnCount()
        self.model.refresh()
        if self.model.columnCount() != n_columns:
            self.view.resizeColumnsToContents()

    def listed(self) -> list[str]:
        """All keys as the rows stand."""
        self.model.refresh()
        return [self._key(row) for row in range(self._sorted.rowCount())]

    def selected(self) -> list[str]:
        """Keys of the selected rows as they stand; none while the focus is elsewhere."""
        if not self.view.hasFocus():
            return []
        return [self._key(row) for row in sorted(index.row() for index in self.view.selectionModel().selectedRows())]

    def select(self, keys: list[str]) -> None:
        rows = [row for row in range(self._sorted.rowCount()) if self._key(row) in keys]
        flags = QItemSelectionModel.SelectionFlag
        self.view.clearSelection()
        for row in rows:
            self.view.selectionModel().select(self._sorted.index(row, 0), flags.Select | flags.Rows)

    def _key(self, row: int) -> str:
        return self.model.table.keys[self._sorted.mapToSource(self._sorted.index(row, 0)).row()]
