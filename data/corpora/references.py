"""Fields that a corpus's case files are kept as differences from: cars that share their faces differ by little.

A corpus has one file of them for each set of cars with the same faces, ``references/NAME-CHECKSUM.npz`` beside its
``cases``; it also says which face each face's difference is told from (`data.corpora.alike_faces`). A case names the
one that it differs from, and a file once written is never changed.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from data.corpora.alike_faces import alike_faces, told_apart, told_together
from data.corpora.members import write_members
from data.corpora.quantised import CP_RANGE, STEPS, byte_planes, from_steps, in_steps, numbers_of
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
    cases = np.stack([in_steps(*of_one) for of_one in fields])
    median = np.round(np.median(cases, axis=0)).astype(np.int16)
    alike = alike_faces(cases - median).astype(np.int32)
    checksum = zlib.crc32(median.tobytes() + alike.tobytes())
    file = folder / f"{name}-{checksum:08x}.npz"
    write_members(file, {"fields": byte_planes(median), "steps": STEPS, "alike": alike})
    return file


def members_of(cp: np.ndarray, cf: np.ndarray, reference: Path | None = None) -> dict[str, np.ndarray]:
    """What a case's file keeps of its fields; ``reference``: the corpus's file to keep the differences from."""
    if reference is None:
        return {"fields": byte_planes(in_steps(cp, cf)), "steps": STEPS}
    fields, steps, alike = _read(reference)
    rests = told_apart(in_steps(cp, cf, steps) - fields, alike)
    return {"fields": byte_planes(rests), "reference": np.array(reference.stem)}


def has_fields(members: Collection[str]) -> bool:
    """Whether members of these names are a case's, as far as its fields go."""
    return "fields" in members or "face_cp" in members


def fields_of(members: Mapping[str, np.ndarray], path: Path) -> Fields:
    """Cp and Cf of the members of the case file ``path``, a compact one or one with the fields themselves.

    Raises DrivAerError where its reference is missing, KeyError where it has no fields, ValueError where they are of
    other faces than the reference's, or kept as earlier versions did.
    """
    if "fields" not in members:
        cp, cf = members["face_cp"], members["face_cf"]
        if not np.issubdtype(cp.dtype, np.floating):
            raise ValueError("its fields are whole numbers as an earlier version kept them")
        return np.clip(cp.astype(np.float32), *CP_RANGE), cf.astype(np.float32)
    numbers = numbers_of(members["fields"])
    if "reference" not in members:
        return from_steps(numbers, members["steps"])
    file = path.parent.parent / REFERENCES / f"{members['reference']}.npz"
    if not file.exists():
        fix = f"keep the corpus's folders {path.parent.name} and {REFERENCES} together"
        raise DrivAerError(f"its fields are differences from {file}, which is missing", file=path, fix=fix)
    fields, steps, alike = _read(file)
    if numbers.shape != fields.shape:
        raise ValueError(f"it has {numbers.shape[1]} faces, its reference {fields.shape[1]}")
    return from_steps(told_together(numbers, alike) + fields, steps)


@lru_cache(maxsize=8)
def _read(file: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A reference's fields (4, M), in steps; the steps (4,); and the faces (M,) that its faces are told from."""
    with np.load(file, allow_pickle=False) as arrays:
        return numbers_of(arrays["fields"]), arrays["steps"], arrays["alike"]
