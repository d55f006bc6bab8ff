"""The page of a dataset: the ways to one, its table and plot, a download."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog, QStackedWidget, QVBoxLayout, QWidget

from data.catalogue.listing import Overview, listing, overview
from data.catalogue.where_words import WhereError
from data.control import Control
from data.download.session import Download
from data.errors import DrivAerError
from drivaer_app.batch.from_catalogue import find_designs
from drivaer_app.catalogues import BUILT_IN, last_catalogue
from drivaer_app.desk import dataset_jobs
from drivaer_app.desk.events import Event
from drivaer_app.desk.jobs import CANCELLED, FAILED, Job
from drivaer_app.paths import built_in_folder
from drivaer_app.ui.overlays import SIDES
from drivaer_app.ui.pages.data_browser import DataBrowser
from drivaer_app.ui.pages.data_download import DownloadForm
from drivaer_app.ui.pages.data_pictures import DesignPictures
from drivaer_app.ui.pages.data_start import DataStart
from drivaer_app.ui.pages.data_upkeep import Upkeep
from drivaer_app.ui.pages.data_work import LONG, READING, Work
from drivaer_app.ui.pages.page import BATCH, DESK
from drivaer_app.ui.panels.jobs import JobsPanel
from drivaer_app.ui.theme import Colours
from drivaer_app.ui.widgets import set_role, single_shot

if TYPE_CHECKING:
    from data.catalogue.listing import Listing
    from data.download.get import DownloadResult
    from data.download.plan import DownloadPlan
    from drivaer_app.ui.pages.page import PageWindow

_ASK_AFTER_MS = 150
_MOST_NAMED = 12


class DataPage(QWidget):
    """Nothing here waits for a disk or a server: all of that is jobs of the desk's."""

    def __init__(self, window: PageWindow):
        super().__init__()
        self._window, self.desk, self.files = window, window.desk, window.files
        self.there: Overview | None = None
        self._work = Work(self.desk.jobs)
        self._listing: Job | None = None
        self.start, self.browser, self.form = DataStart(), DataBrowser(), DownloadForm()
        self.pictures = DesignPictures(self.desk, self.browser.table)
        self.upkeep = Upkeep(self.browser, self._work)
        self.stack = QStackedWidget()
        for part in (self.start, self.browser, self.form):
            self.stack.addWidget(part)
        self.jobs = JobsPanel(self.desk.jobs)
        self.jobs.setAccessibleName("Jobs")
        self.jobs.setFixedHeight(74)
        self.jobs.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.stack, 1)
        layout.addWidget(self.jobs)
        self._asking = single_shot(self, _ASK_AFTER_MS, self._ask)
        self._connect()
        self._open_last()

    def _connect(self) -> None:
        self.start.folder.connect(self.ask_folder)
        self.start.built_in.connect(lambda: self.open_corpus(Path(BUILT_IN)))
        self.start.download.connect(lambda: self.stack.setCurrentWidget(self.form))
        self.start.back.connect(lambda: self.stack.setCurrentWidget(self.browser))
        self.browser.other_asked.connect(self._show_start)
        self.browser.asked.connect(self._asking.start)
        self.browser.verify_asked.connect(lambda: self.upkeep.verify(self.there.path, _name_of(self.there)))
        self.browser.repair_asked.connect(lambda: self.upkeep.repair(self.there.path, _name_of(self.there)))
        self.upkeep.ended.connect(self._asking.start)
        self.browser.study_asked.connect(self.open_study)
        self.browser.batch_asked.connect(self.make_batch)
        self.form.back.connect(self._show_start)
        self.form.plan_asked.connect(self.plan)
        self.form.fetch_asked.connect(self.fetch)

    # What the window asks of a page

    @property
    def is_settled(self) -> bool:
        return self._work.is_done and not self._asking.isActive()

    def set_colours(self, colours: Colours) -> None:
        self.browser.set_colours(colours)

    def on_event(self, event: Event) -> None:
        if event.kind == "job":
            self.jobs.setVisible(any(job.lane == LONG for job in self.desk.jobs.active))
            self.jobs.something_changed()

    def close_page(self) -> None:
        self._asking.stop()
        self.pictures.stop()

    # Opening a dataset

    def ask_folder(self) -> None:
        start = str(self.there.root) if self.there else str(Path.home())
        if folder := QFileDialog.getExistingDirectory(self, "Look through a folder", start):
            self.open_corpus(Path(folder))

    def open_corpus(self, folder: Path) -> None:
        """Look through a folder, or ``built-in``, and show what is in it."""
        self._say_at_start(f"Looking through {_in_words(folder)}…")

        def done(job: Job) -> None:
            if job.state == FAILED:
                self._show_start()
                self._say_at_start(job.error.line, bad=True)
            elif job.state == CANCELLED:
                self._say_at_start("Cancelled: nothing has changed")
            else:
                self._show(job.result)

        self._work.do(f"looking through {_in_words(folder)}", lambda job: dataset_jobs.open_corpus(folder, job), done)

    def _open_last(self) -> None:
        """Where one was when the program was closed; it is read, not looked through again."""
        last = last_catalogue()
        if last is not None:
            self._say_at_start("Reading the dataset of the last time…")

            def done(job: Job) -> None:
                if job.state == FAILED:
                    self._say_at_start(job.error.line, bad=True)
                elif self.there is None and self.stack.currentWidget() is self.start and job.state != CANCELLED:
                    self._show(job.result)

            self._work.do("reading the last dataset", lambda _: overview(last), done, lane=READING)

    def _show(self, there: Overview) -> None:
        self.there = there
        self._say_at_start("")
        self.start.to_table.show()
        self.browser.say("")
        self.browser.show_overview(there, _name_of(there), is_ours=_is_built_in(there))
        self.pictures.show_catalogue(there.path)
        self.stack.setCurrentWidget(self.browser)
        self._ask()

    def _show_start(self) -> None:
        self.stack.setCurrentWidget(self.start)

    def _say_at_start(self, text: str, *, bad: bool = False) -> None:
        set_role(self.start.note, "bad" if bad else "dim")
        self.start.note.setText(text)

    # Rows

    def _ask(self) -> None:
        """Read what the filters leave; a question that is still waited for is dropped."""
        self._asking.stop()
        if self.there is None:
            return
        if self._listing is not None:
            self._listing.cancel()
        path, question = self.there.path, self.browser.question

        def read(job: Job) -> Listing:
            job.report(0.1)
            return listing(path, question)

        self._listing = self._work.do("reading designs", read, self._show_rows, lane=READING)

    def _show_rows(self, job: Job) -> None:
        if job is not self._listing or job.state == CANCELLED:
            return
        if job.state == FAILED:
            is_where = isinstance(job.error, WhereError)
            self.browser.filters.show_error(job.error if is_where else None)
            self.browser.say("" if is_where else job.error.line, bad=True)
            return
        self.browser.show_listing(job.result)

    def open_study(self, designs: list[str]) -> None:
        """The designs as a new study on the desk, each beside its CFD where one is known."""
        path = self.there.path
        self.browser.say(f"Fetching the meshes of {len(designs)} designs…")

        def done(job: Job) -> None:
            if job.state == FAILED:
                self.browser.say(job.error.line, bad=True)
                return
            self.browser.say("")
            if job.state == CANCELLED or not self.files.may_leave():
                return
            self.files.open_designs(job.result.designs)
            if job.result.with_pressure:
                self._window.page(DESK).stage.set_overlay(SIDES)
            if refused := job.result.refused:
                self.browser.say(f"{len(refused)} not opened: {'; '.join(refused[:3])}", bad=True)
                self._window.message.say(f"{len(refused)} designs have no mesh on disk: {'; '.join(refused[:3])}")

        self._work.do("opening designs", lambda job: dataset_jobs.designs_of(path, designs, job), done)

    def make_batch(self, designs: list[str]) -> None:
        """The designs' meshes as the cars of the batch page; those that are not unpacked on disk are told."""
        there = self.there

        def done(job: Job) -> None:
            if job.state == FAILED:
                self.browser.say(job.error.line, bad=True)
            elif job.state != CANCELLED:
                n = len(job.result.packed) + len(job.result.absent)
                self.browser.say(f"{n} of {len(designs)} have no mesh unpacked on disk" if n else "", bad=True)
                self._window.page(BATCH).choose(job.result.files, there.root, job.result.parameters)
                self._window.turn_to(BATCH)

        self._work.do("finding meshes", lambda _: find_designs(there.path, named=designs), done, lane=READING)

    # Fetching

    def plan(self) -> None:
        """Ask the server for the plan of what the form says."""
        self.form.show_plan(None)
        request, control = self.form.request, Control()
        if not self.form.folder.text().strip():
            self.form.say("Choose the folder that it goes into", bad=True)
            self.form.folder.setFocus()
            return
        try:
            download = Download(request, token=os.environ.get("DATAVERSE_API_TOKEN"), control=control)
        except DrivAerError as error:
            self.form.say(error.line, bad=True)
            return
        self.form.say(f"Asking {download.transport.server}…")
        self.form.set_busy(True)

        def done(job: Job) -> None:
            self.form.set_busy(False)
            if job.state == FAILED:
                self.form.say(job.error.line, bad=True)
            elif job.state == CANCELLED:
                self.form.say("Cancelled")
            elif self.form.request != request:
                self.form.say("Something else is wanted: ask for its plan")
            else:
                self._planned(job.result)

        work = lambda job: dataset_jobs.plan_download(download, job)  # noqa: E731
        self._work.do(f"planning {request.dataset}", work, done, control=control)

    def _planned(self, plan: DownloadPlan) -> None:
        self.form.show_plan(plan)
        nothing = "Nothing is left to fetch" if plan.items else "Nothing of it is there to fetch"
        self.form.say("" if plan.to_fetch else nothing)

    def fetch(self) -> None:
        """Carry out the plan that is shown and accepted."""
        plan, request, control = self.form.plan, self.form.request, Control()
        download = Download(request, token=os.environ.get("DATAVERSE_API_TOKEN"), control=control)
        self.form.set_busy(True)
        self.form.say(f"Fetching into {plan.folder}: see the job below, which can be paused")

        def done(job: Job) -> None:
            self.form.set_busy(False)
            self.form.show_plan(None)
            if job.state == FAILED:
                self.form.say(job.error.line, bad=True)
            elif job.state == CANCELLED:
                self.form.say("Cancelled: what has come stays, and the same download goes on from there")
            else:
                self._fetched(job.result, plan.folder)

        work = lambda job: dataset_jobs.carry_out(download, plan, job)  # noqa: E731
        self._work.do(f"downloading {request.dataset}", work, done, control=control)

    def _fetched(self, result: DownloadResult, folder: Path) -> None:
        n_right = sum(outcome.is_right for outcome in result.outcomes)
        lines = [f"{n_right} of {len(result.outcomes)} files are there and right"]
        lines += [f"{outcome.item.path}: {outcome.reason}" for outcome in result.failed[:_MOST_NAMED]]
        lines += [*result.errors[:_MOST_NAMED], *result.warnings[:_MOST_NAMED]]
        self.form.say("\n".join(lines), bad=not result.is_complete)
        if n_right:
            self.open_corpus(folder)


def _in_words(folder: Path) -> str:
    return "the built-in corpus" if str(folder) == BUILT_IN else str(folder)


def _name_of(there: Overview) -> str:
    return "Built-in corpus" if _is_built_in(there) else str(there.root)


def _is_built_in(there: Overview) -> bool:
    return there.root == built_in_folder()
