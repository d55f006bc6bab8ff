"""Keep CFD cases small: ``python -m data.corpora.compact PACKED OUT`` adds what OUT lacks, and its index.

PACKED is a corpus folder as the corpus's own tools write it; OUT gets ``cases/NAME.npz`` without geometry, which the
generator can make again, ``references/UNDERBODY-CHECKSUM.npz``, the fields that those differ from, and ``index.csv``
with the parameters and coefficients of all its cases.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np

from data.corpora.cases import COEFFICIENTS, Case, read_case, read_cases
from data.corpora.members import write_members
from data.corpora.references import members_of, reference_for
from data.replacing import replacing


def keep(packed: Path, out: Path) -> int:
    """Add the cases that ``out`` does not have yet; returns how many that were."""
    (out / "cases").mkdir(parents=True, exist_ok=True)
    added = [p for p in sorted((packed / "cases").glob("*.npz")) if not (out / "cases" / p.name).exists()]
    cases = {path: read_case(path) for path in added}
    references = {
        underbody: reference_for(
            out, underbody, [(c.face_cp, c.face_cf) for c in cases.values() if c.underbody == underbody]
        )
        for underbody in {case.underbody for case in cases.values()}
    }
    for path, case in cases.items():
        write_compact_case(path, case, out / "cases" / path.name, references[case.underbody])
    write_index(read_cases(out), out / "index.csv")
    return len(added)


def write_index(cases: list[Case], path: Path) -> None:
    """A row a case: name, i, style, underbody, split, coefficients, frontal area (m2), parameters (m, degrees).

    ``i`` is the generator's index of the design, under the name that its own tools read.
    """
    names = sorted({name for case in cases for name in case.parameters})
    with replacing(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["name", "i", "style", "underbody", "split", *COEFFICIENTS, "frontal_area_m2", *names])
        for case in cases:
            numbers = [case.coefficients[k] for k in COEFFICIENTS] + [case.frontal_area]
            numbers += [case.parameters.get(name, 0.0) for name in names]
            split = "test" if case.is_test else "train"
            row = [case.name, case.design, case.style, case.underbody, split]
            table.writerow([*row, *(round(number, 6) for number in numbers)])


def write_compact_case(source: Path, case: Case, destination: Path, reference: Path) -> None:
    """Rewrite a case without its geometry, about 20 kB; replaces ``destination`` whole or not at all.

    case: what ``source`` holds. reference: the corpus's, of the same faces (`data.corpora.references`).
    """
    with np.load(source, allow_pickle=False) as arrays:
        meta = arrays["meta"]
    write_members(destination, {"meta": meta, **members_of(case.face_cp, case.face_cf, reference)})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packed", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    keep(options.packed, options.out)


if __name__ == "__main__":
    main()
