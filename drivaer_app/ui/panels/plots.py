"""The plots at the bottom: drag of all variants, drag along the car, pressure along a section."""

from __future__ import annotations

import math

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QCursor, QFontMetrics, QPolygonF
from PySide6.QtWidgets import QApplication, QGraphicsPolygonItem, QStackedLayout, QToolTip, QVBoxLayout, QWidget

from drivaer_app.desk.desk import Desk
from drivaer_app.section import section_at, side_outline
from drivaer_app.ui.theme import LIGHT, Colours
from drivaer_app.ui.widgets import label
from drivaer_app.ui.words import MINUS, cd_of, counts, interval

_NEAR = 24.0
"""Pixels from the mouse to a point whose value is told."""
_LEAST_LEVEL, _UPRIGHT = 70.0, 15.0
"""Pixels that a name needs lying, and standing upright."""
_LONGEST_UPRIGHT = 90
_SILHOUETTE = 0.45
"""Of the plot's height."""
_WAITS = "Nothing is predicted yet"
_WITHOUT_FIELDS = "The drag along the car needs its pressure, which this model does not give, or which is not there yet"
_NO_SECTION = "No car on screen has pressure at this place"


class NamesAxis(pg.AxisItem):
    """Names below their places 0, 1, 2 …: lying where they fit, upright where they are many, never over each other."""

    def __init__(self) -> None:
        super().__init__("bottom", hideOverlappingLabels=False)
        self._all: list[str] = []
        self._is_upright = False

    def set_names(self, names: list[str]) -> None:
        if names != self._all:
            self._all = list(names)
            self.arrange()

    def arrange(self) -> None:
        """For the width that there is."""
        metrics = QFontMetrics(QApplication.font())
        room = self.width() / max(len(self._all), 1)
        fits = max((metrics.horizontalAdvance(name) for name in self._all), default=0) < room - 8
        self._is_upright = not fits and room < _LEAST_LEVEL
        longest = _LONGEST_UPRIGHT if self._is_upright else room - 8
        every = max(math.ceil(_UPRIGHT / max(room, 1e-6)), 1) if self._is_upright else 1
        middle = Qt.TextElideMode.ElideMiddle
        shown = [metrics.elidedText(name, middle, round(longest)) for name in self._all]
        self.setTicks([[(place, shown[place]) for place in range(0, len(shown), every)]])
        tallest = max((metrics.horizontalAdvance(name) for name in shown), default=0)
        self.setHeight(tallest + 12 if self._is_upright else None)

    def resizeEvent(self, event=None) -> None:
        super().resizeEvent(event)
        if getattr(self, "_all", None):
            self.arrange()

    def drawPicture(self, painter, axis, ticks, texts) -> None:
        super().drawPicture(painter, axis, ticks, [] if self._is_upright else texts)
        if self._is_upright:
            painter.setPen(self.textPen())
            for box, _, text in texts:
                painter.save()
                painter.translate(box.center().x(), box.top())
                painter.rotate(90)
                room = QRectF(0, -10, _LONGEST_UPRIGHT + 8, 20)
                painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
                painter.restore()


class Plot(QWidget):
    """One pyqtgraph plot that follows the theme."""

    def __init__(self, name: str, x: str, y: str, legend_at: float = 0.0, bottom: pg.AxisItem | None = None):
        """legend_at: 0 at the top, 1 at the bottom: where the curves leave room. bottom: an axis of one's own."""
        super().__init__()
        self.colours: Colours = LIGHT
        self._titles = x, y
        self.plot = pg.PlotWidget(axisItems={} if bottom is None else {"bottom": bottom})
        self.plot.setAccessibleName(name)
        self.plot.setMenuEnabled(False)
        self.plot.hideButtons()
        self.item = self.plot.getPlotItem()
        self.legend = self.item.addLegend(labelTextSize="9pt", colCount=4)
        self.legend.anchor((0.5, legend_at), (0.5, legend_at), offset=(0, 2 - 4 * legend_at))
        self.nothing = label("", "dim", wrap=True)
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._stack = QStackedLayout()
        self._stack.addWidget(self.plot)
        self._stack.addWidget(self.nothing)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 2)
        layout.addLayout(self._stack)
        self._proxy = pg.SignalProxy(self.plot.scene().sigMouseMoved, rateLimit=20, slot=self._hovered)
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

    def say(self, why: str) -> None:
        """Why there is nothing to draw, in the plot's place; empty where there is something."""
        self.nothing.setText(why)
        self._stack.setCurrentWidget(self.nothing if why else self.plot)

    def fit(self, padding: float = 0.08) -> None:
        """All curves in the picture; without any, the axes would run to 10^200."""
        if self.item.listDataItems():
            self.item.autoRange(padding=padding)

    def value_at(self, place: QPointF) -> str:
        """What is drawn nearest to a point of the scene, in words; empty where nothing is near."""
        box, best = self.item.getViewBox(), (_NEAR, "")
        for curve in self.item.listDataItems():
            x, y = curve.getData()
            if x is None or not len(x) or not curve.name():
                continue
            origin = box.mapViewToScene(QPointF(0, 0))
            unit = box.mapViewToScene(QPointF(1, 1)) - origin
            away = np.hypot(origin.x() + x * unit.x() - place.x(), origin.y() + y * unit.y() - place.y())
            if not np.isfinite(away).any():
                continue
            near = int(np.nanargmin(away))
            if away[near] < best[0]:
                best = (
                    away[near],
                    self._in_words(curve.name(), *(values[near] for values in curve.getOriginalDataset())),
                )
        return best[1]

    def _in_words(self, name: str, x: float, y: float) -> str:
        return f"{name}: {y:.4g} at {x:.4g}".replace("-", MINUS)

    def _hovered(self, event) -> None:
        text = self.value_at(event[0])
        if text:
            QToolTip.showText(QCursor.pos(), text, self.plot)
        else:
            QToolTip.hideText()

    def pen(self, number: int, width: float = 2.0, style=Qt.PenStyle.SolidLine):
        return pg.mkPen(self.colours.series[number % len(self.colours.series)], width=width, style=style)


