"""A Gaussian process that is kept as arrays says what the library's own does."""

from __future__ import annotations

import numpy as np
import pytest

from factory.gaussian_process import GaussianProcess


@pytest.fixture(scope="module")
def fitted() -> tuple[np.ndarray, np.ndarray, GaussianProcess]:
    rng = np.random.default_rng(4)
    features = rng.uniform(-1, 1, (60, 3))
    values = 0.3 + 0.05 * features[:, 0] + 0.02 * np.sin(3 * features[:, 1]) + 0.001 * rng.normal(size=60)
    return features, values, GaussianProcess.fit(features, values)


def test_it_follows_what_it_was_fitted_on(fitted):
    features, values, process = fitted
    assert np.abs(process(features) - values).max() < 0.004


def test_it_says_what_it_has_not_seen(fitted):
    _, _, process = fitted
    query = np.random.default_rng(5).uniform(-0.8, 0.8, (40, 3))
    true = 0.3 + 0.05 * query[:, 0] + 0.02 * np.sin(3 * query[:, 1])
    assert np.abs(process(query) - true).max() < 0.01


def test_a_feature_that_matters_has_a_shorter_length(fitted):
    _, _, process = fitted
    assert process.lengths[1] < process.lengths[2]
