"""One file from a server onto a disk: resumed, checked, and under its final name only when it is right."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from data.catalogue import CorpusFile
from data.control import Control
from data.download.checksums import Checksum
from data.download.dataverse import RemoteFile, files_of, find_file
from data.download.items import Item
from data.download.part_file import NoHasher, Part, collect, drop_part, finish, part_of, writing
from data.download.progress import Say
from data.download.remote_bytes import Changed, NoRanges, RemoteBytes
from data.download.remote_zip import ZipDirectory
from data.download.transport import Refused, Transport
from data.errors import DrivAerError

_FULL_RETRIES = 1
"""How often a file whose checksum is wrong is fetched anew, whole, in one go."""
_MOST_CHANGES = 3


@dataclass(frozen=True)
class DownloadOutcome:
    """What became of a file. item: as it was in the end, where the dataset changed meanwhile.

    status: there (was already), taken (somebody had put it into the folder), fetched or failed. error: why, one line.
    """

    item: Item
    status: Literal["there", "taken", "fetched", "failed"]
    error: str = ""

    @property
    def is_right(self) -> bool:
        return self.status != "failed"

    @property
    def reason(self) -> str:
        """The error without the file's own names: the same for all that failed alike."""
        reason = self.error
        for name in sorted((self.item.path, self.item.file.name), key=len, reverse=True):
            reason = reason.replace(name, "…")
        return reason


class _WrongSum(Exception):
    def __init__(self, found: Checksum | None):
        super().__init__()
        self.found = found


