"""What a folder's tables, split lists and case files say of its designs, put together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from data.catalogue.recognise import CASES, FOLDER, drivaernet_design, run_design
from data.catalogue.records import LABELS, CorpusFile, Design
from data.corpora import drivaernet, runs
from data.corpora.drivaernet_labels import drivaernet_labels, is_drivaernet_table
from data.corpora.labels import Labels, merge, read_labels
from data.corpora.splits import SPLITS, split_from
from data.corpora.tables import TEXTS, Table, read_table
from data.errors import DrivAerError

CHOSEN = "chosen"
"""How the fact ``split`` begins for a split that a user has chosen; a scan leaves it alone."""


@dataclass
class Description:
    """designs: all of the folder. not_cases: paths of ``.npz`` files that are no cases. split: its source."""

    designs: list[Design] = field(default_factory=list)
    not_cases: list[str] = field(default_factory=list)
    split: str = ""
    warnings: list[str] = field(default_factory=list)


def describe(
    root: Path,
    files: Iterable[CorpusFile],
    recognised: Mapping[str, Design],
    kept: Mapping[str, Design],
    unchanged: Collection[tuple[str, str]],
    *,
    labels: str | None,
    split: str,
) -> Description:
    """Describe the designs of a folder from all that its files say of them.

    recognised: designs by id, as names of files tell them. kept: designs as the last scan described them. unchanged:
    files since then. labels: DrivAerNet's label version. split: the source of the split so far; a chosen one stays.
    """
    files = list(files)
    done = Description()
    designs = dict(recognised)
    _read_cases(root, files, designs, kept, unchanged, done)
    tables = _tables(root, files, done)
    found: dict[str, Labels] = {}
    drivaernet_tables = [table for table in tables.values() if is_drivaernet_table(table)]
    if drivaernet_tables:
        version: Literal["updated", "first"] | None = labels  # type: ignore[assignment]
        merged = drivaernet_labels(drivaernet_tables, version)
        done.warnings += merged.warnings
        found |= merged.labels
    found |= _run_labels(tables, runs.RunFolders(root, (f.path for f in files)))
    of_no_corpus = {p: t for p, t in tables.items() if t not in drivaernet_tables and not runs.is_run_table(p)}
    found |= _folder_labels(of_no_corpus, designs)
    for design_id, known in found.items():
        design = designs.get(design_id) or _designed(design_id)
        designs[design_id] = _with_labels(design, known)
    chosen = split.startswith(CHOSEN)
    if chosen:
        done.split = split
    else:
        _split(root, files, designs, done)
    done.designs = [_as_kept(d, kept.get(d.id), chosen) for _, d in sorted(designs.items())]
    return done


def _designed(design_id: str) -> Design:
    """A design that only a table knows."""
    known = drivaernet.find_id(design_id)
    if known is not None:
        return drivaernet_design(known)
    title, _, run = design_id.rpartition("_")
    return run_design(next(c for c in runs.RUN_CORPORA.values() if c.title == title), int(run))


def _with_labels(design: Design, labels: Labels) -> Design:
    texts: dict[str, Any] = {
        name: v for name in TEXTS if name != "label_version" and (v := labels.values.get(name)) is not None
    }
    numbers: dict[str, Any] = {name: value for name, value in labels.values.items() if name not in TEXTS}
    parameters = {**design.parameters, **labels.parameters}
    return replace(design, **texts, **numbers, label_version=labels.version, parameters=parameters)


def _as_kept(design: Design, before: Design | None, chosen: bool) -> Design:
    """What a user has noted, and a split that was chosen, stays."""
    if before is None:
        return replace(design, split=None) if chosen else design
    return replace(design, notes=before.notes or design.notes, split=before.split if chosen else design.split)


def _read_cases(
    root: Path,
    files: list[CorpusFile],
    designs: dict[str, Design],
    kept: Mapping[str, Design],
    unchanged: Collection[tuple[str, str]],
    done: Description,
) -> None:
    from data.corpora.case_files import read_header

    for file in files:
        if file.kind != "case" or file.design is None:
            continue
        if (file.path, "") in unchanged and file.design in kept:
            designs[file.design] = kept[file.design]
            continue
        try:
            case = read_header(root / file.path)
        except DrivAerError as error:
            done.warnings.append(f"{file.path}: {error.what}")
            continue
        if case is None:
            done.not_cases.append(file.path)
            designs.pop(file.design, None)
            continue
        known: dict[str, Any] = {name: value for name, value in case.coefficients.items() if name in LABELS}
        designs[file.design] = Design(
            *(file.design, CASES, case.family, case.style, case.underbody),
            **known,
            area=case.frontal_area,
            label_version=runs.OWN_AREA if "cd" in known else None,
            split=None if case.design is None else case.split,
            parameters=case.parameters,
        )


def _tables(root: Path, files: list[CorpusFile], done: Description) -> dict[str, Table]:
    tables = {}
    for file in files:
        if file.kind == "table" and file.state == "here":
            try:
                tables[file.path] = read_table(root / file.path)
            except DrivAerError as error:
                if error.what != "has no rows":
                    done.warnings.append(f"{file.path}: {error.what}")
    return tables


def _run_labels(tables: Mapping[str, Table], folders: runs.RunFolders) -> dict[str, Labels]:
    found: dict[str, Labels] = {}
    for name, of_corpus in runs.tables_by_corpus(tables, folders).items():
        found |= runs.run_labels(runs.RUN_CORPORA[name], of_corpus)
    return found


def _folder_labels(tables: Mapping[str, Table], designs: Mapping[str, Design]) -> dict[str, Labels]:
    """Of meshes that no corpus knows: a row is of the mesh below the table that it names, with folders or without."""
    own = [d.id for d in designs.values() if d.corpus == FOLDER]
    found = []
    for path, table in tables.items():
        folder = path.rpartition("/")[0]
        start = f"{folder}/" if folder else ""
        names: dict[str, str | None] = {}
        for design_id in own:
            if design_id.startswith(start):
                for name in {design_id[len(start) :], PurePosixPath(design_id).name}:
                    names[name] = None if name in names else design_id  # of two alike neither
        found.append(read_labels(table, partial(_named, names)))
    merged = merge(found)
    for labels in merged.values():
        labels.version = str(labels.values.get("label_version", "as given")) if "cd" in labels.values else None
    return merged


def _named(names: Mapping[str, str | None], cell: str) -> str | None:
    """The design that a table's cell names, with or without a suffix."""
    return names.get(cell) or names.get(_stem(cell))


def _stem(cell: str) -> str:
    return str(PurePosixPath(cell.replace("\\", "/")).with_suffix("")) if cell else ""


def _split(root: Path, files: list[CorpusFile], designs: dict[str, Design], done: Description) -> None:
    """The split that lists in the folder give: of several sets of lists the one that names most designs."""
    by_folder: dict[str, list[Path]] = defaultdict(list)
    for file in files:
        if file.kind == "split":
            by_folder[file.path.rpartition("/")[0]].append(root / file.path)
    best: dict[str, str] = {}
    for folder, paths in sorted(by_folder.items()):
        try:
            lists = split_from(paths, lambda line: _listed(line, designs))
        except DrivAerError as error:
            done.warnings.append(error.line)
            continue
        if len(lists.split_of) > len(best):
            best, done.split = lists.split_of, f"lists in {folder or '.'}"
    for design_id, split in best.items():
        if split in SPLITS and design_id in designs:
            designs[design_id] = replace(designs[design_id], split=split)


def _listed(line: str, designs: Mapping[str, Design]) -> str | None:
    known = drivaernet.find_id(line)
    design_id = line if known is None else str(known)
    return design_id if design_id in designs else None
