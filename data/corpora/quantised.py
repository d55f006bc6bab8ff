"""Surface fields as small whole numbers: how the corpora's files keep them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

CP_RANGE = (-3.0, 1.1)
"""Cp outside of this comes from cells as large as a mirror's edge: an artefact, clipped in training and metrics."""
CF_RANGE = (-3.0, 3.0)
CP_STEP, CF_STEP = 0.01, 2e-4
"""Of files written now: well under the corpus's own scatter (Cd_std 0.003 to 0.008), and small on disk."""
_FIRST_STEPS = np.float32([0.01, 1e-4])
"""Of files that do not say theirs. The finer step of Cf took a fifth of a file's bytes and kept noise."""


def quantised(
    cp: np.ndarray, cf: np.ndarray, reference: Mapping[str, np.ndarray] | None = None
) -> dict[str, np.ndarray]:
    """The members of a file for cp (M,) and cf (M, 3): the fields, or what they differ by from the reference's members.

    Cars that share their faces differ by little, so differences take less room; nothing is lost by them. face_cp (2, M)
    and face_cf (2, 3, M) are byte planes.
    """
    steps = np.float32([CP_STEP, CF_STEP])
    kept = (np.clip(values.astype(np.float32), *r) for values, r in ((cp, CP_RANGE), (cf, CF_RANGE)))
    cp, cf = (np.round(values / step).astype(np.int16) for values, step in zip(kept, steps, strict=True))
    if reference is not None:
        _check_steps(steps, reference)
        cp, cf = cp - _numbers(reference["face_cp"]), cf - _numbers(reference["face_cf"])
    return {"face_cp": _byte_planes(cp), "face_cf": _byte_planes(cf), "steps": steps}


def restored(
    members: Mapping[str, np.ndarray], reference: Mapping[str, np.ndarray] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """cp (M,), cf (M, 3) float32 of a file's members and of the reference's they differ from.

    The members are byte planes; whole numbers in older files; the fields themselves in files that are not compact.
    Raises KeyError where one lacks, ValueError where the reference is of other faces or steps.
    """
    cp, cf = _numbers(members["face_cp"]), _numbers(members["face_cf"])
    if cp.dtype == np.int16:
        cp_step, cf_step = members.get("steps", _FIRST_STEPS)
        if reference is not None:
            _check_steps(members["steps"], reference)
            cp, cf = cp + _numbers(reference["face_cp"]), cf + _numbers(reference["face_cf"])
        cp, cf = cp * cp_step, cf * cf_step
    return np.clip(cp.astype(np.float32), *CP_RANGE), cf.astype(np.float32)


def _byte_planes(numbers: np.ndarray) -> np.ndarray:
    """(M,) or (M, 3) int16 as (2, M) or (2, 3, M) uint8: all low bytes, then all high ones, 7 % smaller by LZMA.

    The sign is moved to the lowest bit (zigzag), or small numbers of either sign would have different high bytes.
    """
    zigzag = ((numbers << 1) ^ (numbers >> 15)).T.view(np.uint16)
    return np.stack([zigzag & 0xFF, zigzag >> 8]).astype(np.uint8)


def _numbers(member: np.ndarray) -> np.ndarray:
    """The int16 numbers of byte planes; any other member as it is."""
    if member.dtype != np.uint8:
        return member
    zigzag = member[0] | member[1].astype(np.uint16) << 8
    return ((zigzag >> 1).view(np.int16) ^ -(zigzag & 1).view(np.int16)).T


def _check_steps(steps: np.ndarray, reference: Mapping[str, np.ndarray]) -> None:
    if not np.array_equal(steps, reference["steps"]):
        raise ValueError(f"steps {steps} are not the reference's {reference['steps']}")
