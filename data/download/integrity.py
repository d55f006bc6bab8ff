"""Every file of a corpus hashed again: which are bad, missing, cut short or there twice.

What was done is written down as it goes, so that a check of a large disk that is stopped goes on from there. A check
that came to its end is over: the next one hashes everything again.
"""

from __future__ import annotations

import filecmp
import os
import queue
import threading
import time
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from data.catalogue import CATALOGUE_NAME, Catalogue, CorpusFile, FileState
from data.catalogue.walk import UNFINISHED
from data.control import Control
from data.download.checksums import Checksum, checksum_of
from data.download.progress import OnProgress, TransferProgress, silent
from data.download.remote_zip import DAMAGES
from data.errors import DrivAerError

Fault = Literal["missing", "truncated", "bad", "unreadable", "duplicated"]
WORKERS = min(4, os.cpu_count() or 1)
_BEGUN = "verify_begun"
_REPORT_S = 0.2
_KEEP_S = 2.0


@dataclass(frozen=True)
class Finding:
    """Something wrong with a file. why: in words. path: below the corpus's folder."""

    path: str
    fault: Fault
    why: str


@dataclass(frozen=True)
class Verified:
    """What a check found. n_files, n_bytes: that it looked at, n_bytes those that it hashed now.

    unchecked: files of which no checksum is known, and which are no zips that have their own.
    """

    findings: tuple[Finding, ...]
    n_files: int
    n_bytes: int
    unchecked: tuple[str, ...]
    seconds: float

    @property
    def is_right(self) -> bool:
        return not self.findings

    @property
    def to_fetch(self) -> tuple[str, ...]:
        """Paths of what a repair would bring: all that is wrong but copies."""
        return tuple(dict.fromkeys(one.path for one in self.findings if one.fault != "duplicated"))


def verify(
    catalogue: Catalogue,
    *,
    trusting: bool = False,
    control: Control | None = None,
    workers: int = WORKERS,
    on_progress: OnProgress = silent,
) -> Verified:
    """Hash what the catalogue knows of the files on disk.

    trusting: leave out files that were right when last hashed and have not been touched since, by size and time.
    Raises DrivAerError where the catalogue knows no files, Cancelled.
    """
    control = control or Control()
    started = time.monotonic()
    rows = [row for row in catalogue.files() if not row.member]
    if not rows:
        fix = "fetch a corpus with 'data get', or look through the folder with 'data scan'"
        raise DrivAerError("the catalogue knows no files", file=catalogue.path, fix=fix)
    begun = 0 if trusting else int(catalogue.fact(_BEGUN) or 0) or time.time_ns()
    if not trusting:
        catalogue.set_fact(_BEGUN, str(begun))
    work = _Work(catalogue, rows, begun, control, on_progress)
    findings = work.run(workers)
    if not trusting:
        findings += _copies(catalogue.root, rows, control)
        catalogue.set_fact(_BEGUN, "")
    unchecked = tuple(r.path for r in rows if _checksum(r) is None and r.kind != "archive" and r.state != "missing")
    ordered = tuple(sorted(findings, key=lambda finding: finding.path))
    return Verified(ordered, len(rows), work.n_hashed, unchecked, time.monotonic() - started)


