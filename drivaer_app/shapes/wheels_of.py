"""Which of a car's points are wheels: these move as rigid bodies."""

from __future__ import annotations

import numpy as np

from data.pieces import connected_pieces
from drivaer_app.shapes.landmarks import WHEEL_NAME, Landmarks, Wheels

BODY, FRONT_WHEELS, REAR_WHEELS = "body", "front_wheels", "rear_wheels"
PART_KINDS = (BODY, FRONT_WHEELS, REAR_WHEELS)

# Of the radius: a piece on the ground within this cylinder is a wheel (radii of coarse ones come out small)
_AROUND = 1.2
# Of the radius: a piece within this one, hub or brake, goes with its wheel, one around it is a wheelhouse
_WITHIN = 1.05
_FADE = 0.5  # of the radius: over which a wheel that is one with the body passes into it


def wheel_share(landmarks: Landmarks, points: np.ndarray) -> np.ndarray:
    """(2, N) how far points (N, 3) of unknown belonging go with the front and the rear wheels, 0..1.

    1 within the tyres, fading over what is around them: for single surfaces that wheels and body share.
    """
    shares = np.zeros((2, len(points)), points.dtype)
    for i, wheels in enumerate((landmarks.front_wheels, landmarks.rear_wheels)):
        if wheels is not None:
            shares[i] = _within(wheels, points)
    return shares


def _within(wheels: Wheels, points: np.ndarray) -> np.ndarray:
    x, y, z = points.T
    fade = _FADE * wheels.radius
    beyond = np.hypot(x - wheels.x, z - wheels.radius) - 1.02 * wheels.radius
    inward = wheels.inner_y - 0.1 * wheels.radius - np.abs(y)
    out = np.clip(np.maximum(np.maximum(beyond, inward), 0.0) / fade, 0.0, 1.0)
    return (1.0 - out * out * (3.0 - 2.0 * out)).astype(points.dtype)


def wheel_kinds(
    landmarks: Landmarks, vertices: np.ndarray, faces: np.ndarray, parts: tuple[tuple[str, int, int], ...]
) -> np.ndarray:
    """(V,) int8 of welded vertices: 0 body, 1 front wheels, 2 rear wheels.

    Separate pieces that lie wholly within a wheel's cylinder are wheels, and so is a piece of a part that is named so,
    which may be larger (a wheel with its arch of mud). Nothing is, where wheels and body are one piece.
    """
    kinds = np.zeros(len(vertices), np.int8)
    if len(faces) == 0 or landmarks.front_wheels is None or landmarks.rear_wheels is None:
        return kinds
    piece, n_pieces = connected_pieces(faces, len(vertices))
    named = np.zeros(n_pieces, bool)
    for name, first, last in parts:
        if WHEEL_NAME.search(name):
            named[piece[faces[first:last, 0]]] = True
    low, high = (
        np.stack([_by_piece(ufunc, piece, n_pieces, c) for c in vertices.T], 1) for ufunc in (np.minimum, np.maximum)
    )
    middle = (low[:, 0] + high[:, 0]) / 2
    kind = np.zeros(n_pieces, np.int8)
    for number, wheels in ((1, landmarks.front_wheels), (2, landmarks.rear_wheels)):
        on_ground = low[:, 2] < 0.15 * wheels.radius
        reach = np.where(on_ground, _AROUND, _WITHIN) * wheels.radius
        inside = (
            (low[:, 0] > wheels.x - reach)
            & (high[:, 0] < wheels.x + reach)
            & (high[:, 2] < wheels.radius + np.where(on_ground, 1.2, 1.0) * reach)
        )
        close = np.abs(middle - wheels.x) < _AROUND * wheels.radius
        across = np.maximum(np.abs(low[:, 1]), np.abs(high[:, 1]))
        kind[(inside & (across > wheels.inner_y - 0.5 * wheels.radius)) | (named & close)] = number
    return kind[piece]


def _by_piece(ufunc: np.ufunc, piece: np.ndarray, n: int, values: np.ndarray) -> np.ndarray:
    result = np.full(n, np.inf if ufunc is np.minimum else -np.inf)
    ufunc.at(result, piece, values)
    return result
