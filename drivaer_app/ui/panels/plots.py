"""The plots at the bottom: drag of all variants, drag along the car, pressure along a section."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from drivaer_app.desk.desk import Desk
from drivaer_app.section import section_at
from drivaer_app.ui.theme import LIGHT, Colours

_MOST_NAMES = 24


class Plot(QWidget):
    """One pyqtgraph plot that follows the theme."""

    def __init__(self, name: str, x: str, y: str, legend_at: float = 0.0):
        """legend_at: 0 at the top, 1 at the bottom: where the curves leave room."""
        super().__init__()
        self.colours: Colours = LIGHT
        self._titles = x, y
        self.plot = pg.PlotWidget()
        self.plot.setAccessibleName(name)
        self.plot.setMenuEnabled(False)
        self.plot.hideButtons()
        self.item = self.plot.getPlotItem()
        self.legend = self.item.addLegend(labelTextSize="9pt", colCount=4)
        self.legend.anchor((0.5, legend_at), (0.5, legend_at), offset=(0, 2 - 4 * legend_at))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 2)
        layout.addWidget(self.plot)
        self.set_colours(LIGHT)

    def set_colours(self, colours: Colours) -> None:
        self.colours = colours
        self.plot.setBackground(colours.base)
        for side, title in zip(("bottom", "left"), self._titles, strict=True):
            axis = self.item.getAxis(side)
            axis.setPen(pg.mkPen(colours.line))
            axis.setTextPen(pg.mkPen(colours.dim))
            self._name_axis(side, title)
        self.legend.setLabelTextColor(colours.text)
        self.item.showGrid(x=True, y=True, alpha=0.12)

    def _name_axis(self, side: str, title: str) -> None:
        # No thousandths of their own accord: 0.3 stays 0.3.
        self.item.setLabel(side, title, color=self.colours.dim, siPrefixEnableRanges=())

    def clear(self) -> None:
        self.item.clear()
        self.legend.clear()

    def pen(self, number: int, width: float = 2.0, style=Qt.PenStyle.SolidLine):
        return pg.mkPen(self.colours.series[number % len(self.colours.series)], width=width, style=style)


class DragPlot(Plot):
    """Cd of every variant with its interval, and that of its CFD where there is one; a click chooses the variant."""

    clicked = Signal(str)

    def __init__(self, desk: Desk):
        super().__init__("Drag coefficients of all variants", "", "Cd")
        self.desk = desk
        self._keys: list[str] = []
        self._shown_names: list = []
        self._bars, self._dots, self._cfd = pg.ErrorBarItem(), pg.ScatterPlotItem(), pg.ScatterPlotItem()
        self._base = pg.InfiniteLine(angle=0)
        for item in (self._bars, self._base, self._dots, self._cfd):
            self.item.addItem(item)
        self.plot.scene().sigMouseClicked.connect(self._on_click)
        self.item.getViewBox().setMouseEnabled(x=False, y=False)

    def refresh(self, keys: list[str], current: str | None) -> None:
        """keys: in the order to show. What is there is moved, not made anew: this comes with every prediction."""
        self._keys = list(keys)
        self._names(keys)
        results = [(i, key, r) for i, key in enumerate(keys) if (r := self.desk.result(key))]
        for item in (self._bars, self._dots, self._base, self._cfd):
            item.setVisible(bool(results))
        if not results:
            return
        x = np.array([i for i, _, _ in results], float)
        cd = np.array([r.cd for _, _, r in results])
        half = np.array([0.0 if r.cd_high is None else r.cd_high - r.cd for _, _, r in results])
        self._bars.setData(x=x, y=cd, height=2 * half, beam=0.16, pen=pg.mkPen(self.colours.dim, width=1.4))
        chosen, others = (pg.mkBrush(colour) for colour in (self.colours.accent, self.colours.dim))
        brushes = [chosen if key == current else others for _, key, _ in results]
        self._dots.setData(x=x, y=cd, size=11, brush=brushes, pen=pg.mkPen(self.colours.base, width=1.5))
        checked = [(i, n.cd) for i, key, _ in results if (n := self.desk.cfd(key))]
        at, simulated = np.array(checked, float).reshape(-1, 2).T
        pen = pg.mkPen(self.colours.base, width=1.5)
        self._cfd.setData(x=at, y=simulated, symbol="d", size=13, brush=pg.mkBrush(self.colours.warn), pen=pen)
        base = self.desk.result(self.desk.study.state.baseline)
        self._base.setVisible(base is not None)
        if base:
            self._base.setPen(pg.mkPen(self.colours.dim, width=1, style=Qt.PenStyle.DashLine))
            self._base.setValue(base.cd)
        low = min([*(cd - half), *simulated])
        high = max([*(cd + half), *simulated])
        room = max(0.1 * (high - low), 0.003)
        self.item.setYRange(low - room, high + room, padding=0)
        self.item.setXRange(-0.6, max(len(keys) - 0.4, 1.6), padding=0)

    def _names(self, keys: list[str]) -> None:
        state = self.desk.study.state
        axis = self.item.getAxis("bottom")
        longest = max(6, 150 // max(len(keys), 1))
        names = [(i, _short(state.variant(key).name, longest)) for i, key in enumerate(keys) if state.variant(key)]
        names = names if len(keys) <= _MOST_NAMES else []
        if names != self._shown_names:
            self._shown_names = names
            axis.setTicks([names])

    def _on_click(self, event) -> None:
        place = self.item.getViewBox().mapSceneToView(event.scenePos())
        number = round(place.x())
        if 0 <= number < len(self._keys):
            self.clicked.emit(self._keys[number])


class AlongPlot(Plot):
    """Cd accumulated from nose to tail, of each car on screen."""

    def __init__(self, desk: Desk):
        super().__init__("Drag accumulated along the car", "x from the front axle, m", "accumulated Cd")
        self.desk = desk

    def refresh(self, keys: list[str]) -> None:
        self.clear()
        state = self.desk.study.state
        for number, key in enumerate(keys):
            variant, along, result = state.variant(key), self.desk.prediction(key).drag, self.desk.result(key)
            if variant is None or along is None or result is None:
                continue
            scale = self.desk.prediction(key).result.frontal_area / result.frontal_area
            self.item.plot(along.x, along.total * scale, pen=self.pen(number), name=variant.name)
        self.item.autoRange(padding=0.08)


class SectionPlot(Plot):
    """Cp along x where the cars are cut lengthwise; pressure rises downwards, as aerodynamicists draw it."""

    def __init__(self, desk: Desk):
        super().__init__("Pressure along the section", "x from the front axle, m", "Cp", legend_at=1.0)
        self.desk = desk
        self.item.getViewBox().invertY(True)

    def refresh(self, keys: list[str], y: float) -> None:
        self.clear()
        state = self.desk.study.state
        for number, key in enumerate(keys):
            variant, drawn = state.variant(key), self.desk.drawn(key)
            if variant is None or drawn is None or not drawn.has_fields:
                continue
            section = section_at(drawn, y)
            if len(section.cp):
                pen = self.pen(number, 1.6)
                x, cp = section.x.ravel(), section.cp.ravel()
                self.item.plot(x, cp, pen=pen, connect="pairs", name=variant.name)
        self._name_axis("bottom", f"x from the front axle, m; section at y = {y:.2f} m")
        self.item.autoRange(padding=0.08)


def _short(name: str, longest: int) -> str:
    return name if len(name) <= longest else f"{name[: longest // 2]}…{name[-(longest - longest // 2 - 1) :]}"