class _Work:
    def __init__(
        self, catalogue: Catalogue, rows: Sequence[CorpusFile], begun: int, control: Control, on_progress: OnProgress
    ):
        self.n_hashed = 0
        self._catalogue, self._control, self._on_progress = catalogue, control, on_progress
        self._rows = rows
        self._begun = begun
        self._total = sum(row.size or 0 for row in rows)
        self._bytes = 0
        self._todo: queue.SimpleQueue[CorpusFile] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[tuple[CorpusFile, Finding | None] | BaseException] = queue.SimpleQueue()
        self._stop = threading.Event()

    def run(self, workers: int) -> list[Finding]:
        for row in self._rows:
            self._todo.put(row)
        for _ in range(workers):
            threading.Thread(target=self._serve, daemon=True).start()
        findings: list[Finding] = []
        to_keep: list[CorpusFile] = []
        kept = time.monotonic()
        try:
            for n_done, (row, finding) in enumerate(self._arriving(), 1):
                to_keep.append(row)
                findings += [finding] if finding else []
                if time.monotonic() - kept > _KEEP_S or n_done == len(self._rows):
                    self._catalogue.upsert_files(to_keep)
                    to_keep, kept = [], time.monotonic()
                self._bytes += row.size or 0
                self._on_progress(TransferProgress(n_done, len(self._rows), self._bytes, self._total, 0, row.path))
        finally:
            self._stop.set()
            self._catalogue.upsert_files(to_keep)
        return findings

    def _arriving(self) -> Iterator[tuple[CorpusFile, Finding | None]]:
        n_left = len(self._rows)
        while n_left:
            try:
                arrived = self._done.get(timeout=_REPORT_S)
            except queue.Empty:
                self._control.check()
                continue
            if isinstance(arrived, BaseException):
                raise arrived
            n_left -= 1
            yield arrived

    def _serve(self) -> None:
        while not self._stop.is_set():
            try:
                row = self._todo.get_nowait()
            except queue.Empty:
                return
            try:
                self._done.put(self._checked(row))
            except BaseException as error:  # Cancelled, or a bug: it is raised in the caller's thread
                self._done.put(error)
                return

    def _checked(self, row: CorpusFile) -> tuple[CorpusFile, Finding | None]:
        self._control.check()
        path = self._catalogue.root / row.path
        try:
            stat = path.stat()
        except OSError:
            return _missing(row, path)
        checksum = _checksum(row)
        untouched = (stat.st_size, stat.st_mtime_ns) == (row.size, row.mtime_ns)
        if row.checked_ns is not None and row.checked_ns >= self._begun and untouched:
            return row, None  # before the check was stopped
        if checksum is not None and row.size is not None and stat.st_size < row.size:
            why = f"has {stat.st_size:,} of {row.size:,} bytes"
            return replace(row, state="partial", checked_ns=None), Finding(row.path, "truncated", why)
        try:
            return self._hashed(row, path, checksum, stat)
        except OSError as error:
            why = f"cannot be read ({error.strerror or error})"
            return replace(row, state="bad", checked_ns=None), Finding(row.path, "unreadable", why)

    def _hashed(
        self, row: CorpusFile, path: Path, checksum: Checksum | None, stat: os.stat_result
    ) -> tuple[CorpusFile, Finding | None]:
        why = ""
        if checksum is not None:
            found = checksum.of_file(path, self._control)
            why = "" if found == checksum else f"its {checksum.kind} is {found.value} and should be {checksum.value}"
        elif row.kind == "archive":
            why = _zip_fault(path, self._control)
        else:
            return row, None
        self.n_hashed += stat.st_size
        if why:
            return replace(row, state="bad", checked_ns=None), Finding(row.path, "bad", why)
        right = replace(row, state="here", size=stat.st_size, mtime_ns=stat.st_mtime_ns, checked_ns=time.time_ns())
        return right, None


def _checksum(row: CorpusFile) -> Checksum | None:
    return checksum_of(row.checksum_type, row.checksum)


def _missing(row: CorpusFile, path: Path) -> tuple[CorpusFile, Finding | None]:
    part = path.with_name(path.name + ".part")
    if part.is_file():
        why = f"is not finished: {part.stat().st_size:,} bytes of it are there"
        return replace(row, state="remote", checked_ns=None), Finding(row.path, "truncated", why)
    state: FileState = "remote" if row.state == "remote" else "missing"
    why = "was chosen and is not there yet" if state == "remote" else "is gone"
    return replace(row, state=state, checked_ns=None), Finding(row.path, "missing", why)


def _zip_fault(path: Path, control: Control) -> str:
    """What is wrong with a zip of which no checksum is known, by the CRCs of its members; "" for nothing."""
    try:
        with zipfile.ZipFile(path) as opened:
            for info in opened.infolist():
                with opened.open(info) as member:
                    while member.read(1 << 20):
                        control.check()
    except DAMAGES as error:
        return f"the zip is damaged or cut short ({error})"
    return ""


def _copies(root: Path, rows: Sequence[CorpusFile], control: Control) -> list[Finding]:
    """Files with the very content of another: copies that nobody listed, and a design's mesh that is there twice."""
    listed = {row.path: row for row in rows if _checksum(row) is not None}
    by_sum = {(row.size, _checksum(row)): row.path for row in listed.values()}
    kinds = {(row.size, str(row.checksum_type)) for row in listed.values()}
    of_design: dict[tuple[str, str, int | None], list[str]] = {}
    for row in rows:
        if row.design and row.path not in listed:
            of_design.setdefault((row.design, row.kind, row.size), []).append(row.path)
    findings = []
    for path in _other_files(root, set(listed)):
        control.check()
        try:
            size = path.stat().st_size
            found = (Checksum(kind, "").of_file(path, control) for of_size, kind in kinds if of_size == size and size)
            likely = [by_sum[size, checksum] for checksum in found if (size, checksum) in by_sum]
        except OSError:
            continue
        findings += _same_as(root, path.relative_to(root).as_posix(), likely)
    for paths in of_design.values():
        for i, again in enumerate(paths[1:], 1):
            findings += _same_as(root, again, paths[:i])
    return findings


def _same_as(root: Path, path: str, others: Sequence[str]) -> list[Finding]:
    for other in others:
        with suppress(OSError):
            if filecmp.cmp(root / path, root / other, shallow=False):
                return [Finding(path, "duplicated", f"is the same as {other}")]
    return []


def _other_files(root: Path, known: set[str]) -> Iterator[Path]:
    for where, _, names in os.walk(root):
        for name in names:
            path = Path(where, name)
            ours = name.startswith((CATALOGUE_NAME, ".drivaer")) or name.endswith((*UNFINISHED, ".part.json"))
            if not ours and path.relative_to(root).as_posix() not in known:
                yield path
