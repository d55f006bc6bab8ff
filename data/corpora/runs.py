"""DrivAerML, AhmedML and WindsorML: corpora of folders ``run_N``, much alike but for what counts.

Facts from the papers (arXiv:2408.11969, 2407.20801, 2407.19320) and the files: which CSV refers to the run's own area
and which to one for all differs between them, and so do the surface's fields.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from data.corpora.labels import Labels, read_labels
from data.corpora.tables import Table

OWN_AREA, FIXED_AREA = "own area", "fixed area"


@dataclass(frozen=True)
class RunCorpus:
    """name: of the corpus. prefix: of its meshes, ``PREFIX_N.stl``. style: of all its bodies.

    own_area, fixed_area: stems of the CSVs with coefficients on the run's own area and on ``reference_area`` (m²), of a
        run with ``_N`` after them, of all runs with ``_all``.
    pressure: the surface's Cp array. up: axis of the files along which the roof points.
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
)
AHMEDML = RunCorpus(
    name="ahmedml",
    title="AhmedML",
    prefix="ahmed",
    style="ahmed",
    own_area="force_mom_varref",
    fixed_area="force_mom",
    reference_area=0.112,
    pressure="static(p)_coeffMean",
    up="z",
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
)
RUN_CORPORA = {corpus.name: corpus for corpus in (DRIVAERML, AHMEDML, WINDSORML)}

_MESH = re.compile(r"(drivaer|ahmed|windsor)_(\d+)\.stl(\.gz)?", re.IGNORECASE)
_BOUNDARY = re.compile(r"boundary_(\d+)\.(vtp|vtu)", re.IGNORECASE)
_RUN_FOLDER = re.compile(r"run_?(\d+)", re.IGNORECASE)
_TABLE = re.compile(
    r"(?P<what>force_mom(?:_constref|_varref)?|geo_parameters|geo_values|geo_ref)_(?P<run>\d+|all)\.csv", re.IGNORECASE
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


def corpus_hint(path: str) -> RunCorpus | None:
    """Which corpus a path speaks of, by a folder's name."""
    lowered = path.lower()
    return next((c for c in RUN_CORPORA.values() if c.name in lowered or c.title.lower() in lowered), None) or next(
        (c for c in (AHMEDML, WINDSORML) if c.prefix in lowered), None
    )


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


def corpus_of_table(path: str, table: Table) -> RunCorpus | None:
    """The corpus that a CSV is of: by the folders it lies in, else by its parameters' names; None: cannot be told."""
    hinted = corpus_hint(path)
    if hinted is not None:
        return hinted
    return DRIVAERML if "constref" in path or "Vehicle_Length" in table.headings else None
