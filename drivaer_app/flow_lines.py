"""Lines that the flow draws on a car's skin, as oil does in a wind tunnel: along the wall shear stress."""

from __future__ import annotations

import numpy as np

from drivaer_app.drawn_car import DrawnCar

SPACING = 0.06
"""m between the starts of lines: one in each cube of this size, for each way that the surface faces in it."""
APART = 0.032
"""m: a line ends where it would run into the cube of this size of another, so that lines stay apart."""
STEP = 0.012  # m
N_STEPS = 70
_LIFT = 0.0005  # m outwards, so that of a thin panel's two sides the right one is nearer
_LOST = 0.02  # m off the surface: the line ran over an edge
_STILL = 2e-4  # of |Cf|: where the flow separates or is not known, a line has no direction
_N_CUBES = 1 << 22  # kept count of; two far cubes that share a number end a line too early, which nobody sees
_TURNED = 0.2  # cosine of the normals of two steps below which the line went round a sharp edge


def flow_lines(car: DrawnCar) -> np.ndarray:
    """(S, 2, 3) float32 m, segments of lines on the surface that the flow sees. Needs fields.

    Midpoint steps of equal length on the triangles, Cf linear in each.
    """
    surface = _Surface(car)
    at, normal, along, alive = surface.look(*surface.starts())
    line, owner = np.arange(len(at)), np.full(_N_CUBES, -1)
    segments = []
    for _ in range(N_STEPS):
        middle, normal_there, along_there, going = surface.look(at + 0.5 * STEP * along, normal)
        there, next_normal, next_along, arrived = surface.look(at + STEP * along_there, normal_there)
        moved = np.linalg.norm(there - at, axis=1)
        alive = alive & going & arrived & (moved > 0.3 * STEP)
        alive &= np.einsum("nd,nd->n", normal, next_normal) > _TURNED
        cube = _number_of_cube(there)
        free = alive & (owner[cube] < 0)
        owner[cube[free]] = line[free]
        alive &= owner[cube] == line
        if not alive.any():
            break
        segments.append(np.stack([at[alive], there[alive]], axis=1))
        at, normal, along, line = there[alive], next_normal[alive], next_along[alive], line[alive]
        alive = np.ones(len(at), bool)
    return np.concatenate(segments).astype(np.float32) if segments else np.empty((0, 2, 3), np.float32)


def _number_of_cube(places: np.ndarray) -> np.ndarray:
    """(N,) a number below _N_CUBES for the cube of APART that each place (N, 3) lies in."""
    return (np.floor(places / APART).astype(np.int64) @ np.array([73856093, 19349663, 83492791])) % _N_CUBES


class _Surface:
    """Places on the car's triangles with their normal and the direction of the flow."""

    def __init__(self, car: DrawnCar):
        import open3d as o3d

        self._car, self._tensor = car, o3d.core.Tensor
        self._scene = o3d.t.geometry.RaycastingScene()
        self._scene.add_triangles(o3d.core.Tensor(car.points), o3d.core.Tensor(car.faces.astype(np.uint32)))

    def starts(self) -> tuple[np.ndarray, np.ndarray]:
        """Points (N, 3) spread over what the flow sees, and their normals."""
        car = self._car
        seen = np.flatnonzero(car.exposed)
        cube = np.floor(car.points[seen] / SPACING).astype(np.int64)
        facing = np.abs(car.normals[seen]).argmax(axis=1)
        facing = 2 * facing + (np.take_along_axis(car.normals[seen], facing[:, None], axis=1)[:, 0] > 0)
        _, first = np.unique(np.column_stack([cube, facing]), axis=0, return_index=True)
        return car.points[seen[first]], car.normals[seen[first]]

    def look(self, places: np.ndarray, normals: np.ndarray) -> tuple[np.ndarray, ...]:
        """The nearest places of the surface (N, 3), normals there, unit directions of the flow, and (N,) whether the
        flow is known there."""
        car = self._car
        asked = (places + _LIFT * normals).astype(np.float32)
        found = self._scene.compute_closest_points(self._tensor(asked))
        corners = car.faces[found["primitive_ids"].numpy()]
        u, v = found["primitive_uvs"].numpy().T
        weights = np.stack([1 - u - v, u, v], axis=1)[..., None]
        normal = (weights * car.normals[corners]).sum(axis=1)
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
        shear = (weights * car.cf[corners]).sum(axis=1)
        shear = shear - np.einsum("nd,nd->n", shear, normal)[:, None] * normal
        strength = np.linalg.norm(shear, axis=1)
        at = found["points"].numpy()
        near = np.linalg.norm(at - places, axis=1) < _LOST
        known = near & car.exposed[corners].all(axis=1) & (strength > _STILL)
        return at, normal, shear / np.maximum(strength, 1e-12)[:, None], known
