"""A fin that stands along the wind: on its flat sides the boundary layer is that of a flat plate."""

from __future__ import annotations

import numpy as np

LENGTH, HEIGHT, THICKNESS = 4.0, 1.2, 0.10
BANDS = ((1.0, 1.5), (1.5, 2.0), (2.0, 2.5), (2.5, 3.0))
"""m from the front edge: flat, and far from both ends."""

_NOSE, _TAIL = 0.4, 0.8
_ARC = 24


def fin() -> tuple[np.ndarray, np.ndarray]:
    """Vertices (V, 3) m, faces (F, 3), outward: an elliptic nose at x = 0, flat sides, a tail that ends in an edge."""
    from manifold3d import CrossSection

    half = THICKNESS / 2
    angle = np.linspace(0.0, np.pi / 2, _ARC)
    upper = [(_NOSE * (1 - np.cos(a)), half * np.sin(a)) for a in angle]
    tail = [(LENGTH - _TAIL * (1 - t), half * (1 - t**2)) for t in np.linspace(0.0, 0.95, _ARC)]
    side = [*upper, *tail, (LENGTH, 0.002)]
    outline = [*side, *((x, -y) for x, y in reversed(side[1:]))]
    mesh = CrossSection([outline[::-1]]).extrude(HEIGHT).to_mesh()
    return np.asarray(mesh.vert_properties[:, :3], np.float64), np.asarray(mesh.tri_verts, np.int32)


def local_friction(reynolds: float) -> float:
    """Local Cf of a smooth flat plate, turbulent from its front edge (Schlichting, "Boundary-Layer Theory", 1979)."""
    return float((2.0 * np.log10(reynolds) - 0.65) ** -2.3)
