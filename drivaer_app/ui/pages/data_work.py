"""Background work of the data page, whose end is heard in the interface's thread."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal

from data.control import Control
from drivaer_app.desk.jobs import Job, Jobs

READING, LONG = "catalogue", "dataset"
"""Lanes: short questions to the catalogue; and what takes long, one after another."""


class Work(QObject):
    _ended = Signal(object, object)
    """A job and what to do with it, from its thread to the interface's."""

    def __init__(self, jobs: Jobs):
        super().__init__()
        self._jobs = jobs
        self._pending: set[Job] = set()
        self._ended.connect(self._take)

    @property
    def is_done(self) -> bool:
        return not self._pending

    def do(
        self,
        title: str,
        work: Callable[[Job], Any],
        done: Callable[[Job], None],
        *,
        lane: str = LONG,
        priority: int = 0,
        control: Control | None = None,
    ) -> Job:
        """Work in the background, then ``done(job)`` in the interface's thread, however it ended."""

        def on_end(job: Job) -> None:
            with contextlib.suppress(RuntimeError):  # the window is gone, the job was not
                self._ended.emit(job, done)

        job = self._jobs.submit(title, work, lane=lane, priority=priority, on_end=on_end, control=control)
        self._pending.add(job)
        return job

    def _take(self, job: Job, done: Callable[[Job], None]) -> None:
        self._pending.discard(job)
        done(job)
