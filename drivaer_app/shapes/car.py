"""One call from parameters to a whole car's surface, its parts named, and its way to a file."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from data.errors import DrivAerError
from data.mesh import RawMesh
from drivaer_app.shapes.body import BodyField
from drivaer_app.shapes.mesh_files import check_written, write_mesh
from drivaer_app.shapes.mirrors import build_mirror
from drivaer_app.shapes.parameters import CarParameters
from drivaer_app.shapes.remesh import even_out, thin
from drivaer_app.shapes.solids import as_solid, left_half, tidied, wheelhouse, whole_surface
from drivaer_app.shapes.surface import contour_surface
from drivaer_app.shapes.wheels import build_wheel, wheel_centre_z

log = logging.getLogger(__name__)

RESOLUTION = 0.016
"""Grid spacing that the body is sampled with before flat regions are thinned (m)."""
_HALF_BODY_FACES = 22_000
"""Triangles that half a body sampled at ``RESOLUTION`` is thinned to."""
_BEHIND_WHEEL = 0.06
"""Gap between a tyre's inner side wall and the wheelhouse (m)."""


@dataclass(frozen=True, eq=False)
class CarShape:
    """A car's surface in the car frame: body and mirrors closed together, each wheel by itself;
    outward wound, symmetric in y.

    vertices: (V, 3) float64 m. faces: (F, 3) int32.
    parts: (name, first face, last face) with the last exclusive: body, front_wheels, rear_wheels, mirrors.
    parameters: what it was built from.
    """

    vertices: np.ndarray
    faces: np.ndarray
    parts: tuple[tuple[str, int, int], ...]
    parameters: CarParameters

    def raw_mesh(self) -> RawMesh:
        """As a file of it would be read: metres, parts named."""
        return RawMesh(self.vertices, self.faces, parts=self.parts, unit="m")

    def export(self, path: str | Path) -> Path:
        """Write a binary STL, an OBJ (parts as groups) or a binary PLY, by the suffix; returns the path.

        Raises DrivAerError for another suffix or a place that cannot be written.
        """
        path = Path(path)
        check_written(path)
        mesh = self.raw_mesh()
        if path.suffix.lower() == ".stl":  # with parts it would be ASCII, five times as large
            mesh = replace(mesh, parts=())
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DrivAerError(f"cannot be written ({error.strerror})", file=path) from error
        write_mesh(path, mesh)
        return path


def build_car(parameters: CarParameters, *, resolution: float = RESOLUTION) -> CarShape:
    """Build a car's surface: a body with its mirrors as one closed surface, and four closed wheels.

    parameters: what car; already checked by their own constructor.
    resolution: grid spacing of the body before thinning, m; fewer than 60,000 triangles come of the default.
    Raises DrivAerError for a resolution outside 0.012 to 0.05 m.
    """
    if not 0.012 <= resolution <= 0.05:
        raise DrivAerError(f"resolution = {resolution} m is out of range", fix="choose it from 0.012 to 0.05 m")
    field = BodyField(parameters)
    vertices, faces, n_body = _build_body(field, resolution)
    surfaces = [(vertices, faces)]
    parts = [("body", 0, n_body)]
    if n_body < len(faces):
        parts.append(("mirrors", n_body, len(faces)))
    n_faces = len(faces)
    for name, axle_x in (("front_wheels", 0.0), ("rear_wheels", parameters.wheelbase)):
        pair = _pair(*build_wheel(parameters, axle_x, field.tyre_wall_y(axle_x)))
        surfaces += pair
        parts.append((name, n_faces, n_faces + sum(len(wheel_faces) for _, wheel_faces in pair)))
        n_faces = parts[-1][2]
    return CarShape(*_stacked(surfaces), tuple(parts), parameters)


def _build_body(field: BodyField, resolution: float) -> tuple[np.ndarray, np.ndarray, int]:
    p = field.p
    margin = 3.0 * resolution
    low = np.array([p.nose_x - margin, 0.0, p.ride_height - margin])
    high = np.array([p.tail_x + margin, field.half_width + margin, p.height + margin])
    vertices, faces = contour_surface(field, low, high, resolution)
    vertices, faces = thin(vertices, faces, round(_HALF_BODY_FACES * (RESOLUTION / resolution) ** 2))
    vertices, faces = even_out(field, vertices, faces, resolution)
    body = left_half(_to_size(vertices, p), faces)
    for axle_x in (0.0, p.wheelbase):
        inner_y = field.tyre_wall_y(axle_x) - p.tyre_width - _BEHIND_WHEEL
        radius = p.tyre_radius + p.wheelhouse_gap
        body -= wheelhouse(axle_x, wheel_centre_z(p), radius, inner_y, p.width)
    left_mirror = as_solid(*build_mirror(field)) if p.mirror_scale > 0.0 else None
    return whole_surface(tidied(body), left_mirror)


def _to_size(vertices: np.ndarray, p: CarParameters) -> np.ndarray:
    """Bring the body to its exact length, width and height: rounded edges took some millimetres off it."""
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    log.debug("body before sizing: %s to %s", low, high)
    sized = vertices.copy()
    x = sized[:, 0]
    sized[:, 0] = np.select(
        [x < 0.0, x > p.wheelbase],
        [x * p.nose_x / low[0], p.wheelbase + (x - p.wheelbase) * (p.tail_x - p.wheelbase) / (high[0] - p.wheelbase)],
        x,
    )
    sized[:, 1] *= 0.5 * p.width / high[1]
    sized[:, 2] = p.ride_height + (sized[:, 2] - low[2]) * (p.height - p.ride_height) / (high[2] - low[2])
    return sized


def _pair(vertices: np.ndarray, faces: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """A left-hand surface that does not touch y = 0, and its right-hand image."""
    return [(vertices, faces), (vertices * (1.0, -1.0, 1.0), faces[:, ::-1])]


def _stacked(surfaces: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    starts = np.cumsum([0] + [len(vertices) for vertices, _ in surfaces])
    faces = [faces + start for (_, faces), start in zip(surfaces, starts[:-1], strict=True)]
    return np.concatenate([vertices for vertices, _ in surfaces]), np.concatenate(faces).astype(np.int32)
