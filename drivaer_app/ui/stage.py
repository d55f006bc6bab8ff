"""The cars on screen: the viewport, what colours it and from where, and the scale below."""

from __future__ import annotations

import logging
import math
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from data.replacing import replacing
from drivaer_app.desk.layers import PARTS
from drivaer_app.drawn_car import DrawnCar
from drivaer_app.ui.colour_bar import ColourBar
from drivaer_app.ui.meeting_picture import ColourScale
from drivaer_app.ui.opengl import OpenGL
from drivaer_app.ui.overlays import SIDES, SIDES_SHOW, Overlay, overlay_of
from drivaer_app.ui.theme import LIGHT, Colours
from drivaer_app.ui.view_bar import ViewBar
from drivaer_app.ui.widgets import label
from drivaer_app.ui.words import in_window, plain

_log = logging.getLogger(__name__)

_OPENGL_WITHIN_MS = 3000
_WIDTH_4K = 3840


class Stage(QWidget):
    """opengl: what the screen can draw; without it a sentence stands in the viewport's place."""

    overlay_changed = Signal(str)
    cut_changed = Signal()
    lines_toggled = Signal(bool)
    looked = Signal()
    """From somewhere else than before."""
    notice = Signal(str)
    """A remark on what is shown, or nothing."""

    def __init__(self, opengl: OpenGL):
        super().__init__()
        self.opengl = opengl
        self.viewport = None
        self.colours: Colours = LIGHT
        self._spans: dict[str, float] = {}
        self._marked = None
        self.view_bar = ViewBar()
        self.colour_bar, self.error_bar = ColourBar(), ColourBar()
        self.error_bar.setAccessibleName("Scale of the error")
        self.error_bar.hide()
        self.empty = label(opengl.lacking, "dim", wrap=True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setMargin(40)
        self.place = QStackedWidget()
        self.place.addWidget(self.empty)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for widget, stretch in ((self.view_bar, 0), (self.place, 1), (self.colour_bar, 0), (self.error_bar, 0)):
            column.addWidget(widget, stretch)
        self.view_bar.overlay_chosen.connect(self.set_overlay)
        self.view_bar.edges_toggled.connect(self._set_edges)
        self.view_bar.lines_toggled.connect(self.lines_toggled)
        self.view_bar.cut_changed.connect(self._set_cut)
        self.view_bar.view_chosen.connect(self.look_from)
        self.colour_bar.span_changed.connect(lambda span: self._span_edited(self.overlay, span))
        self.colour_bar.fit_asked.connect(lambda: self._fit_span(self.overlay))
        error = overlay_of(SIDES_SHOW[-1])
        self.error_bar.span_changed.connect(lambda span: self._span_edited(error, span))
        self.error_bar.fit_asked.connect(lambda: self._fit_span(error))

    # The viewport comes late, and not on every screen

    def make_viewport(self) -> None:
        """VTK is loaded: the viewport takes its place, where there is OpenGL."""
        if not self.opengl.lacking:
            from drivaer_app.ui.viewport import Viewport

            self.viewport = Viewport(software=self.opengl.software)
            self.viewport.set_colours(self.colours)
            self.viewport.set_spans(self._spans)
            self.viewport.set_overlay(self.overlay.name)
            self.viewport.set_edges(self.view_bar.edges.isChecked())
            self.viewport.set_cut(self.cut)
            self.viewport.probed.connect(self._show_probe)
            self.viewport.picked.connect(self._picked)
            self.viewport.looked.connect(self.looked)
            self.viewport.centred.connect(lambda: self.notice.emit("the view turns about this place"))
            self.place.addWidget(self.viewport)
            self.place.setCurrentWidget(self.viewport)
            QTimer.singleShot(_OPENGL_WITHIN_MS, self._check_viewport)
        self._show_scale()

    def _check_viewport(self) -> None:
        """Some systems promise OpenGL and give none: then the place says so, and the rest of the window goes on."""
        viewport = self.viewport
        if viewport is None or viewport.is_working or not viewport.isVisible():
            return
        _log.warning("no viewport: OpenGL did not come up")
        self.opengl = OpenGL.without("OpenGL did not come up on this screen")
        self.empty.setText(self.opengl.lacking)
        self.viewport = None
        self.place.setCurrentWidget(self.empty)
        viewport.close_viewport()
        self._show_scale()

    def close_viewport(self) -> None:
        if self.viewport:
            self.viewport.close_viewport()

    # Showing

    @property
    def overlay(self) -> Overlay:
        """What was asked for."""
        return overlay_of(self.view_bar.overlay.currentData())

    @property
    def cut(self) -> float | None:
        """Where the cars are cut lengthwise, m from their middle; None for not at all."""
        return self.view_bar.y if self.view_bar.cut.isChecked() else None

    def set_colours(self, colours: Colours) -> None:
        self.colours = colours
        for bar in (self.colour_bar, self.error_bar):
            bar.set_colours(colours)
        if self.viewport:
            self.viewport.set_colours(colours)

    def say(self, why: str) -> None:
        """Why there is no car, in the viewport's place; empty where there is one."""
        if self.viewport:
            self.empty.setText(in_window(why))
            self.place.setCurrentWidget(self.empty if why else self.viewport)

    def show_cars(self, cars: list) -> None:
        """One to four ``viewport.Shown``."""
        if self.viewport:
            self.viewport.show_cars(cars)
            self._say_what_lacks()

    @property
    def shows_a_car(self) -> bool:
        """Whether there is one car, and it is on screen."""
        return bool(self.viewport) and len(self.viewport.panes) == 1 and self.viewport.panes[0].drawn is not None

    def set_overlay(self, name: str) -> None:
        self.view_bar.show_state(name, self.view_bar.edges.isChecked(), self.cut)
        if self.viewport:
            self.viewport.set_overlay(name)
        self.overlay_changed.emit(name)
        self._show_scale()

    def highlight(self, part: str | None) -> None:
        """Show the car's parts, one of them alone in colour or, for None, all."""
        if self.overlay.name != PARTS:
            self.set_overlay(PARTS)
        if self.viewport:
            self.viewport.highlight(part)

    def show_moves(self, moves) -> None:
        """(P,) in 0..1 of the one car on screen instead of its overlay; None for the overlay again."""
        if self.viewport and (moves is None or self.shows_a_car):
            self.viewport.show_moves(moves)

    def look_from(self, view: str) -> None:
        if self.viewport:
            self.viewport.look_from(view)

    def _set_edges(self, on: bool) -> None:
        if self.viewport:
            self.viewport.set_edges(on)

    def _set_cut(self, y: float | None) -> None:
        if self.viewport:
            self.viewport.set_cut(y)
        self.cut_changed.emit()

    def _say_what_lacks(self) -> None:
        lacking = self.viewport.lacking
        if self.overlay.name == "health" and self.viewport.panes[0].drawn is not None:
            lacking = _health_in_words(self.viewport.panes[0].drawn)
        self.notice.emit(lacking)

    # Scale and probe

    def _show_scale(self) -> None:
        self._show_scale_on(self.colour_bar, self.overlay)
        self.error_bar.setVisible(self.overlay.name == SIDES and self.viewport is not None)
        self._show_scale_on(self.error_bar, overlay_of(SIDES_SHOW[-1]))

    def _show_scale_on(self, bar: ColourBar, overlay: Overlay) -> None:
        if overlay.span is None or self.viewport is None:
            bar.show_scale("", None, 0, 1)
            return
        from drivaer_app.ui.scene import colour_table, span_of

        symbol = f"{overlay.symbol}\n{overlay.unit}".rstrip()
        bar.show_scale(symbol, colour_table(overlay), *span_of(overlay, self.viewport.span_of(overlay)))

    def _span_edited(self, overlay: Overlay, span: float) -> None:
        self._spans[overlay.scale] = span
        if self.viewport:
            self.viewport.set_spans(self._spans)
        self._show_scale()

    def _fit_span(self, overlay: Overlay) -> None:
        if self.viewport and (span := self.viewport.natural_span(overlay.scale)) > 0:
            self._span_edited(overlay, float(f"{span:.2g}"))

    def _picked(self, probe) -> None:
        self._marked = probe
        self._show_probe(probe)

    def _show_probe(self, probe) -> None:
        """What is under the mouse; where there is nothing, what was marked."""
        probe = probe or self._marked
        self.colour_bar.probe.setText("" if probe is None else _probe_in_words(probe))

    # What a study keeps of it

    @property
    def view(self) -> dict:
        """Plain values that ``set_view`` takes."""
        view = {
            "overlay": self.overlay.name,
            "spans": dict(self._spans),
            "edges": self.view_bar.edges.isChecked(),
            "lines": self.view_bar.lines.isChecked(),
            "cut": self.cut,
        }
        return {**view, "camera": self.viewport.camera} if self.viewport else view

    def set_view(self, view: dict) -> None:
        """What a saved study had on screen. A view written by hand or by another version is taken as far as it goes."""
        try:
            self._spans = {str(k): float(v) for k, v in view.get("spans", {}).items()}
            overlay = overlay_of(view.get("overlay", self.overlay.name)).name
            edges, lines, cut = bool(view.get("edges", False)), bool(view.get("lines", False)), view.get("cut")
        except (AttributeError, KeyError, StopIteration, TypeError, ValueError):
            _log.warning("the study's view cannot be used; starting with the usual one")
            return
        self.view_bar.show_state(overlay, edges, cut)
        self.view_bar.lines.setChecked(lines)
        self._set_edges(edges)
        self._set_cut(cut)
        if self.viewport:
            self.viewport.set_spans(self._spans)
        self.set_overlay(overlay)
        self.set_camera(view)

    def set_camera(self, view: dict) -> None:
        """Look from where a saved study was looked at; once there is a viewport."""
        try:
            if self.viewport and "camera" in view:
                self.viewport.camera = view["camera"]
        except (KeyError, TypeError, ValueError):
            _log.warning("the study's camera cannot be used; starting with the usual one")

    # Pictures

    def picture_4k(self, transparent: bool = False) -> QImage:
        """What the viewport shows, at least as wide as a 4K screen."""
        scale = math.ceil(_WIDTH_4K / max(self.viewport.width() * self.viewport.devicePixelRatioF(), 1))
        return self.viewport.picture(scale, transparent)

    @property
    def scale(self) -> ColourScale | None:
        """Of the colours on screen; None where they stand for no number."""
        if self.overlay.span is None or self.viewport is None:
            return None
        from drivaer_app.ui.scene import colour_table, span_of

        symbol = f"{self.overlay.symbol} {self.overlay.unit}".rstrip()
        return ColourScale(
            symbol, colour_table(self.overlay), *span_of(self.overlay, self.viewport.span_of(self.overlay))
        )

    def save_picture(self, file: str | Path, transparent: bool = False) -> None:
        """The viewport as a PNG at least as wide as a 4K screen. Raises DrivAerError where it cannot be written."""
        write_png(file, self.picture_4k(transparent))


def write_png(file: str | Path, image: QImage) -> None:
    """Raises DrivAerError where it cannot be written."""
    with replacing(Path(file)) as unfinished:
        if not image.save(str(unfinished), "PNG"):
            raise OSError("the picture could not be written")


def _probe_in_words(probe) -> str:
    place = "  ".join(f"{axis} {plain(v, 2)}" for axis, v in zip("xyz", probe.place, strict=True)) + " m"
    parts = []  # the values first: a narrow window cuts the end off
    if not probe.exposed:
        parts.append("not in the flow's sight")
    elif probe.cp is not None:
        parts.append(f"Cp {plain(probe.cp, 3)}")
        parts.append(f"|Cf| {probe.cf:.4f}")
    for name, value in probe.layers.items() if probe.exposed else ():
        overlay = overlay_of(name)
        parts.append(f"{overlay.symbol} {plain(value, 3)} {overlay.unit}".rstrip())
    return "    ".join([*parts, place])


def _health_in_words(drawn: DrawnCar) -> str:
    """What the mesh-health overlay shows of a car."""
    n = len(drawn.open_edges)
    holes = f"{n:,} open edges, in red" if n else "no open edges: the surface is closed"
    hidden = float((~drawn.exposed).mean())
    return f"{holes}; {hidden:.0%} of the points lie out of the flow's sight, in violet" if hidden else holes
