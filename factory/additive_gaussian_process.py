"""A Gaussian process with an additive kernel: of single features, of pairs and of triples, besides one of all features.

A stationary kernel over two dozen features generalises only near the cases. Effects of one feature, or interactions of
two, are the same all over the space, and an additive kernel learns them from every case (Duvenaud, Nickisch and
Rasmussen, "Additive Gaussian Processes", NIPS 2011). Its errors differ from those of
`factory.gaussian_process.GaussianProcess`, so that the mean of both predicts better than either.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from factory.likelihood import fit_kernel, linear_and_bump, logarithm

STEPS = 60
"""Of L-BFGS: more fit the cases' noise, and cost held-out accuracy."""
_LIMITS = (-8.0, 6.0)
"""Of every parameter's logarithm."""
_JITTER = 1e-6
_BLOCK = 4096
"""Pairs of cases that are worked on together."""


class AdditiveKernel(nn.Module):
    """Linear, a Matern bump over all features, and sums of products of one, two and three features' own bumps."""

    def __init__(self, n_features: int):
        super().__init__()

        self.linear, self.bump, self.noise = logarithm(0.1), logarithm(0.5), logarithm(0.1)
        self.length, self.own_length = logarithm(*n_features * [5.0]), logarithm(*n_features * [1.5])
        self.share = nn.Parameter(torch.full((n_features,), -1.0, dtype=torch.float64))
        self.orders = logarithm(0.1, 0.02, 0.002)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """(n, m) for features a (n, f), b (m, f)."""
        return self._of_whole(a, b) + self._of_few((a[:, None] - b).square())

    def of_cases(self, features: Tensor) -> Callable[[], Tensor]:
        """A function that gives the cases' (n, n) covariance with noise at the kernel's present parameters."""
        n = len(features)
        i, j = torch.tril_indices(n, n)
        squares = (features[i] - features[j]).square()
        diagonal = i == j

        def covariance() -> Tensor:
            few = self._of_few(squares)
            lower = torch.zeros(n, n, dtype=torch.float64)
            lower = lower.index_put((i, j), torch.where(diagonal, 0.5 * few, few))
            noise = (self.noise.exp() + _JITTER) * torch.eye(n, dtype=torch.float64)
            return self._of_whole(features, features) + lower + lower.T + noise

        return covariance

    def _of_whole(self, a: Tensor, b: Tensor) -> Tensor:
        return linear_and_bump(a, b, self.linear.exp(), self.bump.exp(), self.length.exp())

    def _of_few(self, squares: Tensor) -> Tensor:
        """(...) for squared differences (..., f) of pairs of rows: of each feature alone, and of two and three."""
        rates, weights = -0.5 * torch.exp(-2.0 * self.own_length), nn.functional.logsigmoid(self.share)
        first, second, third = _PowerSums.apply(squares, rates, weights).unbind(dim=-1)
        # Newton's identities: sums over all pairs and threes without listing them.
        pairs = (first**2 - second) / 2.0
        threes = (first**3 - 3.0 * first * second + 2.0 * third) / 6.0
        one, two, three = self.orders.exp()
        return one * first + two * pairs + three * threes


class _PowerSums(torch.autograd.Function):
    """Sums over features of own, own**2 and own**3, where own = exp(squares * rates + weights); (..., 3).

    Value and gradient are written by hand, in blocks that fit a processor's cache: they take most of a fit's time.
    """

    @staticmethod
    def forward(ctx, squares: Tensor, rates: Tensor, weights: Tensor) -> Tensor:
        shape, squares = squares.shape[:-1], squares.flatten(0, -2)
        own, sums = torch.empty_like(squares), squares.new_empty(len(squares), 3)
        for square, one, total in zip(*(t.split(_BLOCK) for t in (squares, own, sums)), strict=True):
            torch.addcmul(weights, square, rates, out=one).exp_()
            power = one * one
            total[:, 0], total[:, 1] = one.sum(dim=1), power.sum(dim=1)
            total[:, 2] = power.mul_(one).sum(dim=1)
        ctx.save_for_backward(squares, own)
        return sums.reshape(*shape, 3)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[None, Tensor, Tensor]:
        squares, own = ctx.saved_tensors
        slopes = gradient.flatten(0, -2) * torch.tensor([1.0, 2.0, 3.0], dtype=gradient.dtype)
        to_rates, to_weights = (squares.new_zeros(squares.shape[1]) for _ in range(2))
        for square, one, slope in zip(*(t.split(_BLOCK) for t in (squares, own, slopes)), strict=True):
            # With Horner's scheme: one * (first + one * (second + one * third)).
            first, second, third = slope.split(1, dim=1)
            whole = (one * third).add_(second).mul_(one).add_(first).mul_(one)
            to_weights += whole.sum(dim=0)
            to_rates += whole.mul_(square).sum(dim=0)
        return None, to_rates, to_weights


@dataclass(frozen=True, eq=False)
class AdditiveGaussianProcess:
    """A fitted process. anchors (n, f): features of what it was fitted on. pull (n,)."""

    kernel: AdditiveKernel
    anchors: Tensor
    pull: Tensor
    constant: float

    @classmethod
    def fit(cls, features: np.ndarray, values: np.ndarray) -> AdditiveGaussianProcess:
        """Scales, shares and noise by maximum likelihood. features (n, f) of order one, values (n,)."""
        anchors = torch.from_numpy(np.ascontiguousarray(features, np.float64))
        kernel = AdditiveKernel(features.shape[1])
        bounds = [_LIMITS] * sum(p.numel() for p in kernel.parameters())
        pull, constant = fit_kernel(kernel, anchors, values, bounds, STEPS)
        return cls(kernel, anchors, pull, constant)

    @torch.no_grad()
    def __call__(self, features: np.ndarray) -> np.ndarray:
        """(q,) for features (q, f)."""
        rows = torch.from_numpy(np.ascontiguousarray(np.atleast_2d(features), np.float64))
        blocks = [self.kernel(some, self.anchors) @ self.pull for some in rows.split(256)]
        return self.constant + torch.cat(blocks).numpy()
