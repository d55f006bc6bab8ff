"""Random points of a car for training, and the CFD's values at them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.corpora.case import Case, values_at

SAMPLE_POINTS = 16384
"""Points of a sample as prediction draws them."""


@dataclass(frozen=True, eq=False)
class Cloud:
    """points (N, 3) float32 in network coordinates, normals (N, 3) float32, cfd_face (N,) or data.nearest.NO_FACE."""

    points: np.ndarray
    normals: np.ndarray
    cfd_face: np.ndarray


def labels(case: Case, cloud: Cloud) -> np.ndarray:
    """(N, 4) float32 Cp, Cf at the cloud's points; NaN where no CFD face is.

    The case has the +y half; on the other half Cf's y component changes its sign.
    """
    values = values_at(case.face_values, cloud.cfd_face)
    values[cloud.points[:, 1] < 0, 2] *= -1
    return values
