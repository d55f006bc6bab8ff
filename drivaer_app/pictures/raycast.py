"""Views of a coloured surface by ray casting: needs no screen, no GL and no GPU."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from drivaer_app.fields import vertex_normals
from drivaer_app.pictures.colours import diverging, to_srgb

_FIELD_OF_VIEW = np.deg2rad(18.0)  # a long lens: little distortion, yet not flat
_LIGHT = np.array([0.35, -0.45, 0.82])  # right, up and towards the viewer, turned to unit length below
_BACKGROUND = np.float32(0.93)  # linear grey
_UNSEEN = np.float32(0.35)  # surfaces that the flow does not see: no prediction, so no colour
_CREASE = 0.75  # cosine between a face and its smoothed normal below which the edge is meant
_SKY_RAYS = 32
_EDGE = 0.04  # linear colour difference between neighbouring pixels from which they get more rays
_SUBPIXELS = [(x / 3, y / 3) for x in (-1, 0, 1) for y in (-1, 0, 1)]
_FILLED = 0.86  # of the picture by the car, along the tighter side


@dataclass(frozen=True, eq=False)
class Surface:
    """What is drawn: triangles in the car frame with a signed value at each vertex.

    vertices (V, 3) m, faces (F, 3), values (V,) in -1..1 for the ends of the colour map, exposed (V,) bool.
    """

    vertices: np.ndarray
    faces: np.ndarray
    values: np.ndarray
    exposed: np.ndarray


@dataclass(frozen=True)
class View:
    """Where one looks from: azimuth 0 is from the nose, 90 from the car's left side (-y); elevation from the ground."""

    name: str
    azimuth_deg: float
    elevation_deg: float

    def axes(self) -> np.ndarray:
        """(3, 3) rows: right, up and towards the viewer, in the car frame."""
        a, e = np.deg2rad(self.azimuth_deg), np.deg2rad(self.elevation_deg)
        towards = np.array([-np.cos(a) * np.cos(e), -np.sin(a) * np.cos(e), np.sin(e)])
        right = np.cross([0.0, 0.0, 1.0], towards)
        right /= np.linalg.norm(right)
        return np.stack([right, np.cross(towards, right), towards])


