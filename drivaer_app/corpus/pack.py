"""A grown corpus made small enough to be published: families, cases, and a table of them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from data.corpora.case_files import CASES, read_case, write_case
from data.corpora.case_index import write_index
from data.corpora.field_coding import reference_for
from data.corpora.morphed_families import FAMILIES, read_families, read_family
from data.errors import DrivAerError
from data.replacing import replacing
from drivaer_app.corpus.families import known_families
from drivaer_app.corpus.modes import SURFACE
from drivaer_app.corpus.settings import load_settings


@dataclass(frozen=True)
class Packed:
    """n_cases: in all, n_new of them new. size: bytes of the whole folder."""

    n_cases: int
    n_new: int
    size: int


def pack(work: Path, out: Path) -> Packed:
    """Add what a corpus has grown to a folder, and write its table anew; nothing there is removed or changed.

    Raises DrivAerError where ``out`` holds a family of the same name that is another one.
    """
    settings = load_settings(work)
    for folder in (FAMILIES, CASES):
        (out / folder).mkdir(parents=True, exist_ok=True)
    n_new = 0
    for family in known_families(work, settings):
        cases = sorted((work / CASES).glob(f"{family.name}_[0-9][0-9][0-9][0-9].npz"))
        if not cases:
            continue
        _add_family(family.folder / SURFACE, out / FAMILIES / f"{family.name}.npz")
        n_new += _add_cases([path for path in cases if not (out / CASES / path.name).exists()], out, family.name)
    _, cases = read_families(out)
    write_index(cases, out, ("family", "style", "design", "split"))
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    return Packed(len(cases), n_new, size)


def _add_family(source: Path, destination: Path) -> None:
    if not destination.exists():
        _copy(source, destination)
    elif not read_family(destination).is_same(read_family(source)):
        what = "is another family than the corpus's of that name: its cases would have wrong places"
        raise DrivAerError(what, file=destination, fix="give another folder")


def _add_cases(paths: list[Path], out: Path, family: str) -> int:
    """Keep a family's cases as differences from one reference; returns how many they are."""
    new = [(path, read_case(path)) for path in paths]
    if new:
        reference = reference_for(out, family, [(case.face_cp, case.face_cf) for _, case in new])
    for path, case in new:
        write_case(out / CASES / path.name, case.meta, case.face_cp, case.face_cf, reference=reference)
    return len(new)


def _copy(source: Path, destination: Path) -> None:
    with replacing(destination) as unfinished:
        shutil.copyfile(source, unfinished)
