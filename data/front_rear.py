"""Where the nose is, once the roof and the car's length are known.

Every cue is measured at one end and at the other in the same way, and only the difference counts, so that turning the
car round changes the sign of the answer and nothing else. The weights are a logistic fit on families of cars, each
counting the same (`benchmarks/front_from_rear.py --fit`).
"""

from __future__ import annotations

import numpy as np

from data.outline import Outline, any_along

CUES = (
    "end_height",  # the roof line over the first fifth: bonnets are low
    "cabin",  # how far back the middle of the glasshouse lies
    "hood_half",  # how far back the roof line reaches two thirds of the height,
    "hood_most",  # and nearly all of it
    "blunt",  # share of the front view that lies in the first 5 % of the length: tails are cut off
    "corners",  # width of the tip: noses are rounded in plan view
    "clearance",  # height of the underside at the end: diffusers
    "mirrors",  # what sticks out of the sides between here and the middle
    "box_corners",  # corners and underside of box-like bodies (Ahmed bodies, vans), where nothing else differs
    "box_underside",
)
WEIGHTS = np.array([-2.8, 4.1, 7.5, 3.1, -2.6, -5.2, 3.0, 1.2, -17.4, 12.4])


def nose_score(turned: Outline) -> float:
    """Log-odds that the nose is at low x. ``turned``: outline with x along the car and z to the roof."""
    return float(nose_cues(turned) @ WEIGHTS)


def nose_cues(turned: Outline) -> np.ndarray:
    """(len(CUES),) each cue at the low-x end less the same at the other end."""
    cells = _body(turned.cells)
    return _end_cues(cells) - _end_cues(cells[::-1])


def _body(cells: np.ndarray) -> np.ndarray:
    """The cells without what only sticks out of the ends: spare wheels, tow bars, number plates."""
    wide = cells.any(axis=2).sum(axis=1) / cells.shape[1]
    high = cells.any(axis=1).sum(axis=1) / cells.shape[2]
    solid = np.flatnonzero(wide * high > 0.2 * (wide * high).max())
    return cells[solid[0] : solid[-1] + 1]


def _end_cues(cells: np.ndarray) -> np.ndarray:
    """What the end at low x looks like."""
    roof = _roof_line(cells)
    n = len(roof)
    glasshouse = np.clip(roof - 0.65, 0, None)
    place = (np.arange(n) + 0.5) / n
    boxy = boxiness(cells)
    corners = _end_width(cells)
    return np.array(
        [
            roof[: n // 5].mean(),
            (glasshouse * place).sum() / max(glasshouse.sum(), 1e-9),
            _reaches(roof, 0.65),
            _reaches(roof, 0.88),
            _bluntness(cells),
            corners,
            _underside(cells, 0.08),
            _mirrors(cells),
            boxy * corners,
            boxy * _underside(cells, 0.02),
        ]
    )


def _roof_line(cells: np.ndarray) -> np.ndarray:
    """(nx,) height of the top over the middle half of the width, as a fraction of the car's height."""
    ny, nz = cells.shape[1:]
    side = any_along(cells[:, ny // 4 : ny - ny // 4], 1)
    return np.where(side.any(axis=1), nz - side[:, ::-1].argmax(axis=1), 0) / nz


def _reaches(roof: np.ndarray, level: float) -> float:
    """How far from this end the roof line first reaches ``level``, as a fraction of the length."""
    return float((roof >= level * roof.max()).argmax() / len(roof))


def _bluntness(cells: np.ndarray) -> float:
    seen = cells.any(axis=0)
    depth = cells.argmax(axis=0) / len(cells)
    return float((depth[seen] < 0.05).mean())


def boxiness(cells: np.ndarray) -> float:
    """0 for a car, 1 for a body that fills its box seen from the side and from ahead.

    cells: (nx, ny, nz) of an outline with x along the car and z to the roof, either way round.
    """
    side, front = cells.any(axis=1), cells.any(axis=0)
    fill = min(_spanned(side.T), _spanned(front.T))
    return float(np.clip((fill - 0.8) / 0.12, 0, 1))


def _spanned(rows: np.ndarray) -> float:
    """Share of the view between the first and the last cell of each row: holes count as filled."""
    first = rows.argmax(axis=1)
    last = rows.shape[1] - rows[:, ::-1].argmax(axis=1)
    return float(np.where(rows.any(axis=1), last - first, 0).mean() / rows.shape[1])


def _end_width(cells: np.ndarray) -> float:
    """Width of the plan view in the first 2 % of the length, over the whole width: corners cut or square."""
    plan = any_along(cells, 2)
    n = max(1, round(0.02 * plan.shape[0]))
    return float(plan[:n].any(axis=0).sum() / plan.shape[1])


def _underside(cells: np.ndarray, share: float) -> float:
    """Mean height of the underside in the first ``share`` of the length, over the middle half of the width."""
    ny, nz = cells.shape[1:]
    n = max(1, round(share * cells.shape[0]))
    side = any_along(cells[:n, ny // 4 : ny - ny // 4], 1)
    lowest = np.where(side.any(axis=1), side.argmax(axis=1), nz)
    return float(lowest.mean() / nz)


def _mirrors(cells: np.ndarray) -> float:
    """How much sticks out of the sides, above the wheels, between 15 and 50 % of the length from this end. 0..1."""
    nx, ny, nz = cells.shape
    band = any_along(cells[:, :, int(0.45 * nz) : int(0.92 * nz)], 2)
    half_width = np.where(band.any(axis=1), ny - band.argmax(axis=1) - band[:, ::-1].argmax(axis=1), 0) / 2
    wide = max(3, nx // 7)
    around = np.lib.stride_tricks.sliding_window_view(np.pad(half_width, wide, mode="edge"), 2 * wide + 1)
    beyond = np.clip(half_width - np.median(around, axis=1) - 1, 0, None) / ny
    part = beyond[int(0.15 * nx) : int(0.5 * nx)]
    return float(np.clip(part.max(initial=0.0) / 0.06, 0, 1))
