"""``index.csv`` of a corpus of CFD cases: a row a case."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from data.corpora.case import COEFFICIENTS, CaseHeader
from data.corpora.case_files import named_in_files
from data.replacing import replacing

INDEX = "index.csv"


def write_index(
    cases: Sequence[CaseHeader],
    corpus: Path,
    about: Sequence[str] = (),
    *,
    parameters: Sequence[str] | None = None,
    absent: float | str = "",
) -> None:
    """Write the table: name, ``about``, coefficients, frontal area (m²), parameters. Whole or not at all.

    about: what else to say of each design: names of CaseHeader, or ``i`` for its index in the generator of morphed
    DrivAers, whose own tools read it by that name. parameters: in this order; those of any case unless given. absent:
    stands for a parameter that a case has not. Raises OSError.
    """
    names = dict.fromkeys(name for case in cases for name in case.parameters) if parameters is None else parameters
    with replacing(corpus / INDEX) as unfinished, unfinished.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        headings = named_in_files(dict.fromkeys(COEFFICIENTS, 0.0))
        table.writerow(["name", *about, *headings, "frontal_area_m2", *names])
        for case in cases:
            known = [getattr(case, "design" if name == "i" else name) for name in about]
            numbers = [*(case.coefficients.get(name, "") for name in COEFFICIENTS), case.frontal_area]
            numbers += [case.parameters.get(name, absent) for name in names]
            rounded = [number if isinstance(number, str) else round(number, 6) for number in numbers]
            table.writerow([case.name, *("" if value is None else value for value in known), *rounded])
