"""Unfinished files: ``NAME.part`` with a few words beside it about what it is to become."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from data.control import Control
from data.download.checksums import Hasher
from data.download.remote_bytes import RemoteBytes
from data.errors import DrivAerError

if TYPE_CHECKING:
    from typing import BinaryIO

_BLOCK = 1 << 20
_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG)


class NoHasher:
    """For bytes that are checked by other means."""

    def update(self, data: bytes, /) -> None:
        pass

    def hexdigest(self) -> str:
        return ""


class DiskFull(DrivAerError):
    """No file can be finished: there is no use in trying the next."""


@dataclass(frozen=True)
class Part:
    """Which bytes are collected: of which content (etag), of which datafile, from where to where in it."""

    datafile: str
    checksum: str
    start: int
    stop: int | None
    etag: str = ""


def part_of(target: Path) -> Path:
    return target.with_name(target.name + ".part")


def _state_of(target: Path) -> Path:
    return target.with_name(target.name + ".part.json")


def bytes_of_part(target: Path) -> int:
    """How much of a file is there already."""
    try:
        return part_of(target).stat().st_size if _state_of(target).is_file() else 0
    except OSError:
        return 0


def drop_part(target: Path) -> None:
    part_of(target).unlink(missing_ok=True)
    _state_of(target).unlink(missing_ok=True)


def collect(
    source: RemoteBytes,
    target: Path,
    part: Part,
    hasher: Callable[[], Hasher],
    on_bytes: Callable[[int], None],
    control: Control,
) -> Hasher:
    """Bring ``NAME.part`` to its full length, from where an earlier call or process left it.

    Returns the checksum of all of it.
    on_bytes: called with bytes that are there now and were not before, negative where they turned out to be useless.
    Raises NoRanges, Changed (with the part gone), DiskFull, DrivAerError, Cancelled.
    """
    with writing(target):
        part_of(target).parent.mkdir(parents=True, exist_ok=True)
        known = _kept(target, part)
        source.etag = source.etag or known.etag
        with part_of(target).open("r+b" if known is not part else "w+b") as file:
            summing = hasher()
            begun = _sum_up(file, summing, control)
            on_bytes(begun)
            _note(target, known)
            for data in source.stream(part.start + begun, part.stop) if _is_short(begun, part, source) else ():
                if source.etag != known.etag:
                    known = replace(known, etag=source.etag)
                    _note(target, known)
                on_bytes(len(data))
                file.write(data)
                summing.update(data)
            file.flush()
            os.fsync(file.fileno())
    return summing


def _is_short(begun: int, part: Part, source: RemoteBytes) -> bool:
    if part.stop is None:
        return begun == 0 or begun != source.file.size
    return part.start + begun < part.stop


def _kept(target: Path, part: Part) -> Part:
    """What the part on disk is known to be; ``part`` itself where it is to begin anew."""
    try:
        known = Part(**json.loads(_state_of(target).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return part
    same = (known.datafile, known.checksum, known.start, known.stop) == (
        part.datafile,
        part.checksum,
        part.start,
        part.stop,
    )
    return known if same and part_of(target).is_file() else part


def _sum_up(file: BinaryIO, summing: Hasher, control: Control) -> int:
    begun = 0
    while block := file.read(_BLOCK):
        control.check()
        summing.update(block)
        begun += len(block)
    return begun


def _note(target: Path, known: Part) -> None:
    state = _state_of(target)
    unfinished = state.with_name(state.name + ".tmp")
    unfinished.write_text(json.dumps(asdict(known)), encoding="utf-8")
    os.replace(unfinished, state)


def finish(target: Path, made: Path | None = None) -> None:
    """Give the part, or what was made of it, its final name."""
    with writing(target):
        os.replace(made or part_of(target), target)
        drop_part(target)


@contextmanager
def writing(target: Path) -> Iterator[None]:
    """Failures to write become a line that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            fix = "make room and start the same command again; it goes on from what is there"
            raise DiskFull("the disk is full", file=target, fix=fix) from error
        raise DrivAerError(f"cannot be written ({error.strerror or error})", file=target) from error
