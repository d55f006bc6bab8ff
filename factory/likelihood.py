"""A Gaussian process's scales and noise by maximum likelihood, with PyTorch's gradients."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

_TOLERANCE = 1e-5
"""Relative change of the likelihood at which L-BFGS stops: cross-validated errors are the same as with SciPy's 2e-9."""


def fit_kernel(
    kernel: nn.Module, anchors: Tensor, values: np.ndarray, bounds: list[tuple[float, float]], steps: int
) -> tuple[Tensor, float]:
    """Set the kernel's parameters; returns the pull (n,) of the anchors (n, f) and the constant that values lie about.

    kernel: its ``of_cases(anchors)`` gives the covariance (n, n) of the cases, noise and all, in units of the values'
    spread. values (n,). bounds: of each parameter, in their order. steps: of L-BFGS, at most. The process's mean
    at x is ``constant + kernel(x, anchors) @ pull``. Rasmussen and Williams, "Gaussian Processes for Machine Learning",
    2006, 5.4.1.
    """
    from scipy.optimize import minimize
    from torch.nn.utils import parameters_to_vector, vector_to_parameters

    constant, spread = float(values.mean()), float(values.std())
    target = torch.from_numpy((values - constant) / spread)[:, None]
    parameters, covariance = list(kernel.parameters()), kernel.of_cases(anchors)

    def loss(vector: np.ndarray) -> tuple[float, np.ndarray]:
        with torch.no_grad():
            vector_to_parameters(torch.from_numpy(vector.copy()), parameters)
        kernel.zero_grad()
        value = _Unlikeliness.apply(covariance(), target)
        value.backward()
        return value.item(), parameters_to_vector([p.grad for p in parameters]).numpy()

    start = parameters_to_vector(parameters).detach().numpy()
    options = {"maxiter": steps, "ftol": _TOLERANCE}
    best = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    with torch.no_grad():
        vector_to_parameters(torch.from_numpy(best.x), parameters)
        return torch.linalg.solve(covariance(), target)[:, 0] * spread, constant


class _Unlikeliness(torch.autograd.Function):
    """Negative log likelihood of values (n, 1) under a covariance (n, n), less a constant.

    The gradient is written by hand: it takes one inverse, autograd's way through Cholesky's root several such products.
    """

    @staticmethod
    def forward(ctx, covariance: Tensor, values: Tensor) -> Tensor:
        root = torch.linalg.cholesky(covariance)
        pull = torch.cholesky_solve(values, root)
        ctx.save_for_backward(root, pull)
        return 0.5 * (values * pull).sum() + root.diagonal().log().sum()

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:
        root, pull = ctx.saved_tensors
        return 0.5 * gradient * torch.cholesky_inverse(root).addmm_(pull, pull.T, alpha=-1.0), None


def logarithm(*values: float) -> nn.Parameter:
    """A scale that a kernel learns, kept positive by being its logarithm; float64."""
    return nn.Parameter(torch.tensor(values, dtype=torch.float64).log())


def linear_and_bump(a: Tensor, b: Tensor, linear: Tensor, bump: Tensor, lengths: Tensor) -> Tensor:
    """(n, m): a plane's covariance and Matérn's, each times its share; of rows a (n, f) and b (m, f)."""
    return linear * (1.0 + a @ b.T) + bump * matern(a, b, lengths)


def matern(a: Tensor, b: Tensor, lengths: Tensor) -> Tensor:
    """(n, m): Matérn's 5/2 covariance of rows a (n, f) and b (m, f), a length (f,) along each feature."""
    return _Matern.apply(a / lengths, b / lengths)


class _Matern(torch.autograd.Function):
    """`matern` of rows in units of their lengths. The gradient is written by hand: autograd's is NaN at distance 0."""

    @staticmethod
    def forward(ctx, a: Tensor, b: Tensor) -> Tensor:
        squares = torch.addmm(a.square().sum(dim=1)[:, None] + b.square().sum(dim=1), a, b.T, alpha=-2.0)
        apart = squares.clamp_min_(0.0).mul_(5.0).sqrt_()
        fall = torch.exp(-apart)
        ctx.save_for_backward(a, b, fall * (1.0 + apart))
        return fall.mul_(1.0 + apart * (1.0 + apart / 3.0))

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, Tensor]:
        a, b, fall = ctx.saved_tensors
        slope = gradient * fall * (-5.0 / 3.0)  # twice that along the squared distance
        to_a = slope.sum(dim=1, keepdim=True) * a - slope @ b
        return to_a, slope.sum(dim=0)[:, None] * b - slope.T @ a
