"""A Gaussian process that besides the whole looks at features alone, in pairs and in threes.

A bump over two dozen features at once knows only the neighbourhood of the cases. What one feature does, or two of them
do together, is the same all over the space and is learnt from every case (Duvenaud, Nickisch and Rasmussen, "Additive
Gaussian Processes", NIPS 2011). It errs differently from `gnn.training.process.Process`, so that the mean of both is
better than either.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from gnn.training.likelihood import fit_kernel, linear_and_bump, logarithm

STEPS = 60
"""Of L-BFGS: more fit the cases' noise, and cost held-out accuracy."""
_LIMITS = (-8.0, 6.0)
"""Of every parameter's logarithm."""
_JITTER = 1e-6


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

    def of_cases(self, features: Tensor) -> Tensor:
        """(n, n) among the cases themselves, with their noise."""
        n = len(features)
        i, j = torch.tril_indices(n, n)
        few = self._of_few((features[i] - features[j]).square())
        lower = torch.zeros(n, n, dtype=torch.float64).index_put((i, j), torch.where(i == j, 0.5 * few, few))
        noise = (self.noise.exp() + _JITTER) * torch.eye(n, dtype=torch.float64)
        return self._of_whole(features, features) + lower + lower.T + noise

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

    By hand, for it is most of a fit's time: autograd would keep and read again a dozen tensors as large as squares.
    """

    @staticmethod
    def forward(ctx, squares: Tensor, rates: Tensor, weights: Tensor) -> Tensor:
        own = torch.addcmul(weights, squares, rates).exp_()
        ctx.save_for_backward(squares, own)
        return torch.stack([own.sum(-1), own.square().sum(-1), own.pow(3).sum(-1)], dim=-1)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[None, Tensor, Tensor]:
        squares, own = ctx.saved_tensors
        first, second, third = (gradient * torch.tensor([1.0, 2.0, 3.0], dtype=gradient.dtype)).unbind(dim=-1)
        # With Horner's scheme: own * (first + own * (second + own * third)).
        slope = (own * third[..., None]).add_(second[..., None]).mul_(own).add_(first[..., None]).mul_(own)
        slope, squares = slope.flatten(0, -2), squares.flatten(0, -2)
        return None, torch.einsum("pf,pf->f", slope, squares), slope.sum(dim=0)


@dataclass(frozen=True, eq=False)
class AdditiveProcess:
    """A fitted process. anchors (n, f): features of what it was fitted on. pull (n,)."""

    kernel: AdditiveKernel
    anchors: Tensor
    pull: Tensor
    constant: float

    @classmethod
    def fit(cls, features: np.ndarray, values: np.ndarray) -> AdditiveProcess:
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
        said = [self.kernel(some, self.anchors) @ self.pull for some in rows.split(256)]
        return self.constant + torch.cat(said).numpy()
