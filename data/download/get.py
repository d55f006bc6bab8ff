"""A plan carried out: a few connections at once, everything written down as it arrives."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from data.catalogue import Catalogue
from data.control import Cancelled
from data.download.choice import in_order
from data.download.fetch import DownloadOutcome, Fetcher, reason_of
from data.download.items import Item, is_hopeless
from data.download.part_file import DiskFull
from data.download.plan import DownloadPlan
from data.download.progress import OnProgress, Say, TransferProgress, silent
from data.download.record import look_through, note_arrived, ours
from data.download.transport import Transport
from data.download.unpacked import unpack_chosen
from data.errors import DrivAerError

CONNECTIONS = 4
_LOCK = ".drivaer-get.lock"
_REPORT_S = 0.2
_STOP_S = 3.0
_MOST_VERSIONS = 3
_WORTH_A_RATE = 1 << 20
_GIVE_UP = 4
"""After so many files in a row that a server would not give for a reason that is no file's own, it is left in peace."""


@dataclass(frozen=True)
class DownloadResult:
    """What became of a plan. not_found: designs that are nowhere. errors: datasets that could not be listed.
    warnings: of the catalogue's look through the folder.

    bytes_fetched: that came over the network, what was sent twice included. seconds: that it took.
    """

    outcomes: tuple[DownloadOutcome, ...]
    not_found: tuple[str, ...]
    errors: tuple[str, ...]
    warnings: tuple[str, ...]
    bytes_fetched: int
    seconds: float

    @property
    def failed(self) -> list[DownloadOutcome]:
        return [outcome for outcome in self.outcomes if not outcome.is_right]

    @property
    def is_complete(self) -> bool:
        return not (self.failed or self.not_found or self.errors)


@contextmanager
def working_in(folder: Path) -> Iterator[None]:
    """Only one download works in a folder at a time. Makes the folder. Raises DrivAerError."""
    from filelock import FileLock, Timeout

    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / _LOCK, timeout=0)
        lock.acquire()
    except Timeout as error:
        fix = "wait for it, or give another folder"
        raise DrivAerError("another download is running in this folder", file=folder, fix=fix) from error
    except OSError as error:
        raise DrivAerError(f"the folder cannot be used ({error.strerror or error})", file=folder) from error
    try:
        yield
    finally:
        lock.release()


def carry_out(
    plan: DownloadPlan,
    transport: Transport,
    catalogue: Catalogue,
    *,
    replan: Callable[[], DownloadPlan] | None = None,
    connections: int = CONNECTIONS,
    on_progress: OnProgress = silent,
    say: Say = silent,
) -> DownloadResult:
    """Fetch what is missing. Call it inside of ``working_in`` the plan's folder.

    replan: makes the plan anew, for a dataset that got a new version meanwhile, so that files of two do not mix.
    What fails is an outcome, and the other files still come. Raises DiskFull, Cancelled (what came stays, and the same
    call goes on from it), DrivAerError for the folder or the catalogue.
    """
    started, before = time.monotonic(), transport.n_fetched
    outcomes = _carry_out_once(plan, transport, catalogue, connections, on_progress, say)
    for _ in range(_MOST_VERSIONS):
        if replan is None or not _has_changed(plan, outcomes):
            break
        plan = replan()
        outcomes = _carry_out_once(plan, transport, catalogue, connections, on_progress, say)
    seconds, fetched = time.monotonic() - started, transport.n_fetched - before
    if fetched > _WORTH_A_RATE:
        catalogue.set_fact("download_rate", str(fetched / seconds))
    missing = set(plan.not_found)
    if any(item.unpack for item in plan.items) and plan.choice.ids is not None:
        missing |= plan.choice.ids - {o.item.design for o in outcomes if o.item.design}
    right = [outcome.item for outcome in outcomes if outcome.is_right]
    warnings = look_through(catalogue, right, plan.folder, plan.server)
    return DownloadResult(tuple(outcomes), tuple(in_order(missing)), plan.failed, warnings, fetched, seconds)


def _carry_out_once(
    plan: DownloadPlan, transport: Transport, catalogue: Catalogue, connections: int, on_progress: OnProgress, say: Say
) -> list[DownloadOutcome]:
    check_space(plan)
    work = _Work(plan, transport, catalogue, on_progress, say)
    known = ours(catalogue)
    catalogue.upsert_files(
        item.row(plan.server, "bad" if item.path in known else "remote", item.size) for item in plan.to_fetch
    )
    outcomes = [DownloadOutcome(item, "there") for item in plan.items if item.path in plan.there]
    outcomes += work.run(plan.to_fetch, connections)
    return outcomes + unpack_chosen(plan, outcomes, catalogue, transport, say)


def _has_changed(plan: DownloadPlan, outcomes: Iterable[DownloadOutcome]) -> bool:
    """Whether a file was found to be listed otherwise than when it was planned."""
    listed = {file for listing in plan.listings for file in listing.files}
    return bool(listed) and any(outcome.item.file not in listed for outcome in outcomes)


def check_space(plan: DownloadPlan) -> None:
    """Raises DrivAerError where the disk is too small for the plan."""
    needed = plan.bytes_needed
    if needed > plan.bytes_free:
        what = f"{needed / 1e9:.2f} GB have to be fetched and {plan.bytes_free / 1e9:.2f} GB are free"
        fix = "make room, choose fewer designs with --count or --classes, or give another disk with -o"
        raise DrivAerError(what, file=plan.folder, fix=fix)


