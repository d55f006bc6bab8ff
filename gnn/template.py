"""A template car that is bent onto a loaded one and carries the CFD's surface fields onto it.

All morphs of one car share the template's faces: a face is the same material point on each of them, and its Cp and Cf
change smoothly with the shape. So the fields of such a car are predicted in two steps. The template is registered to
the car as a morphable model (Blanz and Vetter, "A Morphable Model for the Synthesis of 3D Faces", 1999): its shape is
a mean plus principal modes, whose coefficients, the code, are guessed from the car's profile and refined by a few
point-to-plane steps (Chen and Medioni, "Object Modelling by Registration of Multiple Range Images", 1992). Then a
Gaussian process evaluates the faces' Cp and Cf at that shape. Points of the car that the bent template does not reach
get a weight of zero.
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
"""m: standard deviation of a point's misfit, against which the prior of the code is weighed."""
OUTLIER = 0.005
"""m: scale of the Cauchy weight, which takes outliers out of the fit; morphs fit to a few millimetres."""
LARGEST_CODE = 3.0
"""Bound of each coefficient of a code, in standard deviations of the training designs."""
SHIFT = 0.01
"""m: standard deviation of the prior of the template's shift along x."""
NEAR, FAR = 0.030, 0.080
"""m from the nearest face's centre: a point's weight is 1 up to NEAR and falls to 0 at FAR."""
FITTED = (0.88, 0.935)
"""Share of a car's surface that is on the template: its fit is 0 below the first and 1 above the second.

Held-out morphs have 0.936 and more, procedural cars of the same kinds up to 0.89; where those were answered by the
template in part, the integral of their pressure was 0.02 too high.
"""
SOFT = 0.0003
"""m: length scale of the softmax weights by which a point interpolates between its nearest faces."""
SOFT_AROUND = 0.002
"""m: the same for a vertex, which stands for the surface around it."""
_STORED_IN_HALF = {"places": 1.0, "area_vectors": 1e4, "marks": 1.0, "fields": 1.0}
"""Factor before rounding to half precision: areas are kept in cm²."""
_MEAN = "_mean"
_N_FITTED = 5000
_N_CHOICE = 1500


@dataclass(frozen=True, eq=False)
class Template:
    """K modes over M faces on the +y half, network coordinates. Row 0 is the mean, rows 1..K go with the code.

    places (1 + K, M, 3) m. area_vectors (1 + K, M, 3) m², along the outward normals.
    marks (1 + K, m, 3) m: points on the very surface next to the faces ``marked`` (m,); the CFD's face centres lie a
    millimetre off it, and up to a centimetre at edges, so the code is fitted with these.
    fields (1 + R, M, 4): Cp and Cf, mean and R modes. A mode's coefficient is a Gaussian process of the car's
    ``features``: the kernel (``likeness``) to ``anchors`` (n, f), the training cases' features, times ``pull`` (n, R).
    lengths (R, f), linear (R,): parameters of each mode's kernel.
    to_traits (1 + K, t): linear map from the code to what ``features`` are computed from.
    from_profile (d, K), profile_mean (d,): linear regression that guesses the code from a profile.
    doubt (K,): standard error of that guess.
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
    """A template bent onto one car; gives Cp and Cf at any point of that car.

    tree: of the bent faces' centres. area_vectors (M, 3) m², values (M, 4): Cp and Cf of the faces.
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
        """The mean of another model's Cp and Cf (N, 4) at the points and the template's, by the template's weight."""
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
    """Whether a car counts as one of a template's morphs: others may have an interval of their own."""
    return registered is not None and registered.fit >= 0.5


def features(codes: np.ndarray, to_traits: np.ndarray) -> np.ndarray:
    """(n, f): the inputs of the fields' Gaussian processes, for codes (n, K).

    to_traits (1 + K, t): linear map, constant first, to morph parameters (t - 2 N_POINTS) and the roof line's x and z.
    """
    traits = to_traits[0] + codes @ to_traits[1:]
    parameters, line = np.split(traits, [to_traits.shape[1] - 2 * N_POINTS], axis=1)
    line = line.reshape(-1, N_POINTS, 2)
    return np.concatenate([parameters, roof_measures(line[..., 0], line[..., 1])], axis=1)


def likeness(features: np.ndarray, anchors: np.ndarray, lengths: np.ndarray, linear: np.ndarray) -> np.ndarray:
    """(R, n) kernel between a car's features (f,) and those of anchors (n, f), for each mode: linear plus Matérn 5/2.

    lengths (R, f): length scales of the Matérn kernel. linear (R,): weight of the linear kernel, the other having 1.
    """
    scaled = (anchors - features) / lengths[:, None]
    apart = np.sqrt(np.einsum("rnf,rnf->rn", scaled, scaled))
    return linear[:, None] * (1.0 + anchors @ features) + matern_bump(apart)


def matern_bump(apart: np.ndarray) -> np.ndarray:
    """Matérn's 5/2 kernel of distances in units of the length scale; 1 at no distance."""
    apart = np.sqrt(5.0) * apart
    return (1.0 + apart + apart**2 / 3.0) * np.exp(-apart)


def _at_code(rows: np.ndarray, code: np.ndarray) -> np.ndarray:
    """Mean (row 0) plus modes (rows 1..K) times a code (K,)."""
    return rows[0] + np.tensordot(code, rows[1:], 1)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def _folded(points: np.ndarray, normals: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points and normals mirrored to the +y half, and each one's side (+1 or -1)."""
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
