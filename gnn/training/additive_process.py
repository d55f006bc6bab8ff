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

STEPS = 60
"""Of L-BFGS: more fit the cases' noise, and cost held-out accuracy."""
_LIMITS = (-8.0, 6.0)
"""Of every parameter's logarithm."""
_JITTER = 1e-6


class AdditiveKernel(nn.Module):
    """Linear, a Matern bump over all features, and sums of products of one, two and three features' own bumps."""

    def __init__(self, n_features: int):
        super().__init__()

        def logarithm(*values: float) -> nn.Parameter:
            return nn.Parameter(torch.tensor(values, dtype=torch.float64).log())

        self.linear, self.bump, self.noise = logarithm(0.1), logarithm(0.5), logarithm(0.1)
        self.length, self.own_length = logarithm(*n_features * [5.0]), logarithm(*n_features * [1.5])
        self.share = nn.Parameter(torch.full((n_features,), -1.0, dtype=torch.float64))
        self.orders = logarithm(0.1, 0.02, 0.002)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """(n, m) for features a (n, f), b (m, f)."""
        apart = a[:, None] - b
        whole = ((apart / self.length.exp()) ** 2).sum(dim=-1).clamp_min(1e-12).mul(5.0).sqrt()
        kernel = self.linear.exp() * (1.0 + a @ b.T)
        kernel = kernel + self.bump.exp() * (1.0 + whole + whole**2 / 3.0) * torch.exp(-whole)
        own = torch.exp(-0.5 * (apart / self.own_length.exp()) ** 2) * torch.sigmoid(self.share)
        # Newton's identities: sums over all pairs and threes without listing them.
        first, second, third = (own.pow(power).sum(dim=-1) for power in (1, 2, 3))
        pairs = (first**2 - second) / 2.0
        threes = (first**3 - 3.0 * first * second + 2.0 * third) / 6.0
        one, two, three = self.orders.exp()
        return kernel + one * first + two * pairs + three * threes

    def of_cases(self, features: Tensor) -> Tensor:
        """(n, n) among the cases themselves, with their noise."""
        return self(features, features) + (self.noise.exp() + _JITTER) * torch.eye(len(features), dtype=torch.float64)


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
        middle, spread = float(values.mean()), float(values.std())
        target = torch.from_numpy((values - middle) / spread)[:, None]
        kernel = AdditiveKernel(features.shape[1])
        _maximise_likelihood(kernel, anchors, target)
        with torch.no_grad():
            pull = torch.linalg.solve(kernel.of_cases(anchors), target)[:, 0] * spread
        return cls(kernel, anchors, pull, middle)

    @torch.no_grad()
    def __call__(self, features: np.ndarray) -> np.ndarray:
        """(q,) for features (q, f)."""
        rows = torch.from_numpy(np.ascontiguousarray(np.atleast_2d(features), np.float64))
        said = [self.kernel(some, self.anchors) @ self.pull for some in rows.split(256)]
        return self.constant + torch.cat(said).numpy()


def _maximise_likelihood(kernel: AdditiveKernel, anchors: Tensor, target: Tensor) -> None:
    """Set the kernel's parameters; Rasmussen and Williams, "Gaussian Processes for Machine Learning", 2006, 5.4.1."""
    from scipy.optimize import minimize
    from torch.nn.utils import parameters_to_vector, vector_to_parameters

    parameters = list(kernel.parameters())

    def loss(vector: np.ndarray) -> tuple[float, np.ndarray]:
        with torch.no_grad():
            vector_to_parameters(torch.from_numpy(vector.copy()), parameters)
        kernel.zero_grad()
        root = torch.linalg.cholesky(kernel.of_cases(anchors))
        value = 0.5 * (target * torch.cholesky_solve(target, root)).sum() + root.diagonal().log().sum()
        value.backward()
        return value.item(), parameters_to_vector([p.grad for p in parameters]).numpy()

    start = parameters_to_vector(parameters).detach().numpy()
    best = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[_LIMITS] * len(start), options={"maxiter": STEPS})
    with torch.no_grad():
        vector_to_parameters(torch.from_numpy(best.x), parameters)
