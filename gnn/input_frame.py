"""From the car frame to the coordinates that the networks see, the same for training and prediction."""

from __future__ import annotations

import numpy as np

CENTRE_Z = 0.7
"""Metres above ground that become the networks' z = 0: about half a car's height."""


def middle_x(points: np.ndarray) -> float:
    """Middle of the car's length, m: what makes the networks blind to where along x a file puts the car."""
    return 0.5 * float(points[:, 0].min() + points[:, 0].max())


def to_network(points: np.ndarray, x_middle: float) -> np.ndarray:
    """Points (N, 3) m in the car frame to network coordinates, m: centred in length and height, never rescaled.

    A network that saw every car scaled to one size could not know how large it is.
    """
    return (points - np.array([x_middle, 0.0, CENTRE_Z])).astype(np.float32)
