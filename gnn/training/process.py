"""A Gaussian process with a length of its own along every feature, in the form that a model folder keeps."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

_AT_ONCE = 2048
"""Rows asked for at once; their likeness to all cases is held in memory."""


@dataclass(frozen=True, eq=False)
class Process:
    """A fitted process: at features x it says constant + likeness(x, anchors) @ pull.

    anchors (n, f): features of what it was fitted on. pull (n,), lengths (f,), linear: see `gnn.template.likeness`.
    """

    anchors: np.ndarray
    pull: np.ndarray
    lengths: np.ndarray
    linear: float
    constant: float

    @classmethod
    def fit(cls, features: np.ndarray, values: np.ndarray) -> Process:
        """Linear plus Matern kernel; its scales and the noise by maximum likelihood. features (n, f), values (n,).

        Features of order one. Rasmussen and Williams, "Gaussian Processes for Machine Learning", 2006, section 5.1.
        """
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import ConstantKernel, DotProduct, Matern, WhiteKernel

        bump = ConstantKernel(0.5) * Matern(np.full(features.shape[1], 5.0), (1.0, 50.0), nu=2.5)
        linear = ConstantKernel(0.1) * DotProduct(1.0, "fixed")
        regressor = GaussianProcessRegressor(
            linear + bump + WhiteKernel(0.1, (0.01, 2.0)), normalize_y=True, random_state=0
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            regressor.fit(features, values)
        fitted = regressor.kernel_.get_params()
        scale = fitted["k1__k2__k1__constant_value"]
        spread, middle = values.std(), values.mean()
        return cls(
            anchors=features,
            pull=np.ravel(regressor.alpha_) * spread * scale,
            lengths=np.asarray(fitted["k1__k2__k2__length_scale"]),
            linear=float(fitted["k1__k1__k1__constant_value"] / scale),
            constant=float(middle),
        )

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """(q,) for features (q, f)."""
        from scipy.spatial.distance import cdist

        features, said = np.atleast_2d(features), []
        for rows in np.array_split(features, -(-len(features) // _AT_ONCE)):
            # `gnn.template.likeness` of many cars to one mode.
            apart = np.sqrt(5.0) * cdist(rows / self.lengths, self.anchors / self.lengths)
            alike = self.linear * (1.0 + rows @ self.anchors.T) + (1.0 + apart + apart**2 / 3.0) * np.exp(-apart)
            said.append(self.constant + alike @ self.pull)
        return np.concatenate(said)
