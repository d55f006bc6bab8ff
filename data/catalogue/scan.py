"""Look through a folder for corpora and bring its catalogue up to date.

Sizes and times decide what is new; of archives only the directories are read, of meshes nothing. All changes of a scan
are one transaction: a scan that is killed has changed nothing, and two at once come out as one after the other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from data.catalogue.designs import describe
from data.catalogue.recognise import recognise
from data.catalogue.records import CorpusFile, Design
from data.catalogue.store import Catalogue, open_catalogue
from data.catalogue.walk import FileEntry, is_cut_short, members, walk
from data.corpora import licence_of
from data.errors import DrivAerError

Key = tuple[str, str]
RULES = "2"
"""Counts up whenever the same files are to be described otherwise: catalogues are described anew then."""
OTHER = "other"  # the kind of files that turned out to be of no design
_OF_SERVER = ("checksum_type", "checksum", "checked_ns", "url", "datafile_id")


@dataclass(frozen=True)
class ScanResult:
    """What a scan found.

    corpora: designs of each. licences: of the corpora that have one. label_versions: designs with coefficients by what
    these refer to. splits: designs by split. n_new, n_changed, n_gone: files. warnings: plain sentences.
    """

    catalogue: Path
    n_designs: int
    n_files: int
    n_new: int
    n_changed: int
    n_gone: int
    corpora: Mapping[str, int]
    licences: Mapping[str, str]
    label_versions: Mapping[str, int]
    splits: Mapping[str, int]
    warnings: tuple[str, ...]


def scan(
    folder: str | Path,
    *,
    catalogue: str | Path | None = None,
    labels: Literal["updated", "first"] | None = None,
) -> ScanResult:
    """Bring the catalogue of a folder up to date.

    catalogue: the SQLite file, where it does not lie in the folder. labels: which of DrivAerNet's label versions to
    use; the one that was used before, or else the updated one, unless given.
    Raises DrivAerError where there is no such folder, or the catalogue cannot be written.
    """
    folder = Path(folder)
    if not folder.is_dir():
        what = "is no folder" if folder.exists() else "there is no such folder"
        raise DrivAerError(what, file=folder, fix="give the folder that the corpus lies in")
    with open_catalogue(catalogue or folder, root=folder if catalogue else None) as opened:
        if opened.root.resolve() != folder.resolve():
            raise DrivAerError(f"is the catalogue of another folder, {opened.root}", file=opened.path)
        return _scan(folder, opened, labels)


def _scan(folder: Path, catalogue: Catalogue, labels: str | None) -> ScanResult:
    warnings: list[str] = []
    entries = [e for e in walk(folder, warnings) if not e.name.startswith(catalogue.path.name)]
    version = _data_version(catalogue)
    known = _by_key(catalogue.files())
    recognised = recognise(folder, entries, _members_of(folder, entries, known, warnings))
    found = _by_key(r.file for r in recognised)
    with catalogue.changing():
        if _data_version(catalogue) != version:  # another process has changed the files since
            known = _by_key(catalogue.files())
        changes = _Changes.between(known, found).with_partial_meshes(folder)
        n_designs = catalogue.count()
        by_these_rules = catalogue.fact("rules") == RULES and labels in (None, catalogue.fact("labels"))
        if changes.any or not n_designs or not by_these_rules:
            files = changes.after(known)
            recognised_designs = {
                r.design.id: r.design
                for r in recognised
                if r.design is not None and files[r.file.path, r.file.member].kind != OTHER
            }
            kept = {d.id: d for d in catalogue.designs()}
            description = describe(
                folder,
                files.values(),
                recognised_designs,
                kept,
                changes.unchanged,
                labels=labels or catalogue.fact("labels") or None,
                split=catalogue.fact("split"),
            )
            half = sorted(f.path for f in files.values() if f.state == "partial")
            if half:
                description.warnings.append(f"files that are there in part only: {len(half)}, such as {half[0]}")
            warnings += description.warnings
            changes.write(catalogue)
            catalogue.upsert_files(replace(files[path, ""], kind=OTHER, design=None) for path in description.not_cases)
            _write_designs(catalogue, kept, description.designs)
            catalogue.set_fact("warnings", "\n".join(description.warnings))
            catalogue.set_fact("split", description.split)
            catalogue.set_fact("rules", RULES)
            names = dict.fromkeys(name for design in description.designs for name in design.parameters)
            catalogue.set_fact("parameters", json.dumps([*names]))
            if labels:
                catalogue.set_fact("labels", labels)
        else:
            warnings += [line for line in catalogue.fact("warnings").splitlines() if line]
        return _result(catalogue, changes, warnings)


def _data_version(catalogue: Catalogue) -> int:
    """Changes with what other connections write."""
    return catalogue.connection.execute("PRAGMA data_version").fetchone()[0]


def _write_designs(catalogue: Catalogue, kept: Mapping[str, Design], designs: Sequence[Design]) -> None:
    catalogue.upsert_designs(d for d in designs if kept.get(d.id) != d)
    lost = kept.keys() - {d.id for d in designs}
    catalogue.connection.executemany(
        "DELETE FROM designs WHERE id = ? AND notes = '' AND id NOT IN (SELECT design FROM tags)", ((i,) for i in lost)
    )


@dataclass(frozen=True)
class _Changes:
    """What differs between the files that were known and those that were found."""

    new: dict[Key, CorpusFile]
    changed: dict[Key, CorpusFile]
    gone: tuple[Key, ...]
    missing: tuple[CorpusFile, ...]
    unchanged: frozenset[Key]

    @classmethod
    def between(cls, known: Mapping[Key, CorpusFile], found: Mapping[Key, CorpusFile]) -> _Changes:
        new = {key: file for key, file in found.items() if key not in known}
        changed, unchanged = {}, set()
        for key in found.keys() & known.keys():
            now = _seen_again(known[key], found[key])
            if now == known[key]:
                unchanged.add(key)
            else:
                changed[key] = now
        gone, missing = [], []
        for key in known.keys() - found.keys():
            if known[key].url or known[key].checksum or known[key].datafile_id:
                if known[key].state in ("here", "partial", "bad"):
                    missing.append(replace(known[key], state="missing", checked_ns=None))
            else:
                gone.append(key)
        return cls(new, changed, tuple(gone), tuple(missing), frozenset(unchanged))

    @property
    def any(self) -> bool:
        return bool(self.new or self.changed or self.gone or self.missing)

    def with_partial_meshes(self, folder: Path) -> _Changes:
        """New and changed meshes that are shorter than they say themselves are partial."""

        def looked_at(files: dict[Key, CorpusFile]) -> dict[Key, CorpusFile]:
            stls = [f for f in files.values() if f.kind == "mesh" and not f.member and f.path.lower().endswith(".stl")]
            cut = [f for f in stls if f.state == "here" and is_cut_short(folder / f.path, f.size or 0)]
            return files | {(f.path, f.member): replace(f, state="partial") for f in cut}

        return replace(self, new=looked_at(self.new), changed=looked_at(self.changed))

    def after(self, known: Mapping[Key, CorpusFile]) -> dict[Key, CorpusFile]:
        """All files as they are now."""
        gone = set(self.gone)
        missing = _by_key(self.missing)
        return {k: f for k, f in known.items() if k not in gone} | self.new | self.changed | missing

    def write(self, catalogue: Catalogue) -> None:
        catalogue.upsert_files([*self.new.values(), *self.changed.values(), *self.missing])
        catalogue.remove_files(self.gone)


def _seen_again(known: CorpusFile, found: CorpusFile) -> CorpusFile:
    """A known file as it is now. What a server said of it is kept, its size too: a shorter file is partial."""
    from_server = {name: getattr(known, name) for name in _OF_SERVER}
    if known.kind == OTHER and (known.mtime_ns, known.size) == (found.mtime_ns, found.size):
        return known
    if known.mtime_ns == found.mtime_ns and known.state in ("bad", "here", "partial") and known.design == found.design:
        same_size = known.size == found.size or known.state != "here"
        if same_size:
            return known if known.kind == found.kind else replace(known, kind=found.kind)
    now = replace(found, **{**from_server, "checked_ns": None})
    if (known.url or known.checksum or known.datafile_id) and known.size and found.size != known.size:
        return replace(now, size=known.size, state="partial")
    return now


def _members_of(
    folder: Path, entries: Iterable[FileEntry], known: Mapping[Key, CorpusFile], warnings: list[str]
) -> dict[str, list[tuple[str, int]]]:
    """What is in each archive: remembered where the archive is as it was, else from its directory."""
    remembered: dict[str, list[tuple[str, int]]] = {}
    for (path, member), file in known.items():
        if member:
            remembered.setdefault(path, []).append((member, file.size or 0))
    found = {}
    for entry in entries:
        if entry.suffix != ".zip":
            continue
        before = known.get((entry.path, ""))
        if before and (before.mtime_ns, before.size) == (entry.mtime_ns, entry.size) and entry.path in remembered:
            found[entry.path] = remembered[entry.path]
            continue
        try:
            found[entry.path] = members(folder / entry.path)
        except DrivAerError as error:
            warnings.append(f"{entry.path}: {error.what}; {error.fix}" if error.fix else f"{entry.path}: {error.what}")
    return found


def _result(catalogue: Catalogue, changes: _Changes, warnings: Sequence[str]) -> ScanResult:
    def counts(column: str) -> dict[str, int]:
        rows = catalogue.connection.execute(
            f"SELECT {column}, count(*) FROM designs WHERE {column} IS NOT NULL GROUP BY 1 ORDER BY 1"
        )
        return dict(rows.fetchall())

    return ScanResult(
        catalogue=catalogue.path,
        n_designs=catalogue.count(),
        n_files=catalogue.connection.execute("SELECT count(*) FROM files").fetchone()[0],
        n_new=len(changes.new),
        n_changed=len(changes.changed),
        n_gone=len(changes.gone) + len(changes.missing),
        corpora=counts("corpus"),
        licences={corpus: licence for corpus in counts("corpus") if (licence := licence_of(corpus))},
        label_versions=counts("label_version"),
        splits=counts("split"),
        warnings=tuple(warnings),
    )


def _by_key(files: Iterable[CorpusFile]) -> dict[Key, CorpusFile]:
    return {(f.path, f.member): f for f in files}
