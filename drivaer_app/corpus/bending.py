"""Mesh motion: what each point of the volume mesh around a car does when the car's surface is bent.

Radial basis functions carry the surface's displacement into the volume (de Boer, van der Schoot, Bijl, "Mesh
deformation based on radial basis function interpolation", Computers & Structures 85, 2007), with Wendland's compactly
supported C2 function ("Piecewise polynomial, positive definite and compactly supported radial functions of minimal
degree", Adv. Comput. Math. 4, 1995). All surface points would make too large a system: some hundreds of them are met
exactly, and what the others miss is handed to the cells beside them and fades within a short way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

REACH = 3.0
"""m: over which a displacement fades into the air, for a car of usual size."""
_CENTRES = 900
_NEAR = 0.2  # m, over which the misfit fades
_NEIGHBOURS = 8
_BLOCK = 4000


def wendland_c2(distance: np.ndarray) -> np.ndarray:
    """1 at 0, 0 from 1 on, twice continuously differentiable."""
    t = np.clip(distance, 0.0, 1.0)
    return (1.0 - t) ** 4 * (4.0 * t + 1.0)


@dataclass(frozen=True, eq=False)
class RbfInterpolation:
    """A linear map from values at source points (S,) to values at targets (T,), built once for a mesh."""

    _centres: np.ndarray
    _solve: np.ndarray
    _sources: np.ndarray
    _targets: np.ndarray
    _beside: np.ndarray
    _weights: np.ndarray
    _reach: float

    @classmethod
    def between(cls, sources: np.ndarray, targets: np.ndarray, scale: float = 1.0) -> RbfInterpolation:
        """sources (S, 3), targets (T, 3) m. scale: of the car, against one of usual size."""
        from scipy.spatial import cKDTree
        from scipy.spatial.distance import cdist

        centres = _some(len(sources), _CENTRES)
        reach, near = REACH * scale, _NEAR * scale
        kernel = wendland_c2(cdist(sources[centres], sources[centres]) / reach)
        solve = np.linalg.inv(kernel + 1e-8 * np.eye(len(centres)))
        k = min(_NEIGHBOURS, len(sources))
        distance, beside = cKDTree(sources).query(targets, k=k, distance_upper_bound=near)
        weights = np.where(np.isfinite(distance), 1.0 / (distance + 1e-4) ** 3, 0.0)
        total = weights.sum(axis=1, keepdims=True)
        fade = np.clip(1.0 - distance[:, :1] / near, 0.0, 1.0) ** 2  # nothing at an infinite distance
        weights = np.where(total > 0, weights / np.where(total > 0, total, 1.0) * fade, 0.0)
        beside = np.minimum(beside, len(sources) - 1)
        return cls(centres, solve, sources, targets, beside, weights, reach)

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """(T, n) of the values (S, n)."""
        coefficients = self._solve @ values[self._centres]
        misfit = values - self._spread(self._sources, coefficients)
        carried = self._spread(self._targets, coefficients)
        for i in range(self._beside.shape[1]):
            carried += self._weights[:, i : i + 1] * misfit[self._beside[:, i]]
        return carried

    def _spread(self, places: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
        from scipy.spatial.distance import cdist

        centres = self._sources[self._centres]
        blocks = [
            wendland_c2(cdist(places[i : i + _BLOCK], centres) / self._reach) @ coefficients
            for i in range(0, len(places), _BLOCK)
        ]
        return np.concatenate(blocks)


def _some(n_of: int, n: int) -> np.ndarray:
    """(n,) of so many points, drawn evenly: where cells are small, there are more of them."""
    return np.sort(np.random.default_rng(0).permutation(n_of)[:n])


@dataclass(frozen=True, eq=False)
class MeshMotion:
    """A volume mesh around a car, told how its car moves.

    points: (P, 3) m of the whole mesh. car, ground, symmetry, outside: which of them lie on the car, slide on the
    ground and the symmetry plane, or stay where they are. scale: of the car, against one of usual size.
    """

    points: np.ndarray
    car: np.ndarray
    ground: np.ndarray
    symmetry: np.ndarray
    outside: np.ndarray
    scale: float = 1.0

    def bent(self, moves: np.ndarray, axes: np.ndarray) -> np.ndarray:
        """(n, P) displacements along one axis each, of the displacements (n, C) that the car's points make.

        axes: (n,) of each, 0 to 2. The car's own points move exactly; the ground keeps its height, the symmetry plane
        its y, and what lies beyond the reach stays.
        """
        from scipy.spatial import cKDTree

        source = self.points[self.car]
        distance, _ = cKDTree(source).query(self.points, distance_upper_bound=REACH * self.scale)
        reached = np.flatnonzero(np.isfinite(distance))
        result = np.zeros((len(moves), len(self.points)))
        held = np.intersect1d(np.setdiff1d(self.ground, self.car), reached)
        held = held[::2]  # the kernel is much wider than the distance between them
        for up in (False, True):
            which = np.flatnonzero((axes == 2) == up)
            if not len(which):
                continue
            # The ground holds what moves up and down, and lets slide what moves along it.
            sources = np.concatenate([source, self.points[held]]) if up else source
            values = moves[which].T
            if up:
                values = np.concatenate([values, np.zeros((len(held), len(which)))])
            interpolation = RbfInterpolation.between(sources, self.points[reached], self.scale)
            result[np.ix_(which, reached)] = interpolation(values).T
        result[:, self.car] = moves
        result[np.ix_(axes == 2, self.ground)] = 0.0
        result[np.ix_(axes == 1, self.symmetry)] = 0.0
        result[:, self.outside] = 0.0
        return result
