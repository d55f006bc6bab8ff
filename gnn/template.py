"""A template car that is bent onto a loaded one, and brings the CFD's own surface fields along.

Morphs of one car share their material points: a face of the template is the same place on all of them, and there Cp and
Cf change smoothly with the shape: a kernel fit on its code gives them. So a car of the family is answered best by
finding where each of its points lies on the template. That is a morphable model (Blanz and Vetter, "A Morphable Model
for the Synthesis of 3D Faces", 1999): principal modes of the template's displacement, whose code is guessed from the
car's profile and then refined by a few point-to-plane steps (Chen and Medioni, "Object Modelling by Registration of
Multiple Range Images", 1992).
Where the bent template does not reach a car's surface, it says so with a weight of zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

STEPS = 3
TRUST = 0.010
"""m: the misfit of one point that weighs as much as one standard error of the code's first guess."""
OUTLIER = 0.005
"""m: misfits beyond it lose their say (a Cauchy weight); morphs fit to a few millimetres."""
LARGEST_CODE = 3.0
"""Standard deviations of the training designs that a code may reach; further out the fields are guesswork."""
SHIFT = 0.01
"""m, standard deviation of what the car's middle may be off along x."""
NEAR, FAR = 0.030, 0.080
"""m from the nearest face's centre: up to here a point is on the template, from there on it is not."""
FITTED = (0.75, 0.95)
"""Share of a car's surface that is on the template: below the first it is another car, above the second a morph."""
SOFT = 0.004
"""m: how sharply a point prefers the nearest face to the second nearest."""
LINEAR_PART = 3.0
"""Of the kernel, against 1 for the bump."""
_N_FIT = 5000
_N_CHOICE = 1500


