"""Reports of the study on a desk, made in the background while it is worked on.

A report is drawn and written in a process of its own, which ends with it: predictions do not wait for it, and what it
took of memory is free again.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from drivaer_app.desk.jobs import Job, Jobs
from drivaer_app.engine import Engine

if TYPE_CHECKING:
    from drivaer_app.desk.study_source import StudySource
    from drivaer_app.report.content import Content
    from drivaer_app.report.options import ReportOptions

LANE = "report"


@dataclass
class Reporting:
    """source: gives the study as it is now, with all that is known of its variants."""

    jobs: Jobs
    source: Callable[[], StudySource]
    _previews: tempfile.TemporaryDirectory | None = None
    _numbers: itertools.count = field(default_factory=lambda: itertools.count(1))
    _engines: set[Engine] = field(default_factory=set)

    def make(self, path: str | Path, options: ReportOptions, on_end: Callable[[Job], None] = lambda job: None) -> Job:
        """Start writing a report in the format of the suffix; the job's result is its Content.

        It is of the study at this moment. Cancelled or failed it leaves the file that was there.
        """
        path, source = Path(path), self.source()

        def work(job: Job) -> Content:
            from drivaer_app.desk.report_of_study import report_on_study

            engine = Engine()
            self._engines.add(engine)
            try:
                return report_on_study(path, source, options, call=engine.call, on_progress=job.report)
            finally:
                self._engines.discard(engine)
                engine.close()

        return self.jobs.submit(f"report {path.name}", work, lane=LANE, on_end=on_end)

    def preview_file(self, suffix: str) -> Path:
        """A new place for a report that is only looked at; it goes when the desk is closed."""
        if self._previews is None:
            self._previews = tempfile.TemporaryDirectory(prefix="drivaer-preview-", ignore_cleanup_errors=True)
        return Path(self._previews.name, f"preview {next(self._numbers)}{suffix}")

    def close(self) -> None:
        """End what runs, also in the middle of a page."""
        for engine in list(self._engines):
            engine.close()
        if self._previews is not None:
            self._previews.cleanup()
