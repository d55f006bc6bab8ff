"""Even samples of the surface that the flow sees: what the networks are given of a car."""

from __future__ import annotations

import numpy as np

from data.errors import MeshError
from data.mesh import SurfaceSample
from data.visibility import RayScene, Sides, look

# Lines are drawn in blocks of this many, so that a longer sample starts with the shorter one.
_BLOCK = 8192
_MAX_BLOCKS = 256


def sample_surface(
    vertices: np.ndarray,
    faces: np.ndarray,
    n: int = 16384,
    *,
    first_line: int = 0,
    scene: RayScene | None = None,
) -> SurfaceSample:
    """N points spread evenly by area over the surface that the flow sees, with normals out into the flow.

    vertices: (V, 3) m, car frame. faces: (F, 3), wound anyhow. scene: of this very surface, to save
    building it again. first_line: where in the fixed sequence of lines to start; sets that lie 2**20
    lines apart are independent samples of the same car.

    The answer is the same bit for bit for the same mesh, and nearly the same for the same surface in
    other triangles. Raises MeshError when lines hardly ever meet the surface (no area to speak of).
    """
    scene = scene or RayScene(vertices, faces)
    blocks: list[Sides] = []
    found = 0
    while found < n:
        if len(blocks) == _MAX_BLOCKS:
            raise MeshError(
                "the surface has next to no area",
                fix="export the car's outer surface as triangles",
            )
        blocks.append(look(scene, _BLOCK, first_line + _BLOCK * len(blocks)))
        found += int(blocks[-1].seen.sum())
    points, normals = (
        np.concatenate([getattr(b, k)[b.seen] for b in blocks])[:n]
        for k in ("points", "normals")
    )
    n_rows = sum(len(b.seen) for b in blocks)
    wetted = found * scene.area / (n_rows / 2)
    return SurfaceSample(
        points=points.astype(np.float32),
        normals=normals.astype(np.float32),
        areas=closed_areas(normals, wetted).astype(np.float32),
    )


def closed_areas(normals: np.ndarray, total: float) -> np.ndarray:
    """(N,) areas as equal as can be that sum to ``total`` and make the surface close: sum(area * normal) = 0.

    normals: (N, 3). The least squares correction of equal weights to known totals (calibration; Deville
    and Särndal, J. Am. Stat. Assoc. 87, 1992).
    """
    n = len(normals)
    known = np.concatenate([np.ones((n, 1)), normals], axis=1)
    excess = np.concatenate([[0.0], -normals.sum(axis=0)])
    correction = known @ np.linalg.lstsq(known.T @ known, excess, rcond=1e-9)[0]
    return total / n * np.clip(1 + correction, 0.25, 4.0)
