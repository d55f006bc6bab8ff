"""What a download will do: which files, how many bytes, into which place, before any of it is done."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from data.catalogue import Catalogue, CorpusFile
from data.download.choice import Choice
from data.download.items import Item
from data.download.licences import DatasetListing, licence_of
from data.download.remote_bytes import RemoteBytes, probe_rate
from data.download.remote_zip import ZipDirectory
from data.download.transport import Transport

_WORTH_MEASURING = 64 << 20
_TRY_BYTES = 2 << 20


@dataclass(frozen=True, eq=False)
class DownloadPlan:
    """What will be done.

    items: every file that is to be on disk. there: paths of items that are, and were checked. begun: bytes of others
    that are there. not_found: designs that were asked for and are nowhere. zips: directories that were read, by
    datafile. failed: datasets that could not be listed, a line each. notes: what a person should know.
    accepted: licences that were accepted for the folder before. rate: bytes a second, as measured, or None.
    """

    folder: Path
    server: str
    choice: Choice
    listings: tuple[DatasetListing, ...]
    items: tuple[Item, ...]
    there: frozenset[str]
    begun: int
    bytes_free: int
    not_found: tuple[str, ...] = ()
    zips: dict[str, ZipDirectory] = field(default_factory=dict)
    failed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    accepted: frozenset[str] = frozenset()
    rate: float | None = None

    @property
    def to_fetch(self) -> list[Item]:
        return [item for item in self.items if item.path not in self.there]

    @property
    def bytes_total(self) -> int:
        return sum(item.cost for item in self.items)

    @property
    def bytes_needed(self) -> int:
        """That still have to come over the network."""
        return max(sum(item.cost for item in self.to_fetch) - self.begun, 0)

    @property
    def seconds(self) -> float | None:
        return self.bytes_needed / self.rate if self.rate else None

    @property
    def licences(self) -> list[tuple[str, str]]:
        """Name and address of each licence that there is to accept, once."""
        named = [licence_of(listing) for listing in self.listings if not listing.terms.is_free]
        return list(dict.fromkeys(named))

    def record(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "server": self.server,
            "folder": str(self.folder),
            "datasets": [{"doi": li.dataset.doi, "version": li.terms.version} for li in self.listings],
            "licences": [{"name": name, "url": url} for name, url in self.licences],
            "files": [self._item(item) for item in self.items],
            "n_files": len(self.items),
            "n_to_fetch": len(self.to_fetch),
            "bytes_total": self.bytes_total,
            "bytes_needed": self.bytes_needed,
            "bytes_free": self.bytes_free,
            "rate_bytes_s": self.rate,
            "seconds": self.seconds,
            "not_found": list(self.not_found),
            "errors": list(self.failed),
            "notes": list(self.notes),
        }

    def _item(self, item: Item) -> dict[str, Any]:
        checksum = item.checksum
        return {
            "path": item.path,
            "dataset": item.file.dataset,
            "datafile": item.file.id,
            "member": item.member.name if item.member else None,
            "kind": item.kind,
            "design": item.design,
            "bytes": item.size,
            "bytes_to_fetch": 0 if item.path in self.there else item.cost,
            "checksum": {"type": checksum.kind, "value": checksum.value} if checksum else None,
            "there": item.path in self.there,
            "globus": item.file.wants_globus,
        }


def is_there(folder: Path, item: Item, row: CorpusFile | None) -> bool:
    """Whether a file was found to be right before and has not been touched since."""
    checksum = item.checksum
    wanted = (checksum.kind, checksum.value) if checksum else (None, None)
    if row is None or row.checked_ns is None or (row.checksum_type, row.checksum) != wanted:
        return False
    try:
        stat = (folder / item.path).stat()
    except OSError:
        return False
    return (stat.st_size, stat.st_mtime_ns) == (row.size, row.mtime_ns)


def bytes_free(folder: Path) -> int:
    """On the disk that a folder is on, or will be."""
    there = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    return shutil.disk_usage(there).free


def measured(plan: DownloadPlan, transport: Transport, catalogue: Catalogue | None) -> DownloadPlan:
    """The plan with the rate that files come at: of the last download into the folder, else of a short try."""
    known = catalogue.fact("download_rate") if catalogue else ""
    if known:
        return replace(plan, rate=float(known))
    largest = max(plan.to_fetch, key=lambda item: item.cost, default=None)
    if largest is None or plan.bytes_needed < _WORTH_MEASURING or largest.file.wants_globus:
        return plan
    return replace(plan, rate=probe_rate(RemoteBytes(transport, largest.file), _TRY_BYTES))
