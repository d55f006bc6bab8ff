"""From the car frame to the coordinates that the networks see, the same for training and prediction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.units import SCALE_MODEL, TYPICAL_LENGTH

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


@dataclass(frozen=True)
class InputFrame:
    """The map from a car to network coordinates; a car of a size that the networks do not know is brought to one.

    Coefficients hardly depend on size, a network that never saw a small car does. scale: what the car is enlarged by,
    1 where its size is like that of cars learnt from (``gnn.scaling``). x_middle: m, of the enlarged car.
    """

    x_middle: float = 0.0
    scale: float = 1.0

    @classmethod
    def of(cls, points: np.ndarray, scale: float | None = None) -> InputFrame:
        """Of points (N, 3) m, car frame, that reach from the car's nose to its tail.

        scale: unless given, 1 for all but a wind tunnel's scale models, which get the length of a usual car.
        """
        if scale is None:
            length = float(np.ptp(points[:, 0]))
            scale = TYPICAL_LENGTH / length if 0.0 < length <= SCALE_MODEL[1] else 1.0
        return cls(scale * middle_x(points), scale)

    def to_network(self, points: np.ndarray) -> np.ndarray:
        """(N, 3) float32 network coordinates of the car's points (N, 3) m in the car frame."""
        return to_network(points * self.scale, self.x_middle)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a user should know of it, in a sentence."""
        if self.scale == 1.0:
            return ()
        return (
            f"looked at as a full-size car, {self.scale:.3g} times as large, a size that the networks know; what its "
            "own size does to the flow (Reynolds number) is not modelled",
        )
