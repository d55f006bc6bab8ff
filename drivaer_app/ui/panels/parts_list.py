"""The parts of a variant's file, each with a tick: without it, the part is left out of the prediction."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtWidgets import QListWidget, QListWidgetItem

from data.parts import THIN, CarPart

_ROWS_SHOWN = 6


class PartsList(QListWidget):
    """One row a part: those that are no part of the car first, by name and what they look like."""

    ticked = Signal(tuple)
    """The names of the parts that are to be left out."""
    hovered = Signal(object)
    """The part under the mouse, or None."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: tuple[CarPart, ...] = ()
        self.setAccessibleName("Parts of the file")
        self.setToolTip("Without its tick a part is left out of the prediction")
        self.setMouseTracking(True)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.itemEntered.connect(lambda item: self.hovered.emit(self._parts[self.row(item)]))
        self.itemChanged.connect(lambda _: self.ticked.emit(self.left_out))
        self.viewport().installEventFilter(self)
        self.hide()

    @property
    def left_out(self) -> tuple[str, ...]:
        """Names without a tick, of the parts whose tick can be changed."""
        rows = [(self.item(row), part) for row, part in enumerate(self._parts)]
        return tuple(part.name for item, part in rows if part.kind not in THIN and not _is_ticked(item))

    def show_parts(self, parts: tuple[CarPart, ...]) -> None:
        if parts == self._parts:
            return
        self._parts = parts
        self.blockSignals(True)
        self.clear()
        for part in parts:
            self.addItem(_row(part))
        self.blockSignals(False)
        self.setVisible(bool(parts))
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        rows = min(max(len(self._parts), 1), _ROWS_SHOWN)
        height = max(self.sizeHintForRow(0), 18) if self.count() else 18
        return QSize(super().sizeHint().width(), rows * height + 2 * self.frameWidth() + 2)

    def minimumSizeHint(self) -> QSize:
        return QSize(80, self.sizeHint().height())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.viewport() and event.type() == QEvent.Type.Leave:
            self.hovered.emit(None)
        return super().eventFilter(watched, event)


def _row(part: CarPart) -> QListWidgetItem:
    size = " × ".join(f"{high - low:.2f}" for low, high in zip(part.low, part.high, strict=True))
    called = part.name if not part.kind or part.name.startswith(part.kind) else f"{part.name} ({part.kind}?)"
    item = QListWidgetItem(f"{called}   {size} m")
    flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
    if part.kind not in THIN:  # the networks cannot see it: nothing to choose
        flags |= Qt.ItemFlag.ItemIsUserCheckable
    item.setFlags(flags)
    item.setCheckState(Qt.CheckState.Unchecked if part.left_out else Qt.CheckState.Checked)
    return item


def _is_ticked(item: QListWidgetItem) -> bool:
    return item.checkState() == Qt.CheckState.Checked
