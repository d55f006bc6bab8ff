"""One call from parameters to a whole car's surface, its parts named, and its way to a file."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.errors import DrivAerError
from drivaer_app.shapes.body import FLARE, BodyField
from drivaer_app.shapes.mirrors import build_mirror
from drivaer_app.shapes.parameters import CarParameters
from drivaer_app.shapes.surface import half_surface, mirror
from drivaer_app.shapes.wheels import build_wheel

log = logging.getLogger(__name__)

RESOLUTION = 0.022
"""Grid spacing that the body is sampled with before it is thinned (m)."""
_BODY_FACES = 37_000
EXPORT_SUFFIXES = (".stl", ".obj", ".ply")


@dataclass(frozen=True, eq=False)
class CarShape:
    """A car's surface in the car frame; every part closed, outward wound and symmetric in y.

    vertices: (V, 3) float64 m. faces: (F, 3) int32.
    parts: (name, first face, last face) with the last exclusive: body, front_wheels, rear_wheels, mirrors.
    parameters: what it was built from.
    """

    vertices: np.ndarray
    faces: np.ndarray
    parts: tuple[tuple[str, int, int], ...]
    parameters: CarParameters

    def export(self, path: str | Path) -> Path:
        """Write a binary STL, an OBJ (parts as groups) or a binary PLY, by the suffix; returns the path.

        Raises DrivAerError for another suffix or a place that cannot be written.
        """
        path = Path(path)
        if path.suffix.lower() not in EXPORT_SUFFIXES:
            raise DrivAerError(
                f"cannot write a car as {path.suffix or 'a file without suffix'}",
                file=path,
                fix=f"name it {', '.join(EXPORT_SUFFIXES)}",
            )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self._encoded(path.suffix.lower()))
        except OSError as error:
            raise DrivAerError(f"cannot be written ({error.strerror})", file=path) from error
        return path

    def _encoded(self, suffix: str) -> bytes:
        import trimesh

        if suffix != ".obj":
            mesh = trimesh.Trimesh(self.vertices, self.faces, process=False)
            return mesh.export(file_type=suffix[1:])
        scene = trimesh.Scene()
        for name, first, last in self.parts:
            used, faces = np.unique(self.faces[first:last], return_inverse=True)
            part = trimesh.Trimesh(self.vertices[used], faces.reshape(-1, 3), process=False)
            scene.add_geometry(part, node_name=name, geom_name=name)
        return scene.export(file_type="obj").encode()


def build_car(parameters: CarParameters, *, resolution: float = RESOLUTION) -> CarShape:
    """Build a car's surface: a closed body, four wheels and two mirrors, about 50,000 triangles.

    parameters: what car; already checked by their own constructor.
    resolution: grid spacing of the body before thinning, m; the triangle count goes with its inverse square.
    Raises DrivAerError for a resolution outside 0.012 to 0.05 m.
    """
    if not 0.012 <= resolution <= 0.05:
        raise DrivAerError(
            f"resolution = {resolution} m is out of range",
            fix="choose it from 0.012 to 0.05 m",
        )
    field = BodyField(parameters)
    parts = [("body", [_build_body(field, resolution)])]
    outer_y = field.half_width - FLARE - parameters.wheel_inset
    for name, axle_x in (("front_wheels", 0.0), ("rear_wheels", parameters.wheelbase)):
        parts.append((name, _pair(build_wheel(parameters, axle_x, outer_y))))
    if parameters.mirror_scale > 0.0:
        parts.append(("mirrors", _pair(build_mirror(field))))
    return _joined(parts, parameters)


def _build_body(field: BodyField, resolution: float) -> tuple[np.ndarray, np.ndarray]:
    p = field.p
    margin = 3.0 * resolution
    low = np.array([p.nose_x - margin, 0.0, p.ride_height - margin])
    high = np.array([p.tail_x + margin, field.half_width + margin, p.height + margin])
    faces = round(0.5 * _BODY_FACES * (RESOLUTION / resolution) ** 2)
    vertices, triangles = mirror(*half_surface(field, low, high, resolution, faces))
    return _to_size(vertices, p), triangles


def _to_size(vertices: np.ndarray, p: CarParameters) -> np.ndarray:
    """Bring the body to its exact length, width and height: rounded edges took some millimetres off it."""
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    log.debug("body before sizing: %s to %s", low, high)
    sized = vertices.copy()
    # About the axles' middle, so that both wheelhouses stay round their wheels.
    ahead = sized[:, 0] < 0.0
    behind = sized[:, 0] > p.wheelbase
    sized[ahead, 0] *= p.nose_x / low[0]
    sized[behind, 0] = p.wheelbase + (sized[behind, 0] - p.wheelbase) * (p.tail_x - p.wheelbase) / (
        high[0] - p.wheelbase
    )
    sized[:, 1] *= 0.5 * p.width / high[1]
    sized[:, 2] = p.ride_height + (sized[:, 2] - low[2]) * (p.height - p.ride_height) / (high[2] - low[2])
    return sized


def _pair(left: tuple[np.ndarray, np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
    vertices, faces = left
    return [left, (vertices * (1.0, -1.0, 1.0), np.ascontiguousarray(faces[:, ::-1]))]


def _joined(
    parts: list[tuple[str, list[tuple[np.ndarray, np.ndarray]]]],
    parameters: CarParameters,
) -> CarShape:
    vertices, faces, ranges = [], [], []
    n_vertices = n_faces = 0
    for name, bodies in parts:
        first = n_faces
        for body_vertices, body_faces in bodies:
            vertices.append(body_vertices)
            faces.append(body_faces + n_vertices)
            n_vertices += len(body_vertices)
            n_faces += len(body_faces)
        ranges.append((name, first, n_faces))
    return CarShape(
        np.concatenate(vertices),
        np.concatenate(faces).astype(np.int32),
        tuple(ranges),
        parameters,
    )
