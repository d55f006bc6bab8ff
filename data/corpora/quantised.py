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

    Cars that share their faces differ by little, so differences take less room; nothing is lost by them.
    """
    steps = np.float32([CP_STEP, CF_STEP])
    kept = (np.clip(values.astype(np.float32), *r) for values, r in ((cp, CP_RANGE), (cf, CF_RANGE)))
    cp, cf = (np.round(values / step).astype(np.int16) for values, step in zip(kept, steps, strict=True))
    if reference is not None:
        _check_steps(steps, reference)
        cp, cf = cp - reference["face_cp"], cf - reference["face_cf"]
    return {"face_cp": cp, "face_cf": cf, "steps": steps}


def restored(
    members: Mapping[str, np.ndarray], reference: Mapping[str, np.ndarray] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """cp (M,), cf (M, 3) float32 of a file's members, whole numbers or not, and of the reference's they differ from.

    Raises KeyError where one lacks, ValueError where the reference is of other faces or steps.
    """
    cp, cf = members["face_cp"], members["face_cf"]
    if cp.dtype == np.int16:
        cp_step, cf_step = members.get("steps", _FIRST_STEPS)
        if reference is not None:
            _check_steps(members["steps"], reference)
            cp, cf = cp + reference["face_cp"], cf + reference["face_cf"]
        cp, cf = cp * cp_step, cf * cf_step
    return np.clip(cp.astype(np.float32), *CP_RANGE), cf.astype(np.float32)


def _check_steps(steps: np.ndarray, reference: Mapping[str, np.ndarray]) -> None:
    if not np.array_equal(steps, reference["steps"]):
        raise ValueError(f"steps {steps} are not the reference's {reference['steps']}")
