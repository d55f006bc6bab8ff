"""What is worked out by hand in fitting a process is what plain autograd says."""

from __future__ import annotations

import numpy as np
import torch

from factory.likelihood import _Unlikeliness, matern


def _rows(n: int, seed: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(n, 4)))


def _plain_matern(a: torch.Tensor, b: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    apart = 5.0**0.5 * ((a[:, None] - b) / lengths).square().sum(dim=-1).clamp_min(1e-20).sqrt()
    return (1 + apart + apart**2 / 3) * torch.exp(-apart)


def test_materns_covariance_and_its_slopes():
    a, b, lengths = _rows(6, 0).requires_grad_(), _rows(5, 1).requires_grad_(), torch.tensor([1.0, 2.0, 0.5, 3.0])
    lengths = lengths.double().requires_grad_()
    weights = torch.from_numpy(np.random.default_rng(2).normal(size=(6, 5)))
    ours, theirs = matern(a, b, lengths), _plain_matern(a, b, lengths)
    torch.testing.assert_close(ours, theirs)
    slopes = [torch.autograd.grad((weights * values).sum(), [a, b, lengths]) for values in (ours, theirs)]
    for found, plain in zip(*slopes, strict=True):
        torch.testing.assert_close(found, plain)


def test_a_rows_covariance_with_itself_is_one_and_has_no_slope():
    a = _rows(3, 0).requires_grad_()
    found = matern(a, a, torch.ones(4, dtype=torch.float64))
    torch.testing.assert_close(found.diagonal(), torch.ones(3, dtype=torch.float64))
    (slope,) = torch.autograd.grad(found.diagonal().sum(), a)
    assert slope.abs().max() < 1e-6


def test_a_likelihood_and_its_slopes():
    root = torch.randn(6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    covariance = (root @ root.T + torch.eye(6, dtype=torch.float64)).requires_grad_()
    values = _rows(6, 3)[:, :1]
    density = torch.distributions.MultivariateNormal(torch.zeros(6, dtype=torch.float64), covariance)
    plain = -density.log_prob(values[:, 0]) - 3 * np.log(2 * np.pi)
    found = _Unlikeliness.apply(covariance, values)
    torch.testing.assert_close(found, plain)
    slopes = [torch.autograd.grad(value, covariance)[0] for value in (found, plain)]
    # A covariance is symmetric: only what its two halves say together counts.
    torch.testing.assert_close(slopes[0] + slopes[0].T, slopes[1] + slopes[1].T)
