"""A Gaussian process with a length scale for every feature, in the form that a model folder keeps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from factory.likelihood import fit_kernel, linear_and_bump, logarithm
from gnn.template import matern_bump

STEPS = 200
"""Of L-BFGS; most fits end before."""
_LIMITS = {"linear": (1e-5, 1e5), "bump": (1e-5, 1e5), "noise": (0.01, 2.0), "lengths": (1.0, 50.0)}
_AT_ONCE = 2048
"""Rows evaluated at once, whose kernel to all cases is held in memory."""


class BumpKernel(nn.Module):
    """A linear kernel plus a Matérn 5/2 kernel over all features."""

    def __init__(self, n_features: int):
        super().__init__()
        self.linear, self.bump, self.noise = logarithm(0.1), logarithm(0.5), logarithm(0.1)
        self.lengths = logarithm(*n_features * [5.0])

    def of_cases(self, features: Tensor) -> Callable[[], Tensor]:
        """A function that gives the cases' (n, n) covariance with noise at the kernel's present parameters."""

        def covariance() -> Tensor:
            noise = self.noise.exp() * torch.eye(len(features), dtype=torch.float64)
            scales = self.linear.exp(), self.bump.exp(), self.lengths.exp()
            return linear_and_bump(features, features, *scales) + noise

        return covariance

    def bounds(self) -> list[tuple[float, float]]:
        """Lower and upper bound of each parameter, in the order of ``parameters()``."""
        return [tuple(np.log(_LIMITS[name])) for name, p in self.named_parameters() for _ in range(p.numel())]


@dataclass(frozen=True, eq=False)
class GaussianProcess:
    """A fitted process: its mean at features x is constant + likeness(x, anchors) @ pull.

    anchors (n, f): features of what it was fitted on. pull (n,), lengths (f,), linear: see `gnn.template.likeness`.
    """

    anchors: np.ndarray
    pull: np.ndarray
    lengths: np.ndarray
    linear: float
    constant: float

    @classmethod
    def fit(cls, features: np.ndarray, values: np.ndarray) -> GaussianProcess:
        """Scales and noise by maximum likelihood. features (n, f) of order one, values (n,)."""
        kernel = BumpKernel(features.shape[1])
        anchors = torch.from_numpy(np.ascontiguousarray(features, np.float64))
        pull, constant = fit_kernel(kernel, anchors, values, kernel.bounds(), STEPS)
        linear, bump = (float(part.detach().exp()) for part in (kernel.linear, kernel.bump))
        return cls(features, pull.numpy() * bump, kernel.lengths.detach().exp().numpy(), linear / bump, constant)

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """(q,) for features (q, f)."""
        from scipy.spatial.distance import cdist

        features, blocks = np.atleast_2d(features), []
        for rows in np.array_split(features, -(-len(features) // _AT_ONCE)):
            # `gnn.template.likeness` of many cars to one mode.
            apart = cdist(rows / self.lengths, self.anchors / self.lengths)
            alike = self.linear * (1.0 + rows @ self.anchors.T) + matern_bump(apart)
            blocks.append(self.constant + alike @ self.pull)
        return np.concatenate(blocks)
