"""The size in which a model knows a shape best: what a car is enlarged by before the networks look at it.

A shape at another scale has the same coefficients, but a network that never saw so large or so small a car answers
something else. So a car is looked at in the size in which it is least novel to the model. That size depends on the
shape alone, and so does the answer. Cars in a size near their most typical one, as nearly all that were learnt from,
stay as they are: their answers are those of the size that they have, some counts from the shape's at other scales.
"""

from __future__ import annotations

import numpy as np

from data.units import SCALE_MODEL
from gnn.input_frame import InputFrame, middle_x, to_network
from gnn.novelty import NoveltyReference, profile

NEAR = 0.035
"""Logarithm of the factor up to which a car stays as it is; of 23 held-out designs the best is less far off in 22."""

_LENGTHS = np.linspace(np.log(3.2), np.log(6.6), 29)  # logarithms of m
_VALLEY = 0.1  # of novelty: sizes so much stranger than the best count 1/e as much


def scale_for(points: np.ndarray, normals: np.ndarray, novelty: NoveltyReference) -> float:
    """What a car, points (N, 3) m in the car frame with normals, is to be enlarged by; 1 for most."""
    length = float(np.ptp(points[:, 0]))
    if length <= SCALE_MODEL[1]:  # bluff bodies and wind tunnel models are learnt so
        return InputFrame.of(points).scale

    def strange(logarithm: float) -> float:
        scale = np.exp(logarithm) / length
        return novelty.score(profile(to_network(points * scale, scale * middle_x(points)), normals))

    own = float(np.log(length))
    if strange(own) <= min(strange(own - NEAR), strange(own + NEAR)):
        return 1.0
    # The stations of a profile make novelty a bumpy valley: its middle moves less than its lowest point.
    values = np.array([strange(x) for x in _LENGTHS])
    best = float(np.average(_LENGTHS, weights=np.exp((values.min() - values) / _VALLEY)))
    return 1.0 if abs(best - own) <= NEAR else float(np.exp(best - own))
