"""Which design each file is of, by the names of files and folders alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from data.catalogue.records import CorpusFile, Design, FileState
from data.catalogue.walk import UNFINISHED, FileEntry
from data.corpora import drivaernet, runs
from data.corpora.splits import split_of_file
from data.formats import MESH_SUFFIXES

CASES, FOLDER = "cases", "folder"
"""Names of the corpora of our own case files, and of any folder of meshes."""

CASE = "case.npz"  # what 'drivaer simulate' leaves beside all its working files

_SURFACES_WITH_FIELDS = (".vtk", ".vtp", ".vtu")
_NO_MESH = (".npz", ".txt", ".csv", ".asc")


@dataclass(frozen=True)
class Recognised:
    """A file and its design, as far as names show it."""

    file: CorpusFile
    design: Design | None = None


def recognise(
    root: Path, entries: Iterable[FileEntry], members: Mapping[str, Sequence[tuple[str, int]]]
) -> list[Recognised]:
    """What the files of a folder are. members: names and sizes in each archive that could be read.

    Files of a kind that no corpus has are left out.
    """
    by_folder: dict[str, list[FileEntry]] = defaultdict(list)
    for entry in entries:
        by_folder[entry.path.rpartition("/")[0]].append(entry)
    run_folders = runs.RunFolders(root, (entry.path for here in by_folder.values() for entry in here))
    simulated = [f"{folder}/" for folder, here in by_folder.items() if folder and any(e.name == CASE for e in here)]
    found: list[Recognised] = []
    for folder, here in by_folder.items():
        if f"{folder}/".startswith(tuple(simulated)):
            here = [entry for entry in here if entry.name == CASE]
        run_corpus, only_runs = run_folders.corpus_of(folder), run_folders.is_of_runs(folder)
        for entry in here:
            one = _recognised(entry, here, run_corpus, only_runs)
            if one is not None:
                found.append(one)
            for name, size in members.get(entry.path, ()):
                kind, design = drivaernet.kind_of(f"{entry.path}/{name}"), _drivaernet_design(PurePosixPath(name).name)
                if kind and design:
                    file = CorpusFile(entry.path, kind, design.id, name, size, entry.mtime_ns)
                    found.append(Recognised(file, design))
    return found


def drivaernet_design(known: drivaernet.DesignId) -> Design:
    """A design of which nothing but its id is known."""
    of = known.of
    return Design(str(known), drivaernet.NAME, of.name, of.style, of.underbody, of.wheels)


def run_design(corpus: runs.RunCorpus, run: int) -> Design:
    return Design(runs.run_id(corpus, run), corpus.name, corpus.title, corpus.style)


def _drivaernet_design(name: str) -> Design | None:
    known = drivaernet.find_id(name)
    return None if known is None else drivaernet_design(known)


def _recognised(
    entry: FileEntry, beside: Sequence[FileEntry], run_corpus: runs.RunCorpus | None, only_runs: bool
) -> Recognised | None:
    unfinished = next((s for s in UNFINISHED if entry.name.lower().endswith(s)), None)
    if unfinished:
        whole = FileEntry(entry.path[: -len(unfinished)], entry.size, entry.mtime_ns)
        one = _recognised(whole, beside, run_corpus, only_runs)
        return one and Recognised(replace(one.file, path=entry.path, state="partial"), one.design)
    if entry.suffix == ".zip":
        return Recognised(_file(entry, "archive"))
    if entry.suffix == ".csv":
        return Recognised(_file(entry, "table"))
    if entry.suffix == ".txt":
        return Recognised(_file(entry, "split")) if split_of_file(entry.name) else None
    if entry.suffix == ".npz":
        return _npz(entry)
    design = _drivaernet_design(entry.name)
    if design is not None:
        kind = drivaernet.kind_of(entry.path)
        return Recognised(_file(entry, kind, design.id), design) if kind else None
    of_run = _run_file(entry, run_corpus) if run_corpus else None
    if of_run or only_runs:  # what else lies in a run is slices, pictures and volumes
        return of_run
    return _any_mesh(entry, beside)


def _npz(entry: FileEntry) -> Recognised:
    """A case, as far as its name tells: ``cases/NAME.npz``, ``NAME/case.npz`` of ``simulate``, or ``NAME.npz``."""
    parts = list(PurePosixPath(entry.path).with_suffix("").parts)
    if len(parts) > 1 and parts[-2] == "families":
        return Recognised(_file(entry, "family"))
    if len(parts) > 1 and parts[-1] == CASE.removesuffix(".npz"):
        parts.pop()
    elif len(parts) > 1 and parts[-2] == "cases":
        parts.pop(-2)
    design = Design("/".join(parts), CASES)
    return Recognised(_file(entry, "case", design.id), design)


def _run_file(entry: FileEntry, corpus: runs.RunCorpus) -> Recognised | None:
    if found := runs.run_mesh(entry.name):
        design = run_design(*found)
        return Recognised(_file(entry, "mesh", design.id), design)
    run = runs.run_boundary(entry.path)
    if run is not None:
        design = run_design(corpus, run)
        return Recognised(_file(entry, "pressure", design.id), design)
    return None


def _any_mesh(entry: FileEntry, beside: Sequence[FileEntry]) -> Recognised | None:
    """A mesh that no corpus knows is a design of its own under its path; fields of the same name belong to it."""
    suffix = next((s for s in MESH_SUFFIXES if entry.name.lower().endswith(s)), None)
    if suffix is None or suffix.startswith(_NO_MESH):
        return None
    stem = entry.name[: -len(suffix)]
    kind = "mesh"
    if suffix in _SURFACES_WITH_FIELDS and any(
        other.name.rpartition(".")[0] == stem and other.suffix in (".stl", ".obj", ".ply") for other in beside
    ):
        kind = "pressure"
    design = Design(entry.path[: -len(suffix)], FOLDER)
    return Recognised(_file(entry, kind, design.id), design)


def _file(entry: FileEntry, kind: str, design: str | None = None) -> CorpusFile:
    state: FileState = "here" if entry.size else "partial"
    return CorpusFile(entry.path, kind, design, "", entry.size, entry.mtime_ns, state=state)