class DragPlot(Plot):
    """Cd of every variant with its interval, and that of its CFD where there is one; a click chooses the variant."""

    clicked = Signal(str)

    def __init__(self, desk: Desk):
        self.names = NamesAxis()
        super().__init__("Drag coefficients of all variants", "", "Cd", bottom=self.names)
        self.desk = desk
        self._keys: list[str] = []
        self._bars, self._dots, self._cfd = pg.ErrorBarItem(), pg.ScatterPlotItem(), pg.ScatterPlotItem()
        self._guesses = pg.ErrorBarItem()
        self._base = pg.InfiniteLine(angle=0)
        for item in (self._bars, self._guesses, self._base, self._dots, self._cfd):
            self.item.addItem(item)
        self.plot.scene().sigMouseClicked.connect(self._on_click)
        self.item.getViewBox().setMouseEnabled(x=False, y=False)

    def refresh(self, keys: list[str], current: str | None) -> None:
        """keys: in the order to show. What is there is moved, not made anew: this comes with every prediction."""
        self._keys = list(keys)
        state = self.desk.study.state
        self.names.set_names([variant.name for key in keys if (variant := state.variant(key))])
        results = [(i, key, r) for i, key in enumerate(keys) if (r := self.desk.result(key))]
        for item in (self._bars, self._guesses, self._dots, self._base, self._cfd):
            item.setVisible(bool(results))
        self.say("" if results else _WAITS)
        if not results:
            return
        x = np.array([i for i, _, _ in results], float)
        cd = np.array([r.cd for _, _, r in results])
        half = np.array([0.0 if r.cd_high is None else r.cd_high - r.cd for _, _, r in results])
        guess = np.array([r.is_outside for _, _, r in results])
        for bars, which, style in (
            (self._bars, ~guess, Qt.PenStyle.SolidLine),
            (self._guesses, guess, Qt.PenStyle.DotLine),  # no interval holds: what is drawn is no promise
        ):
            pen = pg.mkPen(self.colours.dim, width=1.4, style=style)
            bars.setData(x=x[which], y=cd[which], height=2 * half[which], beam=0.16, pen=pen)
        chosen, others = (pg.mkBrush(colour) for colour in (self.colours.accent, self.colours.dim))
        brushes = [chosen if key == current else others for _, key, _ in results]
        self._dots.setData(
            x=x,
            y=cd,
            size=11,
            symbol=["t1" if outside else "o" for outside in guess],  # the mark of reports, drawn
            brush=brushes,
            pen=pg.mkPen(self.colours.base, width=1.5),
        )
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

    def value_at(self, place: QPointF) -> str:
        """The variant at whose place the mouse is, with its interval and its difference."""
        number = round(self.item.getViewBox().mapSceneToView(place).x())
        if not 0 <= number < len(self._keys):
            return ""
        key = self._keys[number]
        variant, result = self.desk.study.state.variant(key), self.desk.result(key)
        if variant is None or result is None:
            return variant.name if variant else ""
        difference = self.desk.difference(key)
        parts = [f"{variant.name}: Cd {cd_of(result)}", interval(result)]
        return "\n".join([*parts, f"ΔCd {counts(difference)}; {difference.in_words}"] if difference else parts)

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
        self.silhouette: QGraphicsPolygonItem | None = None

    def refresh(self, keys: list[str]) -> None:
        self.clear()
        state = self.desk.study.state
        for number, key in enumerate(keys):
            variant, along, result = state.variant(key), self.desk.prediction(key).drag, self.desk.result(key)
            if variant is None or along is None or result is None:
                continue
            scale = self.desk.prediction(key).result.frontal_area / result.frontal_area
            self.item.plot(along.x, along.total * scale, pen=self.pen(number), name=f"{variant.name}{result.mark}")
        self.say("" if self.item.listDataItems() else _WITHOUT_FIELDS if any(map(self.desk.result, keys)) else _WAITS)
        self.fit()
        self._draw_silhouette(keys[0] if keys else None)

    def _draw_silhouette(self, key: str | None) -> None:
        """The first car from its side below the curves, so that a step in them has a place on it."""
        drawn = self.desk.drawn(key) if key else None
        if drawn is None or not self.item.listDataItems():
            return
        x, low, high = side_outline(drawn)
        (_, _), (bottom, top) = self.item.getViewBox().viewRange()
        scale = _SILHOUETTE * (top - bottom) / max(high.max(), 1e-6)
        outline = np.column_stack([np.concatenate([x, x[::-1]]), bottom + scale * np.concatenate([high, low[::-1]])])
        shape = QGraphicsPolygonItem(QPolygonF([QPointF(*corner) for corner in outline]))
        fill = QColor(self.colours.dim)
        fill.setAlpha(45)
        shape.setBrush(fill)
        shape.setPen(pg.mkPen(None))
        shape.setZValue(-10)
        self.item.addItem(shape, ignoreBounds=True)
        self.silhouette = shape


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
        self.say("" if self.item.listDataItems() else _NO_SECTION)
        self.fit()
