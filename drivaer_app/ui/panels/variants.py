"""The list of variants: thumbnail, name, Cd, ΔCd; sorted, filtered, renamed, several chosen at once to compare."""

from __future__ import annotations

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QRect,
    QSize,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QListView,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from data.errors import DrivAerError
from drivaer_app.desk.desk import Desk
from drivaer_app.desk.predictions import DONE, FAILED, MISSING, WORKING
from drivaer_app.results import OUTSIDE
from drivaer_app.ui.theme import LIGHT, Colours
from drivaer_app.ui.widgets import label
from drivaer_app.ui.words import cd_of, counts, in_window

KEY, SORT = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1
_THUMBNAIL = QSize(96, 54)
_ORDERS = {"As opened": "opened", "By Cd": "cd", "By name": "name", "By time": "time"}


class VariantsModel(QAbstractListModel):
    """The study's variants as Qt sees them; everything is asked of the desk."""

    refused = Signal(str)

    def __init__(self, desk: Desk):
        super().__init__()
        self.desk = desk
        self.order = "opened"
        self._keys: list[str] = []
        self._rows: dict[str, int] = {}
        self._pictures: dict[int, QPixmap] = {}

    def refresh(self) -> None:
        """After an edit of the study. Rows that stay keep their selection."""
        keys = [v.key for v in self.desk.study.state.variants]
        if keys != self._keys:
            known = len(self._keys)
            if keys[:known] == self._keys and known:
                self.beginInsertRows(QModelIndex(), known, len(keys) - 1)
                self._set(keys)
                self.endInsertRows()
            elif [key for key in self._keys if key in set(keys)] == keys:
                for row in reversed(range(known)):
                    if self._keys[row] not in set(keys):
                        self.beginRemoveRows(QModelIndex(), row, row)
                        self._set(self._keys[:row] + self._keys[row + 1 :])
                        self.endRemoveRows()
            else:
                self.beginResetModel()
                self._set(keys)
                self.endResetModel()
        if keys:
            self.dataChanged.emit(self.index(0), self.index(len(keys) - 1))

    def refresh_one(self, key: str) -> None:
        if key in self._rows:
            index = self.index(self._rows[key])
            self.dataChanged.emit(index, index)

    def index_of(self, key: str) -> QModelIndex:
        return self.index(self._rows[key]) if key in self._rows else QModelIndex()

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._keys)

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        return super().flags(index) | Qt.ItemFlag.ItemIsEditable

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole):
        if not index.isValid() or index.row() >= len(self._keys):
            return None
        key = self._keys[index.row()]
        variant = self.desk.study.state.variant(key)
        if variant is None:
            return None
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return variant.name
        if role == KEY:
            return key
        if role == SORT:
            return self._sort_key(key, index.row())
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(key)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{variant.name}, {', '.join(self.lines(key))}"
        return None

    def setData(self, index: QModelIndex, value, role: int = Qt.ItemDataRole.EditRole) -> bool:
        key = index.data(KEY)
        try:
            self.desk.edit(lambda study: study.rename(key, str(value)))
        except DrivAerError as error:
            self.refused.emit(error.line)
            return False
        return True

    def lines(self, key: str) -> tuple[str, str]:
        """What stands under the name: Cd or the state of things, and ΔCd or what that is about."""
        prediction, result = self.desk.prediction(key), self.desk.result(key)
        if prediction.status in (FAILED, MISSING):
            what = "cannot be read" if prediction.status == FAILED else "file is missing"
            return what, in_window(prediction.error)
        if result is None:
            return ("…", prediction.doing or "waiting") if prediction.status == WORKING else ("…", "waiting")
        if key == self.desk.study.state.baseline:
            second = "baseline"
        else:
            difference = self.desk.difference(key)
            second = "" if difference is None else counts(difference)
        if prediction.status == WORKING:
            second = "reading again"
        return cd_of(result), second

    def picture(self, key: str) -> QPixmap | None:
        pixels = self.desk.prediction(key).thumbnail
        if pixels is None:
            return None
        if id(pixels) not in self._pictures:
            if len(self._pictures) > 2000:
                self._pictures.clear()
            height, width = pixels.shape[:2]
            image = QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
            # Scaled once, for screens of up to twice the usual fineness: every row is painted again and again.
            fine = image.scaled(2 * _THUMBNAIL, mode=Qt.TransformationMode.SmoothTransformation)
            self._pictures[id(pixels)] = (pixels, QPixmap.fromImage(fine))
        return self._pictures[id(pixels)][1]

    def _set(self, keys: list[str]) -> None:
        self._keys = list(keys)
        self._rows = {key: row for row, key in enumerate(keys)}

    def _sort_key(self, key: str, row: int):
        if self.order == "cd":
            result = self.desk.result(key)
            return (True, 1e9) if result is None else result.drag_order
        if self.order == "name":
            return self.desk.study.state.variant(key).name.casefold()
        if self.order == "time":
            try:
                return -self.desk.study.state.variant(key).file.stat().st_mtime
            except OSError:
                return 0.0
        return row

    def _tip(self, key: str) -> str:
        prediction = self.desk.prediction(key)
        file = self.desk.study.state.variant(key).file
        return in_window(prediction.error) or str(file)


