"""Area of a car's silhouette on the y-z plane, inner voids filled: the A of Cd = F / (0.5 rho U^2 A)."""

from __future__ import annotations

import numpy as np

from data.visibility import RayScene

# The grid of rays is turned so that no edge of a box runs along a row: the rows then cut every straight edge
# at ever new places and the counting errors cancel, where an upright grid would be off by up to half a cell.
_TURN = np.arctan((np.sqrt(5) - 1) / 2)
_CELLS = 400_000


def frontal_area(
    vertices: np.ndarray, faces: np.ndarray, *, fill_voids: bool = True, scene: RayScene | None = None
) -> float:
    """Silhouette on the y-z plane, m².

    vertices: (V, 3) m, car frame. faces: (F, 3), wound anyhow. scene: of this very surface, to save building it.
    fill_voids: count what the silhouette encloses (the eye between a mirror's foot and the door) as area. What is
    open to the ground, such as the gap between the wheels, is never counted.
    """
    scene = scene or RayScene(vertices, faces)
    (y_low, z_low), (y_high, z_high) = scene.low[1:], scene.high[1:]
    step = np.sqrt(max((y_high - y_low) * (z_high - z_low), 1e-300) / _CELLS)
    y, z = _turned_grid((y_low + y_high) / 2, (z_low + z_high) / 2, y_high - y_low, z_high - z_low, step)
    inside = (y >= y_low) & (y <= y_high) & (z >= z_low) & (z <= z_high)
    origins = np.empty((int(inside.sum()), 3))
    origins[:, 0], origins[:, 1], origins[:, 2] = scene.low[0] - 0.1 * scene.diagonal, y[inside], z[inside]
    covered = np.zeros(y.shape, bool)
    covered[inside] = ~scene.escapes(origins, np.broadcast_to([1.0, 0.0, 0.0], origins.shape))
    if fill_voids:
        covered = fill(covered)
    return float(covered.sum() * step**2)


def fill(covered: np.ndarray) -> np.ndarray:
    """(H, W) bool with everything set that is not connected with the picture's border."""
    from scipy.ndimage import label

    pieces, _ = label(~np.pad(covered, 1))
    return (pieces != pieces[0, 0])[1:-1, 1:-1]


def _turned_grid(y: float, z: float, width: float, height: float, step: float) -> tuple[np.ndarray, np.ndarray]:
    """y and z (H, W) of a grid, turned by _TURN about the middle (y, z), that covers width x height."""
    c, s = np.cos(_TURN), np.sin(_TURN)
    columns = int(np.ceil((width * c + height * s) / step)) + 2
    rows = int(np.ceil((width * s + height * c) / step)) + 2
    a = (np.arange(columns) - (columns - 1) / 2) * step
    b = ((np.arange(rows) - (rows - 1) / 2) * step)[:, None]
    return y + c * a - s * b, z + s * a + c * b
