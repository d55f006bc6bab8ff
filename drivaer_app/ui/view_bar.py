"""The strip above the viewport: what is shown, and from where."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QComboBox, QSizePolicy, QSlider, QToolBar, QToolButton, QWidget

from drivaer_app.ui.overlays import OVERLAYS, VIEWS
from drivaer_app.ui.widgets import label


class ViewBar(QToolBar):
    """A tool bar, so that what a narrow window has no room for goes into a menu at its end."""

    overlay_chosen = Signal(str)
    edges_toggled = Signal(bool)
    lines_toggled = Signal(bool)
    cut_changed = Signal(object)
    """y in m, or None for no cut."""
    view_chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "bar")
        self.overlay = QComboBox()
        self.overlay.setAccessibleName("What colours the car")
        for overlay in OVERLAYS:
            self.overlay.addItem(overlay.title, overlay.name)
            self.overlay.setItemData(self.overlay.count() - 1, overlay.tip, Qt.ItemDataRole.ToolTipRole)
        self.overlay.activated.connect(lambda _: self.overlay_chosen.emit(self.overlay.currentData()))
        self.edges = QToolButton(text="Edges", checkable=True)
        self.edges.setToolTip("Draw creases (E)")
        self.edges.toggled.connect(self.edges_toggled)
        self.lines = QToolButton(text="Flow", checkable=True)
        self.lines.setToolTip("Draw the lines that the flow leaves on the surface, along its friction (L)")
        self.lines.toggled.connect(self.lines_toggled)
        self.cut = QToolButton(text="Cut", checkable=True)
        self.cut.setToolTip("Cut the car lengthwise (X); the section plot follows the plane")
        self.place = QSlider(Qt.Orientation.Horizontal)
        self.place.setRange(-110, 110)
        self.place.setFixedWidth(110)
        self.place.setAccessibleName("Place of the lengthwise cut")
        self.place.setToolTip("Distance of the plane from the car's middle")
        self.where = label("y = 0.00 m", "dim")
        self.where.setMinimumWidth(78)
        self.cut.toggled.connect(lambda _: self._cut_edited())
        self.place.valueChanged.connect(lambda _: self._cut_edited())
        gap = QWidget()
        gap.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        for widget in (self.overlay, self.edges, self.lines, self.cut, self.place, self.where, gap):
            self.addWidget(widget)
        for number, (name, (_, title)) in enumerate(VIEWS.items(), 1):
            # Actions, no widgets: those alone can move into the menu of what has no room.
            view = self.addAction(title, lambda name=name: self.view_chosen.emit(name))
            view.setToolTip(f"{title} (key {number})")
        self._cut_edited()

    def paintEvent(self, event) -> None:
        super().paintEvent(event)
        self._draw_extension()

    def _draw_extension(self) -> None:
        """Qt's own arrow for what has no room is black, also on black."""
        button = self.findChild(QToolButton, "qt_toolbar_ext_button")
        colour = self.palette().windowText().color()
        if button is None or button.property("drawn_in") == colour.name():
            return
        button.setProperty("drawn_in", colour.name())
        picture = QPixmap(24, 24)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setPen(colour)
        font = painter.font()
        font.setPixelSize(22)
        painter.setFont(font)
        painter.drawText(picture.rect(), Qt.AlignmentFlag.AlignCenter, "»")
        painter.end()
        button.setIcon(QIcon(picture))
        button.setToolTip("More views")
        button.setAccessibleName("More views")

    @property
    def y(self) -> float:
        """Where the section plot is taken, m."""
        return self.place.value() / 100

    def show_state(self, overlay: str, edges: bool, cut: float | None) -> None:
        """Bring the controls to a state without telling anybody."""
        for widget in (self.overlay, self.edges, self.lines, self.cut, self.place):
            widget.blockSignals(True)
        self.overlay.setCurrentIndex(self.overlay.findData(overlay))
        self.edges.setChecked(edges)
        self.cut.setChecked(cut is not None)
        if cut is not None:
            self.place.setValue(round(cut * 100))
        for widget in (self.overlay, self.edges, self.lines, self.cut, self.place):
            widget.blockSignals(False)
        self.where.setText(f"y = {self.y:.2f} m")

    def _cut_edited(self) -> None:
        self.where.setText(f"y = {self.y:.2f} m")
        self.cut_changed.emit(self.y if self.cut.isChecked() else None)
