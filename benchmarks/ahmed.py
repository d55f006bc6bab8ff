"""The Ahmed body (Ahmed, Ramm & Faltin, SAE 840300, 1984): a car's wake without a car's details."""

from __future__ import annotations

import numpy as np

LENGTH, WIDTH, HEIGHT = 1.044, 0.389, 0.288
CLEARANCE, FRONT_RADIUS, SLANT_LENGTH = 0.050, 0.100, 0.222
STILT_RADIUS, STILT_X, STILT_Y = 0.015, (0.202, 0.672), 0.1635
AREA = WIDTH * HEIGHT
"""m², what published coefficients refer to: the body's section without the stilts."""

_ARC = 32


def ahmed_body(slant_deg: float) -> tuple[np.ndarray, np.ndarray]:
    """The body on its four stilts, nose at x = 0, ground at z = 0: vertices (V, 3) m, faces (F, 3), outward.

    The front edges have the radius of the original in the side view and in the top view; its corners are where the
    two roundings meet.
    """
    from manifold3d import CrossSection, Manifold

    side = CrossSection([_side(slant_deg)]).extrude(WIDTH)
    # Extruded along z; turned so that the profile's second axis is z and the extrusion runs along -y.
    side = side.rotate([90, 0, 0]).translate([0, WIDTH / 2, CLEARANCE])
    top = CrossSection([_top()]).extrude(HEIGHT + 2).translate([0, 0, -1])
    solid = side ^ top
    for x in STILT_X:
        for y in (-STILT_Y, STILT_Y):
            stilt = Manifold.cylinder(CLEARANCE + 0.01, STILT_RADIUS, circular_segments=_ARC)
            solid += stilt.translate([x, y, 0])
    mesh = solid.to_mesh()
    return np.asarray(mesh.vert_properties[:, :3], np.float64), np.asarray(mesh.tri_verts, np.int32)


def _arc(centre: tuple[float, float], start_deg: float, end_deg: float) -> np.ndarray:
    angle = np.deg2rad(np.linspace(start_deg, end_deg, _ARC))
    return np.array(centre) + FRONT_RADIUS * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _side(slant_deg: float) -> np.ndarray:
    """x and z over the underside, counter-clockwise."""
    slant = np.deg2rad(slant_deg)
    back = [
        (LENGTH, 0.0),
        (LENGTH, HEIGHT - SLANT_LENGTH * np.sin(slant)),
        (LENGTH - SLANT_LENGTH * np.cos(slant), HEIGHT),
    ]
    upper = _arc((FRONT_RADIUS, HEIGHT - FRONT_RADIUS), 90, 180)
    lower = _arc((FRONT_RADIUS, FRONT_RADIUS), 180, 270)
    return np.concatenate([back, upper, lower])


def _top() -> np.ndarray:
    """x and y, counter-clockwise."""
    half = WIDTH / 2
    left = _arc((FRONT_RADIUS, half - FRONT_RADIUS), 90, 180)
    right = _arc((FRONT_RADIUS, FRONT_RADIUS - half), 180, 270)
    return np.concatenate([[(LENGTH, -half), (LENGTH, half)], left, right])
