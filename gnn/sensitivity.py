"""Where pushing a surface in or out changes its drag: the drag network's derivative, by automatic differentiation.

A network that sees points gives a derivative for each point. Its part along the normal over the area that the point
stands for is the density of the shape derivative; the network's noise is smoothed over the surface.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data.mesh import SurfaceSample

if TYPE_CHECKING:
    from gnn.surrogate import Surrogate

SMOOTH = 0.06
"""m: standard deviation of the smoothing. Correlates best with the network's own differences (docs/sensitivity.md)."""

_N_NEAR = 96
_AGREEING = 0.3  # cosine of normals from which on two points lie on one side of the car


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """dCd/dn: what a push outwards of a piece of surface adds to Cd, per metre of push and square metre of surface.

    points, normals: (N, 3) of the sample, m. density: (N,), 1/m³, smooth. areas: (N,) m², what each point stands for.
    """

    points: np.ndarray
    normals: np.ndarray
    areas: np.ndarray
    density: np.ndarray

    def change(self, moved: np.ndarray) -> float:
        """dCd of displacements (N, 3) m of the points, to first order."""
        outwards = np.einsum("nd,nd->n", self.normals, moved)
        return float((self.density * self.areas * outwards).sum())


def drag_sensitivity(surrogate: Surrogate, sample: SurfaceSample, smooth: float = SMOOTH) -> Sensitivity:
    """From all clouds of the sample, more than a prediction uses, to average noise out. Raises ModelError.

    smooth: m, on a car of full size, standard deviation of the smoothing over the surface; 0 for none.
    """
    gradient = surrogate.drag_gradient(sample)
    n = len(gradient)
    points, normals = sample.points[:n], sample.normals[:n].astype(np.float64)
    areas = np.full(n, sample.areas.sum(dtype=np.float64) / n)
    density = np.einsum("nd,nd->n", gradient, normals) / areas
    if smooth > 0:
        density = smoothed(points, normals, density, smooth / surrogate.frame_of(sample).scale)
    return Sensitivity(points, normals, areas, density)


def smoothed(points: np.ndarray, normals: np.ndarray, values: np.ndarray, width: float) -> np.ndarray:
    """(N,) Gaussian mean of values (N,) on even points (N, 3) m over those around that face alike."""
    from scipy.spatial import cKDTree

    distance, near = cKDTree(points).query(points, k=min(_N_NEAR, len(points)))
    facing = np.einsum("nkd,nd->nk", normals[near], normals)
    weight = np.exp(-0.5 * (distance / width) ** 2) * np.clip(facing - _AGREEING, 0.0, None)
    return (weight * values[near]).sum(axis=1) / weight.sum(axis=1)