class _Delegate(QStyledItemDelegate):
    """Draws one row."""

    def __init__(self, model: VariantsModel):
        super().__init__()
        self.model = model
        self.colours: Colours = LIGHT

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        return QSize(220, _THUMBNAIL.height() + 14)

    def setEditorData(self, editor: QLineEdit, index: QModelIndex) -> None:
        """Qt asks for this whenever the row changes, and a prediction changes it: what is being typed stays."""
        if not editor.isModified():
            super().setEditorData(editor, index)

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        left = option.rect.left() + _THUMBNAIL.width() + 16
        editor.setGeometry(left, option.rect.top() + 6, option.rect.right() - left - 6, 26)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        c, key = self.colours, index.data(KEY)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        focused = bool(option.state & QStyle.StateFlag.State_HasFocus)
        if chosen:
            tint = QColor(c.accent)
            tint.setAlpha(56 if focused or option.state & QStyle.StateFlag.State_Active else 34)
            painter.fillRect(option.rect, tint)
        if focused:
            painter.fillRect(QRect(option.rect.topLeft(), QSize(3, option.rect.height())), QColor(c.accent))
        self._thumbnail(painter, option.rect, key)
        self._texts(painter, option, key, index.data())
        painter.restore()

    def _thumbnail(self, painter: QPainter, row: QRect, key: str) -> None:
        place = QRect(row.left() + 8, row.top() + 7, _THUMBNAIL.width(), _THUMBNAIL.height())
        picture = self.model.picture(key)
        if picture is not None:
            painter.drawPixmap(place, picture)
        else:
            painter.fillRect(place, QColor(self.colours.raised))
        painter.setPen(QColor(self.colours.line))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(place)

    def _texts(self, painter: QPainter, option: QStyleOptionViewItem, key: str, name: str) -> None:
        c, prediction = self.colours, self.model.desk.prediction(key)
        first, second = self.model.lines(key)
        left = option.rect.left() + _THUMBNAIL.width() + 18
        room = QRect(left, option.rect.top() + 8, option.rect.right() - left - 8, 22)
        bold = QFont(option.font)
        bold.setWeight(QFont.Weight.DemiBold)
        painter.setFont(bold)
        painter.setPen(QColor(c.text))
        cut = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideMiddle, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, cut)
        under = room.translated(0, 25)
        failed = prediction.status in (FAILED, MISSING)
        painter.setPen(QColor(c.bad if failed else c.text))
        painter.setFont(option.font)
        painter.drawText(under, Qt.AlignmentFlag.AlignVCenter, first)
        used = painter.fontMetrics().horizontalAdvance(first) + 12
        rest = under.adjusted(used, 0, 0, 0)
        if failed:
            return
        painter.setPen(QColor(self._second_colour(key)))
        cut = painter.fontMetrics().elidedText(second, Qt.TextElideMode.ElideRight, rest.width())
        painter.drawText(rest, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, cut)
        if prediction.changed and prediction.status == DONE:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(c.warn))
            painter.drawEllipse(option.rect.left() + 11, option.rect.top() + 10, 9, 9)

    def _second_colour(self, key: str) -> str:
        difference = self.model.desk.difference(key)
        if difference is None or difference.is_certain is False:
            return self.colours.dim
        if difference.is_certain is None:
            return self.colours.text
        return self.colours.good if difference.counts < 0 else self.colours.bad


class _SortedVariants(QSortFilterProxyModel):
    """Sorts by any values of Python's that can be compared; Qt's own knows no tuples."""

    def lessThan(self, left: QModelIndex, right: QModelIndex) -> bool:
        return left.data(SORT) < right.data(SORT)


