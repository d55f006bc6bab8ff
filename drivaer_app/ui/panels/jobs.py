"""What runs in the background, each with its progress and a way to stop it."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QScrollArea, QToolButton, QVBoxLayout, QWidget

from drivaer_app.desk.jobs import RUNNING, Job, Jobs
from drivaer_app.ui.widgets import label

_MOST_ROWS = 30


class _Row(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.job: Job | None = None
        self.title = label()
        self.doing = label("", "dim")
        self.doing.setMinimumWidth(120)
        self.bar = QProgressBar()
        self.bar.setRange(0, 100)
        self.bar.setTextVisible(False)
        self.bar.setFixedSize(140, 8)
        self.pause = QToolButton(text="Pause")
        self.pause.clicked.connect(self._pause_or_go_on)
        self.stop = QToolButton(text="Cancel")
        self.stop.clicked.connect(lambda: self.job and self.job.cancel())
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 1, 12, 1)
        layout.addWidget(self.title, 1)
        layout.addWidget(self.doing)
        layout.addWidget(self.bar)
        layout.addWidget(self.pause)
        layout.addWidget(self.stop)

    def show_job(self, job: Job) -> None:
        self.job = job
        running = job.state == RUNNING
        self.title.setText(job.title)
        paused = job.control is not None and job.control.is_paused
        self.doing.setText("paused" if paused else job.doing if running else "waiting")
        self.pause.setVisible(running and job.control is not None)
        self.pause.setText("Go on" if paused else "Pause")
        self.pause.setAccessibleName(f"{self.pause.text()}: {job.title}")
        self.bar.setValue(round(100 * job.fraction))
        self.bar.setVisible(running)
        self.stop.setAccessibleName(f"Cancel {job.title}")

    def _pause_or_go_on(self) -> None:
        control = self.job.control
        if control is not None:
            control.resume() if control.is_paused else control.pause()
            self.show_job(self.job)


class JobsPanel(QScrollArea):
    """Refreshes itself a few times a second while there is something to show."""

    def __init__(self, jobs: Jobs):
        super().__init__()
        self._jobs = jobs
        self._rows: list[_Row] = []
        self.setWidgetResizable(True)
        body = QWidget()
        self._layout = QVBoxLayout(body)
        self._layout.setContentsMargins(0, 6, 0, 6)
        self._layout.setSpacing(0)
        self.idle = label("Nothing is running", "dim")
        self.idle.setContentsMargins(12, 0, 0, 0)
        self.more = label("", "dim")
        self.more.setContentsMargins(12, 4, 0, 0)
        self._layout.addWidget(self.idle)
        self._layout.addStretch(1)
        self._layout.addWidget(self.more)
        self.setWidget(body)
        self.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(150)
        self._timer.timeout.connect(self._refresh)

    def something_changed(self) -> None:
        """Does nothing while nobody looks: rows are many widgets."""
        if self.isVisible() and not self._timer.isActive():
            self._timer.start()

    def showEvent(self, event) -> None:
        super().showEvent(event)
        self._timer.start()

    def _refresh(self) -> None:
        active = self._jobs.active
        shown = active[:_MOST_ROWS]
        while len(self._rows) < len(shown):
            row = _Row()
            self._rows.append(row)
            self._layout.insertWidget(len(self._rows), row)
        for row, job in zip(self._rows, shown, strict=False):
            row.show_job(job)
        for number, row in enumerate(self._rows):
            row.setVisible(number < len(shown))
        self.idle.setVisible(not active)
        rest = len(active) - len(shown)
        self.more.setText(f"and {rest} more waiting" if rest else "")
