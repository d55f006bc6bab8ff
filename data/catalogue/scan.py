"""Look through a folder for what is known of a corpus and keep it in the catalogue."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from data.catalogue.records import CorpusFile, Design
from data.catalogue.store import Catalogue, open_catalogue
from data.corpora import drivaernet
from data.errors import DrivAerError


@dataclass(frozen=True)
class ScanResult:
    """What a scan found. n_new, n_changed, n_gone: files. warnings: what could not be read and why."""

    catalogue: Path
    n_designs: int
    n_files: int
    n_new: int
    n_changed: int
    n_gone: int
    warnings: tuple[str, ...]


def scan(folder: str | Path, *, catalogue: str | Path | None = None) -> ScanResult:
    """Bring the catalogue of a folder up to date. Raises DrivAerError where there is no such folder."""
    folder = Path(folder)
    if not folder.is_dir():
        raise DrivAerError("is no folder", file=folder, fix="give the folder that the corpus lies in")
    with open_catalogue(catalogue or folder, root=folder if catalogue else None) as opened:
        return _scan(folder, opened)


def _scan(folder: Path, catalogue: Catalogue) -> ScanResult:
    warnings: list[str] = []
    found = {(f.path, f.member): f for f in _files(folder, warnings)}
    known = {(f.path, f.member): f for f in catalogue.files()}
    new = [f for key, f in found.items() if key not in known]
    gone = [key for key, f in known.items() if key not in found and f.state == "here"]
    ids = sorted({f.design for f in new if f.design})
    with catalogue.changing():
        catalogue.upsert_designs(_design(i) for i in ids if catalogue.design(i) is None)
        catalogue.upsert_files(new)
        catalogue.remove_files(gone)
    return ScanResult(catalogue.path, catalogue.count(), len(found), len(new), 0, len(gone), tuple(warnings))


def _design(design_id: str) -> Design:
    of = drivaernet.find_class(design_id)
    return Design(design_id, drivaernet.NAME, of.name, of.style, of.underbody, of.wheels)


def _files(folder: Path, warnings: list[str]) -> Iterator[CorpusFile]:
    for where, _, names in os.walk(folder):
        for name in sorted(names):
            path = Path(where, name)
            shown = path.relative_to(folder).as_posix()
            stat = path.stat()
            if path.suffix.lower() == ".zip":
                yield CorpusFile(shown, "archive", size=stat.st_size, mtime_ns=stat.st_mtime_ns)
                yield from _members(path, shown, stat.st_mtime_ns, warnings)
                continue
            kind, design = drivaernet.kind_of(shown), drivaernet.find_id(name)
            if kind and design:
                yield CorpusFile(shown, kind, str(design), size=stat.st_size, mtime_ns=stat.st_mtime_ns)


def _members(path: Path, shown: str, mtime_ns: int, warnings: list[str]) -> Iterator[CorpusFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (OSError, zipfile.BadZipFile) as error:
        warnings.append(f"{shown}: the archive cannot be read ({error})")
        return
    for member in members:
        kind = drivaernet.kind_of(f"{shown}/{member.filename}")
        design = drivaernet.find_id(Path(member.filename).name)
        if kind and design:
            yield CorpusFile(shown, kind, str(design), member.filename, member.file_size, mtime_ns)
