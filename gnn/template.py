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

from gnn.roof_line import N_POINTS, roof_measures

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

STEPS = 3
TRUST = 0.001
"""m: the misfit of one point that weighs as much as one standard error of the code's first guess."""
OUTLIER = 0.005
"""m: misfits beyond it lose their say (a Cauchy weight); morphs fit to a few millimetres."""
LARGEST_CODE = 3.0
"""Standard deviations of the training designs that a code may reach; further out the fields are guesswork."""
SHIFT = 0.01
"""m, standard deviation of what the car's middle may be off along x."""
NEAR, FAR = 0.030, 0.080
"""m from the nearest face's centre: up to here a point is on the template, from there on it is not."""
FITTED = (0.88, 0.935)
"""Share of a car's surface that is on the template: below the first it is another car, above the second a morph.

Held-out morphs have 0.936 and more, procedural cars of the same kinds up to 0.89; where those were answered by the
template in part, the integral of their pressure was 0.02 too high.
"""
SOFT = 0.0003
"""m: how sharply a point prefers the nearest face to the second nearest."""
SOFT_AROUND = 0.002
"""m: the same for a vertex, which stands for its surroundings: the best for values between a car's vertices."""
_STORED_IN_HALF = {"places": 1.0, "area_vectors": 1e4, "marks": 1.0, "fields": 1.0}
"""Scale under which half precision has digits: areas in cm²."""
_MEAN = "_mean"
_N_FITTED = 5000
_N_CHOICE = 1500


