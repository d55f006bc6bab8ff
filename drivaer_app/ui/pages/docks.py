"""The panels around the viewport, as docks that can be moved, closed and come back where they were."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow, QTabWidget, QWidget

_LAYOUT_VERSION = 5


class Docks(QMainWindow):
    """middle: the viewport. right: title and panel of those that lie behind each other, the first one in front."""

    def __init__(self, middle: QWidget, variants: QWidget, right: dict[str, QWidget], bottom: QWidget):
        super().__init__()
        areas = Qt.DockWidgetArea
        self.setWindowFlags(Qt.WindowType.Widget)
        self.setCentralWidget(middle)
        self.left = self._dock("Variants", variants, areas.LeftDockWidgetArea)
        self.right = {title: self._dock(title, panel, areas.RightDockWidgetArea) for title, panel in right.items()}
        docks = list(self.right.values())
        for before, after in zip(docks, docks[1:], strict=False):
            self.tabifyDockWidget(before, after)
        self.setTabPosition(areas.RightDockWidgetArea, QTabWidget.TabPosition.North)
        docks[0].raise_()
        self.below = self._dock("Plots, jobs and log", bottom, areas.BottomDockWidgetArea)
        self.all = (self.left, *docks, self.below)
        self.setCorner(Qt.Corner.BottomLeftCorner, areas.LeftDockWidgetArea)
        self.setCorner(Qt.Corner.BottomRightCorner, areas.RightDockWidgetArea)
        self.resize(1600, 950)
        self.resizeDocks([self.left, docks[0]], [290, 330], Qt.Orientation.Horizontal)
        self.resizeDocks([self.below], [230], Qt.Orientation.Vertical)

    def _dock(self, title: str, widget: QWidget, area: Qt.DockWidgetArea) -> QDockWidget:
        dock = QDockWidget(title, self)
        dock.setObjectName(title)
        dock.setWidget(widget)
        self.addDockWidget(area, dock)
        return dock

    def bring(self, title: str) -> None:
        """A panel of the right to the front, also one that was closed."""
        self.right[title].show()
        self.right[title].raise_()

    @property
    def layout_(self) -> str:
        """How the docks lie, for the settings."""
        return bytes(self.saveState(_LAYOUT_VERSION).toBase64()).decode()

    def restore_layout(self, kept: str) -> None:
        self.restoreState(QByteArray.fromBase64(kept.encode()), _LAYOUT_VERSION)
