"""Surface fields as small whole numbers: how the corpora's files keep them."""

from __future__ import annotations

import numpy as np

CP_RANGE = (-3.0, 1.1)
"""Cp outside of this comes from cells as large as a mirror's edge: an artefact, clipped in training and metrics."""
CF_RANGE = (-3.0, 3.0)
CP_STEP, CF_STEP = 0.01, 2e-4
"""Well under the corpus's own scatter (Cd_std 0.003 to 0.008), and small on disk."""
STEPS = np.float32([CP_STEP, CF_STEP, CF_STEP, CF_STEP])


def in_steps(cp: np.ndarray, cf: np.ndarray, steps: np.ndarray = STEPS) -> np.ndarray:
    """(4, M) int16 of cp (M,) and cf (M, 3), clipped to their ranges."""
    fields = np.stack([np.clip(cp, *CP_RANGE), *np.clip(cf, *CF_RANGE).T]).astype(np.float32)
    return np.round(fields / steps[:, None]).astype(np.int16)


def from_steps(numbers: np.ndarray, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """cp (M,), cf (M, 3) float32 of `in_steps`."""
    cp, *cf = numbers * steps[:, None]
    return np.clip(cp, *CP_RANGE), np.stack(cf, axis=1)


def byte_planes(numbers: np.ndarray) -> np.ndarray:
    """(4, M) int16 as (2, 4, M) uint8: all low bytes, then all high ones, 7 % smaller by LZMA.

    The sign is moved to the lowest bit (zigzag), or small numbers of either sign would have different high bytes.
    """
    zigzag = ((numbers << 1) ^ (numbers >> 15)).view(np.uint16)
    return np.stack([zigzag & 0xFF, zigzag >> 8]).astype(np.uint8)


def numbers_of(planes: np.ndarray) -> np.ndarray:
    """What `byte_planes` was given."""
    zigzag = planes[0] | planes[1].astype(np.uint16) << 8
    return (zigzag >> 1).view(np.int16) ^ -(zigzag & 1).view(np.int16)