class VariantsPanel(QWidget):
    """The left panel."""

    chosen = Signal(list)
    """The keys of the selected variants, the current one first."""
    refused = Signal(str)
    rearranged = Signal()
    """The list has another order, or shows other variants."""
    asked = Signal(str, list)
    """A command of the context menu, for these keys."""

    def __init__(self, desk: Desk):
        super().__init__()
        self.desk = desk
        self.model = VariantsModel(desk)
        self.model.refused.connect(self.refused)
        self.sorted = _SortedVariants()
        self.sorted.setSourceModel(self.model)
        self.sorted.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.sorted.setDynamicSortFilter(True)
        self.sorted.sort(0)
        self._build()

    def _build(self) -> None:
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Filter by name")
        self.filter.setClearButtonEnabled(True)
        self.filter.setAccessibleName("Filter variants by name")
        self.filter.textChanged.connect(self.sorted.setFilterFixedString)
        self.filter.textChanged.connect(lambda _: self.rearranged.emit())
        self.filter.installEventFilter(self)
        self.order = QComboBox()
        self.order.addItems(list(_ORDERS))
        self.order.setAccessibleName("Order of the variants")
        self.order.setToolTip("Order of the list")
        self.order.currentTextChanged.connect(self._sort)
        self.view = QListView()
        self.view.setModel(self.sorted)
        self.delegate = _Delegate(self.model)
        self.view.setItemDelegate(self.delegate)
        self.view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.view.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.view.setUniformItemSizes(True)
        self.view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.view.setAccessibleName("Variants")
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.view.customContextMenuRequested.connect(self._menu)
        self.view.selectionModel().selectionChanged.connect(lambda *_: self._selection_changed())
        self.view.selectionModel().currentChanged.connect(lambda *_: self._selection_changed())
        self.hint = label("", "dim", wrap=True)
        self.hint.setTextFormat(Qt.TextFormat.RichText)
        self.hint.setAccessibleName("What the colours of the differences mean")
        self.hint.setContentsMargins(10, 4, 10, 6)
        top = QHBoxLayout()
        top.setContentsMargins(8, 4, 8, 4)
        top.addWidget(self.filter, 1)
        top.addWidget(self.order)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(top)
        layout.addWidget(self.view, 1)
        layout.addWidget(self.hint)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Down goes from the filter into the list, Esc empties it and goes there too."""
        if watched is self.filter and event.type() == QEvent.Type.KeyPress:
            if event.key() == Qt.Key.Key_Escape:
                self.filter.clear()
                self.view.setFocus()
                return True
            if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up):
                self.view.setFocus()
                QApplication.sendEvent(self.view, event)
                return True
        return False

    def set_colours(self, colours: Colours) -> None:
        self.delegate.colours = colours
        self.view.viewport().update()
        self._show_legend()

    def refresh(self) -> None:
        self.model.refresh()
        self._show_legend()

    def refresh_numbers(self) -> None:
        """After predictions; the rows are the same."""
        if self.model.order == "cd":
            self.sorted.invalidate()
        self.model.refresh()
        self._show_legend()

    def _show_legend(self) -> None:
        """What the colours of ΔCd say, as far as there are such in the list, and how to compare."""
        c, desk = self.delegate.colours, self.desk
        keys = [v.key for v in desk.study.state.variants]
        parts = []
        if any(desk.difference(key) for key in keys):
            colours = ((c.good, "lower"), (c.bad, "higher than the baseline"), (c.dim, "within the uncertainty"))
            parts = [
                f"<span style='color:{colour}'>●</span>&nbsp;{text.replace(' ', '&nbsp;')}" for colour, text in colours
            ]
        if any((result := desk.result(key)) and result.is_outside for key in keys):
            parts.append(f"{OUTSIDE} outside of what the model learnt from: a guess")
        compare = "Ctrl+click up to four to compare them"
        self.hint.setText("<br>".join([" &nbsp;".join(parts), compare] if parts else [compare]))
        self.hint.setVisible(len(keys) > 1)

    def select(self, keys: list[str]) -> None:
        """The first becomes the current one."""
        selection = self.view.selectionModel()
        flags = QItemSelectionModel.SelectionFlag
        for number, key in enumerate(keys):
            index = self.sorted.mapFromSource(self.model.index_of(key))
            if not index.isValid():
                continue
            if number == 0:
                selection.setCurrentIndex(index, flags.ClearAndSelect)
                self.view.scrollTo(index)
            else:
                selection.select(index, flags.Select)

    def selected(self) -> list[str]:
        """In the list's order, the current one first."""
        selection = self.view.selectionModel()
        rows = sorted(selection.selectedIndexes(), key=lambda index: index.row())
        keys = [index.data(KEY) for index in rows]
        current = selection.currentIndex().data(KEY)
        if current in keys:
            keys.remove(current)
            keys.insert(0, current)
        return keys

    def shown(self) -> list[str]:
        """All keys in the order of the list, without those filtered out."""
        return [self.sorted.index(row, 0).data(KEY) for row in range(self.sorted.rowCount())]

    def neighbours(self, key: str, reach: int = 1) -> list[str]:
        shown = self.shown()
        if key not in shown:
            return []
        at = shown.index(key)
        return [shown[i] for i in range(at - reach, at + reach + 1) if 0 <= i < len(shown) and i != at]

    def rename_current(self) -> None:
        index = self.view.currentIndex()
        if index.isValid():
            self.view.edit(index)

    def _sort(self, text: str) -> None:
        self.model.order = _ORDERS[text]
        self.sorted.invalidate()
        self.sorted.sort(0)
        self.rearranged.emit()

    def _selection_changed(self) -> None:
        if keys := self.selected():
            self.chosen.emit(keys)

    def _menu(self, place) -> None:
        keys = self.selected()
        if not keys:
            return
        menu = QMenu(self)
        one = len(keys) == 1
        for text, command, there in (
            ("Set as baseline", "baseline", one),
            ("Compare with the baseline", "compare", one and keys[0] != self.desk.study.state.baseline),
            ("Rename", "rename", one),
            ("Show in file manager", "reveal", one),
            ("Read and predict again", "retry", True),
            ("Remove from the study", "remove", True),
        ):
            if there:
                action = menu.addAction(text)
                action.triggered.connect(lambda _=False, command=command: self.asked.emit(command, keys))
        menu.exec(self.view.viewport().mapToGlobal(place))
