"""The catalogue's rows of downloaded files: where each came from, and that its checksum was verified."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from data.catalogue import Catalogue, CorpusFile, FileState
from data.download.items import Item


def row_of(item: Item, folder: Path, server: str, state: FileState = "here") -> CorpusFile:
    """The row of a file in ``folder`` whose checksum was verified just now."""
    stat = (folder / item.path).stat()
    return item.row(server, state, stat.st_size, stat.st_mtime_ns, time.time_ns())


def ours(catalogue: Catalogue) -> dict[str, CorpusFile]:
    """Rows of downloaded files, by path: neither files that are only listed nor the user's own."""
    rows = (row for row in catalogue.files() if row.url and not row.member)
    return {row.path: row for row in rows if row.state != "remote" or row.checked_ns is not None}


def note_arrived(catalogue: Catalogue, items: Sequence[Item], folder: Path, server: str) -> None:
    """Record verified files at once. Their state stays ``remote``, so that ``look_through`` scans them as new ones."""
    catalogue.upsert_files([row_of(item, folder, server, "remote") for item in items])


def look_through(catalogue: Catalogue, items: Sequence[Item], folder: Path, server: str) -> tuple[str, ...]:
    """Scan the downloaded files for designs, coefficients and splits. Returns the scan's warnings."""
    from data.catalogue.scan import scan  # reads tables with numpy: not needed before all is there

    rows = {row.path: row for row in catalogue.files() if not row.member}
    checked = {item.path: rows[item.path].checked_ns for item in items if item.path in rows}
    warnings = scan(folder).warnings
    kinds = {row.path: (row.kind, row.design) for row in catalogue.files() if not row.member}
    kept = []
    for item in items:
        row = row_of(item, folder, server)
        kind, design = kinds.get(item.path, (row.kind, row.design))
        kept.append(replace(row, kind=kind, design=design, checked_ns=checked.get(item.path) or row.checked_ns))
    catalogue.upsert_files(kept)
    return warnings
