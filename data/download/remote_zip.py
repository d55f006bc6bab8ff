"""Single files out of a zip on a server, without the rest of it.

``zipfile`` reads the directory at the zip's end (Zip64 too) through ranged requests; then a member's own stretch of the
zip comes down as any file does, to be resumed at any byte, and ``zipfile`` again unpacks it and checks its CRC.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path

from data.control import Control
from data.download.part_file import writing
from data.download.remote_bytes import RemoteBytes
from data.errors import DrivAerError

_TAIL = 66 << 10
_LONGEST_DIRECTORY = 256 << 20
_LOCAL_HEADER = 30 + 2 * 0xFFFF + 24
"""Bytes that a member's own header, and the descriptor after its data, take at most."""

DAMAGES = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)
"""What zipfile raises for a zip that is damaged, encrypted or packed in a way that it cannot undo."""


@dataclass(frozen=True)
class Member:
    """A file in a zip. size: bytes, unpacked. crc: CRC-32 of it. start, stop: its stretch of the zip."""

    name: str
    size: int
    crc: int
    start: int
    stop: int

    @property
    def cost(self) -> int:
        """Bytes that have to be fetched."""
        return self.stop - self.start


class RemoteZip:
    """The directory of a zip on a server; whoever makes one reads it. Raises NoRanges, Changed, DrivAerError."""

    def __init__(self, source: RemoteBytes):
        self.source = source
        self._kept: list[tuple[int, bytes]] = []
        if source.file.size is None and source.total is None:
            source.read(0, 1)
        size = source.total if source.file.size is None else source.file.size
        assert size is not None  # a server that sent a part said of how many
        self.total = size
        try:
            self._keep(max(self.total - _TAIL, 0))
            if source.total is not None and source.total != self.total:  # the listing was wrong about its size
                self.total, self._kept = source.total, []
                self._keep(max(self.total - _TAIL, 0))
            with zipfile.ZipFile(_window(self.total, self._segments(), self._missing)) as opened:
                self.members = _members(opened)
        except (*DAMAGES, DrivAerError) as error:
            if isinstance(error, DrivAerError):
                raise
            raise DrivAerError(f"{source.file.name} on {source.server} is no zip that can be read ({error})") from error

    def unpack(self, member: Member, stretch: Path, into: Path, control: Control) -> None:
        """Make the member's file of its stretch of the zip. Raises DrivAerError where it is damaged."""
        with stretch.open("rb") as file:
            window = _window(self.total, [*self._segments(), (member.start, member.stop, file)])
            with zipfile.ZipFile(window) as opened:
                unpack(opened, member.name, into, control)

    def _keep(self, start: int) -> None:
        stop = self._kept[0][0] if self._kept else self.total
        if stop - start > _LONGEST_DIRECTORY:
            raise zipfile.BadZipFile("its directory is too long")
        self._kept.insert(0, (start, self.source.read(start, stop)))

    def _missing(self, start: int) -> tuple[int, int, io.BytesIO]:
        """A directory longer than the tail that was fetched: fetch the rest of it."""
        self._keep(start)
        return self._segments()[0]

    def _segments(self) -> list[tuple[int, int, io.BytesIO]]:
        return [(start, start + len(data), io.BytesIO(data)) for start, data in self._kept]


def unpack(opened: zipfile.ZipFile, name: str, into: Path, control: Control) -> None:
    """Unpack one member; its CRC is checked. Raises DrivAerError where it is damaged, DiskFull, Cancelled."""
    try:
        with opened.open(name) as packed, writing(into), into.open("wb") as file:
            while block := packed.read(1 << 20):
                control.check()
                file.write(block)
    except DAMAGES as error:
        into.unlink(missing_ok=True)
        raise DrivAerError(f"{name} is damaged in its zip ({error})") from error


def _members(opened: zipfile.ZipFile) -> list[Member]:
    infos = opened.infolist()
    ends = sorted({info.header_offset for info in infos} | {opened.start_dir})
    members = []
    for info in infos:
        if info.is_dir():
            continue
        following = bisect_right(ends, info.header_offset)
        stop = ends[following] if following < len(ends) else info.header_offset
        stop = min(stop, info.header_offset + info.compress_size + _LOCAL_HEADER)
        if stop - info.header_offset < info.compress_size + 30:
            raise zipfile.BadZipFile(f"its members overlap at {info.filename!r}")
        members.append(Member(info.filename, info.file_size, info.CRC, info.header_offset, stop))
    return members


def _window(total: int, segments: list, missing=None) -> io.BufferedReader:
    return io.BufferedReader(_Window(total, segments, missing))


class _Window(io.RawIOBase):
    """A large file of which only some stretches are at hand; what else is read is asked for."""

    def __init__(self, total: int, segments: list, missing=None):
        self._total = total
        self._segments = segments
        self._missing = missing
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._total}[whence]
        if base + offset < 0:
            raise ValueError("before the beginning")
        self._position = base + offset
        return self._position

    def readinto(self, buffer) -> int:
        wanted = min(len(buffer), self._total - self._position)
        if wanted <= 0:
            return 0
        start, stop, file = self._segment()
        wanted = min(wanted, stop - self._position)
        file.seek(self._position - start)
        data = file.read(wanted)
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def _segment(self):
        for segment in self._segments:
            if segment[0] <= self._position < segment[1]:
                return segment
        if self._missing is None:
            raise zipfile.BadZipFile("its directory points outside of it")
        self._segments.insert(0, self._missing(self._position))
        return self._segments[0]
