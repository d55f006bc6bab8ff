"""Fit the templates: principal modes of shape, the regression that guesses a code, Gaussian processes of the fields."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from data.corpora.case import Case
from factory.gaussian_process import GaussianProcess
from factory.labels import DesignFeatures, ridge
from factory.morph_generator import COMPUTED, UnmorphedFaces
from factory.morphs import MorphClouds, MorphDesign, random_designs
from gnn.input_frame import to_network
from gnn.template import Template, features

N_MODES = 26
"""More than the generator has parameters and styles: the residual is below a tenth of a millimetre."""
N_MARKS = 5000
N_FIELD_MODES = 30
DRAG_SHARE = 0.2
"""Weight of the drag that fields integrate to, in the variance that the modes of the fields are chosen to explain."""
N_DESIGNS = 1600
_SAME_FACE = 0.004
"""m: distance below which faces of the two underbodies' meshes count as one; three quarters do, to rounding."""
_AREA_WEIGHT = 140.0
"""1/m: weight of area vectors (m²) against places (m) in the modes of shape; a face has about 7e-4 m²."""


def fit_templates(
    cases: Sequence[Case], clouds: MorphClouds, n_designs: int = N_DESIGNS, seed: int = 5
) -> list[Template]:
    """A template for each underbody. cases: to fit the fields to; the shapes, which need no CFD, are random designs."""
    designs = random_designs(clouds.generator, n_designs, seed)
    shapes = {kind: ShapeModel.fit(kind, designs, clouds) for kind in COMPUTED}
    return [
        _fit_template(shapes[kind], shapes[other], designs, cases, clouds, seed)
        for kind, other in zip(COMPUTED, reversed(COMPUTED), strict=True)
    ]


@dataclass(frozen=True, eq=False)
class ShapeModel:
    """Principal components of an underbody's CFD faces over the designs; codes have unit variance.

    mean (6 M,), rows (K, 6 M) orthonormal: places in network coordinates, then weighted area vectors. spread (K,).
    """

    underbody: str
    faces: UnmorphedFaces
    clouds: MorphClouds
    mean: np.ndarray
    rows: np.ndarray
    spread: np.ndarray

    @classmethod
    def fit(cls, underbody: str, designs: Sequence[MorphDesign], clouds: MorphClouds) -> ShapeModel:
        faces = UnmorphedFaces.of(clouds.generator, underbody)
        shapes = np.array([shape_of(d, faces, clouds) for d in designs if d.underbody == underbody])
        mean = shapes.mean(axis=0)
        _, size, rows = np.linalg.svd(shapes - mean, full_matrices=False)
        return cls(underbody, faces, clouds, mean, rows[:N_MODES], size[:N_MODES] / np.sqrt(len(shapes)))

    def codes(self, designs: Sequence[MorphDesign]) -> np.ndarray:
        """(n, K): the codes of designs, of either underbody."""
        shapes = np.array([shape_of(d, self.faces, self.clouds) for d in designs])
        return (shapes - self.mean) @ self.rows.T / self.spread

    @cached_property
    def places_and_areas(self) -> tuple[np.ndarray, np.ndarray]:
        """(1 + K, M, 3) m and (1 + K, M, 3) m²: mean and modes."""
        both = np.concatenate([self.mean[None], self.rows * self.spread[:, None]])
        both = both.reshape(1 + len(self.rows), 2, -1, 3)
        return both[:, 0], both[:, 1] / _AREA_WEIGHT


