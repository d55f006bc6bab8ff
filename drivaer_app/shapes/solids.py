"""Booleans on the half car with manifold3d: wheelhouses out, mirror on, flat regions thinned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from drivaer_app.shapes.surface import mirror

if TYPE_CHECKING:
    from manifold3d import Manifold

_AROUND = 96
"""Corners of a wheelhouse's circle."""
_LONGEST = 0.3


def as_solid(vertices: np.ndarray, faces: np.ndarray) -> Manifold:
    """A closed surface (V, 3), (F, 3) as a solid of its own, recognisable after Booleans by its ``original_id()``.

    Raises RuntimeError when it is not a closed oriented 2-manifold, which is a bug of the shape's maker.
    """
    from manifold3d import Error, Manifold, Mesh64

    solid = Manifold(Mesh64(np.ascontiguousarray(vertices), np.ascontiguousarray(faces, dtype=np.uint64)))
    if solid.status() != Error.NoError:
        raise RuntimeError(f"not a solid: {solid.status().name}")
    return solid.as_original()


def left_half(vertices: np.ndarray, faces: np.ndarray) -> Manifold:
    """A half surface open along y = 0, closed there by a flat wall."""
    return as_solid(*mirror(vertices, faces)).trim_by_plane((0.0, 1.0, 0.0), 0.0)


def wheelhouse(axle_x: float, axle_z: float, radius: float, inner_y: float, outer_y: float) -> Manifold:
    """A round box about an axle from inner_y, where its edge is rounded, out to outer_y."""
    from manifold3d import CrossSection, Manifold

    corner = 0.05
    turn = np.linspace(0.0, 0.5 * np.pi, 7)
    rounded = np.stack([radius - corner * (1.0 - np.sin(turn)), corner * (1.0 - np.cos(turn))], axis=1)
    profile = np.concatenate([[(0.0, 0.0)], rounded, [(radius, outer_y - inner_y), (0.0, outer_y - inner_y)]])
    turned = Manifold.revolve(CrossSection([profile]), _AROUND).rotate((-90.0, 0.0, 0.0))
    return turned.translate((axle_x, inner_y, axle_z))


def tidied(solid: Manifold, tolerance: float = 2.5e-4) -> Manifold:
    """The same solid without the slivers that cuts leave and without edges across half the floor.

    No point moves by more than ``tolerance`` m; longer edges than ``_LONGEST`` are divided evenly.
    """
    return solid.as_original().simplify(tolerance).refine_to_length(_LONGEST).as_original()


def whole_surface(body: Manifold, left_mirror: Manifold | None) -> tuple[np.ndarray, np.ndarray, int]:
    """The left half body and its mirror as one solid, with their image across y = 0, without the wall between.

    Returns vertices (V, 3) float64 m, faces (F, 3) int32, closed, and how many of the faces, the first, are the body's.
    """
    mesh = (body if left_mirror is None else body + left_mirror).to_mesh64()
    vertices = np.array(mesh.vert_properties, dtype=np.float64)[:, :3]
    faces = np.array(mesh.tri_verts, dtype=np.int64)
    owner = np.repeat(np.asarray(mesh.run_original_id), np.diff(np.asarray(mesh.run_index)) // 3)
    outside = (vertices[faces, 1] != 0.0).any(axis=1)
    of_body = owner == body.original_id()
    left = np.concatenate([faces[outside & of_body], faces[outside & ~of_body]])
    used, left = np.unique(left, return_inverse=True)
    vertices, both = mirror(vertices[used], left.reshape(-1, 3))
    n, n_body = len(both) // 2, int((outside & of_body).sum())
    order = np.r_[0:n_body, n : n + n_body, n_body:n, n + n_body : 2 * n]
    return vertices, both[order], 2 * n_body
