"""How far a car lies from what a network was trained on: 0 = typical, above 1 = outside.

A car is described by its profile: the distribution of its surface over stations along its length, and its width, top
and bottom at each. The profiles of a family's designs span a low-dimensional cloud. Novelty is the larger of the
distance within that cloud (Mahalanobis) and off it (reconstruction error), as in probabilistic principal components
(Tipping and Bishop, 1999). Each family has a cloud of its own, because shapes between an estate and a van are not in
the training data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

N_STATIONS = 24
HALF_LENGTH = 3.0
"""m either side of the middle that the stations cover; what sticks out counts at the last station."""

TYPICAL_PART = 0.995
"""Share of a family's designs that score below 1."""


def profile(points: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """(12 * N_STATIONS,) description of a cloud: points (N, 3) in network coordinates, normals (N, 3).

    At each station along x: share of the surface, half width, top, bottom (as near-extremes, which are steadier than
    extremes), the share in six directions of the normal, and the means of half width and height.
    """
    station = np.clip((points[:, 0] + HALF_LENGTH) / (2 * HALF_LENGTH) * N_STATIONS, 0, N_STATIONS - 1).astype(int)
    rows = np.zeros((N_STATIONS, 12))
    for i in range(N_STATIONS):
        inside = station == i
        if not inside.any():
            continue
        p, n = points[inside], normals[inside]
        y, z = np.abs(p[:, 1]), p[:, 2]
        towards = np.concatenate([np.clip(n, 0, None), np.clip(-n, 0, None)], axis=1).mean(axis=0)
        share = N_STATIONS * inside.mean()
        half_width, top = np.quantile(y, 0.97), np.quantile(z, 0.97)
        rows[i] = [share, half_width, top, np.quantile(z, 0.03), *(share * towards), y.mean(), z.mean()]
    return rows.ravel()


@dataclass(frozen=True, eq=False)
class ProfileCloud:
    """Where the profiles of one family's designs lie.

    mean (d,), basis (m, d) orthonormal rows, spread (m,) along them, rest: typical distance off the basis,
    limit: the distance below which TYPICAL_PART of the designs lie.
    """

    mean: np.ndarray
    basis: np.ndarray
    spread: np.ndarray
    rest: float
    limit: float

    @classmethod
    def fit(cls, vectors: np.ndarray, kept: float = 0.98) -> ProfileCloud:
        """vectors: (n, d), n designs that stand for the family, half of which set the limit."""
        fitted, tried = vectors[::2], vectors[1::2]
        mean = fitted.mean(axis=0)
        _, size, rows = np.linalg.svd(fitted - mean, full_matrices=False)
        energy = np.cumsum(size**2) / (size**2).sum()
        m = int(np.searchsorted(energy, kept)) + 1
        spread = size[:m] / np.sqrt(len(fitted))
        off = (tried - mean) - (tried - mean) @ rows[:m].T @ rows[:m]
        rest = float(np.sqrt((off**2).sum(axis=1).mean()))
        unscaled = cls(mean, rows[:m], spread, rest, 1.0)
        limit = float(np.quantile([unscaled.score(v) for v in tried], TYPICAL_PART))
        return replace(unscaled, limit=limit)

    def score(self, vector: np.ndarray, middle: np.ndarray | None = None) -> float:
        """The larger of the distances within the cloud and off it, over the limit.

        middle: what to measure from; the cloud's own unless given.
        """
        centred = vector - (self.mean if middle is None else middle)
        along = self.basis @ centred
        off = centred - along @ self.basis
        within = float(np.sqrt(np.mean((along / self.spread) ** 2)))
        return max(within, float(np.linalg.norm(off)) / self.rest) / self.limit


@dataclass(frozen=True, eq=False)
class NoveltyReference:
    """The training designs: clouds of families, the first being the largest part of them, and single cars.

    known (k, d): profiles of single cars. A car is typical, too, if its distance to one of these is below half the
    first cloud's limit: half, because one car says less than a family.
    """

    clouds: tuple[ProfileCloud, ...]
    known: np.ndarray | None = None

    @classmethod
    def fit(cls, families: Sequence[np.ndarray]) -> NoveltyReference:
        """families: of each the profiles (n, d) of designs that stand for it."""
        return cls(tuple(ProfileCloud.fit(vectors) for vectors in families))

    def score(self, vector: np.ndarray) -> float:
        """Novelty: how far it is to the nearest family or known car."""
        singles = () if self.known is None else self.known
        of_families = [cloud.score(vector) for cloud in self.clouds]
        return min(of_families + [2.0 * self.clouds[0].score(vector, car) for car in singles])

    def nearest(self, vector: np.ndarray) -> int:
        """Which family's cloud lies nearest, by its number."""
        return int(np.argmin([cloud.score(vector) for cloud in self.clouds]))

    def knowing(self, vectors: np.ndarray) -> NoveltyReference:
        """This reference with the profiles (n, d) of more single cars in ``known``."""
        known = vectors if self.known is None else np.concatenate([self.known, vectors])
        return replace(self, known=known.astype(np.float32))