@dataclass(frozen=True, eq=False)
class Template:
    """K modes over M faces on the +y half, network coordinates. Row 0 is the mean, rows 1..K go with the code.

    places (1 + K, M, 3) m. area_vectors (1 + K, M, 3) m², along the outward normals.
    fields (1 + R, M, 4): Cp and Cf, mean and R modes, whose amounts are ``kernel`` of the code and ``anchors`` (n, K),
    the training cases' codes, times ``pull`` (n, R).
    from_profile (d, K), profile_mean (d,): the first guess of the code, of unit variance over the training designs.
    doubt (K,): that guess's standard error.
    """

    places: np.ndarray
    area_vectors: np.ndarray
    fields: np.ndarray
    anchors: np.ndarray
    pull: np.ndarray
    from_profile: np.ndarray
    profile_mean: np.ndarray
    doubt: np.ndarray

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Template:
        """What ``arrays`` gave."""
        template = cls(**{f.name: np.asarray(arrays[f.name], np.float32) for f in fields(cls)})
        return replace(template, area_vectors=template.area_vectors * np.float32(1e-4))

    def arrays(self) -> dict[str, np.ndarray]:
        """Half precision where it is fine enough (0.1 mm, a thousandth of Cp; areas in cm², where it has digits)."""
        large = {"places": self.places, "area_vectors": self.area_vectors * 1e4, "fields": self.fields}
        small = {name: getattr(self, name) for name in ("anchors", "pull", "from_profile", "profile_mean", "doubt")}
        return {name: array.astype(np.float16) for name, array in large.items()} | {
            name: array.astype(np.float32) for name, array in small.items()
        }

    def guess(self, profile: np.ndarray) -> np.ndarray:
        """(K,) code from a car's profile (gnn.novelty.profile)."""
        return np.clip((profile - self.profile_mean) @ self.from_profile, -LARGEST_CODE, LARGEST_CODE)

    def bent(self, code: np.ndarray, faces: np.ndarray | slice = slice(None)) -> tuple[np.ndarray, np.ndarray]:
        """Places (m, 3) m and area vectors (m, 3) m² of faces for a code (K,)."""
        places, areas = (a[0, faces] + np.tensordot(code, a[1:, faces], 1) for a in (self.places, self.area_vectors))
        return places, areas

    def values(self, code: np.ndarray) -> np.ndarray:
        """(M, 4) Cp and Cf of the faces for a code (K,)."""
        return self.fields[0] + np.tensordot(kernel(code[None], self.anchors)[0] @ self.pull, self.fields[1:], 1)

    def refine(self, code: np.ndarray, points: np.ndarray, normals: np.ndarray) -> tuple[np.ndarray, float]:
        """Code (K,) and shift along x (m) that bring the template onto points (N, 3) of the +y half with normals."""
        from scipy.spatial import cKDTree

        tree = cKDTree(points)
        faces = np.arange(0, self.places.shape[1], max(1, self.places.shape[1] // _N_FIT))
        modes = np.concatenate([self.places[1:, faces], np.broadcast_to(_ALONG_X, (1, len(faces), 3))])
        prior = np.append(code, 0.0)
        certainty = 1.0 / np.append(self.doubt, SHIFT) ** 2
        now = prior.copy()
        for _ in range(STEPS):
            places, areas = self.bent(now[:-1], faces)
            places = places + now[-1] * _ALONG_X
            distance, near = _nearest_alike(tree, normals, places, _unit(areas), k=3)
            kept = distance < NEAR
            plane = normals[near[kept]]
            misfit = np.einsum("nd,nd->n", points[near[kept]] - places[kept], plane)
            slope = np.einsum("knd,nd->nk", modes[:, kept], plane)
            weight = (1.0 / (1.0 + (misfit / OUTLIER) ** 2) / TRUST**2)[:, None]
            normal_matrix = (slope * weight).T @ slope + np.diag(certainty)
            now = now + np.linalg.solve(normal_matrix, (slope * weight).T @ misfit + certainty * (prior - now))
            now[:-1] = np.clip(now[:-1], -LARGEST_CODE, LARGEST_CODE)
        return now[:-1], float(now[-1])


_ALONG_X = np.array([1.0, 0.0, 0.0], np.float32)


@dataclass(frozen=True, eq=False)
class RegisteredTemplate:
    """A template bent onto one car: what it says at any point of that car.

    area_vectors (M, 3) m², values (M, 4): Cp and Cf of its faces.
    fit: 0..1, how far the car as a whole is one of the template's morphs.
    """

    tree: cKDTree
    area_vectors: np.ndarray
    values: np.ndarray
    fit: float

    @cached_property
    def normals(self) -> np.ndarray:
        """(M, 3)"""
        return _unit(self.area_vectors)

    @property
    def drag_areas(self) -> tuple[float, float]:
        """Cd·A, m², of the whole car from pressure and from friction: the fields' integrals over the faces."""
        pressure = -2.0 * (self.values[:, 0].astype(np.float64) @ self.area_vectors[:, 0])
        friction = 2.0 * (self.values[:, 1].astype(np.float64) @ np.linalg.norm(self.area_vectors, axis=1))
        return float(pressure), float(friction)

    def at(self, points: np.ndarray, normals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Points (N, 3) in network coordinates, of both sides, and outward normals -> (N, 4), weight (N,) 0..1."""
        points, normals, side = _folded(points, normals)
        values, weight = self._on_half(points, normals)
        values[:, 2] *= side
        return values, weight * np.float32(self.fit)

    def over(self, values: np.ndarray, points: np.ndarray, normals: np.ndarray) -> np.ndarray:
        """Another source's Cp and Cf (N, 4) at the points, with the template's in their place by its weight."""
        known, weight = self.at(points, normals)
        return values + weight[:, None] * (known - values)

    def _on_half(self, points: np.ndarray, normals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        distance, near = self.tree.query(points, k=6, workers=-1)
        alike = np.einsum("nkd,nd->nk", self.normals[near], normals)
        apart = distance * (1.5 - alike)
        closest = apart.min(axis=1, keepdims=True)
        share = np.exp((closest - apart) / SOFT)
        share /= share.sum(axis=1, keepdims=True)
        values = np.einsum("nk,nkc->nc", share, self.values[near]).astype(np.float32)
        # A face that looks the same way counts half its distance, one at right angles one and a half times; a panel's
        # other side is as near, but it is not where this point lies.
        on = np.clip((FAR - 2 * closest[:, 0]) / (FAR - NEAR), 0.0, 1.0)
        on *= np.clip(2.0 * (share * alike).sum(axis=1), 0.0, 1.0)
        return values, on.astype(np.float32)


def register(
    templates: list[Template], points: np.ndarray, normals: np.ndarray, profile: np.ndarray
) -> RegisteredTemplate | None:
    """The template that lies nearest to a car, bent onto it; None without templates.

    points (N, 3), normals (N, 3) outward: an even sample in network coordinates. profile: gnn.novelty.profile of it.
    """
    from scipy.spatial import cKDTree

    if not templates:
        return None
    half, facing, _ = _folded(points, normals)
    guesses = [template.guess(profile) for template in templates]
    trees = [cKDTree(t.bent(code)[0]) for t, code in zip(templates, guesses, strict=True)]
    misfits = [np.minimum(tree.query(half[:_N_CHOICE], workers=-1)[0], FAR).mean() for tree in trees]
    best = int(np.argmin(misfits))
    code, shift = templates[best].refine(guesses[best], half, facing)
    places, areas = templates[best].bent(code)
    tree = cKDTree(places + shift * _ALONG_X)
    registered = RegisteredTemplate(tree, areas, templates[best].values(code), 1.0)
    share = float(registered._on_half(half[:_N_FIT], facing[:_N_FIT])[1].mean())
    return replace(registered, fit=float(np.clip((share - FITTED[0]) / (FITTED[1] - FITTED[0]), 0.0, 1.0)))


def kernel(codes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(a, b) likeness of fields between codes (a, K) and (b, K): linear, and a bump for what bends.

    Its two constants, and the noise it is fitted with, are among the best of a coarse grid at predicting pressure drag
    across the training cases (leaving eighths out), where that best is flat.
    """
    apart = ((codes[:, None] - others[None]) ** 2).mean(axis=2)
    return LINEAR_PART * codes @ others.T / codes.shape[1] + np.exp(-0.5 * apart)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def _folded(points: np.ndarray, normals: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points and normals brought to the +y half, and the side (+1 or -1) that each came from."""
    side = np.where(points[:, 1] < 0, np.float32(-1), np.float32(1))
    turn = np.ones_like(points)
    turn[:, 1] = side
    return points * turn, normals * turn, side


def _nearest_alike(
    tree: cKDTree, normals: np.ndarray, places: np.ndarray, facing: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """Distance to and row of the nearest of the tree's points that faces as each place does; infinite where none."""
    distance, near = tree.query(places, k=k, workers=-1)
    alike = np.einsum("nkd,nd->nk", normals[near], facing)
    apart = np.where(alike > 0.8, distance * (1.5 - alike), np.inf)
    best = apart.argmin(axis=1)
    row = np.arange(len(places))
    return np.where(np.isfinite(apart[row, best]), distance[row, best], np.inf), near[row, best]