class Meter:
    """Counts for all connections, and stops them together."""

    def __init__(self, plan_bytes: int, n_files: int, n_done: int, bytes_done: int, transport: Transport, on_progress):
        self._total, self._n_files = plan_bytes, n_files
        self._bytes, self._n_done = bytes_done, n_done
        self._transport = transport
        self._on_progress = on_progress
        self._lock = threading.Lock()
        self.stop = threading.Event()
        self.doing = ""

    def came(self, n_bytes: int) -> None:
        """Raises Cancelled once all are to stop."""
        if self.stop.is_set():
            raise Cancelled
        with self._lock:
            self._bytes += n_bytes

    def done(self, doing: str) -> None:
        with self._lock:
            self._n_done += 1
            self.doing = doing

    def report(self) -> None:
        with self._lock:
            total = max(self._total, self._bytes)
            now = TransferProgress(
                self._n_done, self._n_files, self._bytes, total, self._transport.n_fetched, self.doing
            )
        self._on_progress(now)


class _Work:
    """The connections: threads that take items until none is left."""

    def __init__(
        self, plan: DownloadPlan, transport: Transport, catalogue: Catalogue, on_progress: OnProgress, say: Say
    ):
        self._plan, self._transport, self._catalogue, self._heard = plan, transport, catalogue, say
        self._lock = threading.Lock()
        n_there = len(plan.there)
        bytes_there = sum(item.cost for item in plan.items if item.path in plan.there)
        self._meter = Meter(plan.bytes_total, len(plan.items), n_there, bytes_there, transport, on_progress)
        self._todo: queue.SimpleQueue[Item] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[DownloadOutcome | BaseException] = queue.SimpleQueue()
        self._heard_already: set[str] = set()
        self._hopeless: list[str] = []
        self._rows = ours(catalogue)
        self._strays = _strays(plan.folder, {*self._rows, *(item.path for item in plan.items)})

    def run(self, items: Sequence[Item], connections: int) -> list[DownloadOutcome]:
        for item in items:
            self._todo.put(item)
        threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(min(connections, len(items)))]
        for thread in threads:
            thread.start()
        outcomes: list[DownloadOutcome] = []
        try:
            while len(outcomes) < len(items):
                outcomes += self._arrived()
                self._meter.report()
        except BaseException:
            self._meter.stop.set()
            until = time.monotonic() + _STOP_S
            for thread in threads:  # so that a next call does not meet them; one that hears nothing writes nothing
                thread.join(max(until - time.monotonic(), 0.0))
            raise
        return outcomes

    def _arrived(self) -> list[DownloadOutcome]:
        """What came in the meantime, written down. Raises what a connection ended with."""
        came: list[DownloadOutcome | BaseException] = []
        try:
            came.append(self._done.get(timeout=_REPORT_S))
            while not self._done.empty():
                came.append(self._done.get())
        except queue.Empty:
            self._transport.control.check()
        arrived: list[DownloadOutcome] = []
        for outcome in came:
            if isinstance(outcome, BaseException):
                raise outcome
            arrived.append(outcome)
            self._meter.done(outcome.item.path)
            if not outcome.is_right:
                self._tell(outcome.error, outcome.reason)
        right = [outcome.item for outcome in arrived if outcome.is_right]
        note_arrived(self._catalogue, right, self._plan.folder, self._plan.server)
        return arrived

    def _tell(self, line: str, reason: str) -> None:
        """Each reason once, at once; who else it holds for is said in the end."""
        with self._lock:
            known = reason in self._heard_already
            self._heard_already.add(reason)
        if not known:
            self._heard(line)

    def _serve(self) -> None:
        fetcher = Fetcher(
            self._plan.folder,
            self._transport,
            zips=self._plan.zips,
            rows=self._rows,
            strays=self._strays,
            on_bytes=self._meter.came,
            say=lambda line: self._tell(line, line),
        )
        while not self._meter.stop.is_set():
            try:
                item = self._todo.get_nowait()
            except queue.Empty:
                return
            self._done.put(self._outcome(fetcher, item))

    def _outcome(self, fetcher: Fetcher, item: Item) -> DownloadOutcome | BaseException:
        self._meter.doing = item.path
        if len(self._hopeless) >= _GIVE_UP:
            return DownloadOutcome(item, "failed", f"{item.path}: {self._hopeless[0]}")
        try:
            outcome = fetcher.fetch(item)
            self._hopeless.clear()
            return outcome
        except (DiskFull, Cancelled) as error:
            self._meter.stop.set()
            return error
        except DrivAerError as error:
            reason = reason_of(error, item, self._plan.server, self._plan.folder)
            if is_hopeless(error, item):
                self._hopeless.append(reason)
            return DownloadOutcome(item, "failed", f"{item.path}: {reason}")
        except BaseException as error:  # a bug: it is raised in the caller's thread
            self._meter.stop.set()
            return error


def _strays(folder: Path, known: set[str]) -> dict[str, list[Path]]:
    """Files of a folder by name, but those at paths that are known."""
    found: dict[str, list[Path]] = {}
    for where, _, names in os.walk(folder):
        for name in names:
            path = Path(where, name)
            if path.relative_to(folder).as_posix() not in known:
                found.setdefault(name, []).append(path)
    return found
