"""DrivAerML, AhmedML and WindsorML: corpora of folders ``run_N``.

They differ in which CSV refers to the run's own area and which to one area for all runs, and in the surface's fields.
Sources: the papers (arXiv:2408.11969, 2407.20801, 2407.19320) and the files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from data.corpora.labels import Labels, read_labels
from data.corpora.tables import Table

OWN_AREA, FIXED_AREA = "own area", "fixed area"


@dataclass(frozen=True)
class RunCorpus:
    """name: of the corpus. prefix: of its meshes, ``PREFIX_N.stl``. style: of all its bodies.

    own_area, fixed_area: stems of the CSVs with coefficients on the run's own area and on ``reference_area`` (m²), of a
        run with ``_N`` after them, of all runs with ``_all``.
    pressure: the surface's Cp array. up: axis of the files along which the roof points. parameters: headings of its
        ``geo_parameters`` that no other corpus has, lower case.
    """

    name: str
    title: str
    prefix: str
    style: str
    own_area: str
    fixed_area: str
    reference_area: float
    pressure: str
    up: str
    parameters: tuple[str, ...]
    licence: str = "CC BY-SA 4.0"


DRIVAERML = RunCorpus(
    name="drivaerml",
    title="DrivAerML",
    prefix="drivaer",
    style="notchback",
    own_area="force_mom",
    fixed_area="force_mom_constref",
    reference_area=2.17,
    pressure="CpMeanTrim",
    up="z",
    parameters=("vehicle_length", "vehicle_width", "vehicle_ride_height"),
)
AHMEDML = RunCorpus(
    name="ahmedml",
    title="AhmedML",
    prefix="ahmed",
    style="ahmed",
    own_area="force_mom_varref",
    fixed_area="force_mom",
    reference_area=0.112032,
    pressure="static(p)_coeffMean",
    up="z",
    parameters=("body-length", "body-width", "slant-angle-degrees"),
)
WINDSORML = RunCorpus(
    name="windsorml",
    title="WindsorML",
    prefix="windsor",
    style="windsor",
    own_area="force_mom_varref",
    fixed_area="force_mom",
    reference_area=0.112,
    pressure="cpavg",
    up="y",
    parameters=("ratio_length_back_fast", "ratio_height_fast_back", "side_taper"),
)
RUN_CORPORA = {corpus.name: corpus for corpus in (DRIVAERML, AHMEDML, WINDSORML)}

_PREFIXES = "|".join(corpus.prefix for corpus in RUN_CORPORA.values())
_COEFFICIENTS = "|".join(sorted({s for corpus in RUN_CORPORA.values() for s in (corpus.own_area, corpus.fixed_area)}))
_MESH = re.compile(rf"({_PREFIXES})_(\d+)\.stl(\.gz)?", re.IGNORECASE)
_BOUNDARY = re.compile(r"boundary_(\d+)\.(vtp|vtu)", re.IGNORECASE)
_RUN_FOLDER = re.compile(r"run_?(\d+)", re.IGNORECASE)
_TABLE = re.compile(
    rf"(?P<what>{_COEFFICIENTS}|geo_parameters|geo_values|geo_ref)_(?P<run>\d+|all)\.csv", re.IGNORECASE
)


def run_mesh(name: str) -> tuple[RunCorpus, int] | None:
    """The corpus and run of a mesh's file name; None for another file."""
    found = _MESH.fullmatch(name)
    if found is None:
        return None
    return next(c for c in RUN_CORPORA.values() if c.prefix == found[1].lower()), int(found[2])


def run_boundary(path: str) -> int | None:
    """The run of a surface with fields, ``run_N/boundary_N.vtp``; None for another file."""
    found = _BOUNDARY.fullmatch(PurePosixPath(path).name)
    return None if found is None else int(found[1])


def run_id(corpus: RunCorpus, run: int) -> str:
    """``DrivAerML_12``: the runs of several corpora lie side by side in a catalogue."""
    return f"{corpus.title}_{run}"


