"""Closed wheels: a tyre with rounded shoulders and a dished rim, turned about the axle and set on the ground."""

from __future__ import annotations

import numpy as np

from drivaer_app.shapes.parameters import CarParameters

SAG = 0.004
"""How far the tyre is pressed flat by the road (m); its contact patch is about 2·sqrt(2·radius·SAG) long."""
SPOKES = 5
_AROUND = 60


def wheel_centre_z(parameters: CarParameters) -> float:
    """Height of the axles over the ground."""
    return parameters.tyre_radius - SAG


def build_wheel(parameters: CarParameters, axle_x: float, outer_y: float) -> tuple[np.ndarray, np.ndarray]:
    """The left-hand (+y) wheel on the axle at axle_x, its outer side wall at outer_y.

    Returns vertices (V, 3) float64 m and faces (F, 3) int32: closed, outward wound, lowest points at z = 0.
    """
    radius, across, dish = _profile(parameters.tyre_radius, parameters.tyre_width)
    angle = 2.0 * np.pi * np.arange(_AROUND) / _AROUND
    # Between the spokes the rim's face lies deeper.
    depth = dish[:, None] * (0.5 - 0.5 * np.cos(SPOKES * angle))[None, :]
    rings = np.stack(
        [
            axle_x + radius[:, None] * np.sin(angle),
            outer_y + across[:, None] - depth,
            wheel_centre_z(parameters) - radius[:, None] * np.cos(angle),
        ],
        axis=-1,
    )
    poles = [[axle_x, outer_y + across[i], wheel_centre_z(parameters)] for i in (0, -1)]
    vertices = np.concatenate([rings.reshape(-1, 3), poles])
    vertices[:, 2] = np.maximum(vertices[:, 2], 0.0)
    return vertices, _faces(len(radius))


def _profile(tyre_radius: float, tyre_width: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rings from outer hub over the tread to inner hub: radius, y from the outer wall, depth between spokes (m)."""
    rim = 0.69 * tyre_radius
    shoulder = 0.16 * tyre_width
    wall = np.array(
        [
            (0.045, -0.022, 0.0),
            (0.070, -0.026, 0.0),
            (0.35 * rim, -0.040, 0.6),
            (0.60 * rim, -0.030, 1.0),
            (0.84 * rim, -0.020, 1.0),
            (0.93 * rim, -0.014, 0.3),
            (1.00 * rim, -0.012, 0.0),
            (1.03 * rim, -0.018, 0.0),
            (1.10 * rim, -0.006, 0.0),
            (0.5 * (1.1 * rim + tyre_radius - shoulder), 0.0, 0.0),
            (tyre_radius - shoulder, -0.006, 0.0),
        ]
    )
    turn = np.linspace(0.25, 1.0, 4) * 0.5 * np.pi
    corner = np.stack(
        [
            tyre_radius - shoulder + (shoulder - 0.004) * np.sin(turn),
            -0.006 - 1.1 * shoulder * (1.0 - np.cos(turn)),
            0 * turn,
        ],
        axis=1,
    )
    outer = np.concatenate([wall, corner])
    # Tread: slightly crowned, highest in the middle.
    span = np.linspace(outer[-1, 1], -tyre_width - outer[-1, 1], 7)[1:-1]
    crown = tyre_radius - 0.002 * (2.0 * span / tyre_width + 1.0) ** 2
    tread = np.stack([crown, span, 0 * span], axis=1)
    inner = outer[::-1] * (1.0, -1.0, 0.0) - (0.0, tyre_width, 0.0)
    profile = np.concatenate([outer, tread, inner])
    return profile[:, 0], profile[:, 1], 0.022 * profile[:, 2]


def _faces(n_rings: int) -> np.ndarray:
    ring, step = np.meshgrid(np.arange(n_rings - 1), np.arange(_AROUND), indexing="ij")
    after = (step + 1) % _AROUND
    a, b = ring * _AROUND + step, ring * _AROUND + after
    c, d = a + _AROUND, b + _AROUND
    bands = np.concatenate([np.stack(corner, axis=-1).reshape(-1, 3) for corner in ((a, b, d), (a, d, c))])
    around = np.arange(_AROUND)
    ahead = (around + 1) % _AROUND
    outer_pole, inner_pole = n_rings * _AROUND, n_rings * _AROUND + 1
    last = (n_rings - 1) * _AROUND
    caps = [
        np.stack([np.full(_AROUND, outer_pole), ahead, around], axis=1),
        np.stack([np.full(_AROUND, inner_pole), last + around, last + ahead], axis=1),
    ]
    return np.concatenate([bands, *caps]).astype(np.int32)
