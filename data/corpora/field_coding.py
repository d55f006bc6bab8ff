"""Coding of a case's Cp and Cf for its file: quantised, and as deviations from the mean car where there is one.

Cars with the same CFD faces differ by little. For each set of such cars a corpus keeps one reference,
``references/NAME-CHECKSUM.npz`` beside its ``cases``: the median of their fields, and the faces' predecessors for delta
coding (`data.corpora.delta_coding`). A case's file names its reference; a reference is never changed once written.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from data.corpora import delta_coding
from data.corpora.npz import write_npz
from data.corpora.quantisation import CP_RANGE, STEPS, dequantise, from_byte_planes, quantise, to_byte_planes
from data.errors import DrivAerError

REFERENCES = "references"

Fields = tuple[np.ndarray, np.ndarray]
"""Cp (M,) and Cf (M, 3)."""


def reference_for(corpus: Path, name: str, fields: Sequence[Fields]) -> Path:
    """The reference of a corpus for the cars ``name``; made from the given cases' fields if there is none yet."""
    folder = corpus / REFERENCES
    for file in sorted(folder.glob("*.npz")):
        if file.stem.rpartition("-")[0] == name:
            return file
    folder.mkdir(exist_ok=True)
    cases = np.stack([quantise(*of_one) for of_one in fields])
    median = np.round(np.median(cases, axis=0)).astype(np.int16)
    predecessor = delta_coding.predecessors(cases - median).astype(np.int32)
    checksum = zlib.crc32(median.tobytes() + predecessor.tobytes())
    file = folder / f"{name}-{checksum:08x}.npz"
    write_npz(file, {"fields": to_byte_planes(median), "steps": STEPS, "alike": predecessor})
    return file


def encode_fields(cp: np.ndarray, cf: np.ndarray, reference: Path | None = None) -> dict[str, np.ndarray]:
    """The arrays that a case's file keeps. reference: the file to take deviations from."""
    if reference is None:
        return {"fields": to_byte_planes(quantise(cp, cf)), "steps": STEPS}
    median, steps, predecessor = _read(reference)
    differences = delta_coding.encode(quantise(cp, cf, steps) - median, predecessor)
    return {"fields": to_byte_planes(differences), "reference": np.array(reference.stem)}


def has_fields(names: Collection[str]) -> bool:
    """Whether arrays of these names are a case's, as far as its fields go."""
    return "fields" in names or "face_cp" in names


def decode_fields(arrays: Mapping[str, np.ndarray], path: Path) -> Fields:
    """Cp and Cf from the arrays of the case file ``path``, coded or as floating-point numbers.

    Raises DrivAerError if the reference is missing, KeyError if there are no fields, ValueError if they have another
    number of faces than the reference or are coded as by an earlier version.
    """
    if "fields" not in arrays:
        cp, cf = arrays["face_cp"], arrays["face_cf"]
        if not np.issubdtype(cp.dtype, np.floating):
            raise ValueError("its fields are whole numbers as an earlier version kept them")
        return np.clip(cp.astype(np.float32), *CP_RANGE), cf.astype(np.float32)
    integers = from_byte_planes(arrays["fields"])
    if "reference" not in arrays:
        return dequantise(integers, arrays["steps"])
    file = path.parent.parent / REFERENCES / f"{arrays['reference']}.npz"
    if not file.exists():
        fix = f"keep the corpus's folders {path.parent.name} and {REFERENCES} together"
        raise DrivAerError(f"its fields are differences from {file}, which is missing", file=path, fix=fix)
    median, steps, predecessor = _read(file)
    if integers.shape != median.shape:
        raise ValueError(f"it has {integers.shape[1]} faces, its reference {median.shape[1]}")
    return dequantise(delta_coding.decode(integers, predecessor) + median, steps)


@lru_cache(maxsize=8)
def _read(file: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A reference's median fields (4, M), quantised; the steps (4,); each face's predecessor (M,)."""
    with np.load(file, allow_pickle=False) as arrays:
        return from_byte_planes(arrays["fields"]), arrays["steps"], arrays["alike"]
