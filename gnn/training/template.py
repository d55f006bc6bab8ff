"""Fit the template cars: modes of the morphs' displacement, the code's first guess, and fields that follow the code."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from data.corpora.cases import Case
from data.corpora.morphs import CfdFaces
from gnn.input_frame import to_network
from gnn.template import Template, kernel
from gnn.training.clouds import UNDERBODIES, Design, MorphClouds, random_designs
from gnn.training.labels import ridge

N_MODES = 26
"""More than the generator's parameters and styles: what is left over is under a tenth of a millimetre."""
N_FIELD_MODES = 30
NOISE = 0.1
"""Of a case's field, against the kernel's 4 for a case and itself: the swing of steady RANS."""
N_DESIGNS = 1600
_AREA_WEIGHT = 140.0
"""1/m: how far a place must move to count as much as a change of its area vector; a face has about 7e-4 m²."""


def fit_templates(
    cases: Sequence[Case], clouds: MorphClouds, n_designs: int = N_DESIGNS, seed: int = 5
) -> list[Template]:
    """A template for each underbody. cases: those to train on; shapes need no CFD and are drawn at random."""
    designs = random_designs(clouds.generator, n_designs, seed)
    return [_fit_template(underbody, designs, cases, clouds, seed) for underbody in UNDERBODIES]


def _fit_template(
    underbody: str, designs: Sequence[Design], cases: Sequence[Case], clouds: MorphClouds, seed: int
) -> Template:
    faces = CfdFaces.of(clouds.generator, underbody)
    designs = [d for d in designs if d.underbody == underbody]
    cases = [c for c in cases if c.underbody == underbody]
    profiles = np.array([clouds.profile(d, np.random.default_rng((seed, i))) for i, d in enumerate(designs)])
    shapes = np.array([_shape(d, faces, clouds) for d in designs])
    mean = shapes.mean(axis=0)
    _, size, rows = np.linalg.svd(shapes - mean, full_matrices=False)
    spread = size[:N_MODES] / np.sqrt(len(shapes))
    modes = rows[:N_MODES] * spread[:, None]

    def code(some: np.ndarray) -> np.ndarray:
        return (some - mean) @ rows[:N_MODES].T / spread

    codes = code(shapes)
    weights, centre, doubt = _profile_fit(profiles, codes)
    anchors = code(np.array([_shape(Design.of(c), faces, clouds) for c in cases]))
    modes_of_fields, pull = _fields(anchors, cases)
    shape_rows = np.concatenate([mean[None], modes]).reshape(1 + N_MODES, 2, -1, 3)
    return Template(
        places=shape_rows[:, 0],
        area_vectors=shape_rows[:, 1] / _AREA_WEIGHT,
        fields=modes_of_fields,
        anchors=anchors.astype(np.float32),
        pull=pull.astype(np.float32),
        from_profile=weights.astype(np.float32),
        profile_mean=centre.astype(np.float32),
        doubt=doubt.astype(np.float32),
    )


def _shape(design: Design, faces: CfdFaces, clouds: MorphClouds) -> np.ndarray:
    """(2 M 3,) float32: the faces' places in network coordinates, then their weighted area vectors."""
    centres, areas = faces.on(clouds.generator, design.parameters)
    places = to_network(centres, clouds.x_middle(design))
    return np.concatenate([places.ravel(), _AREA_WEIGHT * areas.ravel()]).astype(np.float32)


def _profile_fit(profiles: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Linear weights (d, K) and centre (d,) from profile to code, and the code's standard error on a quarter kept out.

    A profile's own spread sets the scale on which its weights are kept small.
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


def _fields(codes: np.ndarray, cases: Sequence[Case]) -> tuple[np.ndarray, np.ndarray]:
    """Modes (1 + R, M, 4) of Cp and Cf, the mean first, and each case's pull (n, R): kernel ridge regression."""
    values = np.array([np.column_stack([c.face_cp, c.face_cf]).ravel() for c in cases])
    mean = values.mean(axis=0)
    likeness = kernel(codes, codes)
    dual = np.linalg.solve(likeness + NOISE * np.eye(len(codes)), values - mean)
    _, size, rows = np.linalg.svd(likeness @ dual, full_matrices=False)
    spread = size[:N_FIELD_MODES] / np.sqrt(len(cases))
    modes = rows[:N_FIELD_MODES] * spread[:, None]
    pull = dual @ rows[:N_FIELD_MODES].T / spread
    return np.concatenate([mean[None], modes]).reshape(1 + len(modes), -1, 4).astype(np.float32), pull
