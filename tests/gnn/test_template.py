"""A template bent onto a car: found again after a morph, silent where the car is another."""

from __future__ import annotations

import numpy as np
import pytest

from gnn.roof_line import N_POINTS
from gnn.template import Template, features, likeness, register

N_MODES = 2
AREA = 7e-4


def profile(points: np.ndarray) -> np.ndarray:
    """What a template's first guess is made from; here the extents, which both modes change."""
    return np.ptp(points, axis=0).astype(np.float32)


@pytest.fixture(scope="module")
def template() -> Template:
    """Half an ellipsoid that can grow longer (mode 0) or higher (mode 1), with Cp = x and its change with mode 0."""
    rng = np.random.default_rng(3)
    unit = rng.normal(size=(6000, 3))
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    unit[:, 1] = np.abs(unit[:, 1])
    axes = np.array([2.3, 0.9, 0.7])
    longer, higher = np.array([0.1, 0.0, 0.0]), np.array([0.0, 0.0, 0.05])
    normals = unit / axes
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    cp = np.zeros((2, len(unit), 4))
    cp[0, :, 0], cp[0, :, 2], cp[1, :, 0] = unit[:, 0], 0.01, 0.5
    # Traits: the code itself, and a roof line that never changes.
    to_traits = np.zeros((1 + N_MODES, N_MODES + 2 * N_POINTS), np.float32)
    to_traits[1:, :N_MODES] = np.eye(N_MODES)
    to_traits[0, N_MODES:] = np.column_stack([np.linspace(0.0, 2.0, N_POINTS), np.ones(N_POINTS)]).ravel()
    anchors = features(np.array([[1.0, 0.0], [-1.0, 0.0]]), to_traits)
    # An amount of 1 at the first anchor, -1 at the second.
    lengths, linear = np.full((1, anchors.shape[1]), 5.0), np.array([1.0])
    alike = np.array([likeness(anchor, anchors, lengths, linear)[0] for anchor in anchors])
    pull = np.linalg.solve(alike, np.array([[1.0], [-1.0]]))
    weights = np.zeros((3, N_MODES))
    weights[0, 0], weights[2, 1] = 1 / 0.2, 1 / 0.1
    return Template(
        places=(shape := np.stack([unit * axes, unit * longer, unit * higher])),
        area_vectors=AREA * np.stack([normals, 0 * normals, 0 * normals]),
        marks=shape[:, ::2],
        marked=np.arange(0, len(unit), 2),
        fields=cp,
        to_traits=to_traits,
        anchors=anchors,
        pull=pull,
        lengths=lengths,
        linear=linear,
        from_profile=weights,
        profile_mean=2 * axes,
        doubt=np.full(N_MODES, 0.3),
    ).in_single_precision()


def ellipsoid(axes, n: int = 6000, seed: int = 8) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points, normals and the unit sphere's points they come from, on both sides."""
    unit = np.random.default_rng(seed).normal(size=(n, 3))
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    normals = unit / axes
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return (unit * axes).astype(np.float32), normals.astype(np.float32), unit


def test_the_fields_follow_a_morph(template):
    points, normals, unit = ellipsoid([2.4, 0.9, 0.675])
    values, weight = register([template], points, normals, profile(points)).at(points, normals)
    assert weight.mean() > 0.95
    assert np.abs(values[:, 0] - (unit[:, 0] + 0.5)).mean() < 0.03


def test_a_wrong_first_guess_is_mended(template):
    points, normals, unit = ellipsoid([2.4, 0.9, 0.7])
    wrong = profile(points) + np.array([0.06, 0.0, 0.0], np.float32)
    code, _ = template.refine(template.guess(wrong), points[points[:, 1] > 0], normals[points[:, 1] > 0])
    assert abs(code[0] - 1.0) < 0.15 < abs(template.guess(wrong)[0] - 1.0)


def test_the_other_side_is_the_mirror_image(template):
    points, normals, _ = ellipsoid([2.3, 0.9, 0.7])
    registered = register([template], points, normals, profile(points))
    flip = np.array([1, -1, 1], np.float32)
    here, there = registered.at(points, normals)[0], registered.at(points * flip, normals * flip)[0]
    assert np.allclose(here * [1, 1, -1, 1], there, atol=1e-6)


def test_another_car_is_not_answered(template):
    points, normals, _ = ellipsoid([2.3, 1.3, 1.4])
    _, weight = register([template], points, normals, profile(points)).at(points, normals)
    assert weight.max() == 0.0


def test_a_point_off_the_template_is_not_answered(template):
    points, normals, _ = ellipsoid([2.3, 0.9, 0.7])
    registered = register([template], points, normals, profile(points))
    assert registered.at(points + np.float32(0.3) * normals, normals)[1].max() == 0.0
    assert registered.at(points, -normals)[1].max() == 0.0


def test_half_precision_keeps_the_answer(template):
    points, normals, _ = ellipsoid([2.4, 0.9, 0.7])
    stored = Template.of_arrays(template.arrays())
    full, half = (register([t], points, normals, profile(points)).at(points, normals)[0] for t in (template, stored))
    assert np.abs(full - half).max() < 0.01


def test_a_stored_template_lies_where_it_did(template):
    stored = Template.of_arrays(template.arrays())
    code = np.array([1.5, -1.5])
    assert np.abs(template.bent(code)[0] - stored.bent(code)[0]).max() < 1e-4  # m


def test_without_templates_nothing_is_registered():
    points, normals, _ = ellipsoid([2.3, 0.9, 0.7])
    assert register([], points, normals, profile(points)) is None


def test_the_drag_of_both_halves_is_the_integral_over_the_faces(template):
    points, normals, _ = ellipsoid([2.3, 0.9, 0.7])
    registered = register([template], points, normals, profile(points))
    pressure, friction = registered.drag_areas
    assert pressure == pytest.approx(-2 * AREA * (registered.values[:, 0] * registered.normals[:, 0]).sum(), rel=1e-4)
    assert friction == pytest.approx(0.0, abs=1e-6)
