"""A Gaussian process's scales and noise by maximum likelihood, with PyTorch's gradients."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn


def fit_kernel(
    kernel: nn.Module, anchors: Tensor, values: np.ndarray, bounds: list[tuple[float, float]], steps: int
) -> tuple[Tensor, float]:
    """Set the kernel's parameters; returns the pull (n,) of the anchors (n, f) and the constant that values lie about.

    kernel: its ``of_cases(anchors)`` (n, n) is the covariance of the cases, noise and all, in units of the values'
    spread. values (n,). bounds: of each parameter, in their order. steps: of L-BFGS, at most. Between cases the process
    says ``constant + kernel(x, anchors) @ pull``. Rasmussen and Williams, "Gaussian Processes for Machine Learning",
    2006, 5.4.1.
    """
    from scipy.optimize import minimize
    from torch.nn.utils import parameters_to_vector, vector_to_parameters

    constant, spread = float(values.mean()), float(values.std())
    target = torch.from_numpy((values - constant) / spread)[:, None]
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
    best = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": steps})
    with torch.no_grad():
        vector_to_parameters(torch.from_numpy(best.x), parameters)
        return torch.linalg.solve(kernel.of_cases(anchors), target)[:, 0] * spread, constant


def logarithm(*values: float) -> nn.Parameter:
    """A scale that a kernel learns, kept positive by being its logarithm; float64."""
    return nn.Parameter(torch.tensor(values, dtype=torch.float64).log())


def linear_and_bump(a: Tensor, b: Tensor, linear: Tensor, bump: Tensor, lengths: Tensor) -> Tensor:
    """(n, m): a plane's covariance and Matérn's, each times its share; of rows a (n, f) and b (m, f)."""
    return linear * (1.0 + a @ b.T) + bump * matern(a, b, lengths)


def matern(a: Tensor, b: Tensor, lengths: Tensor) -> Tensor:
    """(n, m): Matérn's 5/2 covariance of rows a (n, f) and b (m, f), a length (f,) along each feature."""
    a, b = a / lengths, b / lengths
    squares = a.square().sum(dim=1)[:, None] + b.square().sum(dim=1) - 2.0 * a @ b.T
    apart = (5.0 * squares.clamp_min(1e-12)).sqrt()  # its slope at nought is not finite
    return (1.0 + apart + apart.square() / 3.0) * torch.exp(-apart)
