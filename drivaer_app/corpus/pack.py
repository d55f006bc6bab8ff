"""A grown corpus made small enough to be published: families, cases, and a table of them."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from data.corpora.case import CaseHeader, is_test_design
from data.corpora.case_files import CASES, read_case, read_header, write_case
from data.corpora.case_index import write_index
from data.corpora.field_coding import reference_for
from data.corpora.morphed_families import FAMILIES, Handles, read_families, read_family
from data.errors import DrivAerError
from data.replacing import replacing
from drivaer_app.corpus.families import known_families
from drivaer_app.corpus.modes import SURFACE
from drivaer_app.corpus.settings import load_settings

_SAME_VALUE = 2e-3  # m, degrees or shares: ranges that are found on two machines differ by less


@dataclass(frozen=True)
class Packed:
    """n_cases: in all, n_new of them new. size: bytes of the whole folder."""

    n_cases: int
    n_new: int
    size: int


def pack(work: Path, out: Path) -> Packed:
    """Add what a corpus has grown to a folder, and write its table anew; no case there is removed or changed.

    A family there that lacks handles of the grown one gets them. A design that has the number of another design there
    gets a free one, on the same side of the split. Raises DrivAerError where ``out`` holds a family of the same name
    that is another one.
    """
    settings = load_settings(work)
    for folder in (FAMILIES, CASES):
        (out / folder).mkdir(parents=True, exist_ok=True)
    n_new = 0
    for family in known_families(work, settings):
        grown = sorted((work / CASES).glob(f"{family.name}_[0-9][0-9][0-9][0-9].npz"))
        if not grown:
            continue
        handles = _add_family(family.folder / SURFACE, out / FAMILIES / f"{family.name}.npz")
        n_new += _add_cases(grown, out, family.name, handles)
    _, cases = read_families(out)
    write_index(cases, out, ("family", "style", "design", "split"))
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    return Packed(len(cases), n_new, size)


def _add_family(source: Path, destination: Path) -> Handles:
    """Returns the handles that the family has in the folder from now on."""
    grown = read_family(source)
    there = read_family(destination) if destination.exists() else None
    if there is not None and there.covers(grown):
        return there.handles
    if there is not None and not grown.covers(there):
        what = "is another family than the corpus's of that name: its cases would have wrong places"
        raise DrivAerError(what, file=destination, fix="give another folder")
    _copy(source, destination)
    return grown.handles


def _add_cases(grown: list[Path], out: Path, family: str, handles: Handles) -> int:
    """Keep the family's cases that the folder lacks as differences from one reference; returns how many they are."""
    there = [_header(path) for path in (out / CASES).glob(f"{family}_[0-9][0-9][0-9][0-9].npz")]
    new = [path for path in grown if not any(_is_same_design(_header(path), known, handles) for known in there)]
    cases = [read_case(path) for path in new]
    if cases:
        reference = reference_for(out, family, [(case.face_cp, case.face_cf) for case in cases])
    taken = {case.design for case in there}
    for case in cases:
        number = _free_number(case.design or 0, taken)
        taken.add(number)
        name = f"{family}_{number:04d}"
        meta = {**case.meta, "name": name, "design": number}
        write_case(out / CASES / f"{name}.npz", meta, case.face_cp, case.face_cf, reference=reference)
    return len(cases)


def _header(path: Path) -> CaseHeader:
    header = read_header(path)
    if header is None:
        raise DrivAerError("is no CFD case", file=path, fix="take it away")
    return header


def _is_same_design(one: CaseHeader, other: CaseHeader, handles: Handles) -> bool:
    """Whether two designs of a family have the same values; a handle that a design does not name is neutral."""
    pairs = (
        (one.parameters.get(name, neutral), other.parameters.get(name, neutral))
        for name, neutral in zip(handles.names, handles.neutral, strict=True)
    )
    return all(abs(a - b) <= _SAME_VALUE for a, b in pairs)


def _free_number(number: int, taken: Collection[int | None]) -> int:
    """The number itself, or the next free one on the same side of the split."""
    after = itertools.count(number)
    return next(n for n in after if n not in taken and is_test_design(n) == is_test_design(number))


def _copy(source: Path, destination: Path) -> None:
    with replacing(destination) as unfinished:
        shutil.copyfile(source, unfinished)