class RunFolders:
    """Which corpus the runs and tables of each folder below a scanned one are of.

    Names of meshes show it: in the run's folder, in a run beside it, or in a run beside the table. Without meshes the
    name of the nearest folder that holds a corpus's name shows it, up to the folders that the scanned one lies in.
    """

    def __init__(self, root: Path, paths: Iterable[str]):
        """paths: of all files, relative to ``root``, with forward slashes."""
        self._above = root.resolve().parts
        self._with_mesh: dict[PurePosixPath, RunCorpus] = {}
        self._with_runs: dict[PurePosixPath, RunCorpus] = {}
        for path in map(PurePosixPath, paths):
            if found := run_mesh(path.name):
                self._with_mesh[path.parent] = found[0]
                self._with_runs.setdefault(path.parent.parent, found[0])

    def corpus_of(self, folder: str) -> RunCorpus | None:
        """The corpus of a folder's files, None if unknown."""
        here = _run_folder(folder) or PurePosixPath(folder)
        for place in (here, here.parent):
            if corpus := self._with_mesh.get(place) or self._with_runs.get(place):
                return corpus
        return _named(here.parts, loosely=True) or _named(self._above)

    def is_of_runs(self, folder: str) -> bool:
        """Whether all files of a folder belong to runs: a run's folder, one below it, or one with the runs' meshes."""
        whole = _run_folder(folder) is not None and self.corpus_of(folder) is not None
        return whole or PurePosixPath(folder) in self._with_mesh


def _run_folder(folder: str) -> PurePosixPath | None:
    """The folder ``run_N`` that a folder is or lies below."""
    path = PurePosixPath(folder)
    return next((place for place in (path, *path.parents) if _RUN_FOLDER.fullmatch(place.name)), None)


def _named(folders: Sequence[str], loosely: bool = False) -> RunCorpus | None:
    """The corpus named in the last of some folders' names that names one. loosely: its car's name is enough."""
    for folder in reversed([name.lower() for name in folders]):
        for corpus in RUN_CORPORA.values():
            if corpus.name in folder or (loosely and corpus is not DRIVAERML and corpus.prefix in folder):
                return corpus
    return None


def is_run_table(path: str) -> bool:
    """True for the corpora's CSVs, of one run or of all."""
    return _TABLE.fullmatch(PurePosixPath(path).name) is not None


def run_labels(corpus: RunCorpus, tables: Sequence[Table]) -> dict[str, Labels]:
    """Coefficients on each run's own area where there are such, else on the fixed one; areas; parameters."""
    parts: dict[str, dict[str, Labels]] = {}
    for table in tables:
        found = _TABLE.fullmatch(table.path.name.lower())
        if found is None:
            continue
        rows = _rows(corpus, table, found["run"])
        parts.setdefault(found["what"], {}).update(rows)
    labels: dict[str, Labels] = {}
    for what, version in ((corpus.own_area, OWN_AREA), (corpus.fixed_area, FIXED_AREA)):
        for design, row in parts.get(what, {}).items():
            labels.setdefault(design, Labels(dict(row.values), version=version))
    for what in ("geo_ref", "geo_parameters", "geo_values"):
        for design, row in parts.get(what, {}).items():
            known = labels.setdefault(design, Labels())
            if "area" in row.values:
                known.values.setdefault("area", row.values["area"])
            if what != "geo_ref":
                known.parameters |= row.parameters
    return labels


def _rows(corpus: RunCorpus, table: Table, run: str) -> dict[str, Labels]:
    if run != "all" and not table.has("id"):
        whole = Table(table.path, ("run", *table.headings), ("id", *table.meanings), ((run, *table.rows[0]),))
        return read_labels(whole, lambda cell: run_id(corpus, int(cell)))
    return read_labels(
        table, lambda cell: run_id(corpus, int(float(cell))) if cell.replace(".", "").isdigit() else None
    )


def tables_by_corpus(tables: Mapping[str, Table], folders: RunFolders) -> dict[str, list[Table]]:
    """The CSVs of each corpus, by the corpus's name, among tables by path. Those of an unknown corpus are left out.

    Where ``folders`` does not know the corpus, names of parameters or of files in a table beside show it.
    """
    beside: dict[PurePosixPath, list[str]] = {}
    for path in filter(is_run_table, tables):
        folder = PurePosixPath(path).parent
        run = _run_folder(str(folder))
        beside.setdefault(run.parent if run else folder, []).append(path)
    found: dict[str, list[Table]] = {}
    for paths in beside.values():
        shown = next(filter(None, (_corpus_in(tables[path]) for path in paths)), None)
        for path in paths:
            if corpus := folders.corpus_of(str(PurePosixPath(path).parent)) or shown:
                found.setdefault(corpus.name, []).append(tables[path])
    return found


def _corpus_in(table: Table) -> RunCorpus | None:
    """The corpus of a table, if only one corpus has tables of its name or has its parameters."""
    what = table.path.stem.lower().rpartition("_")[0]
    headings = {heading.lower() for heading in table.headings}
    of = [c for c in RUN_CORPORA.values() if what in (c.own_area, c.fixed_area) or headings & {*c.parameters}]
    return of[0] if len(of) == 1 else None
