"""How a CFD run goes: Cd as it settles beside the prediction, and the residuals."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QWidget

from drivaer_app.desk.desk import Desk
from drivaer_app.ui.panels.plots import Plot
from drivaer_app.ui.theme import Colours

_NO_RUN = "There is no CFD run of this variant: start one on the Verify panel"
_SETTLING = 20  # iterations at the start whose Cd would squeeze all that follow into a line


class CfdPlot(QWidget):
    """Of the current variant."""

    def __init__(self, desk: Desk):
        super().__init__()
        self.desk = desk
        self.drag = Plot("Drag coefficient while the CFD runs", "iteration", "Cd", legend_at=1.0)
        self.residuals = Plot("Residuals while the CFD runs", "iteration", "residual")
        self.residuals.item.setLogMode(y=True)
        self.residuals.legend.setColumnCount(6)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.drag)
        layout.addWidget(self.residuals)

    def set_colours(self, colours: Colours) -> None:
        self.drag.set_colours(colours)
        self.residuals.set_colours(colours)

    def refresh(self, key: str | None) -> None:
        self.drag.clear()
        self.residuals.clear()
        run = self.desk.verifications.of(key) if key else None
        result = self.desk.prediction(key).result if key else None  # on the measured area, as the solver's
        self.drag.say("" if run is not None and (run.history[0] or run.is_active) else _NO_RUN)
        self.residuals.setVisible(run is not None and bool(run.residuals))
        if run is None:
            return
        if run.history[0]:
            iteration, cd = (np.array(values) for values in run.history)
            settled = iteration > _SETTLING if iteration[-1] > 2 * _SETTLING else np.ones(len(cd), bool)
            self.drag.item.plot(
                iteration[settled], cd[settled], pen=self.drag.pen(0), name="CFD, running" if run.is_active else "CFD"
            )
        if result is not None:
            colour = self.drag.colours.accent
            self._line(result.compared, colour, "prediction", Qt.PenStyle.DashLine)
        self.drag.fit(0.12)
        fields = sorted({name for _, fields in run.residuals for name in fields})
        for number, name in enumerate(fields):
            curve = [(i, values[name]) for i, values in run.residuals if values.get(name, 0.0) > 0]
            if curve:
                x, y = np.array(curve).T
                style = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine)[number // len(self.drag.colours.series)]
                self.residuals.item.plot(x, y, pen=self.residuals.pen(number, 1.5, style), name=name)
        self.residuals.fit()

    def _line(self, cd: float, colour: str, name: str, style: Qt.PenStyle) -> None:
        self.drag.item.addItem(pg.InfiniteLine(cd, angle=0, pen=pg.mkPen(colour, width=1.5, style=style)))
        # An endless line has no place in the legend and none in the range: a point of it stands for both.
        self.drag.item.plot([0], [cd], pen=pg.mkPen(colour, width=1.5, style=style), name=name)
