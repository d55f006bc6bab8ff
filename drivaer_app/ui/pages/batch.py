"""The page of a batch: which cars, where their results go, how it goes, and the results as a study."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QWidget

from drivaer_app.desk.events import Event
from drivaer_app.desk.jobs import CANCELLED, FAILED, Job
from drivaer_app.files import absolute
from drivaer_app.ui.pages.batch_form import BatchForm
from drivaer_app.ui.theme import Colours

if TYPE_CHECKING:
    from drivaer_app.desk.batch_job import BatchWork, Results
    from drivaer_app.ui.pages.page import PageWindow

RESULTS = "drivaer results"
"""The folder that is proposed, beside the cars; a batch passes its own results over."""
_MOST_SHOWN = 200  # failures


class BatchPage(QWidget):
    """One batch at a time. Its store is whole whatever ends the program: the same batch goes on from there."""

    _ended = Signal(object)
    _opened = Signal(object)

    def __init__(self, window: PageWindow):
        super().__init__()
        self._window, self.desk, self.files = window, window.desk, window.files
        self.job: Job | None = None
        self.work: BatchWork | None = None
        self._opening: Job | None = None
        self._parameters: dict[Path, Mapping] = {}
        self.form = BatchForm()
        outer = QHBoxLayout(self)
        outer.setContentsMargins(24, 18, 24, 18)
        outer.addStretch(1)
        outer.addWidget(self.form, 6)
        outer.addStretch(1)
        self._connect()
        self.refresh()

    def _connect(self) -> None:
        self._ended.connect(self._take)
        self._opened.connect(self._take_results)
        self.form.changed.connect(self.refresh)
        self.form.folder.clicked.connect(self.ask_folder)
        self.form.some.clicked.connect(self._ask_files)
        self.form.start.clicked.connect(self.start)
        self.form.stop.clicked.connect(lambda: self.job and self.job.cancel())
        self.form.study.clicked.connect(self.open_study)
        self.form.show_folder.clicked.connect(self._show_folder)

    # What the window asks of a page

    @property
    def is_settled(self) -> bool:
        return self.job is None and self._opening is None

    def set_colours(self, colours: Colours) -> None:
        """All of its colours are the style sheet's."""

    def on_event(self, event: Event) -> None:
        if event.kind == "study":
            self.refresh()
        elif event.kind == "job" and event.job is self.job and self.job is not None and not self.job.is_over:
            self.form.show_progress(self.job.fraction, self.job.doing or "waiting for its turn")
            self.form.show_failures(self.work.tally.failures[:_MOST_SHOWN])

    def close_page(self) -> None:
        """The batch ends with the desk's jobs, between two cars."""

    # Choosing

    def ask_folder(self) -> None:
        if self.job is not None:
            return
        start = str(self.form.given[0]) if self.form.given else str(Path.home())
        if folder := QFileDialog.getExistingDirectory(self, "Predict all cars below a folder", start):
            self.choose([Path(folder)])

    def choose(
        self, cars: Sequence[Path], beside: Path | None = None, parameters: Mapping[Path, Mapping] | None = None
    ) -> None:
        """A folder, or some meshes. beside: where the results' folder is proposed. parameters: of the cars, by file."""
        if self.job is not None:
            self._window.message.say("A batch is running: it goes first")
            return
        beside = beside or (cars[0] if cars[0].is_dir() else cars[0].parent)
        self.form.choose(cars)
        self.form.results.text.setText(str(beside / RESULTS))
        self._parameters = {absolute(file): values for file, values in (parameters or {}).items()}
        self.refresh()

    def _ask_files(self) -> None:
        from data.formats import MESH_SUFFIXES

        kinds = f"Car meshes ({' '.join(f'*{suffix}' for suffix in MESH_SUFFIXES)});;All files (*)"
        files, _ = QFileDialog.getOpenFileNames(self, "Predict some cars", str(Path.home()), kinds)
        if files:
            self.choose([Path(file) for file in files])

    def refresh(self) -> None:
        from drivaer_app.desk.batch_job import has_results

        state, results = self.desk.study.state, self.form.results.file
        c = state.conditions
        area = "" if c.area is None else f", on {c.area:g} m²"
        model = f", by {state.model}" if state.model else ""
        self.form.under.setText(
            f"At {c.speed * 3.6:.0f} km/h, in air of {c.density:g} kg/m³{area}{model}: as on the desk."
        )
        busy = self.job is not None
        self.form.set_busy(busy, can_start=bool(self.form.given) and results is not None)
        there = results is not None and has_results(results)
        self.form.study.setEnabled(there and self._opening is None and not busy)
        self.form.show_folder.setEnabled(there)

    # Working

    def start(self) -> None:
        from drivaer_app.batch.work import FIELDS, PICTURE, VIEW
        from drivaer_app.desk.batch_job import LANE, BatchWork, Order

        if self.job is not None:
            return
        form, state = self.form, self.desk.study.state
        wants = ((FIELDS,) if form.fields.isChecked() else ()) + ((PICTURE, VIEW) if form.pictures.isChecked() else ())
        given, output = tuple(form.given), form.results.file
        order = Order(given, output, wants, state.conditions, form.reading.chosen, state.model, form.baseline.file)
        self.work = BatchWork(replace(order, parameters=self._parameters))

        def on_end(job: Job) -> None:
            with contextlib.suppress(RuntimeError):  # the window is gone, the job was not
                self._ended.emit(job)

        self.job = self.desk.jobs.submit(f"batch into {output.name}", self.work, lane=LANE, on_end=on_end)
        form.show_failures([])
        form.show_progress(0.0, "waiting for its turn")
        self.refresh()

    def _take(self, job: Job) -> None:
        self.job = None
        tally = self.work.tally
        self.form.show_failures(tally.failures[:_MOST_SHOWN])
        self.refresh()
        if job.state == FAILED:
            self.form.say(job.error.line, "bad")
        elif job.state == CANCELLED:
            kept = f"Cancelled after {tally.n_done} of {tally.n_files} cars, which are kept"
            self.form.say(f"{kept}: start it again, and it goes on from there" if tally.n_files else "Cancelled")
        else:
            parts = [f"{tally.n_predicted} predicted"]
            parts += [f"{tally.n_unchanged} known and unchanged"] if tally.n_unchanged else []
            parts += [f"{len(tally.failures)} failed, see below"] if tally.failures else []
            self.form.say(f"Done: {', '.join(parts)}", "warn" if tally.failures else "good")

    def open_study(self) -> None:
        """The results as a new study on the desk."""
        from drivaer_app.desk.batch_job import open_results

        folder = self.form.results.file

        def on_end(job: Job) -> None:
            with contextlib.suppress(RuntimeError):
                self._opened.emit(job)

        self._opening = self.desk.jobs.submit(
            "reading results", lambda _: open_results(folder), lane="files", on_end=on_end
        )
        self.refresh()

    def _take_results(self, job: Job) -> None:
        self._opening = None
        self.refresh()
        if job.state == FAILED:
            self.form.say(job.error.line, "bad")
        elif job.state != CANCELLED and self.files.may_leave():
            found: Results = job.result
            self.desk.restore(found.saved, None)
            self.files.opened.emit([variant.key for variant in found.saved.state.variants])
            if found.n_left_out:
                n = len(found.saved.state.variants)
                self._window.message.say(f"The {n} cars of the lowest Cd; {found.n_left_out} more are in the results")

    def _show_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.form.results.file)))
