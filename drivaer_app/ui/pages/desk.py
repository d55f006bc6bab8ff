"""The designer's page: the start page, and behind it the panels around the viewport."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices, QGuiApplication, QImage
from PySide6.QtWidgets import QStackedWidget

from data.errors import DrivAerError
from data.parts import CarPart
from drivaer_app.desk.comparison_table import table_of
from drivaer_app.desk.events import Event
from drivaer_app.desk.layers import CFD, PARTS, SENSITIVITY, TRUTH
from drivaer_app.desk.study import Study
from drivaer_app.report.brand import read_brand
from drivaer_app.ui.arrow_keys import ArrowKeys
from drivaer_app.ui.late_imports import LateImports
from drivaer_app.ui.meeting_picture import meeting_picture
from drivaer_app.ui.overlays import SIDES
from drivaer_app.ui.pages.docks import Docks
from drivaer_app.ui.panels.answer import AnswerPanel
from drivaer_app.ui.panels.bottom import BottomPanel
from drivaer_app.ui.panels.cfd_run import VerifyPanel
from drivaer_app.ui.panels.morph import MorphPanel
from drivaer_app.ui.panels.report import ReportPanel
from drivaer_app.ui.panels.variants import VariantsPanel
from drivaer_app.ui.shown_cars import ShownCars, side_by_side
from drivaer_app.ui.stage import Stage, write_png
from drivaer_app.ui.start_page import StartPage
from drivaer_app.ui.theme import Colours
from drivaer_app.ui.widgets import single_shot
from drivaer_app.ui.words import cd_of, counts, interval

if TYPE_CHECKING:
    from drivaer_app.ui.pages.page import PageWindow

_HOW_TO_READ = "blue: pushing the surface out lowers drag; red: pushing it in does"
_UNKNOWN = f"{_HOW_TO_READ}. This car lies outside of what the model learnt from: take it as a hint"
_OF_CFD = (CFD, TRUTH, SIDES)
"""Overlays that show a CFD."""
_PLOTS_AFTER_MS, _NUMBERS_AFTER_MS, _CFD_AFTER_MS = 250, 60, 200


class DeskPage(QStackedWidget):
    """One variant, or two to four side by side; the first of ``shown_keys`` is the one that the panels speak of."""

    notice = Signal(str)
    """A line for the window's message."""
    remarked = Signal(str)
    """A line for the status bar, or nothing."""
    changed = Signal()
    """What is on screen, or what can be done with it, is another."""
    looked = Signal()
    """From somewhere else than before."""
    card_asked = Signal()

    def __init__(self, window: PageWindow):
        super().__init__()
        self.desk = window.desk
        self.files = window.files
        self.shown_keys: list[str] = []
        self._viewed: Study | None = None
        """The study whose view was brought on screen."""
        self.start = StartPage()
        self.stage = Stage(window.opengl)
        self.variants = VariantsPanel(self.desk)
        self.answer = AnswerPanel(self.desk, window.settings)
        self.morph = MorphPanel(self.desk, window.settings)
        self.verify = VerifyPanel(self.desk)
        self.bottom = BottomPanel(self.desk)
        self.report = ReportPanel(self.desk, window.settings, self.variants.selected)
        behind = {"Prediction": self.answer, "Morph": self.morph, "Verify": self.verify, "Report": self.report}
        self.docks = Docks(self.stage, self.variants, behind, self.bottom)
        self.cars = ShownCars(self.desk, self.stage, self.morph)
        self.addWidget(self.start)
        self.addWidget(self.docks)
        self._plotting = single_shot(self, _PLOTS_AFTER_MS, self._refresh_plots)
        self._studying = single_shot(self, _NUMBERS_AFTER_MS, self._refresh_numbers)
        self._verifying = single_shot(self, _CFD_AFTER_MS, self._refresh_verification)
        self.arrow_keys = ArrowKeys(self, self.variants.view)
        self._connect()
        self._late = LateImports(with_viewport=not window.opengl.lacking)
        self._late.ready.connect(self._late_parts)

    def _connect(self) -> None:
        files = self.files
        files.opened.connect(self._opened)
        files.emptied.connect(self._emptied)
        files.leaving.connect(self._keep_view)
        self.start.open_files.connect(files.ask_files)
        self.start.open_folder.connect(files.ask_folder)
        self.start.open_path.connect(lambda path: files.open([path]))
        self.start.recover.connect(files.recover)
        self.start.discard.connect(lambda one: self.start.show_leftovers(files.discard(one)))
        self.variants.chosen.connect(self.show_variants)
        self.variants.chosen.connect(lambda _: self.report.refresh())
        self.variants.rearranged.connect(self._refresh_plots)
        self.variants.refused.connect(self.notice)
        self.variants.asked.connect(self._asked)
        self.answer.refused.connect(self.notice)
        self.answer.reading.part_hovered.connect(self._outline_part)
        self.answer.card_asked.connect(self.card_asked)
        self.answer.retry_asked.connect(lambda: self._asked("retry", [self.answer.key]))
        self.answer.find_asked.connect(files.ask_where_files_are)
        self.docks.right["Morph"].visibilityChanged.connect(self.morph.set_in_front)
        self.morph.shown.connect(self._show_cars)
        self.morph.keep_asked.connect(self.keep_bent)
        self.morph.moves_asked.connect(self.stage.show_moves)
        self.docks.right["Verify"].visibilityChanged.connect(self.verify.set_in_front)
        self.verify.refused.connect(self.notice)
        self.verify.started.connect(self.bottom.show_cfd)
        self.verify.error_asked.connect(lambda: self.stage.set_overlay("cfd"))
        self.report.remembered.connect(files.remembered)
        self.answer.energy.remembered.connect(files.remembered)
        self.morph.remembered.connect(files.remembered)
        self.stage.overlay_changed.connect(self._overlay_changed)
        self.stage.lines_toggled.connect(lambda _: self._show_cars())
        self.stage.cut_changed.connect(self._refresh_plots)
        self.stage.notice.connect(self.remarked)
        self.stage.looked.connect(self.looked)
        self.bottom.turned.connect(self._plot_turned)
        self.bottom.part_asked.connect(self.stage.highlight)
        self.bottom.chosen.connect(lambda key: self.variants.select([key]))
        self.bottom.table.asked.connect(self.variants.select)

    # What the window asks of a page

    @property
    def is_settled(self) -> bool:
        waiting = any(timer.isActive() for timer in (self._studying, self._plotting, self._verifying))
        return bool(self.bottom.plots) and not waiting

    def set_colours(self, colours: Colours) -> None:
        for part in (self.variants, self.answer, self.morph, self.verify, self.report, self.stage, self.bottom):
            part.set_colours(colours)
        self._refresh_plots()

    def on_event(self, event: Event) -> None:
        if event.kind == "job":
            self.bottom.jobs.something_changed()
            self.report.something_changed(event.job)
        elif event.kind == "prediction":
            self.desk.settle_baseline()
            if event.key in self.shown_keys and self.desk.prediction(event.key).error:
                self._show_cars()
            self.variants.model.refresh_one(event.key)
            if event.key == self.answer.key:
                self.answer.refresh()
            if not self._studying.isActive():
                self._studying.start()
        elif event.kind == "bent":
            self.morph.refresh()
            if event.key in self.shown_keys:
                self._show_cars()
        elif event.kind == "layer":
            if event.key in self.shown_keys:
                self._show_cars()
            if event.text == PARTS:
                self._refresh_plots()
            if event.key == self.answer.key and event.text in _OF_CFD:
                self.answer.refresh()
        elif event.kind == "drawn":
            if event.key == self.morph.key:
                self.morph.take_hold()
            if event.key == self.answer.key and self.desk.study.state.variant(event.key).origin:
                self.desk.layers.want(TRUTH, event.key)
            if event.key in self.shown_keys or self._needs_baseline():
                self._show_cars()
                self._refresh_plots()
        elif event.kind == "verified":
            if not self._verifying.isActive():
                self._verifying.start()
        elif event.kind == "study":
            self.refresh_study()

    def close_page(self) -> None:
        self.bottom.log.detach()
        self.stage.close_viewport()

    # Parts that take long to load

    def load_late(self) -> None:
        """Have VTK and pyqtgraph loaded now that the window is on screen."""
        self._late.start()

    def _late_parts(self) -> None:
        self.bottom.make_plots()
        self.stage.make_viewport()
        self.answer.models.read_summaries()
        self._show_pins()
        self._show_cars()
        if self.stage.viewport:
            self.stage.set_camera(self.desk.study.view)
        self._refresh_plots()

    # What is open

    def _opened(self, keys: list[str]) -> None:
        study = self.desk.study
        self.refresh_study()
        if study is not self._viewed:
            kept = study.view.get("selected")
            selected = [key for key in kept if key in keys] if isinstance(kept, list) else []
            self.variants.select(selected or [v.key for v in study.state.variants][:1])
            self.stage.set_view(study.view)  # at last: more or fewer cars side by side move the camera
            self._viewed = study
        elif keys:
            self.variants.select(keys[:1])
        self.variants.view.setFocus()

    def _emptied(self) -> None:
        self.variants.view.clearSelection()
        self.show_variants([])
        self.refresh_study()

    def refresh_study(self) -> None:
        """After an edit, or for another study."""
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
        self.setCurrentWidget(self.docks if state.variants else self.start)
        self.start.show_recent(self.files.settings.recent)
        self._refresh_panels()
        self._show_pins()
        self.changed.emit()

    def _show_pins(self) -> None:
        if self.stage.viewport:
            self.stage.viewport.set_pins([pin.place for pin in self.desk.study.state.pins])

    def _refresh_numbers(self) -> None:
        self.variants.refresh_numbers()
        self._refresh_panels()

    def _refresh_panels(self) -> None:
        self.answer.refresh()
        self.morph.refresh()
        self.verify.refresh()
        self.report.refresh()
        if not self._plotting.isActive():
            self._plotting.start()

    def _refresh_plots(self) -> None:
        self.bottom.refresh(self.variants.shown(), self.shown_keys, self.stage.view_bar.y)

    def _plot_turned(self) -> None:
        if self._needs_baseline():
            self.desk.focus(self.shown_keys, [self.desk.study.state.baseline])
        self._refresh_plots()

    def _refresh_verification(self) -> None:
        self.verify.refresh()
        self.answer.refresh()
        self._refresh_plots()
        if self.stage.overlay.name in _OF_CFD:
            self._show_cars()

    def _keep_view(self) -> None:
        if self._viewed is self.desk.study:  # else what is on screen is of another one
            self.desk.study.view = {**self.desk.study.view, "selected": list(self.shown_keys), **self.stage.view}

    # What is on screen

    def show_variants(self, keys: list[str]) -> None:
        chosen, shown = len(keys), side_by_side(keys, self.desk.study.state)
        if keys and not shown:
            return  # the list is about to hear that these are gone
        keys = [key for key in keys if key in shown]
        if keys != self.shown_keys:
            self._bring_on_screen(keys)
        if chosen > len(keys):
            self.remarked.emit(f"{len(keys)} of the {chosen} selected are on screen: no more fit side by side")

    def _bring_on_screen(self, keys: list[str]) -> None:
        self.shown_keys = keys
        self.answer.show_variant(keys[0] if keys else None)
        self.morph.show_variant(keys[0] if keys else None)
        self.verify.show_variant(keys[0] if keys else None)
        self._show_cars()
        near = self.variants.neighbours(keys[0]) if len(keys) == 1 else []
        if self._needs_baseline() and self.desk.study.state.baseline not in near:
            near.append(self.desk.study.state.baseline)
        self.desk.focus(keys, near)
        self._refresh_plots()
        self.changed.emit()

    def _outline_part(self, part: CarPart | None) -> None:
        if self.stage.viewport is not None:
            self.stage.viewport.set_outline(None if part is None else (part.low, part.high))

    def compare_with_baseline(self) -> None:
        """The current variant beside the baseline; again, and it is alone."""
        baseline = self.desk.study.state.baseline
        if not self.shown_keys or not baseline:
            return
        if len(self.shown_keys) > 1:
            self.variants.select(self.shown_keys[:1])
        elif self.shown_keys[0] != baseline:
            self.variants.select([self.shown_keys[0], baseline])

    def _overlay_changed(self, name: str) -> None:
        if self._needs_baseline():
            self.desk.focus(self.shown_keys, [self.desk.study.state.baseline])
        self._show_cars()
        self.changed.emit()

    def _needs_baseline(self) -> bool:
        compares = self.stage.overlay.name == "difference" or self.bottom.shows_parts
        return compares and self.desk.study.state.baseline is not None

    def _show_cars(self) -> None:
        if self.stage.viewport is None:
            return
        cars = self.cars.of(self.shown_keys)
        if self.cars.stay(cars):
            return
        alone = self.shown_keys[0] if len(self.shown_keys) == 1 else None
        self.stage.say(self.desk.prediction(alone).error if alone else "")
        self.stage.show_cars(cars)
        name = self.stage.overlay.name
        if not cars:
            return
        if name == SENSITIVITY and SENSITIVITY in cars[0].layers:
            result = self.desk.result(cars[0].key)
            self.remarked.emit(_UNKNOWN if result and result.is_outside else _HOW_TO_READ)
        elif name in _OF_CFD and (remark := self.cars.remark(cars[0].key)):
            self.remarked.emit(remark)

    # Commands

    @property
    def cameras(self) -> dict[str, dict]:
        """Views that were kept in the study, by name."""
        kept = self.desk.study.view.get("views")
        return kept if isinstance(kept, dict) else {}

    def keep_camera(self, name: str) -> None:
        """From where one looks now, and at which colours, under a name."""
        now = {name: value for name, value in self.stage.view.items() if name in ("camera", "overlay", "spans", "cut")}
        self.desk.study.view = {**self.desk.study.view, "views": {**self.cameras, name: now}}
        self.desk.study.findings += 1  # to be saved, but no edit
        self.changed.emit()
        self.remarked.emit(f"Kept the view {name}")

    def look_as(self, name: str) -> None:
        """Back to a view that was kept."""
        self.stage.set_view({**self.stage.view, **self.cameras[name]})

    def pin(self) -> None:
        """The marked point becomes a numbered one of the study."""
        viewport = self.stage.viewport
        if viewport is None or viewport.marked is None:
            self.remarked.emit("click on the car first: the marked point is pinned")
            return
        place = viewport.marked
        viewport.mark(None)
        self.desk.edit(lambda study: study.pin(place))
        self.bottom.setCurrentWidget(self.bottom.points)

    def meeting_picture(self) -> QImage:
        """The viewport with title, numbers, scale and the report's brand. Raises DrivAerError for a bad brand."""
        state, lines = self.desk.study.state, []
        for key in side_by_side(self.shown_keys, state):
            result, difference = self.desk.result(key), self.desk.difference(key)
            parts = [state.variant(key).name]
            if result is not None:
                parts += [f"Cd {cd_of(result)}", interval(result)]
            if difference is not None:
                parts.append(f"ΔCd {counts(difference, with_uncertainty=True)} to {state.variant(state.baseline).name}")
            lines.append("    ".join(parts))
        study = self.desk.study
        title = study.name if study.file else self.stage.overlay.title
        brand = read_brand(self.files.settings.brand or None)
        return meeting_picture(self.stage.picture_4k(), title, lines, self.stage.scale, brand)

    def copy_picture(self) -> None:
        try:
            QGuiApplication.clipboard().setImage(self.meeting_picture())
        except DrivAerError as error:
            self.notice.emit(error.line)
            return
        self.remarked.emit("Copied the picture with its title and numbers")

    def save_meeting_picture(self, file: str) -> None:
        try:
            write_png(file, self.meeting_picture())
            self.remarked.emit(f"Saved {file}")
        except DrivAerError as error:
            self.notice.emit(error.line)

    def copy_cd(self) -> None:
        """The current variant's number, as the panel says it."""
        if self.shown_keys and (result := self.desk.result(self.shown_keys[0])):
            self._copied(cd_of(result), f"Copied Cd {cd_of(result)}")

    def copy_rows(self) -> None:
        """The selected variants as rows under titles."""
        self._copy_rows(self.bottom.table.selected() or self.variants.selected())

    def copy_table(self) -> None:
        self._copy_rows(self.bottom.table.listed())

    def _copy_rows(self, keys: list[str]) -> None:
        n = f"{len(keys)} variants" if len(keys) > 1 else "one variant"
        self._copied(table_of(self.desk).as_text(keys), f"Copied {n} as rows for a spreadsheet")

    def _copied(self, text: str, said: str) -> None:
        QGuiApplication.clipboard().setText(text)
        self.remarked.emit(said)

    def keep_bent(self) -> None:
        """What is on the handles becomes a variant, and the one on screen."""
        if key := self.desk.keep_bent():
            self.refresh_study()
            self.variants.filter.clear()
            self.variants.select([key])

    def command(self, command: str) -> None:
        """One of the list's commands, for what is selected."""
        if self.shown_keys:
            self._asked(command, self.variants.selected())

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
