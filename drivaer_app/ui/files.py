"""Opening, saving, recovering and finding studies: the dialogs, and what is said when something is wrong."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from data.errors import DrivAerError
from drivaer_app.desk.autosave import Leftover, leftovers
from drivaer_app.desk.desk import Desk
from drivaer_app.desk.events import Event, Notify
from drivaer_app.desk.jobs import FAILED, Job
from drivaer_app.desk.study_state import DesignFile
from drivaer_app.files import STUDY_SUFFIX
from drivaer_app.settings import Settings


class Files(QObject):
    """notify: takes notes from background threads to the window."""

    opened = Signal(list)
    """Keys of what was opened, of a study that was there before or of another one."""
    emptied = Signal()
    notice = Signal(str)
    remembered = Signal()
    """The recent files changed."""
    leaving = Signal()
    """The study is about to be written: what is on screen is to be put into it."""

    def __init__(self, window: QWidget, desk: Desk, settings: Settings, notify: Notify):
        super().__init__(window)
        self._window, self.desk, self.settings, self._notify = window, desk, settings, notify
        self.asks = True
        """Whether unsaved work is asked about."""

    # Opening

    def open(self, paths: list) -> None:
        """Meshes, folders or a study; what is wrong is said in the window."""
        paths = [Path(path) for path in paths]
        if any(path.suffix.lower() == STUDY_SUFFIX for path in paths) and not self.may_leave():
            return
        try:
            keys = self.desk.open(paths)
        except DrivAerError as error:
            self.notice.emit(error.line)
            return
        for path in paths if len(paths) < 4 else paths[:1]:
            self.settings.opened(path.absolute())
        self.remembered.emit()
        self.opened.emit(keys)

    def open_designs(self, designs: Iterable[DesignFile]) -> None:
        """A new study of a catalogue's designs."""
        self.desk.new()
        self.opened.emit(self.desk.open_designs(designs))

    def ask_files(self) -> None:
        from data.formats import MESH_SUFFIXES

        meshes = " ".join(f"*{suffix}" for suffix in MESH_SUFFIXES)
        kinds = f"Cars and studies ({meshes} *{STUDY_SUFFIX});;All files (*)"
        files, _ = QFileDialog.getOpenFileNames(self._window, "Open car meshes or a study", self._last_folder(), kinds)
        if files:
            self.open(files)

    def ask_folder(self) -> None:
        title = "Open a folder of variants"
        if folder := QFileDialog.getExistingDirectory(self._window, title, self._last_folder()):
            self.open([folder])

    def new(self) -> None:
        if self.may_leave():
            self.desk.new()
            self.emptied.emit()

    def recover(self, leftover: Leftover) -> None:
        """Bring back what a crashed session had open."""
        try:
            saved = leftover.read()
        except DrivAerError as error:
            self.notice.emit(error.line)
            return
        self.desk.restore(saved, saved.origin)
        self.opened.emit([v.key for v in saved.state.variants])
        self.autosave()  # ours now; the old copy goes once the new one is there
        self.desk.jobs.submit("tidying up", lambda _: leftover.discard(), lane="files")

    def discard(self, leftover: Leftover) -> list[Leftover]:
        """Returns those that are left."""
        leftover.discard()
        return leftovers(leftover.file.parent)

    def ask_where_files_are(self) -> None:
        title = "Where are the missing files?"
        if folder := QFileDialog.getExistingDirectory(self._window, title, self._last_folder()):
            self.find_missing(folder)

    def find_missing(self, folder: str) -> None:
        found = self.desk.find_moved(folder)
        self.notice.emit(f"found {len(found)} of the missing files" if found else "none of the missing files is there")

    # Saving

    def save(self) -> None:
        if self.desk.study.file is None:
            self.save_as()
        else:
            self.save_to(self.desk.study.file)

    def save_as(self) -> None:
        if file := self._ask_where_to_save():
            self.save_to(file)

    def save_to(self, file: Path) -> None:
        """In the background; the window says when it is done."""
        self.leaving.emit()
        self.settings.opened(file.absolute())

        def done(job: Job) -> None:
            failed = job.state == FAILED
            self._notify(Event("note", text=job.error.line if failed else f"Saved {file.name}", is_passing=not failed))

        self.desk.jobs.submit(f"saving {file.name}", lambda _: self.desk.save(file), lane="files", on_end=done)

    def autosave(self) -> None:
        self.leaving.emit()
        self.desk.jobs.submit("autosaving", lambda _: self.desk.autosave_now(), lane="files", priority=9)

    def may_leave(self) -> bool:
        """Whether the present study may go; asks where work would be lost."""
        if not self.asks or not self.desk.study.is_worth_asking:
            return True
        buttons = QMessageBox.StandardButton
        question = f"Save the changes to {self.desk.study.name}?"
        answer = QMessageBox.question(
            self._window, "drivaer", question, buttons.Save | buttons.Discard | buttons.Cancel
        )
        if answer == buttons.Save:
            return self._save_now()
        return answer == buttons.Discard

    def may_stop(self) -> bool:
        """Whether what runs may be stopped for good; asks where that is a CFD run."""
        running = self.desk.verifications.active
        if not self.asks or not running:
            return True
        buttons = QMessageBox.StandardButton
        what = "A CFD run is" if len(running) == 1 else f"{len(running)} CFD runs are"
        question = f"{what} going on. Stop and quit? What is solved stays, and the run goes on from there next time."
        answer = QMessageBox.question(self._window, "drivaer", question, buttons.Yes | buttons.Cancel)
        return answer == buttons.Yes

    def _save_now(self) -> bool:
        """Save before the study goes, and only then let it go."""
        file = self.desk.study.file or self._ask_where_to_save()
        if file is None:
            return False
        self.leaving.emit()
        try:
            self.desk.save(file)
        except DrivAerError as error:
            self.notice.emit(error.line)
            return False
        return True

    def _ask_where_to_save(self) -> Path | None:
        start = self.desk.study.file or Path(self._last_folder()) / f"study{STUDY_SUFFIX}"
        file, _ = QFileDialog.getSaveFileName(self._window, "Save the study", str(start), f"Studies (*{STUDY_SUFFIX})")
        return Path(file) if file else None

    def _last_folder(self) -> str:
        for recent in self.settings.recent:
            path = Path(recent)
            if path.exists():
                return str(path if path.is_dir() else path.parent)
        return str(Path.home())
