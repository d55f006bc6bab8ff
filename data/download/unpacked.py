"""The chosen designs out of zips that had to be fetched whole."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import PurePosixPath

from data.catalogue import Catalogue, CorpusFile
from data.corpora import drivaernet
from data.download.fetch import DownloadOutcome
from data.download.items import Item
from data.download.names import distinct, safe_path
from data.download.part_file import DiskFull, part_of
from data.download.plan import DownloadPlan, is_there
from data.download.planner import design_in
from data.download.progress import Say
from data.download.record import note_arrived
from data.download.remote_zip import DAMAGES, Member, unpack
from data.download.transport import Transport
from data.errors import DrivAerError


def unpack_chosen(
    plan: DownloadPlan, outcomes: Iterable[DownloadOutcome], catalogue: Catalogue, transport: Transport, say: Say
) -> list[DownloadOutcome]:
    """Unpack them and write them down. Raises DiskFull, Cancelled."""
    results: list[DownloadOutcome] = []
    choice = plan.choice
    taken = {item.path.casefold() for item in plan.items}
    rows = {row.path: row for row in catalogue.files() if not row.member}
    given: set[str] = set()
    for outcome in outcomes:
        archive = outcome.item
        if not (archive.unpack and outcome.is_right):
            continue
        try:
            with zipfile.ZipFile(plan.folder / archive.path) as opened:
                for info in opened.infolist():
                    design = design_in(info.filename)
                    kind = drivaernet.kind_of(f"{archive.path}/{info.filename}")
                    if kind is None or design is None or not choice.admits(design):
                        continue
                    if choice.count is not None and str(design) not in given and len(given) >= choice.count:
                        continue
                    given.add(str(design))
                    item = _member_item(archive, info, kind, str(design), taken)
                    results.append(_unpack_one(plan, opened, item, rows.get(item.path), transport))
        except (OSError, *DAMAGES) as error:
            results.append(DownloadOutcome(archive, "failed", f"{archive.path}: cannot be unpacked ({error})"))
    for result in results:
        if not result.is_right:
            say(result.error)
    note_arrived(catalogue, [r.item for r in results if r.is_right], plan.folder, plan.server)
    return results


def _member_item(archive: Item, info: zipfile.ZipInfo, kind: str, design: str, taken: set[str]) -> Item:
    path = PurePosixPath(archive.path)
    inside = info.filename.replace("\\", "/").removeprefix(f"{path.stem}/")
    placed = distinct(safe_path(*path.with_suffix("").parts, inside), taken, int(archive.file.id))
    member = Member(info.filename, info.file_size, info.CRC, info.header_offset, info.header_offset)
    return replace(archive, path=str(placed), kind=kind, design=design, member=member, unpack=False)


def _unpack_one(
    plan: DownloadPlan, opened: zipfile.ZipFile, item: Item, row: CorpusFile | None, transport: Transport
) -> DownloadOutcome:
    if is_there(plan.folder, item, row):
        return DownloadOutcome(item, "there")
    target = plan.folder / item.path
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        assert item.member is not None
        unpack(opened, item.member.name, part_of(target), transport.control)
        os.replace(part_of(target), target)
    except DiskFull:
        raise
    except DrivAerError as error:
        return DownloadOutcome(item, "failed", error.line)
    return DownloadOutcome(item, "fetched")
