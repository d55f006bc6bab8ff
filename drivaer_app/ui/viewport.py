"""The 3D viewport: one to four cars side by side with one camera, an overlay, and the mouse's probe."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QVBoxLayout, QWidget
from pyvistaqt import QtInteractor
from vtkmodules.vtkRenderingCore import vtkRenderer

from drivaer_app.drawn_car import DrawnCar
from drivaer_app.ui.navigation import Navigation
from drivaer_app.ui.overlays import SIDES, VIEWS, Overlay, overlay_of
from drivaer_app.ui.scene import Pane, Probe
from drivaer_app.ui.theme import LIGHT, Colours

MOST_PANES = 4
_TURN_DEG_S = 24.0

_CORNERS = {
    1: [(0, 0, 1, 1)],
    2: [(0, 0, 0.5, 1), (0.5, 0, 1, 1)],
    3: [(0, 0, 1 / 3, 1), (1 / 3, 0, 2 / 3, 1), (2 / 3, 0, 1, 1)],
    4: [(0, 0.5, 0.5, 1), (0.5, 0.5, 1, 1), (0, 0, 0.5, 0.5), (0.5, 0, 1, 0.5)],
}
"""Left, bottom, right and top of each pane for so many, as parts of the window."""


@dataclass(frozen=True, eq=False)
class Shown:
    """What one pane is to show. title: above it where there are several.

    layers: (P,) of drivaer_app.desk.layers by name, as far as they are there. lacking: why the overlay's is not.
    lines: (S, 2, 3) m of the flow, to be drawn on the surface. overlay: this pane's own, instead of the viewport's.
    """

    key: str
    title: str
    drawn: DrawnCar | None
    layers: Mapping[str, np.ndarray] = field(default_factory=dict)
    lacking: str = ""
    lines: np.ndarray | None = None
    overlay: str = ""


class Viewport(QWidget):
    """Needs OpenGL. The camera, overlay, range, edges and cut stay when the cars change."""

    probed = Signal(object)
    """A Probe under the mouse, or None."""
    picked = Signal(object)
    """A Probe that was clicked on, or None."""
    looked = Signal()
    """The camera has been moved."""
    centred = Signal()
    """The view turns about another place."""

    def __init__(self, parent: QWidget | None = None, *, software: bool = False):
        """software: OpenGL is drawn by the processor; smooth edges would cost it four times the time of a frame."""
        super().__init__(parent)
        self.overlay: Overlay = overlay_of("cp")
        self.spans: dict[str, float] = {}
        """Ranges that are not the overlays' own, by Overlay.scale."""
        self.edges = False
        self.cut: float | None = None
        self.colours = LIGHT
        self.marked: np.ndarray | None = None
        """The place (3,) m that was clicked on; its values stand beside it in every pane."""
        self.pins: list[np.ndarray] = []
        """Numbered places, (3,) m each."""
        self.lacking = ""
        """Why the overlay that was asked for is not shown, in words."""
        self._framed = False
        self._is_stale = True
        self._plotter = QtInteractor(self, auto_update=False, multi_samples=0 if software else 4)
        self._plotter.setAcceptDrops(False)  # files that are dropped here are the window's
        self._plotter.setAccessibleName("Car in three dimensions")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._plotter)
        self._panes = [Pane(self._plotter.renderer)]
        self._camera = self._plotter.renderer.GetActiveCamera()
        self._camera.SetViewAngle(22)
        self._take_over_the_mouse()
        self._plotter.ren_win.AddObserver("EndEvent", self._drawn)

    @property
    def is_working(self) -> bool:
        """Whether OpenGL came up; known once it was on screen."""
        return self._plotter.isValid()

    @property
    def panes(self) -> list[Pane]:
        """Those on screen."""
        return self._panes[: self._n_shown]

    _n_shown = 1
    _lacking = ""

    # Contents

    def show_cars(self, cars: list[Shown]) -> None:
        """One to four cars. The first car ever is framed; after that the camera stays."""
        cars = cars[:MOST_PANES] or [Shown("", "", None)]
        self._lay_out(len(cars))
        for pane, car in zip(self.panes, cars, strict=True):
            pane.show(car.drawn)
            pane.layers = dict(car.layers)
            pane.show_lines(car.lines)
            pane.set_title(car.title if len(cars) > 1 else "")
            pane.overlay = overlay_of(car.overlay) if car.overlay else None
        self._lacking = cars[0].lacking
        self._refresh()
        if not self._framed and any(car.drawn is not None for car in cars):
            self._framed = True
            self.look_from("corner")

    def set_overlay(self, name: str) -> None:
        self.overlay = overlay_of(name)
        self._refresh()

    def set_spans(self, spans: Mapping[str, float]) -> None:
        self.spans = dict(spans)
        self._refresh()

    @property
    def span(self) -> float:
        """Of the colours."""
        return self.span_of(self.overlay)

    def span_of(self, overlay: Overlay) -> float:
        return self.spans.get(overlay.scale, overlay.span or 1.0)

    def show_moves(self, moves: np.ndarray | None) -> None:
        """How far each point of the first car is moved, 0..1, instead of the overlay; None for the overlay again."""
        self._panes[0].moves = moves
        self._refresh()

    def highlight(self, part: str | None) -> None:
        """One of shapes.drag_by_region.REGIONS alone in colour; None for all of them."""
        for pane in self._panes:
            pane.highlighted = part
        self._refresh()

    def set_outline(self, box: tuple[Sequence[float], Sequence[float]] | None) -> None:
        """A box, m in the car frame, drawn around a part of the first car; None for none."""
        for pane in self._panes[:1]:
            pane.outline(box)
        self.render()

    def set_edges(self, on: bool) -> None:
        self.edges = on
        self._refresh()

    def set_cut(self, y: float | None) -> None:
        """Where to cut the car lengthwise, m from its middle; None for not at all."""
        self.cut = y
        self._refresh()

    def set_colours(self, colours: Colours) -> None:
        self.colours = colours
        for pane in self._panes:
            pane.set_colours(colours)
        self.render()

    def natural_span(self, scale: str) -> float:
        """A range that all that is shown on a scale fits into but for the last hundredth."""
        highest = 0.0
        for pane in self.panes:
            overlay = pane.overlay or self.overlay
            values = pane._values(overlay) if pane.drawn is not None and overlay.scale == scale else None
            if values is not None and np.isfinite(values).any():
                highest = max(highest, float(np.nanquantile(np.abs(values), 0.99)))
        return highest

    # Camera

    def look_from(self, view: str) -> None:
        """One of VIEWS, all of the cars in the picture."""
        towards, _ = VIEWS[view]
        self._camera.SetFocalPoint(0, 0, 0)
        self._camera.SetPosition(*towards)
        self._camera.SetViewUp(*((1, 0, 0) if view == "top" else (-1, 0, 0) if view == "underneath" else (0, 0, 1)))
        self.fit()
        self.looked.emit()

    def fit(self) -> None:
        """Go as near as leaves all of the cars in the picture, from where one looks now."""
        boxes = [pane.drawn.box for pane in self.panes if pane.drawn is not None]
        if not boxes:
            return
        low = np.min([box[0] for box in boxes], axis=0)
        high = np.max([box[1] for box in boxes], axis=0)
        corners = low + (high - low) * np.array(list(np.ndindex(2, 2, 2)))
        middle = (low + high) / 2
        back = np.array(self._camera.GetPosition()) - np.array(self._camera.GetFocalPoint())
        back /= np.linalg.norm(back)
        right = np.cross(self._camera.GetViewUp(), back)
        right /= np.linalg.norm(right)
        up = np.cross(back, right)
        x, y, z = ((corners - middle) @ np.stack([right, up, back]).T).T
        place = _CORNERS[self._n_shown][0]
        width = max(self._plotter.width() * (place[2] - place[0]), 1)
        height = max(self._plotter.height() * (place[3] - place[1]), 1)
        half = math.tan(math.radians(self._camera.GetViewAngle() / 2)) * 0.9
        distance = max((np.abs(y) / half + z).max(), (np.abs(x) / (half * width / height) + z).max())
        self._camera.SetFocalPoint(*middle)
        self._camera.SetPosition(*(middle + distance * back))
        self.navigation.centre = middle.astype(float)
        self._camera.SetParallelScale(max(np.abs(y).max(), np.abs(x).max() * height / width) / 0.9)
        self.render()

    def set_turning(self, on: bool) -> None:
        """Go round the car, once in a quarter of a minute however fast frames come."""
        if on:
            self._turned_at = time.monotonic()
            self._turntable.start()
        else:
            self._turntable.stop()

    def _turn_on(self) -> None:
        now = time.monotonic()
        self._camera.Azimuth(_TURN_DEG_S * (now - self._turned_at))
        self._turned_at = now
        self.render()

    def set_parallel(self, on: bool) -> None:
        self._camera.SetParallelProjection(on)
        self.render()

    @property
    def camera(self) -> dict[str, list[float] | bool | float]:
        """To be kept and given back."""
        c = self._camera
        return {
            "position": list(c.GetPosition()),
            "focus": list(c.GetFocalPoint()),
            "up": list(c.GetViewUp()),
            "parallel": bool(c.GetParallelProjection()),
            "scale": c.GetParallelScale(),
            "centre": [float(value) for value in self.navigation.centre],
        }

    @camera.setter
    def camera(self, kept: dict) -> None:
        self._camera.SetPosition(*kept["position"])
        self._camera.SetFocalPoint(*kept["focus"])
        self._camera.SetViewUp(*kept["up"])
        self._camera.SetParallelProjection(kept["parallel"])
        self._camera.SetParallelScale(kept["scale"])
        self.navigation.centre = np.array(kept.get("centre", kept["focus"]), float)
        self._framed = True
        self.render()

    # Picture

    def render(self) -> None:
        """Have it drawn anew when the event loop comes to it: many changes, one picture."""
        for pane in self.panes:
            pane.renderer.ResetCameraClippingRange()
        self._is_stale = True
        self._plotter.update()

    def picture(self, scale: int = 1, transparent: bool = False) -> QImage:
        """What the viewport shows, ``scale`` times as fine."""
        for pane in self.panes:
            pane.set_scale(scale)
            pane.renderer.SetGradientBackground(not transparent)
        self._plotter.render()
        pixels = self._plotter.screenshot(None, return_img=True, scale=scale, transparent_background=transparent)
        for pane in self.panes:
            pane.set_scale(1)
            pane.renderer.SetGradientBackground(True)
        height, width, depth = pixels.shape
        kind = QImage.Format.Format_RGBA8888 if depth == 4 else QImage.Format.Format_RGB888
        return QImage(np.ascontiguousarray(pixels).tobytes(), width, height, depth * width, kind).copy()

    def close_viewport(self) -> None:
        """Let go of OpenGL while its context is there."""
        self._plotter.close()

    # Inside

    def _drawn(self, *_) -> None:
        self._is_stale = False

    def _lay_out(self, n: int) -> None:
        if n == self._n_shown:
            return
        window = self._plotter.ren_win
        while len(self._panes) < n:
            renderer = vtkRenderer()
            renderer.SetActiveCamera(self._camera)
            renderer.SetLightFollowCamera(True)
            for light in self._plotter.renderer.lights:
                renderer.AddLight(light)
            pane = Pane(renderer)
            pane.set_colours(self.colours)
            self._panes.append(pane)
            window.AddRenderer(renderer)
        self._n_shown = n
        for number, pane in enumerate(self._panes):
            pane.renderer.SetDraw(number < n)
            pane.renderer.SetInteractive(number < n)
            if number < n:
                left, bottom, right, top = _CORNERS[n][number]
                pane.renderer.SetViewport(left, bottom, right, top)
                pane.show_borders(left=left > 0, top=top < 1)
            else:
                pane.show(None)
                pane.renderer.SetViewport(0, 0, 1e-4, 1e-4)
        self.fit()

    def _refresh(self) -> None:
        there = []
        for pane in self.panes:
            overlay = pane.overlay or self.overlay
            there.append(pane.paint(overlay, self.span_of(overlay)))
        cars = [pane for pane in self.panes if pane.drawn is not None]
        self.lacking = ""
        if cars and not any(there):
            self.lacking = self._lacking or "this model predicts drag only, no fields"
        elif cars and self.overlay.name == SIDES:
            self.lacking = self._lacking
        for pane in self.panes:
            pane.show_edges(self.edges)
            pane.cut_at(self.cut)
        self._show_marks()

    def set_pins(self, places: Sequence[Sequence[float]]) -> None:
        pins = [np.asarray(place, float) for place in places]
        if [tuple(pin) for pin in pins] != [tuple(pin) for pin in self.pins]:
            self.pins = pins
            self._show_marks()

    def mark(self, place: np.ndarray | None) -> None:
        """Mark the place of every car's surface that is nearest to it, or none."""
        self.marked = place
        self._show_marks()

    def _show_marks(self) -> None:
        marks = [(str(number), place) for number, place in enumerate(self.pins, 1)]
        if self.marked is not None:
            marks.append(("", self.marked))
        for pane in self.panes:
            pane.mark(marks, pane.overlay or self.overlay)
        self.render()

    def _take_over_the_mouse(self) -> None:
        self.navigation = Navigation(self._camera, self._place_at, self._moved)
        interactor = self._plotter.iren.interactor
        self._plotter.iren.style = self.navigation  # pyvista's own word: past it, the first click brings its style back
        interactor.RemoveObservers("CharEvent")  # VTK's one-letter commands; keys are the window's
        interactor.RemoveObservers("KeyPressEvent")
        self._plotter.installEventFilter(self)
        self._plotter.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self._pressed: QPoint | None = None
        self._turned_at = 0.0
        self._turntable = QTimer(self)
        self._turntable.setInterval(16)
        self._turntable.timeout.connect(self._turn_on)
        self._hover = QTimer(self)
        self._hover.setSingleShot(True)
        self._hover.setInterval(60)
        self._hover.timeout.connect(self._probe_hovered)
        self._mouse = QPoint()

    def eventFilter(self, watched, event) -> bool:
        kind = event.type()
        if kind == event.Type.MouseMove:
            self._mouse = event.position().toPoint()
            if event.buttons() == Qt.MouseButton.NoButton:
                self._hover.start()
        elif kind == event.Type.MouseButtonPress and event.button() == Qt.MouseButton.LeftButton:
            self._pressed = event.position().toPoint()
        elif kind == event.Type.MouseButtonRelease and self._pressed is not None:
            if (event.position().toPoint() - self._pressed).manhattanLength() < 4:
                self.pick(self._pressed)
            self._pressed = None
        elif kind == event.Type.MouseButtonDblClick and event.button() == Qt.MouseButton.LeftButton:
            self._turn_about(event.position().toPoint())
        elif kind == event.Type.Wheel:  # VTK hears of whole steps alone, and not of where the mouse is
            self.navigation.zoom_at(*self._display(event.position().toPoint()), event.angleDelta().y() / 120)
            return True
        elif kind == event.Type.Leave:
            self._hover.stop()
            self.probed.emit(None)
        return False

    def _probe_hovered(self) -> None:
        self.probed.emit(self.probe_at(self._mouse)[1])

    def pick(self, at: QPoint) -> None:
        """Mark the place of the surface under a point of the widget, or nothing where there is none."""
        _, probe = self.probe_at(at)
        self.mark(None if probe is None else probe.place)
        self.picked.emit(probe)

    def _moved(self) -> None:
        self.render()
        self.looked.emit()

    def _turn_about(self, at: QPoint) -> None:
        """After a double click on a car its place is what the view turns about; one beside it fits all of the cars."""
        _, place = self._place_at(*self._display(at))
        if place is None:
            self.fit()
        else:
            self.navigation.centre = place
            self.centred.emit()

    def probe_at(self, at: QPoint) -> tuple[Pane | None, Probe | None]:
        """The pane and the place of its surface under a point of the widget."""
        renderer, place = self._place_at(*self._display(at))
        pane = next((pane for pane in self.panes if pane.renderer is renderer), None)
        return pane, None if pane is None or place is None else pane.probe(place)

    def _display(self, at: QPoint) -> tuple[int, int]:
        """A point of the widget as VTK counts: from below, in the screen's own pixels."""
        ratio = self._plotter.devicePixelRatioF()
        return int(at.x() * ratio), int((self._plotter.height() - 1 - at.y()) * ratio)

    def _place_at(self, x: int, y: int) -> tuple[vtkRenderer | None, np.ndarray | None]:
        """The renderer of a car's pane under a display point, and the place (3,) m of the surface there."""
        window = self._plotter.ren_win
        for pane in self.panes:
            if pane.drawn is None or not pane.renderer.IsInViewport(x, y):
                continue
            if self._is_stale:
                window.Render()
            window.MakeCurrent()
            depth = pane.renderer.GetZ(x, y)
            if depth >= 1.0:
                return pane.renderer, None
            pane.renderer.SetDisplayPoint(x, y, depth)
            pane.renderer.DisplayToWorld()
            world = np.array(pane.renderer.GetWorldPoint())
            return pane.renderer, world[:3] / world[3]
        return None, None
