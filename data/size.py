"""Whether a car as it was read has a road car's size: length, width, height, tyres and wheelbase judged together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.outline import bounds
from data.placing import Axles
from data.units import SCALE_MODEL, TYPICAL_LENGTH

_TYPICAL = np.array([4.4, 1.85, 1.5, 0.66, 2.7])  # m: length, width with mirrors, height, tyre, wheelbase
_SPREAD = np.array([0.17, 0.09, 0.17, 0.10, 0.13])  # of their logarithms
_LIMITS = np.array([[2.2, 8.0], [1.2, 2.6], [0.9, 3.3], [0.42, 1.2], [1.4, 5.5]])
_TOO_FAR, _TOO_FAR_WITHOUT_WHEELS = 0.29, 0.36
"""Mean of the logarithms' distances: a large pick-up and a delivery van have 0.23, the smallest cars -0.19."""
_DOUBTED = 0.5  # what is left of the confidence


@dataclass(frozen=True)
class Size:
    """m. tyre, wheelbase: None where no wheels were found."""

    length: float
    width: float
    height: float
    tyre: float | None = None
    wheelbase: float | None = None

    @classmethod
    def of(cls, points: np.ndarray, axles: Axles | None, cut: float | None = None) -> Size:
        """Of points (V, 3), m, car axes, and their wheels. cut: y of the plane that half a car was cut along."""
        low, high = bounds(points)
        length, width, height = (float(v) for v in high - low)
        if cut is not None:
            width = 2 * max(float(high[1]) - cut, cut - float(low[1]))
        if axles is None:
            return cls(length, width, height)
        return cls(length, width, height, axles.front.radius + axles.rear.radius, axles.rear.x - axles.front.x)

    @property
    def is_doubtful(self) -> bool:
        """A scale model, and a car that was scaled to a length, are said to be that elsewhere."""
        if self.length <= SCALE_MODEL[1] or abs(self.length - TYPICAL_LENGTH) < 1e-6:
            return False
        values = np.array([v for v in (self.length, self.width, self.height, self.tyre, self.wheelbase) if v])
        n = len(values)
        apart = np.log(values / _TYPICAL[:n])
        mean = float(np.average(apart, weights=1 / _SPREAD[:n] ** 2))
        low, high = _LIMITS[:n].T
        too_far = _TOO_FAR if n > 3 else _TOO_FAR_WITHOUT_WHEELS
        return abs(mean) > too_far or bool(((values < low) | (values > high)).any())

    @property
    def likeness(self) -> float:
        return _DOUBTED if self.is_doubtful else 1.0

    def doubts(self) -> tuple[str, ...]:
        """What to say of it, if anything."""
        if not self.is_doubtful:
            return ()
        wheels = "" if self.tyre is None else f", on wheels of {self.tyre:.2f} m {self.wheelbase:.2f} m apart"
        return (
            f"its size is doubtful: {self.length:.2f} m long, {self.width:.2f} m wide and {self.height:.2f} m high"
            f"{wheels}; no road car has that together: say the unit with --units",
        )
