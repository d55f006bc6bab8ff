"""What a check found wrong, fetched again from where it came from, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from data.catalogue import Catalogue, CorpusFile
from data.control import Control
from data.corpora import drivaernet
from data.download.choice import Choice
from data.download.dataverse import RemoteFile
from data.download.get import CONNECTIONS, DownloadResult, carry_out
from data.download.items import Item, source_of
from data.download.part_file import bytes_of_part
from data.download.plan import DownloadPlan, bytes_free
from data.download.progress import OnProgress, Say, silent
from data.download.remote_bytes import Changed, NoRanges, RemoteBytes
from data.download.remote_zip import ZipDirectory
from data.download.transport import Transport
from data.errors import DrivAerError


@dataclass(frozen=True)
class Repaired:
    """results: of each server. hopeless: a line for each file that cannot be fetched again."""

    results: tuple[DownloadResult, ...]
    hopeless: tuple[str, ...]

    @property
    def is_complete(self) -> bool:
        return not self.hopeless and all(result.is_complete for result in self.results)


class Repairer:
    """server: to ask instead of the one that a file came from. token: sent to that server, and to the one that
    downloads ask by default; to no other, however the catalogue, which may be a stranger's, calls it.

    Raises DrivAerError for a catalogue whose files lie outside of its own folder.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        server: str | None = None,
        token: str | None = None,
        control: Control | None = None,
        say: Say = silent,
    ):
        if catalogue.root.resolve() != catalogue.path.parent.resolve():
            what = f"says that its files lie in {catalogue.root}, outside of its own folder"
            raise DrivAerError(what, file=catalogue.path, fix="make a catalogue in that folder with 'data scan'")
        self._catalogue = catalogue
        self._server = server
        self._token = token
        self._control = control
        self._say = say

    def _transport(self, server: str) -> Transport:
        trusted = server in (self._server, drivaernet.SERVER)
        if self._token and not trusted:
            self._say(f"the token is not sent to {server}, which the catalogue names: give --server if it is yours")
        return Transport(server, self._token if trusted else None, control=self._control, say=self._say)

    def repair(
        self, paths: Sequence[str], *, connections: int = CONNECTIONS, on_progress: OnProgress = silent
    ) -> Repaired:
        """Fetch files again. Call it inside of ``working_in``. Raises DiskFull, Cancelled, DrivAerError."""
        wanted = set(paths)
        rows = [row for row in self._catalogue.files() if row.path in wanted and not row.member]
        hopeless: list[str] = []
        by_server: dict[str, list[tuple[CorpusFile, RemoteFile, str]]] = {}
        for row in rows:
            source = source_of(row)
            if source is None:
                hopeless.append(f"{row.path}: where it came from is not known; bring a good copy there by other ways")
                continue
            server, file, member = source
            by_server.setdefault(self._server or server, []).append((row, file, member))
        results = []
        for server, sources in by_server.items():
            transport = self._transport(server)
            plan, lines = self._plan(transport, sources)
            hopeless += lines
            results.append(
                carry_out(
                    plan, transport, self._catalogue, connections=connections, on_progress=on_progress, say=self._say
                )
            )
        return Repaired(tuple(results), tuple(hopeless))

    def _plan(
        self, transport: Transport, sources: Sequence[tuple[CorpusFile, RemoteFile, str]]
    ) -> tuple[DownloadPlan, list[str]]:
        zips: dict[str, ZipDirectory] = {}
        items, hopeless = [], []
        for row, file, member in sources:
            try:
                items.append(self._item(transport, row, file, member, zips))
            except DrivAerError as error:
                hopeless.append(f"{row.path}: {error.line}")
        folder = Path(self._catalogue.root)
        plan = DownloadPlan(
            folder=folder,
            server=transport.server,
            choice=Choice(),
            listings=(),
            items=tuple(items),
            there=frozenset(),
            begun=sum(bytes_of_part(folder / item.path) for item in items),
            bytes_free=bytes_free(folder),
            zips=zips,
        )
        return plan, hopeless

    def _item(
        self, transport: Transport, row: CorpusFile, file: RemoteFile, member: str, zips: dict[str, ZipDirectory]
    ) -> Item:
        if not member:
            return Item(row.path, file, row.kind, row.design)
        if file.id not in zips:
            try:
                zips[file.id] = ZipDirectory(RemoteBytes(transport, file))
            except (NoRanges, Changed) as error:
                what = "the server sends its zip only whole"
                raise DrivAerError(what, fix="fetch it again with 'data get'") from error
        found = next((m for m in zips[file.id].members if m.name == member), None)
        if found is None or f"{found.crc:08x}" != row.checksum:
            what = "its zip on the server is another one now"
            raise DrivAerError(what, fix="start 'data get' again, to fetch the new version")
        return Item(row.path, replace(file, size=zips[file.id].total), row.kind, row.design, found)