def _fit_template(
    shape: ShapeModel,
    other: ShapeModel,
    designs: Sequence[MorphDesign],
    cases: Sequence[Case],
    clouds: MorphClouds,
    seed: int,
) -> Template:
    designs = [d for d in designs if d.underbody == shape.underbody]
    codes = shape.codes(designs)
    profiles = np.array([clouds.profile(d, np.random.default_rng((seed, i))) for i, d in enumerate(designs)])
    weights, centre, doubt = _profile_fit(profiles, codes)
    marked = np.flatnonzero(shape.faces.on_surface)
    marked = marked[:: max(1, len(marked) // N_MARKS)]
    measures = DesignFeatures(clouds.generator)
    lines = measures.roof_lines(designs).reshape(len(designs), -1)
    to_traits = _linear_map(codes, np.concatenate([measures.without_styles(designs), lines], axis=1))
    own = sorted(cases, key=lambda case: case.underbody != shape.underbody)  # the other underbody's after them
    anchors = features(shape.codes([MorphDesign.of(c) for c in own]), to_traits)
    # The map from codes to traits knows this underbody only.
    parameters = measures.without_styles([MorphDesign.of(c) for c in own])
    anchors[:, parameters.shape[1] - 1] = parameters[:, -1]
    fitted = _fields(anchors, own, shape, other)
    places, areas = shape.places_and_areas
    return Template(
        places=places,
        area_vectors=areas,
        marks=_linear_map(codes, np.array([_marks(d, marked, shape) for d in designs])).reshape(1 + N_MODES, -1, 3),
        marked=marked,
        fields=fitted.modes,
        to_traits=to_traits,
        anchors=anchors,
        pull=fitted.pull,
        lengths=fitted.lengths,
        linear=fitted.linear,
        from_profile=weights,
        profile_mean=centre,
        doubt=doubt,
    ).in_single_precision()


def shape_modes(template: Template) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """A template's mean shape (6 M,), and a function that gives the code (K,) of a shape's difference (6 M,) to it."""
    rows = np.concatenate(
        [
            template.places.reshape(len(template.places), -1),
            _AREA_WEIGHT * template.area_vectors.reshape(len(template.places), -1),
        ],
        axis=1,
    ).astype(np.float64)
    mean, modes = rows[0], rows[1:]
    products = modes @ modes.T
    return mean, lambda departure: np.linalg.solve(products, modes @ departure)


def shape_of(design: MorphDesign, faces: UnmorphedFaces, clouds: MorphClouds) -> np.ndarray:
    """(6 M,) float32, as `shape_modes` reads it: the faces' places in network coordinates, then weighted areas."""
    centres, areas = faces.on(clouds.generator, design.parameters)
    places = to_network(centres, clouds.x_middle(design))
    return np.concatenate([places.ravel(), _AREA_WEIGHT * areas.ravel()]).astype(np.float32)


def _marks(design: MorphDesign, marked: np.ndarray, shape: ShapeModel) -> np.ndarray:
    """(3 m,) m: points of a design's surface at the faces ``marked``, network coordinates."""
    points = shape.faces.surface_on(shape.clouds.generator, design.parameters, marked)
    return to_network(points, shape.clouds.x_middle(design)).ravel()


def _linear_map(codes: np.ndarray, values: np.ndarray) -> np.ndarray:
    """(1 + K, m) least squares from codes (n, K), with a constant first, to values (n, m)."""
    return np.linalg.lstsq(np.insert(codes, 0, 1.0, axis=1), values, rcond=None)[0]


def _profile_fit(profiles: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ridge regression from profile to code: weights (d, K), centre (d,), and the standard error on a held-out quarter.

    Each element of the profile is scaled by its own spread.
    """
    scale = profiles.std(axis=0) + 1e-3
    kept_out = np.arange(len(profiles)) % 4 == 0
    tried = ridge(profiles[~kept_out] / scale, codes[~kept_out])
    doubt = (tried(profiles[kept_out] / scale) - codes[kept_out]).std(axis=0)
    fit = ridge(profiles / scale, codes)
    centre = profiles.mean(axis=0)
    constant = fit(centre[None] / scale)
    weights = fit(centre[None] / scale + np.diag(1.0 / scale)) - constant
    return weights, centre, doubt


@dataclass(frozen=True, eq=False)
class FieldModes:
    """Modes (1 + R, M, 4) of Cp and Cf, the mean first, and the Gaussian processes of their coefficients."""

    modes: np.ndarray
    pull: np.ndarray
    lengths: np.ndarray
    linear: np.ndarray


def _fields(anchors: np.ndarray, cases: Sequence[Case], shape: ShapeModel, other: ShapeModel) -> FieldModes:
    """Principal modes of the cases' fields, and a Gaussian process on the anchors (n, f) for each mode's coefficient.

    cases: this underbody's first. Those of the other underbody count as if they had this one. On the faces that both
    meshes share they keep their own difference to the other underbody's mean field; on the rest a ridge regression
    on this underbody's cases gives it.
    """
    n_own = sum(case.underbody == shape.underbody for case in cases)
    own, others = (np.array([c.face_values for c in some]) for some in (cases[:n_own], cases[n_own:]))
    mean = own.mean(axis=0)
    stand_in = _by_ridge(anchors[:n_own], own - mean, anchors[n_own:])
    same, there = _shared_faces(shape.faces, other.faces)
    stand_in[:, same] = (others - others.mean(axis=0))[:, there]
    departures = np.concatenate([own - mean, stand_in])
    amounts, rows = _principal(departures, shape.faces)
    fits = [GaussianProcess.fit(anchors, amount) for amount in amounts.T]
    modes = np.concatenate([(mean + np.tensordot([f.constant for f in fits], rows, 1))[None], rows])
    return FieldModes(
        modes,
        np.column_stack([fit.pull for fit in fits]),
        np.array([fit.lengths for fit in fits]),
        np.array([fit.linear for fit in fits]),
    )


def _by_ridge(anchors: np.ndarray, departures: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """(q, M, 4): differences to the mean (n, M, 4) at anchors (n, f), by ridge regression at queries (q, f)."""
    fit = ridge(anchors, departures.reshape(len(anchors), -1), penalty=30.0)
    return fit(queries).reshape(-1, *departures.shape[1:])


def _principal(departures: np.ndarray, faces: UnmorphedFaces) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients (n, R) of unit variance and modes (R, M, 4), by singular value decomposition.

    Faces are weighted by area, Cf so that its variance equals that of Cp; the drag of each field is one more column.
    """
    areas = faces.areas[:, None]
    cp, cf = ((departures[..., part] ** 2 * areas).sum() for part in (slice(0, 1), slice(1, 4)))
    weights = np.sqrt(areas * [1.0, *3 * [cp / cf]])
    drag = -departures[..., 0] @ (faces.normals[:, 0] * faces.areas)
    drag += departures[..., 1] @ faces.areas
    drag *= np.sqrt(DRAG_SHARE * 2 * cp / (drag @ drag))
    flat = np.column_stack([(departures * weights).reshape(len(departures), -1), drag])
    sides, size, rows = np.linalg.svd(flat, full_matrices=False)
    spread = size[:N_FIELD_MODES] / np.sqrt(len(flat))
    modes = (rows[:N_FIELD_MODES, :-1] * spread[:, None]).reshape(-1, *weights.shape) / weights
    return sides[:, :N_FIELD_MODES] * np.sqrt(len(flat)), modes


def _shared_faces(faces: UnmorphedFaces, others: UnmorphedFaces) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the faces that both meshes have, in the one and in the other."""
    from scipy.spatial import cKDTree

    distance, near = cKDTree(others.centres).query(faces.centres)
    alike = np.einsum("nd,nd->n", others.normals[near], faces.normals)
    same = np.flatnonzero((distance < _SAME_FACE) & (alike > 0.9))
    return same, near[same]
