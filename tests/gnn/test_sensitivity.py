"""The derivative of drag: it is the network's own, smooth over the surface, and foretells what small pushes do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import cKDTree

from data.load import load_car, sample_car
from drivaer_app.models import find_model
from gnn.sensitivity import drag_sensitivity, smoothed
from gnn.surrogate import Surrogate


@pytest.fixture(scope="module")
def surrogate():
    return Surrogate.load(find_model(), "cpu")


@pytest.fixture(scope="module")
def sample(surrogate, sample_file):
    return sample_car(load_car(sample_file), surrogate.n_points)


@pytest.fixture(scope="module")
def sensitivity(surrogate, sample):
    return drag_sensitivity(surrogate, sample)


def longer_tail(points: np.ndarray, by: float) -> np.ndarray:
    """(N, 3) displacement: the rear third is drawn backwards."""
    x = points[:, 0]
    share = np.clip((x - x.min()) / np.ptp(x) * 3 - 2, 0, 1)
    return by * share[:, None] * np.array([1.0, 0, 0])


def test_the_gradient_is_the_slope_of_the_networks_answer(surrogate, sample):
    push = longer_tail(sample.points, 0.01)  # of smaller steps, what neighbours flip weighs more than the slope
    n_clouds = len(sample.points) // surrogate.config.drag.n_points
    further, nearer = (
        surrogate.cd(replace(sample, points=(sample.points + sign * push).astype(np.float32)), n_clouds)
        for sign in (1, -1)
    )
    gradient = surrogate.drag_gradient(sample)
    slope = (gradient * push[: len(gradient)]).sum() * 2
    assert slope == pytest.approx(further - nearer, rel=0.3)


def test_a_scale_models_sensitivity_is_that_of_the_car_it_stands_for(surrogate, sample, sensitivity):
    scale = 0.4
    small = replace(sample, points=sample.points * np.float32(scale), areas=sample.areas * np.float32(scale**2))
    push = longer_tail(sensitivity.points, 0.02)
    assert drag_sensitivity(surrogate, small).change(scale * push) == pytest.approx(sensitivity.change(push), rel=0.15)


def test_smoothing_keeps_what_a_broad_push_does(surrogate, sample, sensitivity):
    push = longer_tail(sensitivity.points, 0.01)
    rough = drag_sensitivity(surrogate, sample, smooth=0.0)
    assert sensitivity.change(push) == pytest.approx(rough.change(push), rel=0.2)
    assert np.abs(sensitivity.density).max() < 0.7 * np.abs(rough.density).max()
    _, near = cKDTree(sensitivity.points).query(sensitivity.points, k=2)
    jumps, rough_jumps = (np.abs(of - of[near[:, 1]]).mean() for of in (sensitivity.density, rough.density))
    assert jumps < 0.2 * rough_jumps


def test_a_longer_tail_lowers_drag(sensitivity):
    assert sensitivity.change(longer_tail(sensitivity.points, 0.05)) < 0


def test_two_sides_of_a_panel_keep_apart():
    grid = np.stack(np.meshgrid(np.linspace(0, 1, 20), np.linspace(0, 1, 20), [0.0, 0.001]), axis=-1).reshape(-1, 3)
    upper = grid[:, 2] > 0
    normals = np.where(upper[:, None], [0, 0, 1.0], [0, 0, -1.0])
    out = smoothed(grid, normals, np.where(upper, 1.0, -1.0), 0.06)
    assert out[upper] == pytest.approx(1.0) and out[~upper] == pytest.approx(-1.0)
