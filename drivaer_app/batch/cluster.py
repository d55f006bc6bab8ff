"""A batch on a Dask cluster: the same work by workers on many machines, which come and go.

dask.distributed schedules: it hands a car to the next free worker, and one whose worker was lost to another. Each
worker loads the model once; results come back to this process, which alone writes the store.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import DrivAerError, ModelError
from data.extras import needs
from drivaer_app.batch.work import CarOutcome, Task, check_model, work
from drivaer_app.prediction_settings import PredictionSettings

if TYPE_CHECKING:
    from distributed import Client, Future

_AHEAD = 3  # cars handed out for each thread of the cluster: enough that none waits for the network
_PATIENCE = "20s"  # for a scheduler to answer


def outcomes(
    tasks: Iterable[Task], address: str, *, send: bool = False, on_wait: Callable[[str], None] = lambda text: None
) -> Iterator[list[CarOutcome]]:
    """Work on the tasks by the cluster of the scheduler at ``address``; outcomes as they come, in any order.

    send: the meshes along with the tasks, for workers that do not see their folder. on_wait: told where there are no
    workers yet. Closing the generator takes back what has not begun. Raises DrivAerError where there is no such
    scheduler or it is lost, ModelError where the workers have another model.
    """
    with _connected(address) as client:
        if not client.nthreads():
            on_wait(f"{address} has no workers yet; waiting for them")
            client.wait_for_workers(1)
        yield from _flow(client, iter(tasks), send)


def _connected(address: str) -> Client:
    needs("cluster")
    from distributed import Client

    try:
        return Client(address, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        fix = "start one: dask scheduler; and workers: dask worker tcp://HOST:8786 --nthreads 1"
        raise DrivAerError(f"no Dask scheduler answers at {address}", fix=fix) from error


def _flow(client: Client, tasks: Iterator[Task], send: bool) -> Iterator[list[CarOutcome]]:
    from distributed import as_completed

    running: dict[Future, Task] = {}
    done = as_completed(loop=client.loop, raise_errors=False)

    def hand_out() -> None:
        while len(running) < _AHEAD * max(sum(client.nthreads().values()), 1):
            task = next(tasks, None)
            if task is None:
                return
            future = _submit(client, task, send)
            running[future] = task
            done.add(future)

    try:
        hand_out()
        while running:
            futures = list(done.next_batch())
            yield [_outcome(future, running.pop(future)) for future in futures]
            for future in futures:
                future.release()
            hand_out()
    finally:
        if running:
            client.cancel(list(running))


def _submit(client: Client, task: Task, send: bool) -> Future:
    # A car belongs to its task and not to some worker's memory, so it can be sent again when that worker is lost.
    if send:
        with suppress(OSError):  # the worker says what is wrong with it, as it does for any file
            task = replace(task, content=Path(task.file).read_bytes())
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sending large graph")
        return client.submit(work_on_cluster, task, pure=False)


def work_on_cluster(task: Task) -> CarOutcome:
    """``work``, by a worker that first makes sure that its model is the batch's. Raises ModelError."""
    _checked(task.settings)
    return work(task)


@lru_cache(maxsize=8)
def _checked(settings: PredictionSettings) -> None:
    check_model(settings)


def _outcome(future: Future, task: Task) -> CarOutcome:
    from distributed import KilledWorker

    if future.status == "finished":
        return future.result()
    if future.status != "error":
        raise DrivAerError("the Dask scheduler is lost", fix="the same command goes on from here")
    error = future.exception()
    if isinstance(error, ModelError):
        raise error
    if isinstance(error, KilledWorker):
        return CarOutcome(task.file, error=f"{task.file}: the workers that tried it died; give a coarser mesh")
    what = f"the cluster's workers cannot do the work ({type(error).__name__}: {error})"
    raise DrivAerError(what, fix="install the same drivaer on all of them") from error
