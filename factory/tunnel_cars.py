"""What the wind tunnel's DrivAers have and the corpus's generator has not: other roof lines and a closed floor.

The one body at hand is the fastback with the detailed floor. Notchback and estate are that body with another roof line;
the smooth floor is closed panels flush with the sills, as a real flat-floored car has.
"""

from __future__ import annotations

import numpy as np

Surface = tuple[np.ndarray, np.ndarray]
"""Vertices (V, 3) m and faces (F, 3)."""

# The fastback's roof line, x and z m at y = 0, and those that it is bent to. The estate's is run 1's of the seven
# configurations in ../shared/outside (sampled there every 0.1 m): a roof to x = 3.2, then a tailgate at 45 degrees.
# No geometry of the DrivAer's notchback is at hand: its backlight and boot deck are drawn between the two.
_ROOF_X = (1.6, 1.8, 2.0, 2.2, 2.3, 2.5, 2.7, 2.9, 3.05, 3.14, 3.2, 3.3, 3.4, 3.5, 3.6, 3.68, 3.75, 3.8)
_FASTBACK = (1.413, 1.418, 1.416, 1.405, 1.397, 1.374, 1.342, 1.301, 1.243, 1.211, 1.191, 1.152, 1.113, 1.075, 1.047)
_FASTBACK += (1.037, 1.030, 1.02)
ROOF_LINES = {
    "estate": (1.413, 1.418, 1.418, 1.412, 1.409, 1.404, 1.399, 1.388, 1.372, 1.362, 1.35, 1.275, 1.203, 1.118, 1.055)
    + (1.037, 1.030, 1.02),
    "notchback": (1.413, 1.418, 1.412, 1.390, 1.372, 1.302, 1.215, 1.135, 1.098, 1.09, 1.087, 1.083, 1.078, 1.07, 1.058)
    + (1.045, 1.030, 1.02),
}
_FIXED_BELOW = 0.85  # m

# The floor's panels: lowest z by x, just under all that hangs from the detailed floor, from the front lip to a diffuser
# of 9 degrees that ends at the rear bumper's lower edge.
_FLOOR_X = (-0.70, -0.50, -0.35, -0.05, 0.40, 1.20, 2.00, 2.60, 3.00, 3.25, 3.50, 3.70)
_FLOOR_Z = (0.188, 0.172, 0.155, 0.141, 0.143, 0.157, 0.168, 0.176, 0.190, 0.218, 0.252, 0.283)
_TOP = 0.045  # m: thickness where a panel lies under a closed floor, which hides its upper side
# Stretches along x with their half width, m, and how far up they fill: the wheels' openings stay open.
_PANELS = (
    ((-0.70, -0.42), (0.55, 0.76), None),
    ((-0.42, 0.42), (0.57, 0.57), None),
    ((0.42, 2.36), (0.80, 0.80), 0.42),
    ((2.36, 3.17), (0.57, 0.57), 0.45),
    ((3.17, 3.70), (0.76, 0.62), None),
)
_STEP = 0.05  # m between the panels' vertices, so that handles bend them


def closed_floor() -> list[Surface]:
    """The panels of a smooth floor, each a closed solid of triangles small enough to bend."""
    return [_panel(*panel) for panel in _PANELS]


def with_roof_line(points: np.ndarray, body: str) -> np.ndarray:
    """Points (N, 3) of the fastback, moved up or down until its roof's middle line is another body's (ROOF_LINES).

    All below the windows stays.
    """
    line = ROOF_LINES[body]
    x, _, z = points.T
    top = np.interp(x, _ROOF_X, _FASTBACK)
    height = np.clip((z - _FIXED_BELOW) / (top - _FIXED_BELOW), 0, 1)
    share = 0.5 * height + 0.5 * _smooth(height)
    moved = points.copy()
    moved[:, 2] += share * (np.interp(x, _ROOF_X, line) - top) * _smooth((x - 1.6) / 0.2)
    return moved


def _smooth(t: np.ndarray) -> np.ndarray:
    t = np.clip(t, 0, 1)
    return t * t * (3 - 2 * t)


def _panel(
    stretch: tuple[float, float], half_widths: tuple[float, float], top: float | None
) -> tuple[np.ndarray, np.ndarray]:
    """A closed solid: its underside follows the floor's line, its upper side lies in the body."""
    import trimesh

    n = [max(round(length / _STEP), 1) for length in (stretch[1] - stretch[0], 2 * max(half_widths))]
    x, y = np.linspace(*stretch, n[0] + 1), np.linspace(-1, 1, n[1] + 1)
    grid_x, grid_y = np.meshgrid(x, y, indexing="ij")
    grid_y = grid_y * np.interp(grid_x, stretch, half_widths)
    low = np.interp(grid_x, _FLOOR_X, _FLOOR_Z)
    high = np.full_like(low, top) if top else low + _TOP
    layers = [np.stack([grid_x, grid_y, z], axis=-1).reshape(-1, 3) for z in (low, high)]
    index = np.arange((n[0] + 1) * (n[1] + 1)).reshape(n[0] + 1, n[1] + 1)
    a, b, c, d = index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]
    up = np.concatenate([np.stack(t, axis=-1).reshape(-1, 3) for t in ((a, b, c), (a, c, d))])
    edge = np.concatenate([index[:-1, 0], index[-1, :-1], index[:0:-1, -1], index[0, :0:-1]])
    beside, shift = np.roll(edge, -1), index.size
    sides = np.concatenate(
        [np.stack([edge, beside, beside + shift], axis=1), np.stack([edge, beside + shift, edge + shift], axis=1)]
    )
    mesh = trimesh.Trimesh(np.concatenate(layers), np.concatenate([up[:, ::-1], up + shift, sides]), process=False)
    assert mesh.is_watertight
    assert mesh.volume > 0
    return np.asarray(mesh.vertices), np.asarray(mesh.faces)
