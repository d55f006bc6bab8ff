"""What a download writes into the catalogue: files with their checksums and sources."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from data.catalogue import Catalogue, CorpusFile, Design
from data.corpora import drivaernet
from data.corpora.drivaernet import find_class
from data.download.items import Item


def note_files(catalogue: Catalogue, rows: Sequence[CorpusFile]) -> None:
    """Write files down, and the designs that they are of."""
    ids = sorted({row.design for row in rows if row.design})
    with catalogue.changing():
        catalogue.upsert_designs(_design(i) for i in ids if catalogue.design(i) is None)
        catalogue.upsert_files(rows)


def _design(design: str) -> Design:
    of = find_class(design)
    return Design(design, drivaernet.NAME, of.name, of.style, of.underbody, of.wheels)


def row_of(item: Item, folder: Path, server: str) -> CorpusFile:
    """What the catalogue keeps of a file that was just found to be right."""
    stat = (folder / item.path).stat()
    return item.row(server, "here", stat.st_size, stat.st_mtime_ns, time.time_ns())
