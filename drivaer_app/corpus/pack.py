"""A grown corpus made small enough to be published: families, cases, and a table of them."""

from __future__ import annotations

import csv
import shutil
from dataclasses import dataclass
from pathlib import Path

from data.corpora.cases import COEFFICIENTS
from data.corpora.morphed_families import (
    FamilyCase,
    read_families,
    read_family,
    read_family_case,
    write_family_case,
)
from data.corpora.references import reference_for
from data.errors import DrivAerError
from data.replacing import replacing
from drivaer_app.corpus.families import known_families
from drivaer_app.corpus.modes import SURFACE
from drivaer_app.corpus.runs import CASES
from drivaer_app.corpus.settings import load_settings

INDEX = "index.csv"


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
    for folder in ("families", CASES):
        (out / folder).mkdir(parents=True, exist_ok=True)
    n_new = 0
    for family in known_families(work, settings):
        cases = sorted((work / CASES).glob(f"{family.name}_[0-9][0-9][0-9][0-9].npz"))
        if not cases:
            continue
        _add_family(family.folder / SURFACE, out / "families" / f"{family.name}.npz")
        n_new += _add_cases([path for path in cases if not (out / CASES / path.name).exists()], out, family.name)
    _, cases = read_families(out)
    write_index(cases, out / INDEX)
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    return Packed(len(cases), n_new, size)


def write_index(cases: list[FamilyCase], path: Path) -> None:
    """A row a case: name, family, style, design, split, coefficients, frontal area (m2), handle values."""
    handles = list(dict.fromkeys(name for case in cases for name in case.values))
    with replacing(path) as unfinished, unfinished.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["name", "family", "style", "design", "split", *COEFFICIENTS, "frontal_area_m2", *handles])
        for case in cases:
            split = "test" if case.is_test else "train"
            numbers = [round(case.coefficients[key], 6) for key in COEFFICIENTS] + [round(case.frontal_area, 6)]
            values = [case.values.get(name, "") for name in handles]
            table.writerow([case.name, case.family, case.style or "", case.design, split, *numbers, *values])


def _add_family(source: Path, destination: Path) -> None:
    if not destination.exists():
        _copy(source, destination)
    elif not read_family(destination).is_same(read_family(source)):
        what = "is another family than the corpus's of that name: its cases would have wrong places"
        raise DrivAerError(what, file=destination, fix="give another folder")


def _add_cases(paths: list[Path], out: Path, family: str) -> int:
    """Keep a family's cases as differences from one reference; returns how many they are."""
    new = [(path, read_family_case(path)) for path in paths]
    if new:
        reference = reference_for(out, family, [(case.face_cp, case.face_cf) for _, case in new])
    for path, case in new:
        write_family_case(out / CASES / path.name, case.meta, case.face_cp, case.face_cf, reference)
    return len(new)


def _copy(source: Path, destination: Path) -> None:
    with replacing(destination) as unfinished:
        shutil.copyfile(source, unfinished)
