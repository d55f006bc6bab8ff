"""Keep CFD cases small: ``python -m data.corpora.compact PACKED OUT`` adds what OUT lacks, and its index.

PACKED is a corpus folder as the corpus's own tools write it; OUT gets ``cases/NAME.npz`` without geometry, which the
generator can make again, and ``index.csv`` with the parameters and coefficients of all its cases.
"""

from __future__ import annotations

import argparse
import csv
import zipfile
from pathlib import Path

import numpy as np

from data.corpora.cases import Case, read_cases
from data.corpora.quantised import quantised
from data.replacing import replacing

_COEFFICIENTS = ("Cd", "Cd_std", "Cl", "Clf", "Clr", "Cd_pressure", "Cd_friction")


def keep(packed: Path, out: Path) -> int:
    """Add the cases that ``out`` does not have yet; returns how many that were."""
    (out / "cases").mkdir(parents=True, exist_ok=True)
    added = [p for p in sorted((packed / "cases").glob("*.npz")) if not (out / "cases" / p.name).exists()]
    for path in added:
        write_compact_case(path, out / "cases" / path.name)
    write_index(read_cases(out), out / "index.csv")
    return len(added)


def write_index(cases: list[Case], path: Path) -> None:
    """A row a case: name, i, style, underbody, split, coefficients, frontal area (m2), parameters (m, degrees).

    ``i`` is the generator's index of the design, under the name that its own tools read.
    """
    names = sorted({name for case in cases for name in case.parameters})
    with replacing(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["name", "i", "style", "underbody", "split", *_COEFFICIENTS, "frontal_area_m2", *names])
        for case in cases:
            numbers = [case.coefficients[k] for k in _COEFFICIENTS] + [case.frontal_area]
            numbers += [case.parameters.get(name, 0.0) for name in names]
            split = "test" if case.is_test else "train"
            row = [case.name, case.design, case.style, case.underbody, split]
            table.writerow([*row, *(round(number, 6) for number in numbers)])


def write_compact_case(source: str | Path, destination: str | Path) -> None:
    """Rewrite a corpus-format case without its geometry, about 38 kB; replaces ``destination`` whole or not at all.

    The container is an ``.npz`` whose members are LZMA-compressed: numpy reads it, and it is a quarter smaller.
    """
    with np.load(source, allow_pickle=False) as arrays:
        members = {"meta": arrays["meta"], **quantised(arrays["face_cp"], arrays["face_cf"])}
    write_members(destination, members)


def write_members(destination: str | Path, members: dict[str, np.ndarray]) -> None:
    """Write arrays as an LZMA-compressed ``.npz``; replaces ``destination`` whole or not at all."""
    with replacing(destination) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_LZMA) as archive:
        for name, array in members.items():
            with archive.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, np.asarray(array), allow_pickle=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packed", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    keep(options.packed, options.out)


if __name__ == "__main__":
    main()
