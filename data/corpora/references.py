"""Fields that a corpus's case files are kept as differences from: cars that share their faces differ by little.

A corpus has one file of them for each set of cars with the same faces, ``references/NAME-CHECKSUM.npz`` beside its
``cases``. A case names the one that it differs from, and a file once written is never changed.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from data.corpora.members import write_members
from data.corpora.quantised import quantised, restored
from data.errors import DrivAerError

REFERENCES = "references"

Fields = tuple[np.ndarray, np.ndarray]
"""Cp (M,) and Cf (M, 3)."""


def reference_for(corpus: Path, name: str, fields: Sequence[Fields]) -> Path:
    """A corpus's file for the cars ``name``; made of the medians of the given cases' fields where it has none yet."""
    folder = corpus / REFERENCES
    for file in sorted(folder.glob("*.npz")):
        if file.stem.rpartition("-")[0] == name:
            return file
    folder.mkdir(exist_ok=True)
    members = quantised(*(np.median(of_all, axis=0) for of_all in zip(*fields, strict=True)))
    checksum = zlib.crc32(members["face_cp"].tobytes() + members["face_cf"].tobytes())
    file = folder / f"{name}-{checksum:08x}.npz"
    write_members(file, members)
    return file


def members_of(cp: np.ndarray, cf: np.ndarray, reference: Path | None = None) -> dict[str, np.ndarray]:
    """What a case's file keeps of its fields; ``reference``: the corpus's file to keep the differences from."""
    if reference is None:
        return quantised(cp, cf)
    return {"reference": np.array(reference.stem), **quantised(cp, cf, _read(reference))}


def fields_of(members: Mapping[str, np.ndarray], path: Path) -> Fields:
    """Cp and Cf of the members of the case file ``path``. Raises DrivAerError where its reference is missing."""
    if "reference" not in members:
        return restored(members)
    file = path.parent.parent / REFERENCES / f"{members['reference']}.npz"
    if not file.exists():
        fix = f"keep the corpus's folders {path.parent.name} and {REFERENCES} together"
        raise DrivAerError(f"its fields are differences from {file}, which is missing", file=path, fix=fix)
    return restored(members, _read(file))


@lru_cache(maxsize=8)
def _read(file: Path) -> dict[str, np.ndarray]:
    """Members of a file of reference fields, as `data.corpora.quantised` has them."""
    with np.load(file, allow_pickle=False) as arrays:
        return dict(arrays)
