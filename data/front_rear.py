"""Where the nose is, once the roof and the car's length are known.

Every cue is measured at one end and at the other in the same way, and only the difference counts, so that turning the
car round changes the sign of the answer and nothing else.
"""

from __future__ import annotations

import numpy as np

from data.outline import Outline

CUES = ("end_height", "cabin", "hood_half", "hood_most", "rake", "blunt", "corners", "clearance", "mirrors", "overhang")
WEIGHTS = np.array([-3.0, 6.0, 5.0, 3.0, 0.0, -4.0, -3.0, -3.0, 3.0, 0.0])


def nose_score(turned: Outline) -> float:
    """Log-odds that the nose is at low x. ``turned``: outline with x along the car and z to the roof."""
    return float(nose_cues(turned) @ WEIGHTS)


def nose_cues(turned: Outline) -> np.ndarray:
    """(len(CUES),) each cue at the low-x end less the same at the other end."""
    backwards = Outline(turned.cells[::-1, ::-1], turned.cell, turned.centre, turned.extent)
    return _end_cues(turned) - _end_cues(backwards)


def _end_cues(turned: Outline) -> np.ndarray:
    """What the end at low x looks like."""
    roof = _roof_line(turned)
    n = len(roof)
    share = np.arange(n) / n
    greenhouse = np.clip(roof - 0.6, 0, None)
    half, most = (_reaches(roof, level) for level in (0.65, 0.85))
    depth, seen = turned.depth(0, from_high=False)
    return np.array(
        [
            roof[: n // 5].mean(),
            (greenhouse * share).sum() / max(greenhouse.sum(), 1e-9),
            half,
            most,
            most - _reaches(roof, 0.6),
            float((depth[seen] < 0.05).mean()),
            _end_width(turned),
            _clearance(turned),
            _mirrors(turned),
            _overhang(turned),
        ]
    )


def _roof_line(turned: Outline) -> np.ndarray:
    """(nx,) height of the top over the middle half of the width, as a fraction of the car's height."""
    ny, nz = turned.cells.shape[1:]
    middle = turned.cells[:, ny // 4 : ny - ny // 4]
    return _highest(middle.any(axis=1)) / nz


def _highest(side: np.ndarray) -> np.ndarray:
    """Number of cells up to the highest one in each row of (n, nz); 0 where there is none."""
    return np.where(side.any(axis=1), side.shape[1] - side[:, ::-1].argmax(axis=1), 0)


def _reaches(roof: np.ndarray, level: float) -> float:
    """How far from this end the roof line first reaches ``level``, as a fraction of the length."""
    return float((roof >= level).argmax() / len(roof))


def _end_width(turned: Outline) -> float:
    """Width of the plan view in the first 6 % of the length, over the whole width: corners cut or square."""
    plan = turned.cells.any(axis=2)
    n = max(2, round(0.06 * plan.shape[0]))
    return float(plan[:n].any(axis=0).sum() / plan.shape[1])


def _clearance(turned: Outline) -> float:
    """Height of the underside in the first 8 % of the length, over the middle half of the width."""
    ny, nz = turned.cells.shape[1:]
    n = max(2, round(0.08 * turned.cells.shape[0]))
    side = turned.cells[:n, ny // 4 : ny - ny // 4].any(axis=1)
    lowest = np.where(side.any(axis=1), side.argmax(axis=1), nz)
    return float(lowest.mean() / nz)


def _mirrors(turned: Outline) -> float:
    """How much sticks out of the sides, above the wheels, between 15 and 50 % of the length from this end. 0..1."""
    nx, ny, nz = turned.cells.shape
    band = turned.cells[:, :, int(0.45 * nz) : int(0.92 * nz)].any(axis=2)
    half_width = np.where(band.any(axis=1), ny / 2 - band.argmax(axis=1), 0.0)
    wide = max(3, nx // 7)
    around = np.lib.stride_tricks.sliding_window_view(np.pad(half_width, wide, mode="edge"), 2 * wide + 1)
    beyond = np.clip(half_width - np.median(around, axis=1) - 1, 0, None) / ny
    part = beyond[int(0.15 * nx) : int(0.5 * nx)]
    return float(np.clip(part.max(initial=0.0) / 0.06, 0, 1))


def _overhang(turned: Outline) -> float:
    """From this end to the nearer pair of wheels: where the lowest layer begins, as a fraction of the length."""
    layers = max(1, round(0.07 * turned.cells.shape[2]))
    low = turned.cells[:, :, :layers].any(axis=(1, 2))
    return float(low.argmax() / len(low))
