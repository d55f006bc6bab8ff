"""A plot of any two columns, whose points are the table's rows: what is selected in one is in the other."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from data.catalogue.listing import Listing
from drivaer_app.ui.theme import Colours
from drivaer_app.ui.widgets import label
from drivaer_app.ui.words import title_of

_NEAR_PX = 8


class _BrushBox(pg.ViewBox):
    """A drag with the left button draws a box that selects; with the right or middle one it moves the plot."""

    brushed = Signal(QRectF, bool)
    """The box in the plot's own units, and whether it adds to what is selected."""

    def mouseDragEvent(self, event, axis=None) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            super().mouseDragEvent(event, axis)
            return
        event.accept()
        start, here = event.buttonDownPos(), event.pos()
        if not event.isFinish():
            self.updateScaleBox(start, here)
            return
        self.rbScaleBox.hide()
        corners = self.mapToView(start), self.mapToView(here)
        adds = bool(event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier))
        self.brushed.emit(QRectF(*corners).normalized(), adds)


class ScatterPanel(QWidget):
    selected = Signal(list)
    """Ids of the designs whose points were selected here."""
    columns_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.x, self.y = QComboBox(), QComboBox()
        top = QHBoxLayout()
        top.setContentsMargins(12, 6, 12, 0)
        for box, title, what in ((self.y, "Up", "vertical"), (self.x, "Across", "horizontal")):
            box.setAccessibleName(f"Column on the {what} axis")
            box.setMinimumWidth(120)
            box.currentTextChanged.connect(lambda _: self.columns_changed.emit())
            name = label(title, "dim")
            name.setBuddy(box)
            top.addWidget(name)
            top.addWidget(box)
        top.addStretch(1)
        self.count = label("", "dim")
        top.addWidget(self.count)
        self.view = _BrushBox()
        self.plot = pg.PlotWidget(viewBox=self.view)
        self.plot.setAccessibleName("Scatter plot of two columns of the designs")
        self.plot.setMenuEnabled(False)
        self.plot.hideButtons()
        self.points, self.chosen = pg.ScatterPlotItem(pxMode=True), pg.ScatterPlotItem(pxMode=True)
        self.plot.addItem(self.points)
        self.plot.addItem(self.chosen)
        self.view.brushed.connect(self._brushed)
        self.plot.scene().sigMouseClicked.connect(self._clicked)
        self.hint = label(
            "Drag a box around points to select their rows; Ctrl adds. The wheel zooms, a double click shows all.",
            "dim",
            wrap=True,
        )
        self.hint.setContentsMargins(12, 0, 12, 6)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(top)
        layout.addWidget(self.plot, 1)
        layout.addWidget(self.hint)
        self._ids: list[str] = []
        self._xy = np.zeros((0, 2))
        self._selected: frozenset[str] = frozenset()

    def offer(self, numbers: Iterable[str]) -> None:
        names = list(numbers)
        for box, preferred in ((self.x, "area"), (self.y, "cd")):
            kept = box.currentData()
            box.blockSignals(True)
            box.clear()
            for name in names:
                box.addItem(title_of(name), name)
            box.setCurrentIndex(box.findData(kept if kept in names else preferred))
            box.blockSignals(False)

    @property
    def columns(self) -> tuple[str, ...]:
        """The two on the axes, once there are any."""
        return tuple(name for name in (self.x.currentData(), self.y.currentData()) if name)

    def show_listing(self, listing: Listing) -> None:
        """Points for the rows that have both values."""
        columns = self.x.currentData(), self.y.currentData()
        if not all(name in listing.names for name in columns):
            self._ids, self._xy = [], np.zeros((0, 2))
        else:
            values = np.array(list(zip(*(listing.values(name) for name in columns), strict=True)), float).reshape(-1, 2)
            there = np.isfinite(values).all(axis=1)
            self._xy = values[there]
            self._ids = [row[0] for row, has in zip(listing.rows, there, strict=True) if has]
        self.points.setData(x=self._xy[:, 0], y=self._xy[:, 1])
        self._draw_chosen()
        for side, name in zip(("bottom", "left"), columns, strict=True):
            self.plot.setLabel(side, name, siPrefixEnableRanges=())  # 0.3 stays 0.3
        self.count.setText(f"{len(self._ids)} points")
        self.show_all()

    def show_selected(self, ids: Iterable[str]) -> None:
        self._selected = frozenset(ids)
        self._draw_chosen()

    def show_all(self) -> None:
        if len(self._xy):
            self.view.autoRange(padding=0.06, items=[self.points])

    def set_colours(self, colours: Colours) -> None:
        self.plot.setBackground(colours.base)
        for side in ("bottom", "left"):
            axis = self.plot.getAxis(side)
            axis.setPen(pg.mkPen(colours.line))
            axis.setTextPen(pg.mkPen(colours.dim))
        self.plot.showGrid(x=True, y=True, alpha=0.12)
        faint = pg.mkColor(colours.series[0])
        faint.setAlpha(110)
        self.points.setBrush(pg.mkBrush(faint))
        self.points.setPen(None)
        self.points.setSize(6)
        self.chosen.setBrush(pg.mkBrush(colours.series[1]))
        self.chosen.setPen(pg.mkPen(colours.base, width=1))
        self.chosen.setSize(9)
        self.view.rbScaleBox.setPen(pg.mkPen(colours.accent))
        fill = pg.mkColor(colours.accent)
        fill.setAlpha(40)
        self.view.rbScaleBox.setBrush(pg.mkBrush(fill))

    def _draw_chosen(self) -> None:
        mask = np.array([i in self._selected for i in self._ids], bool)
        there = self._xy[mask] if len(mask) else self._xy
        self.chosen.setData(x=there[:, 0], y=there[:, 1])

    def _brushed(self, box: QRectF, adds: bool) -> None:
        x, y = self._xy.T
        inside = (x >= box.left()) & (x <= box.right()) & (y >= box.top()) & (y <= box.bottom())
        self._select(np.flatnonzero(inside), adds)

    def _clicked(self, event) -> None:
        if event.double():
            self.show_all()
            return
        if event.button() != Qt.MouseButton.LeftButton or not len(self._xy):
            return
        here = self.view.mapSceneToView(event.scenePos())
        wide, high = self.view.viewPixelSize()
        away = np.hypot((self._xy[:, 0] - here.x()) / wide, (self._xy[:, 1] - here.y()) / high)
        nearest = int(away.argmin())
        adds = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        self._select([nearest] if away[nearest] <= _NEAR_PX else [], adds)

    def _select(self, numbers: Iterable[int], adds: bool) -> None:
        found = [self._ids[number] for number in numbers]
        self.selected.emit([*self._selected, *found] if adds else found)