@dataclass(frozen=True, eq=False)
class Template:
    """K modes over M faces on the +y half, network coordinates. Row 0 is the mean, rows 1..K go with the code.

    places (1 + K, M, 3) m. area_vectors (1 + K, M, 3) m², along the outward normals.
    marks (1 + K, m, 3) m: points on the very surface next to the faces ``marked`` (m,); the CFD's face centres lie a
    millimetre off it, and up to a centimetre at edges, so the code is fitted with these.
    fields (1 + R, M, 4): Cp and Cf, mean and R modes, whose amounts are ``likeness`` of the car's features and
    ``anchors`` (n, f), the training cases' features, times ``pull`` (n, R).
    lengths (R, f), linear (R,): of that likeness, each mode's own.
    to_traits (1 + K, t): from code to the traits that ``features`` are made of.
    from_profile (d, K), profile_mean (d,): the first guess of the code, of unit variance over the training designs.
    doubt (K,): that guess's standard error.
    """

    places: np.ndarray
    area_vectors: np.ndarray
    marks: np.ndarray
    marked: np.ndarray
    fields: np.ndarray
    to_traits: np.ndarray
    anchors: np.ndarray
    pull: np.ndarray
    lengths: np.ndarray
    linear: np.ndarray
    from_profile: np.ndarray
    profile_mean: np.ndarray
    doubt: np.ndarray

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Template:
        """What ``arrays`` gave."""
        whole = dict(arrays)
        for name, scale in _STORED_IN_HALF.items():
            rows = [arrays[name + _MEAN][None], arrays[name]]
            whole[name] = np.concatenate([np.asarray(r, np.float32) for r in rows]) / np.float32(scale)
        return cls(**{f.name: np.asarray(whole[f.name]) for f in fields(cls)}).in_single_precision()

    def arrays(self) -> dict[str, np.ndarray]:
        """As stored: modes in half precision, which is a hundredth of a millimetre of them; the means in single."""
        arrays = {f.name: getattr(self, f.name) for f in fields(self)}
        for name, scale in _STORED_IN_HALF.items():
            rows = arrays[name] * np.float32(scale)
            arrays |= {name + _MEAN: rows[0].astype(np.float32), name: rows[1:].astype(np.float16)}
        return arrays

    def in_single_precision(self) -> Template:
        """The same with its numbers as they are worked with: float32, rows as int32."""
        arrays = {f.name: getattr(self, f.name).astype(np.float32) for f in fields(self)}
        return Template(**{**arrays, "marked": self.marked.astype(np.int32)})

    def guess(self, profile: np.ndarray) -> np.ndarray:
        """(K,) code from a car's profile (gnn.novelty.profile)."""
        return np.clip((profile - self.profile_mean) @ self.from_profile, -LARGEST_CODE, LARGEST_CODE)

    def bent(self, code: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Places (M, 3) m and area vectors (M, 3) m² of the faces for a code (K,)."""
        return _at_code(self.places, code), _at_code(self.area_vectors, code)

    def marks_at(self, code: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Points (m, 3) m on the very surface and area vectors (m, 3) m² of the faces ``marked``, for a code (K,)."""
        return _at_code(self.marks, code), _at_code(self.area_vectors[:, self.marked], code)

    def values(self, code: np.ndarray) -> np.ndarray:
        """(M, 4) Cp and Cf of the faces for a code (K,)."""
        alike = likeness(features(code[None], self.to_traits)[0], self.anchors, self.lengths, self.linear)
        return _at_code(self.fields, np.einsum("rn,nr->r", alike, self.pull))

    def refine(self, code: np.ndarray, points: np.ndarray, normals: np.ndarray) -> tuple[np.ndarray, float]:
        """Code (K,) and shift along x (m) that bring the template onto points (N, 3) of the +y half with normals."""
        from scipy.spatial import cKDTree

        tree = cKDTree(points)
        facing = self.area_vectors[:, self.marked]
        modes = np.concatenate([self.marks[1:], np.broadcast_to(_ALONG_X, (1, *self.marks.shape[1:]))])
        prior = np.append(code, 0.0)
        certainty = 1.0 / np.append(self.doubt, SHIFT) ** 2
        now = prior.copy()
        for _ in range(STEPS):
            places = _at_code(self.marks, now[:-1]) + now[-1] * _ALONG_X
            distance, near = _nearest_alike(tree, normals, places, _unit(_at_code(facing, now[:-1])), k=3)
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

    def at(self, points: np.ndarray, normals: np.ndarray, soft: float = SOFT) -> tuple[np.ndarray, np.ndarray]:
        """Points (N, 3) in network coordinates, of both sides, and outward normals -> (N, 4), weight (N,) 0..1."""
        points, normals, side = _folded(points, normals)
        values, weight = self._on_half(points, normals, soft)
        values[:, 2] *= side
        return values, weight * np.float32(self.fit)

    def over(self, values: np.ndarray, points: np.ndarray, normals: np.ndarray, soft: float = SOFT) -> np.ndarray:
        """Another source's Cp and Cf (N, 4) at the points, with the template's in their place by its weight."""
        known, weight = self.at(points, normals, soft)
        return values + weight[:, None] * (known - values)

    def _on_half(self, points: np.ndarray, normals: np.ndarray, soft: float) -> tuple[np.ndarray, np.ndarray]:
        distance, near = self.tree.query(points, k=6, workers=-1)
        alike = np.einsum("nkd,nd->nk", self.normals[near], normals)
        apart = distance * (1.5 - alike)
        closest = apart.min(axis=1, keepdims=True)
        share = np.exp((closest - apart) / soft)
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
    trees = [cKDTree(_at_code(t.marks, code)) for t, code in zip(templates, guesses, strict=True)]
    misfits = [np.minimum(tree.query(half[:_N_CHOICE], workers=-1)[0], FAR).mean() for tree in trees]
    best = int(np.argmin(misfits))
    code, shift = templates[best].refine(guesses[best], half, facing)
    places, areas = templates[best].bent(code)
    tree = cKDTree(places + shift * _ALONG_X)
    registered = RegisteredTemplate(tree, areas, templates[best].values(code), 1.0)
    share = float(registered._on_half(half[:_N_FITTED], facing[:_N_FITTED], SOFT)[1].mean())
    return replace(registered, fit=float(np.clip((share - FITTED[0]) / (FITTED[1] - FITTED[0]), 0.0, 1.0)))


def fits_template(registered: RegisteredTemplate | None) -> bool:
    """Whether a car is one of a template's morphs, by more than half: for the others an interval may be another."""
    return registered is not None and registered.fit >= 0.5


def features(codes: np.ndarray, to_traits: np.ndarray) -> np.ndarray:
    """(n, f): what flow fields follow, for codes (n, K).

    to_traits (1 + K, t): linear map, constant first, to morph parameters (t - 2 N_POINTS) and the roof line's x and z.
    """
    traits = to_traits[0] + codes @ to_traits[1:]
    parameters, line = np.split(traits, [to_traits.shape[1] - 2 * N_POINTS], axis=1)
    line = line.reshape(-1, N_POINTS, 2)
    return np.concatenate([parameters, roof_measures(line[..., 0], line[..., 1])], axis=1)


def likeness(features: np.ndarray, anchors: np.ndarray, lengths: np.ndarray, linear: np.ndarray) -> np.ndarray:
    """(R, n) likeness of a car of features (f,) and those of anchors (n, f): for each mode linear, and a Matern bump.

    lengths (R, f): how far along each feature the bump reaches. linear (R,): the linear part, against 1 for the bump.
    """
    scaled = (anchors - features) / lengths[:, None]
    apart = np.sqrt(np.einsum("rnf,rnf->rn", scaled, scaled))
    return linear[:, None] * (1.0 + anchors @ features) + matern_bump(apart)


def matern_bump(apart: np.ndarray) -> np.ndarray:
    """Matérn's 5/2 covariance of what is so many lengths apart, against 1 for what is at one place."""
    apart = np.sqrt(5.0) * apart
    return (1.0 + apart + apart**2 / 3.0) * np.exp(-apart)


def _at_code(rows: np.ndarray, code: np.ndarray) -> np.ndarray:
    """Mean and modes (1 + K, ...) put together by a code (K,)."""
    return rows[0] + np.tensordot(code, rows[1:], 1)


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
