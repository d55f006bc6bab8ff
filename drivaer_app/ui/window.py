"""The main window: panels around a viewport, all of them faces of one Desk."""

from __future__ import annotations

import logging
import math
from pathlib import Path

from PySide6.QtCore import QByteArray, QPoint, QRectF, Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication, QImage, QPainter
from PySide6.QtOpenGLWidgets import QOpenGLWidget
from PySide6.QtWidgets import (
    QApplication,
    QDockWidget,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QMainWindow,
    QStackedWidget,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from data.errors import DrivAerError
from data.replacing import replacing
from drivaer_app.autosave import Leftover
from drivaer_app.desk import Desk, Event
from drivaer_app.drawn_car import DrawnCar
from drivaer_app.jobs import FAILED, Job
from drivaer_app.paths import RESOURCES
from drivaer_app.settings import Settings
from drivaer_app.study import Study
from drivaer_app.study_file import SUFFIX
from drivaer_app.ui.actions import Actions
from drivaer_app.ui.colour_bar import ColourBar
from drivaer_app.ui.late import Late
from drivaer_app.ui.opengl import OpenGL
from drivaer_app.ui.overlays import overlay_of
from drivaer_app.ui.panels.answer import AnswerPanel
from drivaer_app.ui.panels.jobs import JobsPanel
from drivaer_app.ui.panels.log import LogPanel
from drivaer_app.ui.panels.morph import MorphPanel
from drivaer_app.ui.panels.variants import VariantsPanel
from drivaer_app.ui.relay import Relay
from drivaer_app.ui.start_page import StartPage
from drivaer_app.ui.theme import LIGHT, Colours, apply_theme
from drivaer_app.ui.view_bar import ViewBar
from drivaer_app.ui.widgets import label
from drivaer_app.ui.words import plain

_log = logging.getLogger(__name__)

SAMPLES = RESOURCES / "samples"
_MOST_COMPARED = 4
_LAYOUT_VERSION = 2
_AUTOSAVE_AFTER_MS = 2000
_OPENGL_WITHIN_MS = 3000
_WIDTH_4K = 3840


class MainWindow(QMainWindow):
    """desk: built with ``relay.post`` as its notify. settings_file: where the settings go; None for their usual place.

    opengl: what the screen can draw; without it the window does all but the viewport.
    """

    def __init__(
        self,
        desk: Desk,
        relay: Relay,
        settings: Settings,
        settings_file: Path | None = None,
        opengl: OpenGL = OpenGL(),  # noqa: B008 - frozen
    ):
        super().__init__()
        self.desk, self.settings = desk, settings
        self._settings_file = settings_file
        self.remembers = True
        """Whether settings are written, and unsaved work is asked about when closing."""
        self._relay = relay
        self.colours: Colours = LIGHT
        self.viewport = None
        self.plots = None
        self._opengl = opengl
        self.shown_keys: list[str] = []
        self._is_working = False
        self._docks: QByteArray | None = None
        self._spans: dict[str, float] = {}
        self.setAcceptDrops(True)
        self.setWindowTitle("drivaer")
        self._build()
        self.actions_ = Actions(self)
        self._connect()
        self._restore_layout()
        self.set_theme(settings.theme)
        relay.arrived.connect(self._on_event)
        self._late = Late(with_viewport=not opengl.lacking)
        self._late.ready.connect(self._late_parts)
        self._refresh_study()

    # Building

    def _build(self) -> None:
        self.start = StartPage()
        self.view_bar = ViewBar()
        self.colour_bar = ColourBar()
        self.message = _Message()
        self.empty = label(self._opengl.lacking, "dim", wrap=True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setMargin(40)
        self.stage = QStackedWidget()
        self.stage.addWidget(self.empty)
        if not self._opengl.lacking:
            # A window that is born with an OpenGL child need not be made anew, flickering, when the viewport comes.
            seed = QOpenGLWidget(self)
            seed.setFixedSize(1, 1)
            seed.lower()
            self._seed = seed
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for widget, stretch in ((self.view_bar, 0), (self.stage, 1), (self.colour_bar, 0)):
            column.addWidget(widget, stretch)
        self.pages = QStackedWidget()
        self.pages.addWidget(self.start)
        self.pages.addWidget(page)
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.message)
        column.addWidget(self.pages, 1)
        self.setCentralWidget(middle)
        self.variants = VariantsPanel(self.desk)
        self.answer = AnswerPanel(self.desk)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.jobs = JobsPanel(self.desk.jobs)
        self.log = LogPanel()
        self.tabs.addTab(self.jobs, "Jobs")
        self.tabs.addTab(self.log, "Log")
        self.left = self._dock("Variants", self.variants, Qt.DockWidgetArea.LeftDockWidgetArea)
        self.right = self._dock("Prediction", self.answer, Qt.DockWidgetArea.RightDockWidgetArea)
        self.morph = MorphPanel(self.desk)
        self.beside = self._dock("Morph", self.morph, Qt.DockWidgetArea.RightDockWidgetArea)
        self.tabifyDockWidget(self.right, self.beside)
        self.setTabPosition(Qt.DockWidgetArea.RightDockWidgetArea, QTabWidget.TabPosition.North)
        self.right.raise_()
        self.bottom = self._dock("Plots, jobs and log", self.tabs, Qt.DockWidgetArea.BottomDockWidgetArea)
        self.docks = (self.left, self.right, self.beside, self.bottom)
        self.setCorner(Qt.Corner.BottomLeftCorner, Qt.DockWidgetArea.LeftDockWidgetArea)
        self.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea)
        self.resize(1600, 1000)
        self.resizeDocks([self.left, self.right], [290, 330], Qt.Orientation.Horizontal)
        self.resizeDocks([self.bottom], [230], Qt.Orientation.Vertical)
        self.busy = label("", "dim")
        self.statusBar().addPermanentWidget(self.busy)
        self._autosave = QTimer(self)
        self._autosave.setSingleShot(True)
        self._autosave.setInterval(_AUTOSAVE_AFTER_MS)
        self._autosave.timeout.connect(self._autosave_now)
        self._busy = QTimer(self)
        self._busy.setSingleShot(True)
        self._busy.setInterval(100)
        self._busy.timeout.connect(self._show_busy)
        self._plotting = QTimer(self)
        self._plotting.setSingleShot(True)
        self._plotting.setInterval(250)
        self._plotting.timeout.connect(self._refresh_plots)
        self._studying = QTimer(self)  # many events in a row need the lists redrawn once
        self._studying.setSingleShot(True)
        self._studying.setInterval(60)
        self._studying.timeout.connect(self._refresh_numbers)

    def _dock(self, title: str, widget: QWidget, area: Qt.DockWidgetArea) -> QDockWidget:
        dock = QDockWidget(title, self)
        dock.setObjectName(title)
        dock.setWidget(widget)
        self.addDockWidget(area, dock)
        return dock

    def _connect(self) -> None:
        self.variants.chosen.connect(self.show_variants)
        self.variants.refused.connect(self.message.say)
        self.variants.asked.connect(self._asked)
        self.answer.refused.connect(self.message.say)
        self.answer.card_asked.connect(self.actions_.show_card)
        self.answer.retry_asked.connect(lambda: self._asked("retry", [self.answer.key]))
        self.answer.find_asked.connect(self.ask_where_files_are)
        self.beside.visibilityChanged.connect(self.morph.set_in_front)
        self.morph.shown.connect(self._show_cars)
        self.morph.keep_asked.connect(self.keep_bent)
        self.start.open_files.connect(self.ask_files)
        self.start.open_folder.connect(self.ask_folder)
        self.start.open_samples.connect(lambda: self.open_paths([SAMPLES]))
        self.start.open_path.connect(lambda path: self.open_paths([path]))
        self.start.recover.connect(self.recover)
        self.start.discard.connect(self._discard)
        self.view_bar.overlay_chosen.connect(self.set_overlay)
        self.view_bar.edges_toggled.connect(self.set_edges)
        self.view_bar.cut_changed.connect(self.set_cut)
        self.view_bar.view_chosen.connect(self.look_from)
        self.colour_bar.span_changed.connect(self._span_edited)
        self.colour_bar.fit_asked.connect(self._fit_span)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._scheme_changed)

    # Parts that take long to load

    def showEvent(self, event) -> None:
        super().showEvent(event)
        QTimer.singleShot(0, self._late.start)

    def _late_parts(self) -> None:
        """VTK and pyqtgraph are loaded: the viewport and the plots take their places."""
        from drivaer_app.ui.panels.plots import AlongPlot, DragPlot, SectionPlot

        self.plots = (DragPlot(self.desk), AlongPlot(self.desk), SectionPlot(self.desk))
        for number, (plot, title) in enumerate(zip(self.plots, ("Drag", "Along the car", "Section"), strict=True)):
            self.tabs.insertTab(number, plot, title)
            plot.set_colours(self.colours)
        self.plots[0].clicked.connect(lambda key: self.variants.select([key]))
        self.tabs.setCurrentIndex(0)
        self.tabs.currentChanged.connect(lambda _: self._refresh_plots())
        if not self._opengl.lacking:
            self._make_viewport()
        self._show_scale()
        self._show_cars()
        self._refresh_plots()

    def _make_viewport(self) -> None:
        from drivaer_app.ui.viewport import Viewport

        self.viewport = Viewport(software=self._opengl.software)
        self.viewport.set_colours(self.colours)
        self.viewport.probed.connect(self._show_probe)
        self.viewport.picked.connect(self._show_probe)
        self.stage.addWidget(self.viewport)
        self.stage.setCurrentWidget(self.viewport)
        self._apply_view(self.desk.study.view)
        QTimer.singleShot(_OPENGL_WITHIN_MS, self._check_viewport)

    def _check_viewport(self) -> None:
        """Some systems promise OpenGL and give none: then the place says so, and the rest of the window goes on."""
        viewport = self.viewport
        if viewport is None or viewport.is_working or not viewport.isVisible():
            return
        _log.warning("no viewport: OpenGL did not come up")
        self._opengl = OpenGL.without("OpenGL did not come up on this screen")
        self.empty.setText(self._opengl.lacking)
        self.viewport = None
        self.stage.setCurrentWidget(self.empty)
        viewport.close_viewport()
        self._show_scale()

    @property
    def is_settled(self) -> bool:
        """Whether all that is on screen is the last word: parts loaded, nothing running."""
        waiting = self._studying.isActive() or self._plotting.isActive()
        return self.plots is not None and not self.desk.jobs.active and not waiting

    # Opening and saving

    def open_paths(self, paths: list) -> None:
        """Meshes, folders or a study; what is wrong is said in the window."""
        paths = [Path(path) for path in paths]
        if any(path.suffix.lower() == SUFFIX for path in paths) and not self._may_leave():
            return
        before = self.desk.study
        try:
            keys = self.desk.open(paths)
        except DrivAerError as error:
            self.message.say(error.line)
            return
        for path in paths if len(paths) < 4 else paths[:1]:
            self.settings.opened(path.absolute())
        self._save_settings()
        self.message.clear()
        self._refresh_study()
        if self.desk.study is not before:
            self._apply_view(self.desk.study.view)
            keys = [k for k in self.desk.study.view.get("selected", []) if k in keys] or keys
            self.variants.select(keys[:1])
        elif keys:
            self.variants.select(keys[:1])
        self.variants.view.setFocus()

    def ask_files(self) -> None:
        from data.formats import MESH_SUFFIXES

        meshes = " ".join(f"*{suffix}" for suffix in MESH_SUFFIXES)
        kinds = f"Cars and studies ({meshes} *{SUFFIX});;All files (*)"
        files, _ = QFileDialog.getOpenFileNames(self, "Open car meshes or a study", self._last_folder(), kinds)
        if files:
            self.open_paths(files)

    def ask_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Open a folder of variants", self._last_folder())
        if folder:
            self.open_paths([folder])

    def new_study(self) -> None:
        if self._may_leave():
            self.desk.new()
            self.variants.view.clearSelection()
            self.show_variants([])
            self._refresh_study()

    def save(self) -> None:
        if self.desk.study.file is None:
            self.save_as()
        else:
            self._save_to(self.desk.study.file)

    def save_as(self) -> None:
        if file := self._ask_where_to_save():
            self._save_to(file)

    def _save_now(self) -> bool:
        """Save before the study goes, and only then let it go."""
        if self.desk.study.file is None:
            file = self._ask_where_to_save()
            if file is None:
                return False
        else:
            file = self.desk.study.file
        self._keep_view()
        try:
            self.desk.save(file)
        except DrivAerError as error:
            self.message.say(error.line)
            return False
        return True

    def _ask_where_to_save(self) -> Path | None:
        start = self.desk.study.file or Path(self._last_folder()) / f"study{SUFFIX}"
        file, _ = QFileDialog.getSaveFileName(self, "Save the study", str(start), f"Studies (*{SUFFIX})")
        return Path(file) if file else None

    def _save_to(self, file: Path) -> None:
        self._keep_view()
        self.settings.opened(file.absolute())

        def done(job: Job) -> None:
            if job.state == FAILED:
                self._relay.post(Event("note", text=job.error.line))
            else:
                self._relay.post(Event("note", text=f"Saved {file.name}"))

        self.desk.jobs.submit(f"saving {file.name}", lambda _: self.desk.save(file), lane="files", on_end=done)

    def recover(self, leftover: Leftover) -> None:
        """Bring back what a crashed session had open."""
        try:
            saved = leftover.read()
        except DrivAerError as error:
            self.message.say(error.line)
            return
        self.desk.restore(saved, saved.origin)
        self._autosave_now()  # ours now; the old copy goes once the new one is there
        self.desk.jobs.submit("tidying up", lambda _: leftover.discard(), lane="files")
        self._refresh_study()
        self._apply_view(saved.view)
        self.variants.select([v.key for v in saved.state.variants][:1])

    def _discard(self, leftover: Leftover) -> None:
        leftover.discard()
        from drivaer_app.autosave import leftovers

        self.start.show_leftovers(leftovers(leftover.file.parent))

    def ask_where_files_are(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Where are the missing files?", self._last_folder())
        if folder:
            self.find_missing(folder)

    def find_missing(self, folder: str) -> None:
        found = self.desk.find_moved(folder)
        self.message.say(f"found {len(found)} of the missing files" if found else "none of the missing files is there")

    def _may_leave(self) -> bool:
        """Whether the present study may go; asks where work would be lost."""
        if not self.remembers or not self.desk.study.is_worth_asking:
            return True
        from PySide6.QtWidgets import QMessageBox

        buttons = QMessageBox.StandardButton
        answer = QMessageBox.question(
            self,
            "drivaer",
            f"Save the changes to {self.desk.study.name}?",
            buttons.Save | buttons.Discard | buttons.Cancel,
        )
        if answer == buttons.Save:
            return self._save_now()
        return answer == buttons.Discard

    # What is shown

    def show_variants(self, keys: list[str]) -> None:
        """One variant, or two to four side by side; the first is the one that the panels speak of."""
        keys = keys[:_MOST_COMPARED]
        if keys == self.shown_keys:
            return
        self.shown_keys = keys
        self.answer.show_variant(keys[0] if keys else None)
        self.morph.show_variant(keys[0] if keys else None)
        self._show_cars()
        near = self.variants.neighbours(keys[0]) if len(keys) == 1 else []
        if self._needs_baseline() and self.desk.study.state.baseline not in near:
            near.append(self.desk.study.state.baseline)
        self.desk.focus(keys, near)
        self._refresh_plots()
        self.actions_.refresh()

    def compare_with_baseline(self) -> None:
        """The current variant beside the baseline; again, and it is alone."""
        baseline = self.desk.study.state.baseline
        if not self.shown_keys or not baseline:
            return
        if len(self.shown_keys) > 1:
            self.variants.select(self.shown_keys[:1])
        elif self.shown_keys[0] != baseline:
            self.variants.select([self.shown_keys[0], baseline])

    def set_overlay(self, name: str) -> None:
        overlay = overlay_of(name)
        self.view_bar.show_state(name, self.view_bar.edges.isChecked(), self._cut())
        if self.viewport:
            self.viewport.set_overlay(name, self._spans.get(name, overlay.span))
        if name == "difference":
            self.desk.focus(self.shown_keys, [self.desk.study.state.baseline] if self.desk.study.state.baseline else [])
        self._show_cars()
        self._show_scale()
        self.actions_.refresh()

    def set_edges(self, on: bool) -> None:
        if self.viewport:
            self.viewport.set_edges(on)

    def set_cut(self, y: float | None) -> None:
        if self.viewport:
            self.viewport.set_cut(y)
        self._refresh_plots()

    def look_from(self, view: str) -> None:
        if self.viewport:
            self.viewport.look_from(view)

    def _needs_baseline(self) -> bool:
        return self.view_bar.overlay.currentData() == "difference" and self.desk.study.state.baseline is not None

    def _show_cars(self) -> None:
        if self.viewport is None:
            return
        from drivaer_app.ui.viewport import Shown

        baseline = self.desk.study.state.baseline
        cars = []
        for key in self.shown_keys:
            variant = self.desk.study.state.variant(key)
            if variant is None:
                continue
            result = self.desk.result(key)
            cd = f"   Cd {result.cd:.3f}" if result else ""
            note = " (baseline)" if key == baseline else ""
            difference = None
            if self._needs_baseline() and key != baseline:
                difference = self.desk.pressure_difference(key, baseline)
                if difference is None:
                    self.desk.work_out_difference(key, baseline)
            cars.append(Shown(key, f"{variant.name}{note}{cd}", self._drawn(key), difference))
        if self._stays(cars):
            return
        self.viewport.show_cars(cars)
        self._show_lack()

    def _drawn(self, key: str) -> DrawnCar | None:
        """The variant's mesh; bent while it is on the handles of the panel that is in front."""
        bending = self.desk.morphing.now
        drawn = self.desk.drawn(key)
        if self.morph.key == key and self.morph.is_in_front and bending and bending.key == key:
            return drawn if bending.bent is None or bending.drawn is not drawn else bending.bent
        return drawn

    def keep_bent(self) -> None:
        """What is on the handles becomes a variant, and the one on screen."""
        if key := self.desk.keep_bent():
            self._refresh_study()
            self.variants.filter.clear()
            self.variants.select([key])

    def _stays(self, cars: list) -> bool:
        """While a single car's mesh is on its way, the one before stays on screen, under the new one's name."""
        single = len(cars) == 1 and cars[0].drawn is None
        alive = single and self.desk.standing(cars[0].key).status in ("waiting", "working")
        return alive and len(self.viewport.panes) == 1 and self.viewport.panes[0].drawn is not None

    def _show_lack(self) -> None:
        lacking = self.viewport.lacking
        if self._needs_baseline() and self.shown_keys == [self.desk.study.state.baseline]:
            lacking = "this is the baseline itself: choose another variant to see the difference"
        if self.view_bar.overlay.currentData() == "health" and self.viewport.panes[0].drawn is not None:
            lacking = _health_in_words(self.viewport.panes[0].drawn)
        self.statusBar().showMessage(lacking)

    def _show_scale(self) -> None:
        overlay = overlay_of(self.view_bar.overlay.currentData())
        if overlay.span is None or self.viewport is None:
            self.colour_bar.show_scale("", None, 0, 1)
            return
        from drivaer_app.ui.scene import colour_table, span_of

        span = self._spans.get(overlay.name, overlay.span)
        self.colour_bar.show_scale(overlay.symbol, colour_table(overlay), *span_of(overlay, span))

    def _span_edited(self, span: float) -> None:
        self._spans[self.view_bar.overlay.currentData()] = span
        if self.viewport:
            self.viewport.set_span(span)
        self._show_scale()

    def _fit_span(self) -> None:
        if self.viewport and (span := self.viewport.natural_span()) > 0:
            self._span_edited(float(f"{span:.2g}"))

    def _show_probe(self, probe) -> None:
        if probe is None:
            self.colour_bar.probe.setText("")
            return
        parts = ["  ".join(f"{axis} {plain(v, 2)}" for axis, v in zip("xyz", probe.place, strict=True)) + " m"]
        if not probe.exposed:
            parts.append("not in the flow's sight")
        elif probe.cp is not None:
            parts.append(f"Cp {plain(probe.cp, 3)}")
            parts.append(f"|Cf| {probe.cf:.4f}")
            if probe.delta is not None:
                parts.append(f"ΔCp {plain(probe.delta, 3)}")
        self.colour_bar.probe.setText("    ".join(parts))

    def _refresh_plots(self) -> None:
        if self.plots is None:
            return
        current = self.tabs.currentWidget()
        drag, along, section = self.plots
        if current is drag:
            drag.refresh(self.variants.shown(), self.shown_keys[0] if self.shown_keys else None)
        elif current is along:
            keys = list(self.shown_keys)
            baseline = self.desk.study.state.baseline
            along.refresh(keys if baseline in keys or not baseline else [*keys, baseline])
        elif current is section:
            section.refresh(self.shown_keys, self.view_bar.y)

    # Events of the desk

    def _on_event(self, event: Event) -> None:
        if event.kind == "job":
            self.jobs.something_changed()
            if not self._busy.isActive():
                self._busy.start()
        elif event.kind == "standing":
            self.variants.model.refresh_one(event.key)
            if event.key == self.answer.key:
                self.answer.refresh()
            if not self._studying.isActive():
                self._studying.start()
        elif event.kind == "bent":
            self.morph.refresh()
            if event.key in self.shown_keys:
                self._show_cars()
        elif event.kind in ("drawn", "difference"):
            if event.key == self.morph.key:
                self.morph.take_hold()
            if event.key in self.shown_keys or self._needs_baseline():
                self._show_cars()
                self._refresh_plots()
        elif event.kind == "study":
            self._refresh_study()
            if not self._autosave.isActive():
                self._autosave.start()
        elif event.kind == "watched":
            name = self.desk.study.state.variant(event.key)
            if name:
                self.message.say(f"{name.name} was saved again: reading it")
        elif event.kind == "appeared":
            self.desk.take_in(event.text)
            self.message.say(f"{Path(event.text).name} is new in the folder")
        elif event.kind == "note":
            self.message.say(event.text)

    def _refresh_study(self) -> None:
        state = self.desk.study.state
        shown = self.variants.shown()
        row = shown.index(self.shown_keys[0]) if self.shown_keys and self.shown_keys[0] in shown else 0
        self.variants.refresh()
        left = [key for key in self.shown_keys if state.variant(key)]
        if left != self.shown_keys:
            after = self.variants.shown()
            left = left or after[min(row, len(after) - 1) : row + 1]
            self.variants.select(left)
            self.show_variants(left)
        self._turn_page(bool(state.variants))
        self.start.show_recent(self.settings.recent)
        study = self.desk.study
        self.setWindowTitle(f"{study.name}[*] – drivaer" if state.variants else "drivaer")
        self.setWindowModified(study.is_changed and bool(state.variants))
        self._refresh_numbers()
        self.actions_.refresh()

    def _turn_page(self, working: bool) -> None:
        """Between the start page, which stands alone, and the panels around the viewport as they were left."""
        if working == self._is_working:
            return
        if not working:
            self._docks = self.saveState(_LAYOUT_VERSION)
        self._is_working = working
        self.pages.setCurrentIndex(1 if working else 0)
        for dock in self.docks:
            dock.setVisible(working)
        if working and self._docks is not None:
            self.restoreState(self._docks, _LAYOUT_VERSION)

    def _refresh_numbers(self) -> None:
        if self.variants.model.order == "cd":
            self.variants.sorted.invalidate()
        self.variants.model.refresh()
        self.answer.refresh()
        self.morph.refresh()
        if not self._plotting.isActive():
            self._plotting.start()

    def _show_busy(self) -> None:
        active = self.desk.jobs.active
        more = f" and {len(active) - 1} more" if len(active) > 1 else ""
        self.busy.setText(f"{active[0].title}{more}" if active else "")

    # Commands

    def _asked(self, command: str, keys: list[str]) -> None:
        keys = [key for key in keys if key]
        if command == "rename":
            self.variants.rename_current()
        elif command == "baseline":
            self.desk.edit(lambda study: study.set_baseline(keys[0]))
            self._show_cars()
        elif command == "compare":
            self.compare_with_baseline()
        elif command == "remove":
            self.desk.edit(lambda study: study.remove(keys))
        elif command == "retry":
            for key in keys:
                self.desk.retry(key)
        elif command == "reveal":
            file = self.desk.study.state.variant(keys[0]).file
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(file.parent)))

    def command(self, command: str) -> None:
        """One of the list's commands, for what is selected."""
        if self.shown_keys:
            self._asked(command, self.variants.selected())

    def undo(self) -> None:
        self.desk.edit(Study.undo)

    def redo(self) -> None:
        self.desk.edit(Study.redo)

    def picture(self) -> QImage:
        """The whole window as it looks; Qt's own grab leaves OpenGL out."""
        car = self.viewport.picture(scale=2) if self.viewport and self.viewport.isVisible() else None
        image = self.grab().toImage()
        if car is not None:
            ratio = image.devicePixelRatio()
            painter = QPainter(image)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            corner = self.viewport.mapTo(self, QPoint(0, 0))
            size = self.viewport.size()
            painter.drawImage(QRectF(corner.x(), corner.y(), size.width(), size.height()), car)
            painter.end()
            image.setDevicePixelRatio(ratio)
        return image

    def save_picture(self, file: str | Path, transparent: bool = False) -> None:
        """The viewport as a PNG at least as wide as a 4K screen; what goes wrong is said in the window."""
        scale = math.ceil(_WIDTH_4K / max(self.viewport.width() * self.viewport.devicePixelRatioF(), 1))
        try:
            with replacing(Path(file)) as unfinished:
                if not self.viewport.picture(scale, transparent).save(str(unfinished), "PNG"):
                    raise OSError("the picture could not be written")
            self.message.say(f"Saved {Path(file).name}")
        except DrivAerError as error:
            self.message.say(error.line)

    # Theme, layout, end

    def set_theme(self, theme: str) -> None:
        self.settings.theme = theme
        self.colours = apply_theme(QApplication.instance(), theme)
        for part in (self.variants, self.answer, self.morph, self.colour_bar, *(self.plots or ())):
            part.set_colours(self.colours)
        if self.viewport:
            self.viewport.set_colours(self.colours)
        self._refresh_plots()

    def _scheme_changed(self) -> None:
        if self.settings.theme == "system":
            self.set_theme("system")

    def _restore_layout(self) -> None:
        layout = self.settings.layout
        if "geometry" in layout:
            self.restoreGeometry(QByteArray.fromBase64(layout["geometry"].encode()))
        if "docks" in layout:
            self._docks = QByteArray.fromBase64(layout["docks"].encode())
        for dock in self.docks:
            dock.hide()

    def _save_settings(self) -> None:
        if self.remembers:
            self.settings.save(self._settings_file)

    def _keep_view(self) -> None:
        view = {
            "selected": list(self.shown_keys),
            "overlay": self.view_bar.overlay.currentData(),
            "spans": dict(self._spans),
            "edges": self.view_bar.edges.isChecked(),
            "cut": self._cut(),
        }
        if self.viewport:
            view["camera"] = self.viewport.camera
        self.desk.study.view = view

    def _apply_view(self, view: dict) -> None:
        """What a saved study had on screen. A view written by hand or by another version is taken as far as it goes."""
        try:
            self._spans = {str(k): float(v) for k, v in view.get("spans", {}).items()}
            overlay = overlay_of(view.get("overlay", self.view_bar.overlay.currentData())).name
            edges, cut = bool(view.get("edges", False)), view.get("cut")
            if self.viewport and "camera" in view:
                self.viewport.camera = view["camera"]
        except (AttributeError, KeyError, StopIteration, TypeError, ValueError):
            _log.warning("the study's view cannot be used; starting with the usual one")
            return
        self.view_bar.show_state(overlay, edges, cut)
        if self.viewport:
            self.viewport.set_edges(edges)
            self.viewport.set_cut(cut)
        self.set_overlay(overlay)

    def _cut(self) -> float | None:
        return self.view_bar.y if self.view_bar.cut.isChecked() else None

    def _last_folder(self) -> str:
        for recent in self.settings.recent:
            path = Path(recent)
            if path.exists():
                return str(path if path.is_dir() else path.parent)
        return str(Path.home())

    def _autosave_now(self) -> None:
        self._keep_view()
        self.desk.jobs.submit("autosaving", lambda _: self.desk.autosave_now(), lane="files", priority=9)

    def dragEnterEvent(self, event) -> None:
        if event.mimeData().hasUrls() and any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event) -> None:
        self.open_paths([url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()])
        event.acceptProposedAction()

    def closeEvent(self, event) -> None:
        if not self._may_leave():
            event.ignore()
            return
        docks = self.saveState(_LAYOUT_VERSION) if self._is_working or self._docks is None else self._docks
        self.settings.layout = {
            "geometry": bytes(self.saveGeometry().toBase64()).decode(),
            "docks": bytes(docks.toBase64()).decode(),
        }
        self._save_settings()
        self.log.detach()
        self._relay.arrived.disconnect(self._on_event)
        self.desk.close()
        if self.viewport:
            self.viewport.close_viewport()
        super().closeEvent(event)


def _health_in_words(drawn: DrawnCar) -> str:
    """What the mesh-health overlay shows of a car."""
    n = len(drawn.open_edges)
    holes = f"{n:,} open edges, in red" if n else "no open edges: the surface is closed"
    hidden = float((~drawn.exposed).mean())
    return f"{holes}; {hidden:.0%} of the points lie out of the flow's sight, in violet" if hidden else holes


class _Message(QFrame):
    """A line in place where a box would be in the way."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "message")
        self.text = label("", wrap=True, selectable=True)
        self.text.setAccessibleName("Message")
        away = QToolButton(text="✕")
        away.setAccessibleName("Close the message")
        away.clicked.connect(self.clear)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(14, 5, 8, 5)
        layout.addWidget(self.text, 1)
        layout.addWidget(away)
        self.hide()

    def say(self, text: str) -> None:
        self.text.setText(text)
        self.show()

    def clear(self) -> None:
        self.text.setText("")
        self.hide()
