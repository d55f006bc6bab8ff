"""Roof and nose of a file, decided together, with how sure that is and what to say when it is not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.front_rear import nose_score
from data.outline import Outline
from data.tilt import Tilt
from data.upright import axis_vector, car_rotation, mirror_symmetry, unusual_shape, upright_scores, ways_up

_STATED_UP = 1.5  # log-odds: a format's up axis is evidence, exporters write what they like
_NEGATIVE_UP = -0.7  # few files have the roof at the low end of an axis
_ON_ZERO = 1.0  # the file's zero is often the ground
_DOUBT = 0.9  # below this chance the guess is said to be one
_ASKEW_DEG = 1.2  # what a symmetric car never shows
_UNUSUAL = 4.8  # proportions further from a car's than any car known here
_LOPSIDED = 0.9  # a car's sides agree on more of their surface


@dataclass(frozen=True)
class Orientation:
    """up, forward: the file's axes along which roof and nose point.

    confidence: 0..1, the chance that both are right; likeness: 0..1, whether the shape is a car's at all.
    lopsided: its two sides differ more than a car's. askew: seen from above it lies across the axes.
    """

    up: str
    forward: str
    confidence: float
    likeness: float
    warnings: tuple[str, ...] = ()
    lopsided: bool = False
    askew: bool = False

    def doubts(self, tilt: Tilt) -> tuple[str, ...]:
        """The warnings; sides that differ because the car is tilted are the tilt's to say."""
        if not self.lopsided or tilt.is_rolled or tilt.is_turned:
            return self.warnings
        if self.askew and not tilt.is_known:
            return (
                "not aligned with the file's axes, too far off to say how: align it in the file",
                *self.warnings,
            )
        return ("does not look like a car square to its axes: its two sides differ", *self.warnings)

    @property
    def rotation(self) -> np.ndarray:
        """(3, 3) from file axes to car axes."""
        return car_rotation(self.up, self.forward)


def find_orientation(
    outline: Outline, up: str = "auto", forward: str = "auto", stated_up: str | None = None
) -> Orientation:
    """The most likely orientation among those that the user's ``up`` and ``forward`` leave open."""
    ways = ways_up(up, None if forward == "auto" else forward[-1])
    scores = upright_scores(outline, ways) + [_prior(outline, way[0], stated_up) for way in ways]
    best = int(scores.argmax())
    roof, along = ways[best]
    roof_sure = float(1 / np.exp(scores - scores[best]).sum())
    nose, nose_sure = (forward, 1.0) if forward != "auto" else _nose(outline, roof, along)
    turned = outline.turned(car_rotation(roof, nose))
    likeness, doubts, lopsided = _likeness(turned)
    warnings = doubts + _guesses((up, roof, roof_sure), (forward, nose, nose_sure))
    askew = abs(_plan_yaw_deg(turned)) > _ASKEW_DEG
    return Orientation(roof, nose, roof_sure * nose_sure, likeness, warnings, lopsided, askew)


def _prior(outline: Outline, up: str, stated: str | None) -> float:
    """Log-odds of a roof axis from what the file says besides its shape."""
    height = outline.extent["xyz".index(up[-1])]
    lowest = axis_vector(up) @ outline.centre - height / 2
    stands_on_zero = -0.01 * height <= lowest <= 0.25 * height
    return _STATED_UP * (up == stated) + _NEGATIVE_UP * up.startswith("-") + _ON_ZERO * stands_on_zero


def _nose(outline: Outline, up: str, along: str) -> tuple[str, float]:
    """Nose axis and the chance that it is right."""
    score = nose_score(outline.turned(car_rotation(up, "-" + along)))
    return ("-" if score > 0 else "") + along, float(1 / (1 + np.exp(-abs(score))))


def _likeness(turned: Outline) -> tuple[float, tuple[str, ...], bool]:
    """How much the shape, read this way, is a car (0..1), the doubts in words, and whether its sides differ."""
    unusual = unusual_shape(turned)
    alike = mirror_symmetry(turned.coarser(), 1)
    likeness = 1 / (1 + np.exp(2 * (unusual - _UNUSUAL))) * np.clip((alike - 0.6) / 0.35, 0.1, 1)
    doubts: tuple[str, ...] = ()
    if unusual > _UNUSUAL:
        doubts = ("does not look like a car: length, width and height are not in a car's proportions",)
    return float(likeness), doubts, alike < _LOPSIDED


def _plan_yaw_deg(turned: Outline) -> float:
    """Angle between the longest direction of the plan view and the x axis."""
    x, y = np.nonzero(turned.cells.any(axis=2))
    covariance = np.cov(x, y)
    return float(np.degrees(0.5 * np.arctan2(2 * covariance[0, 1], covariance[0, 0] - covariance[1, 1])))


def _guesses(roof: tuple[str, str, float], nose: tuple[str, str, float]) -> tuple[str, ...]:
    """Warnings of answers on thin evidence. Of each axis: what the user asked for, the answer, its probability."""
    warnings = []
    for what, option, (asked, axis, sure) in (("roof", "--up", roof), ("nose", "--forward", nose)):
        if asked == "auto" and sure < _DOUBT:
            warnings.append(f"the {what} is taken to point along {axis}, a guess ({sure:.0%}); say it with {option}")
    return tuple(warnings)
