"""The panel that makes reports of what is on the desk: chosen, looked at, exported, with progress and cancel."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QProgressBar, QPushButton, QScrollArea, QVBoxLayout, QWidget

from drivaer_app.desk.desk import Desk
from drivaer_app.desk.jobs import CANCELLED, DONE, FAILED, Job
from drivaer_app.settings import Settings
from drivaer_app.ui.panels.report_form import ReportForm
from drivaer_app.ui.theme import Colours
from drivaer_app.ui.widgets import label, line, set_role


class ReportPanel(QScrollArea):
    """One report at a time; it is of the study at the moment that it was asked for."""

    remembered = Signal()
    """The brand changed, which the settings keep."""
    _ended = Signal(object)

    def __init__(self, desk: Desk, settings: Settings, selected: Callable[[], list[str]]):
        super().__init__()
        self.desk, self._settings = desk, settings
        self.job: Job | None = None
        self.made: Path | None = None
        self._is_preview = False
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.form = ReportForm(desk, selected)
        self.form.brand.text.setText(settings.brand)
        self.preview = QPushButton("Preview")
        self.preview.setToolTip("Make it in a temporary place and open it with the system's program for such files")
        self.export = QPushButton("Export…")
        self.stop = QPushButton("Cancel")
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(8)
        self.progress.setAccessibleName("Progress of the report")
        self.state = label("", "dim", wrap=True, selectable=True)
        self.state.setAccessibleName("What came of the report")
        self.open = QPushButton("Open")
        self.folder = QPushButton("Show its folder")
        self._build()
        self._connect()
        self.refresh()

    def _build(self) -> None:
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(16, 6, 16, 16)
        column.setSpacing(8)
        column.addWidget(label("A report that can be forwarded", "heading"))
        column.addWidget(self.form)
        for buttons in ((self.preview, self.export, self.stop), (self.open, self.folder)):
            row = QHBoxLayout()
            for button in buttons:
                row.addWidget(button)
            if buttons[0] is self.open:
                column.addWidget(self.progress)
                column.addWidget(self.state)
            column.addLayout(row)
        column.addWidget(line())
        about = (
            "Made of the results as they stand; nothing is predicted again. Pictures of cars that are not in memory "
        )
        column.addWidget(label(about + "need their mesh read once more.", "dim", wrap=True))
        column.addStretch(1)
        self.setWidget(body)

    def _connect(self) -> None:
        self._ended.connect(self._take)
        self.form.changed.connect(self._form_changed)
        self.preview.clicked.connect(self.make_preview)
        self.export.clicked.connect(self.ask_where)
        self.stop.clicked.connect(lambda: self.job and self.job.cancel())
        self.open.clicked.connect(lambda: self._open(self.made))
        self.folder.clicked.connect(lambda: self._open(self.made.parent))

    # Showing

    def set_colours(self, colours: Colours) -> None:
        """All of its colours are the style sheet's."""

    @property
    def can_make(self) -> bool:
        """Whether there is something to report, and nothing is being made."""
        return self.job is None and any(self.desk.prediction(key).result is not None for key in self.form.keys)

    def refresh(self) -> None:
        """After an edit of the study, another selection, or news of a variant."""
        self.form.refresh()
        busy = self.job is not None
        for button in (self.preview, self.export):
            button.setEnabled(self.can_make)
        self.stop.setVisible(busy)
        self.progress.setVisible(busy)
        self.state.setVisible(bool(self.state.text()))
        there = self.made is not None and not busy
        self.open.setVisible(there)
        self.folder.setVisible(there and not self._is_preview)

    def something_changed(self, job: Job | None) -> None:
        """Some job of the desk's went on."""
        if job is not None and job is self.job and not job.is_over:
            self.progress.setValue(round(1000 * job.fraction))
            self._say(f"{job.doing}…" if job.doing else "waiting for its turn…")

    def _say(self, text: str, role: str = "dim") -> None:
        self.state.setText(text)
        self.state.setVisible(bool(text))
        set_role(self.state, role)

    def _form_changed(self) -> None:
        brand = self.form.brand.text.text().strip()
        if brand != self._settings.brand:
            self._settings.brand = brand
            self.remembered.emit()
        self.refresh()

    # Making

    def make_preview(self) -> None:
        self._make(self.desk.reporting.preview_file(self.form.chosen.suffix), is_preview=True)

    def ask_where(self) -> None:
        suffix = self.form.chosen.suffix
        study = self.desk.study
        folder = study.file.parent if study.file else study.state.variants[0].file.parent
        start = str(folder / f"{study.name}{suffix}" if study.file else folder / f"report{suffix}")
        kinds = f"{self.form.chosen.title.partition(',')[0]} (*{suffix})"
        file, _ = QFileDialog.getSaveFileName(self, "Export the report", start, kinds)
        if file:
            self.export_to(Path(file))

    def export_to(self, file: Path) -> None:
        """In the format that is chosen; a name without its suffix gets it."""
        suffix = self.form.chosen.suffix
        self._make(file if file.suffix.lower() == suffix else file.with_name(file.name + suffix), is_preview=False)

    def _make(self, path: Path, *, is_preview: bool) -> None:
        if self.job is not None:
            return
        self.made, self._is_preview = None, is_preview

        def on_end(job: Job) -> None:
            with contextlib.suppress(RuntimeError):  # the window is gone, the job was not
                self._ended.emit((job, path))

        self.job = self.desk.reporting.make(path, self.form.options, on_end)
        self.progress.setValue(0)
        self._say("waiting for its turn…")
        self.refresh()

    def _take(self, ended: tuple[Job, Path]) -> None:
        job, path = ended
        self.job = None
        if job.state == FAILED:
            self._say(job.error.line, "bad")
        elif job.state == CANCELLED:
            self._say("Cancelled: nothing was written")
        elif job.state == DONE:
            self.made = path
            self._say("Opened for a look; it goes when the window closes" if self._is_preview else f"Wrote {path}")
            if self._is_preview:
                self._open(path)
        self.refresh()

    def _open(self, path: Path) -> None:
        """With the system's own program for it."""
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(path))):
            self._say(f"This system has no program that opens it: it is {path}", "warn")
