"""Half cars: one side of the symmetry plane, cut open or closed by a flat face. Found, and completed by mirroring."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.outline import Outline
from data.upright import upright_scores, ways_up

_FLAT = 2e-4  # of the longest side: what still lies in the cutting plane
_SPANS = np.array([0.75, 0.5])  # shares of the box's two sides, longer first, that a cut through a car's middle spans
_FULL = 0.985  # a body without wheels and mirrors spans its box nowhere but in its middle,
_FULL_BONUS = 4.0  # which is evidence for boxes that are hardly a better car when completed
_MARGIN = 1.0  # log-odds by which the completed shape must be the better car


@dataclass(frozen=True)
class MirrorPlane:
    """axis: 0, 1 or 2 of the file; place: where the plane crosses it; flat: how far off still counts as in it.

    low: the car lies on the high side of the plane, so the plane is the box's low side.
    """

    axis: int
    place: float
    flat: float
    low: bool


def find_mirror_plane(vertices: np.ndarray, faces: np.ndarray, outline: Outline) -> MirrorPlane | None:
    """The plane that a half car was cut along, or None for a whole car.

    A cut is a side of the box along which the surface ends (or the points of a cloud do), over most of the box; that
    also fits the flat floor of a simple body. So it counts only if the shape completed by its mirror image is a better
    car than the shape as it is.
    """
    ends = _edge_spans if len(faces) else _layer_spans
    spans = [(side, ends(side, vertices, faces, outline)) for side in _box_sides(outline)]
    cuts = [(side, span) for side, span in spans if (span >= _SPANS).all()]
    if not cuts:
        return None
    ways = ways_up()
    whole = upright_scores(outline, ways).max()
    full = [side.axis for side, span in cuts if span.min() > _FULL]
    scores = []
    for side, span in cuts:
        only_full_side = span.min() > _FULL and full.count(side.axis) == 1
        scores.append(_completed_score(outline, side, ways) + _FULL_BONUS * only_full_side)
    best = int(np.argmax(scores))
    return cuts[best][0] if scores[best] > whole + _MARGIN else None


def complete_half_car(
    vertices: np.ndarray, faces: np.ndarray, plane: MirrorPlane
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The whole car from its half: (vertices, faces, kept).

    Rows of ``vertices`` come first and unchanged, then the mirror images of those off the plane; the two sides share
    the vertices in the plane. Faces that close the cut are dropped: ``kept``, (F,) bool, says which of the file's
    faces come first in the result; their mirror images follow, with the winding reversed.
    """
    inside = np.abs(vertices[:, plane.axis] - plane.place) <= plane.flat
    kept = ~inside[faces].all(axis=1) if len(faces) else np.zeros(0, dtype=bool)
    images = vertices[~inside].copy()
    images[:, plane.axis] = 2 * plane.place - images[:, plane.axis]
    image_of = np.arange(len(vertices), dtype=faces.dtype)
    image_of[~inside] = len(vertices) + np.arange(len(images), dtype=faces.dtype)
    mirrored = image_of[faces[kept]][:, ::-1]
    return np.vstack([vertices, images]), np.vstack([faces[kept], mirrored]), kept


def complete_half_cloud(points: np.ndarray, normals: np.ndarray, plane: MirrorPlane) -> tuple[np.ndarray, np.ndarray]:
    """The whole cloud from its half: points and normals, the given ones first, then the mirror images of the rest."""
    off = np.abs(points[:, plane.axis] - plane.place) > plane.flat
    images, turned = points[off].copy(), normals[off].copy()
    images[:, plane.axis] = 2 * plane.place - images[:, plane.axis]
    turned[:, plane.axis] *= -1
    return np.vstack([points, images]), np.vstack([normals, turned])


def _box_sides(outline: Outline) -> list[MirrorPlane]:
    flat = _FLAT * float(outline.extent.max())
    low, high = outline.centre - outline.extent / 2, outline.centre + outline.extent / 2
    return [MirrorPlane(k, float(end[k]), flat, end is low) for k in range(3) for end in (low, high)]


def _edge_spans(side: MirrorPlane, vertices: np.ndarray, faces: np.ndarray, outline: Outline) -> np.ndarray:
    """Shares, (2,), of this side of the box, longer way first, over which faces end in an edge that lies in it."""
    inside = np.abs(vertices[:, side.axis] - side.place) <= side.flat
    spans = _spans(vertices[inside], side.axis, outline.extent)
    if (spans < _SPANS).any():  # spares most meshes the gathering of faces
        return spans
    ending = faces[inside[faces].sum(axis=1) == 2]
    return _spans(vertices[ending[inside[ending]]], side.axis, outline.extent)


def _layer_spans(side: MirrorPlane, vertices: np.ndarray, _: np.ndarray, outline: Outline) -> np.ndarray:
    """The same for a point cloud, which has no edges: shares over which points lie within a cell of the side."""
    inside = np.abs(vertices[:, side.axis] - side.place) <= outline.cell
    return _spans(vertices[inside], side.axis, outline.extent)


def _spans(points: np.ndarray, axis: int, extent: np.ndarray) -> np.ndarray:
    others = [k for k in range(3) if k != axis]
    others.sort(key=lambda k: -extent[k])
    if len(points) == 0:
        return np.zeros(2)
    return np.ptp(points[:, others], axis=0) / extent[others]


def _completed_score(outline: Outline, cut: MirrorPlane, ways: list[tuple[str, str]]) -> float:
    """How good a car the shape with its mirror image is, read with the mirrored axis across the car."""
    across = "xyz"[cut.axis]
    fitting = [way for way in ways if across not in (way[0][-1], way[1])]
    return float(upright_scores(outline.mirrored(cut.axis, at_low=cut.low), fitting).max())
