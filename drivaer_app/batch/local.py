"""A batch on this machine: worker processes that each load the model once and take car after car."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Iterable, Iterator

from data.errors import DrivAerError, ModelError
from drivaer_app.batch.work import CarOutcome, Task, work
from drivaer_app.engine import Engine

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_LOOK_UP = 0.25  # s


def available_cores() -> int:
    """Cores that this process may use: a container or a queue may have lent fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def outcomes(
    tasks: Iterable[Task],
    n_workers: int,
    *,
    threads: int = 1,
    read_ahead: bool = True,
    meanwhile: Callable[[], None] = lambda: None,
) -> Iterator[list[CarOutcome]]:
    """Work on the tasks in ``n_workers`` processes; outcomes as they come, in any order, at once those that are there.

    threads: of a worker's networks; a second one saves it less than it takes from the worker beside it.
    read_ahead: read the next mesh while the networks work on this one. ``benchmarks/batch.py`` measures both.
    meanwhile: called a few times a second while there is nothing new; what it raises ends the work.
    Closing the generator ends the processes. Raises ModelError where the model cannot be used.
    """
    pool = _Pool(tasks, threads, read_ahead)
    try:
        yield from pool.run(n_workers, meanwhile)
    finally:
        pool.close()


class _Pool:
    def __init__(self, tasks: Iterable[Task], threads: int, read_ahead: bool):
        self._tasks = iter(tasks)
        self._environment = dict.fromkeys(_THREADS, str(threads))
        self._read_ahead = read_ahead
        self._turn = threading.Lock()
        self._done: queue.Queue[CarOutcome | Exception | None] = queue.Queue()
        self._engines: list[Engine] = []
        self._threads: list[threading.Thread] = []
        self._closed = False

    def run(self, n_workers: int, meanwhile: Callable[[], None] = lambda: None) -> Iterator[list[CarOutcome]]:
        self._engines = [Engine(self._environment) for _ in range(n_workers)]
        self._threads = [threading.Thread(target=self._serve, args=(engine,), daemon=True) for engine in self._engines]
        for thread in self._threads:
            thread.start()
        running = n_workers
        while running:
            results = [self._wait(meanwhile)]
            while not self._done.empty():
                results.append(self._done.get())
            done = [outcome for outcome in results if isinstance(outcome, CarOutcome)]
            if done:
                yield done
            for error in results:
                if isinstance(error, Exception):
                    raise error
            running -= results.count(None)

    def _wait(self, meanwhile: Callable[[], None]) -> CarOutcome | Exception | None:
        while True:
            try:
                return self._done.get(timeout=_LOOK_UP)
            except queue.Empty:
                meanwhile()

    def close(self) -> None:
        self._closed = True
        for engine in self._engines:
            engine.close()
        for thread in self._threads:
            thread.join()

    def _next(self) -> Task | None:
        with self._turn:
            return None if self._closed else next(self._tasks, None)

    def _serve(self, engine: Engine) -> None:
        """One worker's thread: while it works on a car it already knows the next one."""
        try:
            task = self._next()
            while task is not None:
                ahead = self._next()
                self._done.put(self._worked(engine, task, ahead))
                task = ahead
            self._done.put(None)
        except Exception as error:
            self._done.put(error)
        finally:
            engine.close()

    def _worked(self, engine: Engine, task: Task, ahead: Task | None) -> CarOutcome:
        """A car that takes its process down is tried once more, alone; the next car gets a new process."""
        try:
            return engine.call(work, task, ahead if self._read_ahead else None)
        except ModelError:
            raise
        except DrivAerError:
            if self._closed:
                raise
        try:
            return engine.call(work, task)
        except ModelError:
            raise
        except DrivAerError as error:
            return CarOutcome(task.file, error=f"{task.file}: {error.what}; {error.fix}")
