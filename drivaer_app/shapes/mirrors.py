"""Door mirrors: a rounded housing, flat behind, on a foot that reaches into the door."""

from __future__ import annotations

import math

import numpy as np

from drivaer_app.shapes.body import BodyField
from drivaer_app.shapes.fields import Array, round_intersection, round_union
from drivaer_app.shapes.remesh import even_out, thin
from drivaer_app.shapes.surface import contour_surface

_FACES = 1600
"""Triangles of one mirror before it is joined to the body."""


class MirrorField:
    """The left-hand (+y) mirror's signed field (negative inside) in the car frame."""

    def __init__(self, body: BodyField):
        p, self.scale = body.p, body.p.mirror_scale
        self.half = np.array([0.07, 0.092, 0.07]) * self.scale
        foot_z = p.belt_height + 0.055
        up = foot_z - p.cowl_height
        screen_foot = p.cowl_x + up / math.tan(math.radians(p.windscreen_angle_deg)) + 0.16
        foot_x = screen_foot + 0.20
        self.root = np.array([foot_x, self._body_side(body, foot_x, foot_z) - 0.03, foot_z])
        reach = 0.03 + 0.018 + self.half[1]
        self.centre = self.root + (0.03 * self.scale, reach, 0.055 * self.scale)

    @staticmethod
    def _body_side(body: BodyField, x: float, z: float) -> float:
        """y where the body's surface is met at (x, z), coming from outside."""
        y = np.linspace(0.3, body.half_width, 400)
        inside = body(np.full_like(y, x), y, np.full_like(y, z)) < 0.0
        return float(y[inside].max())

    def __call__(self, x: Array, y: Array, z: Array) -> Array:
        return round_union(0.02 * self.scale, self._housing(x, y, z), self._foot(x, y, z))

    def _housing(self, x: Array, y: Array, z: Array) -> Array:
        half = self.half
        u, v, w = (x - self.centre[0]) / half[0], (y - self.centre[1]) / half[1], (z - self.centre[2]) / half[2]
        # An egg's front half, elongated, cut flat behind; a power of 3 squares it off as seen from ahead.
        outline = (np.abs(v) ** 3 + np.abs(w) ** 3) ** (1.0 / 3.0)
        bowl = np.sqrt(outline**2 + np.maximum(-u, 0.0) ** 2 + 0.05 * np.maximum(u, 0.0) ** 2) - 1.0
        return round_intersection(0.012 * self.scale, bowl * half[2], x - self.centre[0] - 0.6 * half[0])

    def _foot(self, x: Array, y: Array, z: Array) -> Array:
        along = self.centre - self.root
        t = (x - self.root[0]) * along[0] + (y - self.root[1]) * along[1] + (z - self.root[2]) * along[2]
        t = np.clip(t / (along @ along), 0.0, 1.0)
        dx, dy, dz = x - self.root[0] - t * along[0], y - self.root[1] - t * along[1], z - self.root[2] - t * along[2]
        # Flattened: twice as long as it is thick.
        return np.sqrt((0.5 * dx) ** 2 + (0.7 * dy) ** 2 + dz**2) - 0.019 * self.scale

    def box(self) -> tuple[np.ndarray, np.ndarray]:
        """Corners of a box around the mirror."""
        margin = 0.06 * max(self.scale, 0.3)
        return (
            np.minimum(self.root - margin, self.centre - self.half - margin),
            np.maximum(self.root + margin, self.centre + self.half + margin),
        )


def build_mirror(body: BodyField) -> tuple[np.ndarray, np.ndarray]:
    """The left-hand mirror: vertices (V, 3) float64 m, faces (F, 3) int32, closed, outward wound."""
    field = MirrorField(body)
    cell = 0.010 * max(field.scale, 0.4)
    vertices, faces = thin(*contour_surface(field, *field.box(), cell), _FACES)
    return even_out(field, vertices, faces, cell)
