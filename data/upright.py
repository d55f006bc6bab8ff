"""Which of a file's axes runs along the car, which across it, and which points to the roof.

All twelve ways are scored on the outline (the nose is found afterwards, by data.front_rear) and compared by a
conditional logit (fitted by `benchmarks/front_from_rear.py --fit`): the scores' softmax is the probability of each way.
"""

from __future__ import annotations

from itertools import permutations

import numpy as np

from data.outline import Outline, any_along

AXES = ("x", "y", "z", "-x", "-y", "-z")

# One number a feature, in the order of ``_features``.
FEATURES = (
    "length_to_width",  # how unusual the proportions are
    "height_to_width",
    "height_to_length",
    "symmetry",  # of the two sides, beyond that of top and bottom, front and rear
    "profile",  # the outline seen from the side varies more above (bonnet, roof, boot) than below
    "feet",  # it stands on wheels
)
WEIGHTS = np.array([-0.41, -0.46, -0.35, 5.6, 21.4, 2.8])


def axis_vector(name: str) -> np.ndarray:
    """(3,) unit vector of a signed axis name such as ``"-y"``."""
    vector = np.zeros(3)
    vector["xyz".index(name[-1])] = -1.0 if name.startswith("-") else 1.0
    return vector


def car_rotation(up: str, forward: str) -> np.ndarray:
    """(3, 3) rotation from file axes to car axes: +x away from ``forward``, +z along ``up``, +y right-handed."""
    x, z = -axis_vector(forward), axis_vector(up)
    return np.stack([x, np.cross(z, x), z])


def ways_up(up: str = "auto", along: str | None = None) -> list[tuple[str, str]]:
    """The (up, along) pairs to choose from: signed roof axis, and the unsigned axis that runs along the car.

    ``up`` and ``along`` fix what the user has said.
    """
    pairs = [(sign + u, a) for u, a in permutations("xyz", 2) for sign in ("", "-")]
    return [p for p in pairs if up in ("auto", p[0]) and along in (None, p[1])]


def upright_scores(outline: Outline, ways: list[tuple[str, str]]) -> np.ndarray:
    """(len(ways),) log-odds of each (up, along) pair for a car."""
    coarse = outline.coarser()
    symmetry = np.array([mirror_symmetry(coarse, axis) for axis in range(3)])
    features = [upright_features(coarse, up, along, symmetry) for up, along in ways]
    return np.array(features) @ WEIGHTS


def mirror_symmetry(outline: Outline, axis: int) -> float:
    """Share of the surface's cells that meet the surface again when mirrored about the middle of the box, 0..1."""
    cells = outline.cells
    near = _dilated(np.flip(cells, axis))
    return float((cells & near).sum() / max(cells.sum(), 1))


def unusual_shape(turned: Outline) -> float:
    """How far length, width and height are from a car's, in half squared spreads: below 4 for every car known here.

    turned: outline with x along the car and z to the roof.
    """
    return float(sum(_proportions(turned)))


def upright_features(outline: Outline, up: str, along: str, symmetry: np.ndarray) -> np.ndarray:
    """(len(FEATURES),) how far the outline, read this way, is from a car (distances) or like one (the others)."""
    turned = outline.turned(car_rotation(up, "-" + along))
    side = any_along(turned.cells, 1)
    across = "xyz".index(({"x", "y", "z"} - {up[-1], along}).pop())
    return np.array(
        [
            *_proportions(turned),
            symmetry[across] - 0.5 * (symmetry.sum() - symmetry[across]),
            _variation(_gap(side[:, ::-1])) - _variation(_gap(side)),
            _feet(turned) - _feet(_upside_down(turned)),
        ]
    )


def _proportions(turned: Outline) -> tuple[float, float, float]:
    length, width, height = turned.extent
    return (
        _square(np.log(length / width), 0.88, 0.30),
        _square(np.log(height / width), -0.25, 0.30),
        _square(np.log(height / length), -1.15, 0.35),
    )


def _square(value: float, typical: float, spread: float) -> float:
    return min(((value - typical) / spread) ** 2, 9.0) / 2


def _gap(view: np.ndarray) -> np.ndarray:
    """(n,) empty share of each row before its first cell."""
    return np.where(view.any(axis=1), view.argmax(axis=1), view.shape[1]) / view.shape[1]


def _variation(gap: np.ndarray) -> float:
    return float(np.abs(gap - np.median(gap)).mean())


def _upside_down(turned: Outline) -> Outline:
    return Outline(turned.cells[:, ::-1, ::-1], turned.cell, turned.centre, turned.extent)


def _feet(turned: Outline) -> float:
    """How much the lowest layer looks like wheels: little of the plan, at its sides, ahead and behind. 0..1."""
    plan = turned.cells.any(axis=2)
    layers = max(1, round(0.07 * turned.cells.shape[2]))
    low = turned.cells[:, :, :layers].any(axis=2)
    share = low.sum() / max(plan.sum(), 1)
    x, y = (np.abs(np.linspace(-1, 1, n)) for n in low.shape)
    weight = low / max(low.sum(), 1)
    aside = float((weight * y[None, :]).sum())
    apart = float((weight * x[:, None]).sum())
    return float(np.clip(1 - share / 0.5, 0, 1) * np.clip(2 * aside - 0.6, 0, 1) * np.clip(3 * apart - 0.8, 0, 1))


def _dilated(cells: np.ndarray) -> np.ndarray:
    """The cells and their neighbours along each axis."""
    for axis in range(3):
        grown = cells.copy()
        ahead = [slice(None)] * 3
        behind = [slice(None)] * 3
        ahead[axis], behind[axis] = slice(1, None), slice(None, -1)
        grown[tuple(ahead)] |= cells[tuple(behind)]
        grown[tuple(behind)] |= cells[tuple(ahead)]
        cells = grown
    return cells