class Renderer:
    """A surface on its ground, ready to be looked at from anywhere."""

    def __init__(self, surface: Surface):
        import open3d as o3d

        self._o3d = o3d
        self.surface = surface
        self._scene = o3d.t.geometry.RaycastingScene()
        self._scene.add_triangles(
            o3d.core.Tensor(surface.vertices.astype(np.float32)), o3d.core.Tensor(surface.faces.astype(np.uint32))
        )
        self._normals = vertex_normals(surface.vertices, surface.faces)
        in_use = np.zeros(len(surface.vertices), bool)
        in_use[surface.faces.ravel()] = True
        used = surface.vertices[in_use]
        self._low, self._high = used.min(axis=0), used.max(axis=0)
        self._framed = used[:: 1 + len(used) // 20_000]  # what has to fit into a picture

    def render(self, view: View, width: int, height: int) -> np.ndarray:
        """(height, width, 3) uint8 sRGB picture: one ray a pixel, and nine where it differs from its neighbours."""
        axes = view.axes()
        origin = self._place_camera(axes, width / height)
        rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
        along = _directions(axes, columns, rows, width, height)
        background = self._background(axes, origin, along)
        colour = self._colours(origin, along.reshape(-1, 3), background.reshape(-1, 3), axes).reshape(background.shape)
        rough = _differs(colour)
        finer = np.zeros((rough.sum(), 3), np.float32)
        for right, down in _SUBPIXELS:
            along = _directions(axes, columns[rough] + right, rows[rough] + down, width, height)
            finer += self._colours(origin, along, background[rough], axes)
        colour[rough] = finer / len(_SUBPIXELS)
        return to_srgb(colour)

    def _colours(self, origin: np.ndarray, along: np.ndarray, background: np.ndarray, axes: np.ndarray) -> np.ndarray:
        """(n, 3) linear colours seen along (n, 3) directions."""
        hits = self._cast(np.broadcast_to(origin, along.shape), along)
        seen = np.isfinite(hits["t_hit"])
        colour = background.copy()
        colour[seen] = self._shade(hits, seen, along, axes)
        return colour

    def _place_camera(self, axes: np.ndarray, aspect: float) -> np.ndarray:
        """(3,) the place nearest to the car from which all of it is in the picture, in its middle."""
        half = np.tan(_FIELD_OF_VIEW / 2) * _FILLED
        x, y, z = (self._framed @ axes.T).T
        at = np.array([x.mean(), y.mean(), z.max() + np.ptp(x) / half])
        for _ in range(8):  # perspective: what is nearer looks larger; centre and go closer until it holds still
            depth = at[2] - z
            side, up = (x - at[0]) / depth, (y - at[1]) / depth
            at[0] += (side.max() + side.min()) / 2 * depth.mean()
            at[1] += (up.max() + up.min()) / 2 * depth.mean()
            at[2] += depth.mean() * (max(np.ptp(up) / 2, np.ptp(side) / 2 / aspect) / half - 1)
        return at @ axes

    def _cast(self, origins: np.ndarray, directions: np.ndarray) -> dict[str, np.ndarray]:
        rays = np.concatenate([origins, directions], axis=-1, dtype=np.float32)
        hits = self._scene.cast_rays(self._o3d.core.Tensor(rays))
        return {name: hits[name].numpy() for name in ("t_hit", "primitive_ids", "primitive_uvs", "primitive_normals")}

    def _shade(self, hits: dict, seen: np.ndarray, directions: np.ndarray, axes: np.ndarray) -> np.ndarray:
        """(n, 3) linear colours of the rays that met the surface."""
        corners = self.surface.faces[hits["primitive_ids"][seen]]
        u, v = hits["primitive_uvs"][seen].T
        weights = np.stack([1 - u - v, u, v], axis=1).astype(np.float32)
        value = (self.surface.values[corners] * weights).sum(axis=1)
        colour = diverging(value)
        colour[~self.surface.exposed[corners].any(axis=1)] = _UNSEEN
        normal = self._facing(hits["primitive_normals"][seen], corners, weights, directions[seen])
        light = _LIGHT / np.linalg.norm(_LIGHT)
        lit = np.clip(normal @ (light @ axes).astype(np.float32), 0, 1)
        edge = np.clip(-(normal * directions[seen]).sum(axis=1), 0, 1)
        return colour * (0.46 + 0.40 * lit + 0.18 * edge)[:, None]

    def _facing(self, flat: np.ndarray, corners: np.ndarray, weights: np.ndarray, along: np.ndarray) -> np.ndarray:
        """Unit normals towards the viewer: smooth over curved panels, flat at creases and whatever the winding."""
        flat = flat / np.linalg.norm(flat, axis=1, keepdims=True)
        smooth = np.einsum("nk,nkc->nc", weights, self._normals[corners])
        length = np.linalg.norm(smooth, axis=1, keepdims=True)
        smooth = np.divide(smooth, length, out=flat.copy(), where=length > 0)
        normal = np.where(((smooth * flat).sum(axis=1) > _CREASE)[:, None], smooth, flat)
        return np.where(((flat * along).sum(axis=1) > 0)[:, None], -normal, normal)

    def _background(self, axes: np.ndarray, origin: np.ndarray, directions: np.ndarray) -> np.ndarray:
        """Light grey, with the car's soft shadow where a ray meets the ground from above."""
        colour = np.full((*directions.shape[:2], 3), _BACKGROUND, np.float32)
        if axes[2, 2] > 0:
            step = 4  # soft, so a coarse grid does; brought up smoothly below
            coarse = directions[::step, ::step]
            shadow = self._shadow(origin, coarse)
            colour *= 1.0 - _enlarged(shadow, directions.shape[:2])[..., None]
        return colour

    def _shadow(self, origin: np.ndarray, directions: np.ndarray) -> np.ndarray:
        """How much of the sky the car hides from the ground under each ray, 0..1."""
        down = directions[..., 2] < -1e-3
        t = np.where(down, (self._low[2] - origin[2]) / np.where(down, directions[..., 2], -1.0), 0.0)
        ground = origin + directions * t[..., None]
        size = self._high - self._low
        outside = np.maximum(0, np.abs(ground - (self._low + self._high) / 2)[..., :2] - size[:2] / 2)
        fading = np.clip(1 - np.linalg.norm(outside, axis=-1) / (0.9 * size[2]), 0, 1) ** 2
        near = down & (fading > 0)
        hidden = np.zeros(directions.shape[:2], np.float32)
        points = ground[near] + [0, 0, 1e-3 * size[2]]
        for direction in _sky(_SKY_RAYS):
            rays = np.concatenate([points, np.broadcast_to(direction, points.shape)], axis=1, dtype=np.float32)
            hidden[near] += self._scene.test_occlusions(self._o3d.core.Tensor(rays)).numpy()
        return (0.7 / _SKY_RAYS) * hidden * fading.astype(np.float32)


def _directions(axes: np.ndarray, column: np.ndarray, row: np.ndarray, width: int, height: int) -> np.ndarray:
    """(..., 3) float32 unit directions through places (...,) of a picture, 0 being the middle of the first pixel."""
    half = np.float32(np.tan(_FIELD_OF_VIEW / 2) / height)
    right, up, towards = axes.astype(np.float32)
    x, y = (2 * column + 1 - width) * half, (height - 1 - 2 * row) * half
    through = x[..., None] * right + y[..., None] * up - towards
    return through / np.sqrt(1 + x * x + y * y)[..., None]


def _differs(colour: np.ndarray) -> np.ndarray:
    """(height, width) bool: pixels unlike one of their neighbours, on edges of the car and of its panels."""
    rough = np.zeros(colour.shape[:2], bool)
    for axis in (0, 1):
        step = np.abs(np.diff(colour, axis=axis)).max(axis=2) > _EDGE
        first, second = (slice(None, -1), slice(1, None)) if axis == 0 else (np.s_[:, :-1], np.s_[:, 1:])
        rough[first] |= step
        rough[second] |= step
    return rough


def _sky(n: int) -> np.ndarray:
    """(n, 3) directions over the upper half sphere, weighted by the cosine, on Fibonacci's spiral."""
    i = np.arange(n) + 0.5
    radius, angle = np.sqrt(i / n), np.pi * (3 - np.sqrt(5)) * i
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), np.sqrt(1 - radius**2)], axis=1)


def _enlarged(values: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    from PIL import Image, ImageFilter

    small = Image.fromarray((values * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(1.5))
    return np.asarray(small.resize((shape[1], shape[0]), Image.Resampling.BICUBIC), np.float32) / 255
