"""Store CFD cases in little space: ``python -m factory.compact_corpus PACKED OUT`` adds those that OUT lacks.

PACKED is a corpus folder as the corpus's own tools write it. OUT has three kinds of files: ``cases/NAME.npz`` holds a
case's fields as differences to a reference, without geometry, which the generator can make again;
``references/UNDERBODY-CHECKSUM.npz`` are the references; ``index.csv`` has parameters and coefficients of all cases.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from data.corpora.case_files import CASES, case_paths, read_case, write_case
from data.corpora.case_index import write_index
from data.corpora.field_coding import reference_for
from factory.morphs import read_morph_cases


def keep(packed: Path, out: Path) -> int:
    """Add the cases that ``out`` does not have yet; returns how many that were."""
    (out / CASES).mkdir(parents=True, exist_ok=True)
    cases = [read_case(path) for path in case_paths(packed) if not (out / CASES / path.name).exists()]
    for underbody in dict.fromkeys(case.underbody for case in cases):
        alike = [case for case in cases if case.underbody == underbody]
        reference = reference_for(out, underbody, [(case.face_cp, case.face_cf) for case in alike])
        for case in alike:
            path = out / CASES / f"{case.name}.npz"
            write_case(path, case.meta, case.face_cp, case.face_cf, reference=reference)
    kept = read_morph_cases(out)
    parameters = sorted({name for case in kept for name in case.parameters})
    write_index(kept, out, ("i", "style", "underbody", "split"), parameters=parameters, absent=0.0)
    return len(cases)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packed", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    keep(options.packed, options.out)


if __name__ == "__main__":
    main()