class Fetcher:
    """One worker's.

    zips: directories that were read, by datafile. rows: of files that downloads brought. strays: other files of the
    folder by name, for what came by other ways. on_bytes: called with bytes that are there now and were not before.
    """

    def __init__(
        self,
        folder: Path,
        transport: Transport,
        *,
        zips: Mapping[str, ZipDirectory],
        rows: Mapping[str, CorpusFile],
        strays: Mapping[str, list[Path]],
        on_bytes: Callable[[int], None],
        say: Say,
    ):
        self._folder = folder
        self._transport = transport
        self._control: Control = transport.control
        self._zips = dict(zips)
        self._rows = rows
        self._strays = strays
        self._on_bytes = on_bytes
        self._say = say
        self._sources: dict[str, RemoteBytes] = {}

    def fetch(self, item: Item) -> DownloadOutcome:
        """Raises DiskFull, Cancelled; all else that goes wrong is an outcome."""
        target = self._folder / item.path
        if target.is_file() and self._is_right(target, item):
            self._on_bytes(item.cost)
            drop_part(target)
            return DownloadOutcome(item, "there")
        if self._took_stray(target, item):
            self._on_bytes(item.cost)
            return DownloadOutcome(item, "taken")
        self._set_aside(target, item)
        if item.member is not None:
            return DownloadOutcome(self._fetch_member(target, item), "fetched")
        return DownloadOutcome(self._fetch_whole(target, item), "fetched")

    def _is_right(self, path: Path, item: Item) -> bool:
        try:
            if item.size is not None and path.stat().st_size != item.size:
                return False
            checksum = item.checksum
            return checksum is None or checksum.of_file(path, self._control) == checksum
        except OSError:
            return False

    def _took_stray(self, target: Path, item: Item) -> bool:
        """A file of the right name and content that lies elsewhere in the folder, as a browser or Globus left it."""
        if item.checksum is None:
            return False
        for stray in self._strays.get(item.file.name if item.member is None else "", []):
            if stray != target and stray.is_file() and self._is_right(stray, item):
                with writing(target):
                    target.parent.mkdir(parents=True, exist_ok=True)
                    os.replace(stray, target)
                self._say(f"{item.path}: taken from {stray.relative_to(self._folder).as_posix()}")
                return True
        return False

    def _set_aside(self, target: Path, item: Item) -> None:
        """A file of the same name that no download of ours made is somebody's: it keeps its content, not its name."""
        if not os.path.lexists(target) or item.path in self._rows:
            return
        if target.is_dir():
            raise DrivAerError("there is a folder where a file is to be", file=target, fix="move it away")
        kept = next(k for n in range(1, 1000) if not (k := target.with_name(f"{target.name}.kept{n}")).exists())
        with writing(target):
            os.replace(target, kept)
        self._say(f"{item.path}: the file that was there is another one; it is {kept.name} now")

    def _fetch_whole(self, target: Path, item: Item) -> Item:
        wrong, changes = 0, 0
        while True:
            try:
                self._collect_whole(target, item)
                finish(target)
                return item
            except Changed as change:
                self._drop(target)
                changes += 1
                item = self._after(change, item, is_last=changes > _MOST_CHANGES)
            except _WrongSum as found:
                self._drop(target)
                newest = self._newest(item)
                if newest.checksum != item.checksum and changes < _MOST_CHANGES:
                    item, changes = newest, changes + 1
                    continue
                wrong += 1
                if wrong > _FULL_RETRIES:
                    raise self._bad_sum(item, found.found) from None
                self._say(f"{item.path}: its checksum is wrong, so it is fetched again")

    def _collect_whole(self, target: Path, item: Item) -> None:
        checksum = item.checksum
        part = Part(item.file.id, str(checksum), 0, None)
        hasher = checksum.hasher if checksum else NoHasher
        summing = collect(self._source(item.file), target, part, hasher, self._on_bytes, self._control)
        found = Checksum(checksum.kind, summing.hexdigest()) if checksum else None
        got = part_of(target).stat().st_size
        if found != checksum or (checksum is None and item.size is not None and got != item.size):
            raise _WrongSum(found)

    def _fetch_member(self, target: Path, item: Item) -> Item:
        for last in (False, True):
            try:
                return self._fetch_member_once(target, item)
            except Changed as change:
                self._drop(target)
                item = self._member_anew(self._after(change, item, is_last=last))
            except NoRanges:
                what = f"{item.path}: the server no longer sends parts of {item.file.name}"
                raise DrivAerError(what, fix="start the same command again: it will plan with whole files") from None
            except _Damaged as damaged:
                self._drop(target)
                if last:
                    raise damaged.error from None
                self._say(f"{item.path}: its checksum is wrong, so it is fetched again")
                item = self._member_anew(self._newest(item))
        raise AssertionError

    def _fetch_member_once(self, target: Path, item: Item) -> Item:
        source = self._source(item.file)
        if item.file.id not in self._zips:
            self._zips[item.file.id] = ZipDirectory(source)
        member = item.member
        assert member is not None
        part = Part(item.file.id, str(item.checksum), member.start, member.stop)
        collect(source, target, part, NoHasher, self._on_bytes, self._control)
        unpacked = target.with_name(target.name + ".unpacked.part")
        try:
            self._zips[item.file.id].unpack(member, part_of(target), unpacked, self._control)
        except DrivAerError as error:
            if isinstance(error.__cause__, OSError):
                raise
            raise _Damaged(error) from error
        finish(target, unpacked)
        return item

    def _member_anew(self, item: Item) -> Item:
        """The member in the zip's directory as it is now."""
        assert item.member is not None
        self._sources.pop(item.file.id, None)
        self._zips[item.file.id] = ZipDirectory(self._source(item.file))
        members = self._zips[item.file.id].members
        found = next((m for m in members if m.name == item.member.name), None)
        if found is None:
            raise DrivAerError(f"{item.member.name} is no longer in {item.file.name} on {self._transport.server}")
        return replace(item, member=found)

    def _after(self, change: Changed, item: Item, *, is_last: bool) -> Item:
        """The item to go on with. Raises DrivAerError where there is none: it is gone, or never the same."""
        newest = self._newest(item)
        if newest == item and isinstance(change.__cause__, DrivAerError):
            raise change.__cause__
        if is_last:
            raise DrivAerError(f"{item.file.name} on {self._transport.server} keeps changing")
        if newest == item:
            self._source(item.file).trusts_etags = False  # the listing knows of no change: the checksum will tell
        return newest

    def _newest(self, item: Item) -> Item:
        """The item as its dataset lists it now: a new version may have come while it was fetched."""
        if not item.file.dataset:
            return item
        found = find_file(files_of(self._transport, item.file.dataset), item.file)
        if found is None:
            what = f"{item.path}: is no longer in {item.file.dataset}"
            raise DrivAerError(what, fix="start the same command again, to plan with the new version")
        if found != item.file:
            self._say(f"{item.file.dataset} changed meanwhile: fetching its new version")
            self._sources.pop(item.file.id, None)
        return replace(item, file=found)

    def _source(self, file: RemoteFile) -> RemoteBytes:
        if file.id not in self._sources:
            self._sources[file.id] = RemoteBytes(self._transport, file)
        return self._sources[file.id]

    def _drop(self, target: Path) -> None:
        with suppress(OSError):
            self._on_bytes(-part_of(target).stat().st_size)
        drop_part(target)

    def _bad_sum(self, item: Item, found: Checksum | None) -> DrivAerError:
        what = f"{item.path}: its checksum is still wrong after fetching it again: {item.checksum} is right"
        what += f", the server sends {found.value}" if found else ""
        return DrivAerError(what, fix="it was not kept; try again later, or tell the dataset's authors")


class _Damaged(Exception):
    def __init__(self, error: DrivAerError):
        super().__init__()
        self.error = error


def globus_help(server: str, item: Item, folder: Path) -> str:
    """What to do for a file that the server hands out through Globus only."""
    dataset = item.file.dataset
    page = f"{server}/dataset.xhtml?persistentId={dataset}" if dataset else server
    return (
        f"open {page}, choose {item.file.name}, Access File > Globus Transfer (Globus Connect Personal has to run "
        f"here), send it into {folder}, and start the same command again: it takes what has arrived"
    )


def reason_of(error: DrivAerError, item: Item, server: str, folder: Path) -> str:
    """Why a file failed, without its name in front; where Globus would help it says how."""
    if isinstance(error, Refused) and (error.kind == "globus" or item.file.wants_globus):
        error = DrivAerError(error.what, fix=globus_help(server, item, folder))
    return error.line.removeprefix(f"{item.path}: ").removeprefix(f"{item.file.name}: ")
