"""The drag of each part of the car beside the baseline's; a click shows where the part is."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtCore import QPointF, Signal
from PySide6.QtGui import QColor

from drivaer_app.desk.desk import Desk
from drivaer_app.results import COUNT
from drivaer_app.shapes.drag_by_region import REGIONS
from drivaer_app.ui.panels.plots import NamesAxis, Plot
from drivaer_app.ui.scene import part_colours
from drivaer_app.ui.words import plain, signed

_WIDTH = 0.36
_FINDING = "Finding the parts of the car…"
_NO_FIELDS = "The drag by part needs the car's pressure, which this model does not give, or which is not there yet"


class PartsPlot(Plot):
    """Of the current variant; bars in the colours of the overlay that shows the parts on the car."""

    clicked = Signal(object)
    """A part's name, or None where the click is beside all of them or on the one that is shown."""

    def __init__(self, desk: Desk):
        self.names = NamesAxis()
        super().__init__("Drag of each part of the car", "", "Cd of the part", bottom=self.names)
        self.desk = desk
        self.shares: dict[str, float] = {}
        self.baselines: dict[str, float] = {}
        self.shown: str | None = None
        self._drawn: tuple | None = None
        self.item.getViewBox().setMouseEnabled(x=False, y=False)
        self.plot.scene().sigMouseClicked.connect(lambda event: self.choose(self._part_at(event.scenePos())))

    def refresh(self, key: str | None) -> None:
        shares = self.desk.region_drag(key) if key else None
        baseline = self.desk.study.state.baseline
        others = self.desk.region_drag(baseline) if shares and baseline not in (None, key) else None
        self.shares, self.baselines = shares or {}, others or {}
        drawn = self.desk.drawn(key) if key else None
        lacking = key and self.desk.layers.lacking("parts", key)
        waits = drawn is not None and drawn.has_fields
        self.say("" if shares else lacking or (_FINDING if waits else _NO_FIELDS))
        if not shares:
            return
        now = tuple(shares.items()), tuple(self.baselines.items()), self.colours
        if now != self._drawn:
            self._drawn = now
            self._draw()

    def _draw(self) -> None:
        self.clear()
        names = list(self.shares)
        self.names.set_names(names)
        colours = part_colours()
        brushes = [QColor(*(int(c) for c in colours[REGIONS.index(name)])) for name in names]
        places = range(len(names))
        height = list(self.shares.values())
        self.item.addItem(pg.BarGraphItem(x=[p - 0.2 for p in places], height=height, width=_WIDTH, brushes=brushes))
        if self.baselines:
            height = [self.baselines.get(name, 0.0) for name in names]
            pen, brush = pg.mkPen(self.colours.dim), pg.mkBrush(self.colours.raised)
            bars = pg.BarGraphItem(x=[p + 0.2 for p in places], height=height, width=_WIDTH, brush=brush, pen=pen)
            self.item.addItem(bars)
            base = self.desk.study.state.variant(self.desk.study.state.baseline)
            self.legend.addItem(pg.BarGraphItem(x=[0], height=[0], width=1, brush=brush, pen=pen), base.name)
        values = [*self.shares.values(), *self.baselines.values(), 0.0]
        room = 0.12 * (max(values) - min(values))
        self.item.setYRange(min(values) - room * (min(values) < 0), max(values) + room, padding=0)
        self.item.setXRange(-0.6, len(names) - 0.4, padding=0)

    def choose(self, part: str | None) -> None:
        """Show a part on the car; once more, and all of them are in colour."""
        self.shown = None if part == self.shown else part
        self.clicked.emit(self.shown)

    def value_at(self, place: QPointF) -> str:
        """A part's drag and its difference to the baseline's."""
        part = self._part_at(place)
        if part is None:
            return ""
        text = f"{part}: Cd {plain(self.shares[part], 4)}"
        if part in self.baselines:
            text += f", {signed((self.shares[part] - self.baselines[part]) / COUNT, 1)} counts to the baseline"
        return text

    def _part_at(self, place: QPointF) -> str | None:
        number, names = round(self.item.getViewBox().mapSceneToView(place).x()), list(self.shares)
        return names[number] if 0 <= number < len(names) else None
