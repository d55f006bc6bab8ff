"""A process that looks at features in pairs learns what single features do where the whole has not been seen."""

from __future__ import annotations

import numpy as np

from factory.additive_gaussian_process import AdditiveGaussianProcess, AdditiveKernel
from factory.gaussian_process import GaussianProcess


def _sums(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Twelve features; the value is a sum of what some do alone and one pair together."""
    features = rng.uniform(-1, 1, (n, 12))
    values = 0.3 + 0.02 * np.sin(4 * features[:, 0]) + 0.02 * features[:, 1] ** 2 + 0.02 * np.cos(4 * features[:, 2])
    return features, values + 0.02 * features[:, 3] * features[:, 4]


def test_sums_of_single_effects_are_learnt_from_fewer_cases_than_a_bump_needs():
    rng = np.random.default_rng(4)
    features, values = _sums(rng, 90)
    query, true = _sums(rng, 200)
    errors = [
        np.abs(fit.fit(features, values)(query) - true).mean() for fit in (AdditiveGaussianProcess, GaussianProcess)
    ]
    assert errors[0] < 0.6 * errors[1]


def test_a_kernel_of_orders_is_the_sum_over_singles_pairs_and_threes():
    import itertools

    import torch

    kernel = AdditiveKernel(4)
    rows = torch.from_numpy(np.random.default_rng(0).normal(size=(3, 4)))
    with torch.no_grad():
        kernel.linear.fill_(-50.0)
        kernel.bump.fill_(-50.0)
        found = kernel(rows, rows)
        own = torch.exp(-0.5 * ((rows[:, None] - rows) / 1.5) ** 2) * torch.sigmoid(torch.tensor(-1.0))
        listed = torch.zeros(3, 3, dtype=torch.float64)
        for weight, order in zip((0.1, 0.02, 0.002), (1, 2, 3), strict=True):
            for chosen in itertools.combinations(range(4), order):
                listed += weight * own[..., list(chosen)].prod(dim=-1)
    torch.testing.assert_close(found, listed)


def test_the_kernel_of_cases_and_its_slopes_are_those_of_plain_autograd():
    import torch

    torch.manual_seed(0)
    kernel = AdditiveKernel(4)
    rows = torch.from_numpy(np.random.default_rng(0).normal(size=(6, 4)))
    weights = torch.from_numpy(np.random.default_rng(1).normal(size=(6, 6)))

    def plain() -> torch.Tensor:
        apart = (rows[:, None] - rows) / kernel.own_length.exp()
        own = torch.exp(-0.5 * apart.square()) * torch.sigmoid(kernel.share)
        one, two, three = (own.pow(power).sum(dim=-1) for power in (1, 2, 3))
        sums = one, (one**2 - two) / 2, (one**3 - 3 * one * two + 2 * three) / 6
        return sum(weight * part for weight, part in zip(kernel.orders.exp(), sums, strict=True))

    found = kernel.of_cases(rows)() - kernel._of_whole(rows, rows) - (kernel.noise.exp() + 1e-6) * torch.eye(6)
    torch.testing.assert_close(found, plain())
    learnt = [kernel.own_length, kernel.share, kernel.orders]
    slopes = [torch.autograd.grad((weights * values).sum(), learnt) for values in (found, plain())]
    for ours, theirs in zip(*slopes, strict=True):
        torch.testing.assert_close(ours, theirs)
