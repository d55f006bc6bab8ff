"""Single files out of a zip on a server, without the rest of it.

remotezip reads the directory at the zip's end (Zip64 too). Then a member's own stretch of the zip comes down as any
file does, to be resumed at any byte, and remotezip unpacks it and checks its CRC. The requests are ours: remotezip's
know no If-Range, do not go on where a connection broke, and take the token along to wherever a server redirects them.
"""

from __future__ import annotations

import zipfile
import zlib
from bisect import bisect_right
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import BinaryIO

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


class ZipDirectory:
    """The directory of a zip on a server; whoever makes one reads it. Raises NoRanges, Changed, DrivAerError.

    total: bytes of the zip.
    """

    def __init__(self, source: RemoteBytes):
        self.source = source
        if source.file.size is None and source.total is None:
            source.read(0, 1)
        size = source.total if source.file.size is None else source.file.size
        assert size is not None  # a server that sent a part said of how many
        self.total = size
        self._kept: dict[tuple[int, int], bytes] = {}
        try:
            self._bytes(max(self.total - _TAIL, 0), self.total)
            if source.total is not None and source.total != self.total:  # the listing was wrong about its size
                self.total, self._kept = source.total, {}
            with self._opened() as opened:
                self.members = _members(opened)
        except DAMAGES as error:
            raise DrivAerError(f"{source.file.name} on {source.server} is no zip that can be read ({error})") from error

    def unpack(self, member: Member, stretch: Path, into: Path, control: Control) -> None:
        """Make the member's file of its stretch of the zip. Raises DrivAerError where it is damaged."""
        from remotezip import RemoteZipError

        try:
            with stretch.open("rb") as file, self._opened(member, file) as opened:
                unpack(opened, member.name, into, control)
        except RemoteZipError as error:
            into.unlink(missing_ok=True)
            raise DrivAerError(f"{member.name} is damaged in its zip ({error})") from error

    def _opened(self, member: Member | None = None, stretch: BinaryIO | None = None) -> zipfile.ZipFile:
        """The zip, of which one member can be read: the one whose stretch is given."""
        from remotezip import PartialBuffer, RemoteZip

        def fetch(data_range: tuple[int, int | None], stream: bool) -> PartialBuffer:
            start, last = data_range
            stop = self.total if last is None else last + 1
            start = max(start + self.total, 0) if last is None else start
            if member is not None and stretch is not None and stream:
                if start != member.start:
                    raise zipfile.BadZipFile("a member's header points outside of it")
                return PartialBuffer(stretch, start, stop - start, stream)
            return PartialBuffer(BytesIO(self._bytes(start, stop)), start, stop - start, stream)

        return RemoteZip("", initial_buffer_size=_TAIL, fetcher=lambda *_, **__: SimpleNamespace(fetch=fetch))

    def _bytes(self, start: int, stop: int) -> bytes:
        if not 0 <= start < stop <= self.total:
            raise zipfile.BadZipFile("its directory points outside of it")
        if stop - start > _LONGEST_DIRECTORY:
            raise zipfile.BadZipFile("its directory is too long")
        if (start, stop) not in self._kept:
            self._kept[start, stop] = self.source.read(start, stop)
        return self._kept[start, stop]


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
