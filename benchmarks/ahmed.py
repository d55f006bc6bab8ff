"""The Ahmed body as it stood in the wind tunnel (Ahmed, Ramm & Faltin, SAE 840300, 1984)."""

from __future__ import annotations

import numpy as np

from drivaer_app.shapes.ahmed import AhmedBody, Stilts

_BODY = AhmedBody(stilts=Stilts())
LENGTH, CLEARANCE = _BODY.length, _BODY.clearance
AREA = _BODY.area
"""m², what published coefficients refer to: the body's section without the stilts."""
SPEED = 60.0
"""m/s, over a fixed plate."""


def ahmed_body(slant_deg: float) -> tuple[np.ndarray, np.ndarray]:
    """The body on its four stilts, nose at x = 0, ground at z = 0: vertices (V, 3) m, faces (F, 3), outward."""
    vertices, faces = AhmedBody(slant_deg=slant_deg, stilts=Stilts()).mesh()
    return vertices + (LENGTH, 0.0, 0.0), faces
