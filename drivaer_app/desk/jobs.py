"""Work in the background: in order of priority, with progress, and cancelled when nobody wants it any more."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from data.control import Cancelled, Control
from data.errors import DrivAerError
from drivaer_app.log import log_bug

_log = logging.getLogger(__name__)

WAITING, RUNNING, DONE, FAILED, CANCELLED = "waiting", "running", "done", "failed", "cancelled"


@dataclass(eq=False)
class Job:
    """One piece of work. Read anywhere; changed by ``Jobs`` alone, except for ``cancel`` and ``report``.

    title: what a person reads. lane: jobs of a lane run one after another. priority: lower runs first.
    state: waiting, running, done, failed or cancelled. fraction: 0..1 done. doing: the present step, in words.
    error: of a failed job; bugs too are one line here, their traceback is in the log.
    control: of work that can be paused; cancelling the job cancels it too.
    """

    title: str
    work: Callable[[Job], Any]
    lane: str
    priority: int
    on_end: Callable[[Job], None] | None = None
    control: Control | None = None
    state: str = WAITING
    fraction: float = 0.0
    doing: str = ""
    result: Any = None
    error: DrivAerError | None = None
    _jobs: Jobs | None = field(default=None, repr=False)
    _cancel: threading.Event = field(default_factory=threading.Event, repr=False)
    _over: threading.Event = field(default_factory=threading.Event, repr=False)

    @property
    def is_over(self) -> bool:
        return self.state in (DONE, FAILED, CANCELLED)

    @property
    def is_cancelled(self) -> bool:
        """Whether somebody asked for it to stop; it may still be on its way there."""
        return self._cancel.is_set()

    def cancel(self) -> None:
        """Ask it to stop. A waiting job ends at once, a running one when it next reports."""
        self._cancel.set()
        if self.control is not None:
            self.control.cancel()
        self._jobs._drop(self)

    def wait(self, timeout: float) -> bool:
        """Until it is over; returns whether it is."""
        return self._over.wait(timeout)

    def report(self, fraction: float, doing: str = "") -> None:
        """Called by the work itself. Raises Cancelled where it is to stop."""
        if self.is_cancelled:
            raise Cancelled
        self.fraction, self.doing = fraction, doing
        self._jobs._changed(self)


class Jobs:
    """Lanes of background threads, each started by its first job.

    on_change: called with each job that began, went on or ended; in a background thread.
    """

    def __init__(self, on_change: Callable[[Job], None] = lambda job: None):
        self._on_change = on_change
        self._lock = threading.Lock()
        self._wake = threading.Condition(self._lock)
        self._waiting: dict[str, list[tuple[int, int, Job]]] = {}
        self._running: set[Job] = set()
        self._numbers = itertools.count()
        self._closed = False

    def submit(
        self,
        title: str,
        work: Callable[[Job], Any],
        *,
        lane: str = "engine",
        priority: int = 0,
        on_end: Callable[[Job], None] | None = None,
        control: Control | None = None,
    ) -> Job:
        """Do ``work(job)`` in the background. on_end: called with the job when it is over, in that thread."""
        job = Job(title, work, lane, priority, on_end, control, _jobs=self)
        with self._lock:
            if lane not in self._waiting:
                self._waiting[lane] = []
                threading.Thread(target=self._serve, args=(lane,), name=f"jobs-{lane}", daemon=True).start()
            heapq.heappush(self._waiting[lane], (priority, next(self._numbers), job))
            self._wake.notify_all()
        self._changed(job)
        return job

    def prioritise(self, job: Job, priority: int) -> None:
        """Move a waiting job forward or back."""
        with self._lock:
            queue = self._waiting.get(job.lane, [])
            if job.priority == priority or not any(entry[2] is job for entry in queue):
                return
            job.priority = priority
            queue[:] = [(priority if entry[2] is job else entry[0], *entry[1:]) for entry in queue]
            heapq.heapify(queue)

    @property
    def active(self) -> list[Job]:
        """Running jobs, then waiting ones in their order."""
        with self._lock:
            waiting = sorted(entry for queue in self._waiting.values() for entry in queue)
            return [*self._running, *(job for _, _, job in waiting)]

    def cancel_all(self) -> None:
        for job in self.active:
            job.cancel()

    def close(self) -> None:
        """Cancel everything and take no more work; running work is not waited for."""
        with self._lock:
            self._closed = True
            self._wake.notify_all()
        self.cancel_all()

    def _serve(self, lane: str) -> None:
        while True:
            with self._lock:
                while not self._waiting[lane] and not self._closed:
                    self._wake.wait()
                if self._closed:
                    return
                job = heapq.heappop(self._waiting[lane])[2]
                job.state = RUNNING
                self._running.add(job)
            self._run(job)

    def _run(self, job: Job) -> None:
        self._changed(job)
        try:
            job.result = job.work(job)
            state = CANCELLED if job.is_cancelled else DONE
        except Cancelled:
            state = CANCELLED
        except DrivAerError as error:
            state, job.error = FAILED, error
        except Exception as error:
            state, job.error = FAILED, DrivAerError(log_bug(_log, error))
        if state != FAILED:
            _log.info("%s: %s", job.title, "done" if state == DONE else "given up")
        else:
            _log.warning("%s: %s", job.title, job.error.line)
        self._finish(job, state)

    def _drop(self, job: Job) -> None:
        with self._lock:
            queue = self._waiting.get(job.lane, [])
            kept = [entry for entry in queue if entry[2] is not job]
            if len(kept) == len(queue):
                return
            queue[:] = kept
            heapq.heapify(queue)
        self._finish(job, CANCELLED)

    def _finish(self, job: Job, state: str) -> None:
        with self._lock:
            job.state, job.fraction = state, 1.0 if state == DONE else job.fraction
        try:
            if job.on_end:
                job.on_end(job)
        finally:
            with self._lock:
                self._running.discard(job)  # last: who waits until nothing is active finds all results in their places
            job._over.set()
        self._changed(job)

    def _changed(self, job: Job) -> None:
        self._on_change(job)
