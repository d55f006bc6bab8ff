"""A dataset that is open, verified and repaired: the jobs, and what came of them in words."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from data.control import Control
from drivaer_app.desk import dataset_jobs
from drivaer_app.desk.jobs import CANCELLED, FAILED, Job
from drivaer_app.ui.pages.data_browser import DataBrowser
from drivaer_app.ui.pages.data_work import Work

if TYPE_CHECKING:
    from data.download.integrity import Verified

_MOST_NAMED = 12


class Upkeep(QObject):
    """One of them at a time."""

    ended = Signal()
    """The catalogue may say something else of its files now."""

    def __init__(self, browser: DataBrowser, work: Work):
        super().__init__()
        self._browser, self._work = browser, work

    def verify(self, path: Path, name: str) -> None:
        """path: the catalogue's file. name: of the dataset, for people."""
        control = Control()
        self._begin("Hashing every file…")

        def done(job: Job) -> None:
            if self._ended(job, "Cancelled: the next check goes on from here"):
                self._say(*_in_words(job.result))

        work = lambda job: dataset_jobs.verify_corpus(path, job, control)  # noqa: E731
        self._work.do(f"verifying {name}", work, done, control=control)

    def repair(self, path: Path, name: str) -> None:
        """Fetch again what is wrong."""
        control, token = Control(), os.environ.get("DATAVERSE_API_TOKEN")
        self._begin("Looking for what is wrong, then fetching it again…")

        def done(job: Job) -> None:
            if self._ended(job, "Cancelled: what has come stays, and the next repair goes on from there"):
                self._say(*_repaired_in_words(job.result))

        work = lambda job: dataset_jobs.repair_corpus(path, job, control, token)  # noqa: E731
        self._work.do(f"repairing {name}", work, done, control=control)

    def _begin(self, doing: str) -> None:
        self._enable(False)
        self._browser.say(doing)

    def _enable(self, on: bool) -> None:
        for button in (self._browser.verify, self._browser.repair):
            button.setEnabled(on)

    def _ended(self, job: Job, when_cancelled: str) -> bool:
        """Whether there is something to tell."""
        self._enable(True)
        self.ended.emit()
        if job.state == FAILED:
            self._browser.say(job.error.line, bad=True)
        elif job.state == CANCELLED:
            self._browser.say(when_cancelled)
        return job.state not in (FAILED, CANCELLED)

    def _say(self, head: str, lines: list[str], bad: bool) -> None:
        more = [f"and {len(lines) - _MOST_NAMED} more"] if len(lines) > _MOST_NAMED else []
        self._browser.say("\n".join([head, *lines[:_MOST_NAMED], *more]), bad=bad)


def _in_words(found: Verified) -> tuple[str, list[str], bool]:
    """A heading, a line for each thing that is wrong, and whether there is any."""
    wrong = [f"{one.path}: {one.fault}, {one.why}" for one in found.findings]
    n_wrong = len({one.path for one in found.findings})
    summary = f"{found.n_files} files, {n_wrong or 'none'} of them wrong"
    if found.unchecked:
        summary += f"; of {len(found.unchecked)} no checksum is known: they are there, and nobody can say more"
    if found.to_fetch:
        summary += "; Repair fetches what is wrong again"
    return summary, wrong, bool(wrong)


def _repaired_in_words(found: dataset_jobs.Repair) -> tuple[str, list[str], bool]:
    if not found.wrong:
        return f"Nothing is to be repaired: {found.n_files} files, none of them bad, missing or cut short", [], False
    outcomes = [outcome for result in found.done.results for outcome in result.outcomes]
    n_right = sum(outcome.is_right for outcome in outcomes)
    lines = [f"{outcome.item.path}: {outcome.reason}" for outcome in outcomes if not outcome.is_right]
    summary = f"{n_right} of {len(found.wrong)} files are right again"
    return summary, [*lines, *found.done.hopeless], not found.done.is_complete
