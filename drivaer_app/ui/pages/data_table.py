"""The table of designs: a model over the rows that were read, and its view."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from data.catalogue.listing import Listing, Question
from data.catalogue.query import Sort
from drivaer_app.ui.words import MINUS, title_of

_NOTHING = "–"
PICTURE = QSize(71, 40)
_ROW, _ROW_WITH_PICTURE = 24, PICTURE.height() + 4
_WIDTHS = {"id": 270, "notes": 160, "tags": 110, "class": 116, "label_version": 110}
_WIDTH = 86
_DISPLAY, _ALIGNMENT, _TIP, _PICTURE = (
    int(role)
    for role in (
        Qt.ItemDataRole.DisplayRole,
        Qt.ItemDataRole.TextAlignmentRole,
        Qt.ItemDataRole.ToolTipRole,
        Qt.ItemDataRole.DecorationRole,
    )
)
"""As numbers: a screenful of cells asks thousands of times, and comparing enums is slow."""
_RIGHT = int((Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter).value)
_READ_FIRST = 256
"""Rows that a view is told of before it scrolls for more."""
_MOST_PICTURES = 2000


class ListingModel(QAbstractTableModel):
    """The rows of a listing, told to the view in portions."""

    def __init__(self) -> None:
        super().__init__()
        self.listing = Listing(Question(), (), [], 0)
        self.pictures: dict[str, QPixmap] = {}
        """By design, the latest last."""
        self.shows_pictures = True
        self._no_picture = QPixmap(PICTURE)
        self._no_picture.fill(Qt.GlobalColor.transparent)
        self._n_shown = 0

    def show_picture(self, design: str, picture: QPixmap) -> None:
        self.pictures[design] = picture
        while len(self.pictures) > _MOST_PICTURES:
            del self.pictures[next(iter(self.pictures))]
        row = self.listing.row_of.get(design)
        if row is not None and row < self._n_shown:
            index = self.index(row, 0)
            self.dataChanged.emit(index, index, [_PICTURE])

    def show(self, listing: Listing) -> None:
        self.beginResetModel()
        self.listing = listing
        self._n_shown = min(len(listing.rows), _READ_FIRST)
        self.endResetModel()

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else self._n_shown

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.listing.columns)

    def canFetchMore(self, parent: QModelIndex) -> bool:
        return not parent.isValid() and self._n_shown < len(self.listing.rows)

    def fetchMore(self, parent: QModelIndex) -> None:
        self.tell(self._n_shown + 4 * _READ_FIRST)

    def tell(self, n: int) -> None:
        """Have the view know of the first ``n`` rows at least."""
        n = min(n, len(self.listing.rows))
        if n > self._n_shown:
            self.beginInsertRows(QModelIndex(), self._n_shown, n - 1)
            self._n_shown = n
            self.endInsertRows()

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == _DISPLAY:
            column = index.column()
            return shown(self.listing.rows[index.row()][column], self.listing.columns[column].name)
        if role == _ALIGNMENT:
            return _RIGHT if self.listing.columns[index.column()].kind == "number" else None
        if role == _PICTURE:
            if index.column() or not self.shows_pictures:
                return None
            return self.pictures.get(self.listing.rows[index.row()][0], self._no_picture)
        if role == _TIP:
            value = self.listing.rows[index.row()][index.column()]
            return value if isinstance(value, str) else None
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            return title_of(self.listing.names[section]) if orientation == Qt.Orientation.Horizontal else section + 1
        if role == Qt.ItemDataRole.ToolTipRole and orientation == Qt.Orientation.Horizontal:
            name = self.listing.names[section]
            return f"Sort by {name}" if title_of(name) == name else f"Sort by {title_of(name)}, {name} in conditions"
        return None


def shown(value: Any, column: str) -> str:
    """A value as the table writes it."""
    if value is None or value == "":
        return _NOTHING
    if not isinstance(value, float):
        return str(value)
    digits = 3 if column == "area" else 4
    text = f"{value:.{digits}f}" if abs(value) < 1000 else f"{value:.0f}"
    return text.replace("-", MINUS)


class DesignTable(QTableView):
    """Rows are selected whole; a click on a heading asks for another order."""

    sort_asked = Signal(object)
    selected = Signal(list)
    """Ids of the selected designs, whenever that changes."""
    open_asked = Signal()
    seen_changed = Signal()
    """Other rows are on screen, or may be."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = ListingModel()
        self.setModel(self.rows)
        self.setAccessibleName("Designs")
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setAlternatingRowColors(True)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        rows = self.verticalHeader()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.hide()
        self.setIconSize(PICTURE)
        self.show_pictures(True)
        self.verticalScrollBar().valueChanged.connect(lambda _: self.seen_changed.emit())
        head = self.horizontalHeader()
        head.setSectionsClickable(True)
        head.setSortIndicatorShown(True)
        head.setHighlightSections(False)
        head.sectionClicked.connect(self._sort_by)
        self.selectionModel().selectionChanged.connect(lambda *_: self.selected.emit(self.selected_ids()))
        self.doubleClicked.connect(lambda _: self.open_asked.emit())

    def sizeHint(self) -> QSize:
        return QSize(760, 500)

    @property
    def shows_pictures(self) -> bool:
        return self.rows.shows_pictures

    def show_pictures(self, on: bool) -> None:
        """With them rows are higher."""
        self.rows.shows_pictures = on
        self.verticalHeader().setDefaultSectionSize(_ROW_WITH_PICTURE if on else _ROW)
        self.seen_changed.emit()

    def seen_ids(self) -> list[str]:
        """Of the designs whose rows are on screen, from top to bottom."""
        first = self.rowAt(0)
        if first < 0 or not self.isVisible():
            return []
        last = self.rowAt(self.viewport().height() - 1)
        n = self.rows.rowCount()
        return [self.rows.listing.rows[row][0] for row in range(first, last + 1 if last >= 0 else n)]

    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        self.seen_changed.emit()

    def showEvent(self, event) -> None:
        super().showEvent(event)
        self.seen_changed.emit()

    def show_listing(self, listing: Listing) -> None:
        """Other rows; those that were selected and are still there stay so, and the widths of columns too."""
        kept = self.selected_ids()
        widths = {name: self.columnWidth(i) for i, name in enumerate(self.rows.listing.names)}
        self.blockSignals(True)
        self.rows.show(listing)
        for i, name in enumerate(listing.names):
            self.setColumnWidth(i, widths.get(name, _WIDTHS.get(name, _WIDTH)))
        sort = listing.question.sort
        order = Qt.SortOrder.DescendingOrder if sort.descending else Qt.SortOrder.AscendingOrder
        self.horizontalHeader().setSortIndicator(listing.names.index(sort.column), order)
        self.blockSignals(False)
        self.select(kept, scroll=False)
        self.selected.emit(self.selected_ids())
        self.seen_changed.emit()

    def select(self, ids: Iterable[str], *, scroll: bool = True) -> None:
        """Select designs in place of what is selected; those that are not listed are passed over."""
        listing = self.rows.listing
        numbers = sorted(listing.row_of[i] for i in ids if i in listing.row_of)
        if not numbers:
            self.clearSelection()
            return
        self.rows.tell(numbers[-1] + 1)
        chosen = QItemSelection()
        last = len(listing.columns) - 1
        for first, end in _runs(numbers):
            chosen.select(self.rows.index(first, 0), self.rows.index(end, last))
        flags = QItemSelectionModel.SelectionFlag
        self.selectionModel().setCurrentIndex(self.rows.index(numbers[0], 0), flags.NoUpdate)
        self.selectionModel().select(chosen, flags.ClearAndSelect)
        if scroll:
            self.scrollTo(self.rows.index(numbers[0], 0), QAbstractItemView.ScrollHint.PositionAtCenter)

    def selected_ids(self) -> list[str]:
        """In the order of the table."""
        numbers = {row for part in self.selectionModel().selection() for row in range(part.top(), part.bottom() + 1)}
        return [self.rows.listing.rows[row][0] for row in sorted(numbers)]

    def selectAll(self) -> None:
        self.rows.tell(len(self.rows.listing.rows))
        super().selectAll()

    def keyPressEvent(self, event) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.open_asked.emit()
        elif event.key() == Qt.Key.Key_End:
            self.rows.tell(len(self.rows.listing.rows))
            super().keyPressEvent(event)
        else:
            super().keyPressEvent(event)

    def _sort_by(self, section: int) -> None:
        name, now = self.rows.listing.names[section], self.rows.listing.question.sort
        self.sort_asked.emit(Sort(name, descending=now.column == name and not now.descending))


def _runs(numbers: list[int]) -> list[tuple[int, int]]:
    """Ascending numbers as (first, last) of those that follow each other."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs
