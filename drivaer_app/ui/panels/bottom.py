"""The tabs below the viewport: plots, the table of all variants, jobs and log."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QTabWidget

from drivaer_app.desk.desk import Desk
from drivaer_app.ui.panels.comparison_table import ComparisonPanel
from drivaer_app.ui.panels.jobs import JobsPanel
from drivaer_app.ui.panels.log import LogPanel
from drivaer_app.ui.panels.points import PointsPanel
from drivaer_app.ui.theme import LIGHT, Colours


class BottomPanel(QTabWidget):
    """Jobs and log from the start, the plots once pyqtgraph is loaded."""

    chosen = Signal(str)
    """A variant was clicked on in a plot."""
    part_asked = Signal(object)
    """Show this part of the car in colour, or, for None, all."""
    turned = Signal()
    """Another tab came to the front: a plot that is not in front is not kept up to date."""

    def __init__(self, desk: Desk):
        super().__init__()
        self.desk = desk
        self.colours: Colours = LIGHT
        self.plots: tuple = ()
        self.setDocumentMode(True)
        self.table = ComparisonPanel(desk)
        self.points = PointsPanel(desk)
        self.jobs = JobsPanel(desk.jobs)
        self.log = LogPanel()
        self.addTab(self.table, "Table")
        self.addTab(self.points, "Points")
        self.addTab(self.jobs, "Jobs")
        self.addTab(self.log, "Log")
        self.currentChanged.connect(lambda _: self.turned.emit())

    def make_plots(self) -> None:
        from drivaer_app.ui.panels.cfd_plot import CfdPlot
        from drivaer_app.ui.panels.parts_plot import PartsPlot
        from drivaer_app.ui.panels.plots import AlongPlot, DragPlot, SectionPlot

        self.plots = self.drag, self.parts, self.along, self.section, self.cfd = (
            DragPlot(self.desk),
            PartsPlot(self.desk),
            AlongPlot(self.desk),
            SectionPlot(self.desk),
            CfdPlot(self.desk),
        )
        for number, (plot, title) in enumerate(
            zip(self.plots, ("Drag", "By part", "Along the car", "Section", "CFD"), strict=True)
        ):
            self.insertTab(number, plot, title)
            plot.set_colours(self.colours)
        self.drag.clicked.connect(self.chosen)
        self.parts.clicked.connect(self.part_asked)
        self.setCurrentIndex(0)

    @property
    def shows_parts(self) -> bool:
        return bool(self.plots) and self.currentWidget() is self.parts

    def show_cfd(self) -> None:
        """Bring the CFD's curves to the front."""
        if self.plots:
            self.setCurrentWidget(self.cfd)

    def set_colours(self, colours: Colours) -> None:
        self.colours = colours
        for plot in self.plots:
            plot.set_colours(colours)

    def refresh(self, listed: list[str], shown: list[str], y: float) -> None:
        """Draw the plot that is in front. listed, shown: keys in the list and on screen. y: of the section, m."""
        current = self.currentWidget()
        if current is self.table:
            self.table.refresh()
        if current is self.points:
            self.points.refresh(shown)
        if current not in self.plots:
            return
        baseline = self.desk.study.state.baseline
        if current is self.drag:
            self.drag.refresh(listed, shown[0] if shown else None)
        elif current is self.parts:
            self.parts.refresh(shown[0] if shown else None)
        elif current is self.along:
            self.along.refresh(shown if baseline in shown or not baseline else [*shown, baseline])
        elif current is self.section:
            self.section.refresh(shown, y)
        else:
            self.cfd.refresh(shown[0] if shown else None)
