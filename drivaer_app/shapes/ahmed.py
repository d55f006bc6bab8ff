"""Ahmed bodies (Ahmed, Ramm & Faltin, SAE 840300, 1984) of any size, as surfaces of even triangles.

A block with a rounded front and, at its upper rear edge, a slant: a car's wake without a car's details. AhmedML
(Ashton et al., arXiv:2407.20801) publishes the flow around five hundred of them by six parameters.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from data.errors import DrivAerError
from drivaer_app.shapes.surface import mirror

EDGE = 0.012
"""m: how long the triangles' edges are, unless told otherwise; an arc of 0.1 m radius is off by 0.2 mm."""
_AROUND = 24  # corners of a stilt
_MARGIN = 0.55  # of an edge: points inside a patch keep this far from its rim
_ROUNDS = 4  # of moving the points inside a patch to the middle of their neighbours


@dataclass(frozen=True)
class Stilts:
    """Four round stilts from the road to the floor, m: behind the nose, aside of the middle, radius."""

    behind_nose: tuple[float, ...] = (0.202, 0.672)
    aside: float = 0.1635
    radius: float = 0.015


@dataclass(frozen=True)
class AhmedBody:
    """An Ahmed body's dimensions, m and degrees.

    front_radius: of the four front edges, in the side view and in the top view. slant_length: along the slant.
    clearance: from the road to the floor. stilts: None of a body that hovers, as AhmedML's do.
    """

    length: float = 1.044
    width: float = 0.389
    height: float = 0.288
    front_radius: float = 0.100
    slant_length: float = 0.222
    slant_deg: float = 25.0
    clearance: float = 0.050
    stilts: Stilts | None = None

    def __post_init__(self) -> None:
        """Raises DrivAerError for a body that cannot be."""
        along, down = self.slant_run
        checks = {
            "all of its lengths must be above zero": min(self.length, self.width, self.height, self.front_radius) > 0,
            "the front's radius must be less than half of its width and height": 2 * self.front_radius
            < min(self.width, self.height),
            "its slant must be between 0 and 90 degrees": 0 <= self.slant_deg < 90 and self.slant_length >= 0,
            "its slant must end above the floor and behind the front's rounding": down < self.height
            and along < self.length - self.front_radius,
        }
        for rule, holds in checks.items():
            if not holds:
                raise DrivAerError(f"no Ahmed body is so: {rule}", fix=f"given are {self}")

    @classmethod
    def of_parameters(cls, parameters: Mapping[str, float]) -> AhmedBody:
        """From AhmedML's columns, mm and degrees. Raises DrivAerError where one is missing."""
        try:
            length, width, height, arc, slant = (
                parameters[name] / 1000
                for name in ("body-length", "body-width", "body-height", "front-arc-diameter", "slant-surface-length")
            )
            return cls(length, width, height, arc / 2, slant, parameters["slant-angle-degrees"])
        except KeyError as error:
            raise DrivAerError(f"an AhmedML body needs {error.args[0]}") from error

    @property
    def area(self) -> float:
        """m², width times height: what the tunnel's coefficients refer to, the stilts left out."""
        return self.width * self.height

    @property
    def slant_run(self) -> tuple[float, float]:
        """m that the slant covers along the length and down the rear."""
        slant = math.radians(self.slant_deg)
        return self.slant_length * math.cos(slant), self.slant_length * math.sin(slant)

    def mesh(self, edge: float = EDGE) -> tuple[np.ndarray, np.ndarray]:
        """Vertices (V, 3) float64 m, faces (F, 3) int32; closed, outward, symmetric about y = 0.

        Nose at x = -length, rear at x = 0, road at z = 0. edge: m, of the triangles.
        """
        pieces = [patch.triangles(edge) for patch in _patches(self, edge)]
        if self.stilts is not None:
            pieces = pieces[:-1] + _floor_on_stilts(self, self.stilts, pieces[-1])
        corners = np.concatenate([points[faces].reshape(-1, 3) for points, faces in pieces])
        vertices, faces = np.unique(corners, axis=0, return_inverse=True)
        return mirror(vertices, faces.reshape(-1, 3))


_Point = tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class _Patch:
    """A piece of the surface's left half that unrolls into a plane, where it is convex.

    rim: (n, 3) m, its boundary. flat: points (m, 3) to (m, 2) unrolled, whose two axes make a right-handed system with
    the outward normal. bent: back again. within: (k, 3) further points that it must have.
    holes: (x, y, radius) where no others may be.
    """

    rim: np.ndarray
    flat: Callable[[np.ndarray], np.ndarray]
    bent: Callable[[np.ndarray], np.ndarray]
    within: np.ndarray = field(default_factory=lambda: np.empty((0, 3)))
    holes: tuple[tuple[float, float, float], ...] = ()

    def triangles(self, edge: float) -> tuple[np.ndarray, np.ndarray]:
        """Points (m, 3) and faces (f, 3): Delaunay in the plane, its inner points evened out."""
        from scipy.spatial import Delaunay

        rim = self.flat(self.rim)
        fixed = np.concatenate([rim, self.flat(self.within)])
        inner = self._inside(rim, edge)
        n = len(fixed)
        for _ in range(_ROUNDS):
            points = np.concatenate([fixed, inner])
            start, near = Delaunay(points).vertex_neighbor_vertices
            sums = np.add.reduceat(points[near], start[:-1], axis=0)
            inner = (sums / np.diff(start)[:, None])[n:]
        points = np.concatenate([fixed, inner])
        faces = Delaunay(points).simplices
        a, b, c = (points[faces[:, k]] for k in range(3))
        turn = _cross(b - a, c - a)
        faces = np.where((turn < 0)[:, None], faces[:, ::-1], faces)
        faces = faces[np.abs(turn) > 1e-6 * edge**2]  # three points of a straight rim
        return np.concatenate([self.rim, self.within, self.bent(inner)]), faces

    def _inside(self, rim: np.ndarray, edge: float) -> np.ndarray:
        """(m, 2) a triangular grid within the rim and outside of the holes."""
        low, high = rim.min(axis=0), rim.max(axis=0)
        rows = np.arange(low[1], high[1], edge * math.sqrt(3) / 2)
        grid = [np.arange(low[0] + (i % 2) * edge / 2, high[0], edge) for i in range(len(rows))]
        points = np.stack([np.concatenate(grid), np.repeat(rows, [len(row) for row in grid])], axis=1)
        further = np.roll(rim, -1, axis=0)
        way = further - rim
        inward = np.sign(_cross(rim, further).sum()) * np.stack([-way[:, 1], way[:, 0]], axis=1)
        inward /= np.linalg.norm(inward, axis=1, keepdims=True)
        depth = (points @ inward.T - (rim * inward).sum(axis=1)).min(axis=1)
        for x, y, radius in self.holes:
            middle = self.flat(np.array([[x, y, 0.0]]))
            depth = np.minimum(depth, np.linalg.norm(points - middle, axis=1) - radius)
        return points[depth > _MARGIN * edge]


def _patches(body: AhmedBody, edge: float) -> list[_Patch]:
    """The left half's patches, the floor the last."""
    r, half = body.front_radius, body.width / 2
    along, down = body.slant_run
    x0, x1, x2 = -body.length, -body.length + r, -along if down else 0.0
    y1 = half - r
    z0, z1 = body.clearance, body.clearance + r
    z2, z3 = body.clearance + body.height - r, body.clearance + body.height
    z4 = z3 - down
    upper, upper_corner = _arc((x0, 0, z2), (x1, 0, z3), edge), _arc((x0, y1, z2), (x1, half, z3), edge)
    lower, lower_corner = _arc((x0, 0, z1), (x1, 0, z0), edge), _arc((x0, y1, z1), (x1, half, z0), edge)

    def rim(*corners: _Point | np.ndarray) -> np.ndarray:
        return _rim(corners, edge)

    rear_corner = [(0, half, z4), (x2, half, z3)] if down else [(0, half, z3)]
    patches = [
        _plane(rim((x0, 0, z1), (x0, y1, z1), (x0, y1, z2), (x0, 0, z2)), (x0, 0, 0), (0, 0, 1), (0, 1, 0)),
        _plane(rim((x1, 0, z3), (x1, half, z3), (x2, half, z3), (x2, 0, z3)), (0, 0, z3), (1, 0, 0), (0, 1, 0)),
        _plane(rim((0, 0, z0), (0, half, z0), (0, half, z4), (0, 0, z4)), (0, 0, 0), (0, 1, 0), (0, 0, 1)),
        _plane(rim((x1, half, z0), (0, half, z0), *rear_corner, (x1, half, z3)), (0, half, 0), (0, 0, 1), (1, 0, 0)),
        _rounding(rim(upper, upper_corner[::-1]), (x1, 0, z2), r, (0, 0, 1), (0, 1, 0)),
        _rounding(rim(lower, lower_corner[::-1]), (x1, 0, z1), r, (0, 0, -1), (0, 1, 0)),
        _rounding(rim(lower_corner, upper_corner[::-1]), (x1, y1, 0), r, (0, 1, 0), (0, 0, 1)),
    ]
    if down:
        slant = rim((x2, 0, z3), (x2, half, z3), (0, half, z4), (0, 0, z4))
        size = body.slant_length
        patches.append(_plane(slant, (x2, 0, z3), (along / size, 0, -down / size), (0, 1, 0)))
    floor = _plane(rim((x1, 0, z0), (x1, half, z0), (0, half, z0), (0, 0, z0)), (0, 0, z0), (0, 1, 0), (1, 0, 0))
    if body.stilts is not None:
        circles = np.concatenate([_circle(body, body.stilts, x) for x in body.stilts.behind_nose])
        holes = tuple((x0 + x, body.stilts.aside, body.stilts.radius) for x in body.stilts.behind_nose)
        floor = replace(floor, within=circles, holes=holes)
    return [*patches, floor]


def _plane(rim: np.ndarray, origin: _Point, u: _Point, v: _Point) -> _Patch:
    """A flat patch: u and v, unit vectors, and the outward normal are right-handed."""
    axes, start = np.array([u, v], float), np.array(origin, float)
    return _Patch(rim, lambda p: (p - start) @ axes.T, lambda q: start + q @ axes)


def _rounding(rim: np.ndarray, middle: _Point, radius: float, aside: _Point, axis: _Point) -> _Patch:
    """A quarter of a cylinder from where it faces ahead (-x) to where it faces aside, unrolled."""
    start, out, axle = np.array(middle, float), np.array(aside, float), np.array(axis, float)
    ahead = np.array([-1.0, 0.0, 0.0])
    order = 1 if np.cross(out, axle)[0] < 0 else -1  # so that the two axes and the outward normal are right-handed

    def flat(points: np.ndarray) -> np.ndarray:
        from_middle = points - start
        arc = radius * np.arctan2(from_middle @ out, from_middle @ ahead)
        return np.stack([arc, from_middle @ axle][::order], axis=1)

    def bent(points: np.ndarray) -> np.ndarray:
        arc, along = (points[:, [k]] for k in (0, 1)[::order])
        return start + radius * (np.cos(arc / radius) * ahead + np.sin(arc / radius) * out) + along * axle

    return _Patch(rim, flat, bent)


def _rim(corners: Sequence[_Point | np.ndarray], edge: float) -> np.ndarray:
    """(n, 3) once around: straight lines from each corner to the next, curves (m, 3) as they are."""
    sides = []
    for i, corner in enumerate(corners):
        following = corners[(i + 1) % len(corners)]
        start = corner
        if isinstance(corner, np.ndarray):
            sides.append(corner[:-1])
            start = tuple(corner[-1])
        end = tuple(following[0]) if isinstance(following, np.ndarray) else following
        if tuple(start) != tuple(end):
            sides.append(_line(start, end, edge)[:-1])
    return np.concatenate(sides)


def _line(start: _Point, end: _Point, edge: float) -> np.ndarray:
    """(n, 3) evenly from start to end; the other way round it has the very same points."""
    if start > end:
        return _line(end, start, edge)[::-1]
    n = max(1, math.ceil(math.dist(start, end) / edge - 1e-9))
    points = np.linspace(start, end, n + 1)
    points[-1] = end
    return points


def _arc(start: _Point, end: _Point, edge: float) -> np.ndarray:
    """(n, 3) a quarter turn that sets out across x and ends along it; where two roundings meet, of an ellipse."""
    way = np.subtract(end, start)
    turn = np.linspace(0.0, math.pi / 2, 1 + math.ceil(math.pi / 2 * way[0] / edge))
    points = start + way * np.stack([1 - np.cos(turn), np.sin(turn), np.sin(turn)], axis=1)
    points[-1] = end  # to the last digit, as the neighbours have it
    return points


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]


def _circle(body: AhmedBody, stilts: Stilts, behind_nose: float) -> np.ndarray:
    """(n, 3) counter-clockwise from above, where a stilt meets the floor."""
    turn = 2 * math.pi * np.arange(_AROUND) / _AROUND
    x = behind_nose - body.length + stilts.radius * np.cos(turn)
    y = stilts.aside + stilts.radius * np.sin(turn)
    return np.stack([x, y, np.full(_AROUND, body.clearance)], axis=1)


def _floor_on_stilts(
    body: AhmedBody, stilts: Stilts, floor: tuple[np.ndarray, np.ndarray]
) -> list[tuple[np.ndarray, np.ndarray]]:
    """The floor with its stilts: what lies within their circles is let down onto the road, walls go up from there."""
    points, faces = floor
    pieces = []
    for x in stilts.behind_nose:
        middle = np.array([x - body.length, stilts.aside])
        on_circle = np.linalg.norm(points[:, :2] - middle, axis=1) < 1.0001 * stilts.radius
        within = on_circle[faces].all(axis=1)
        pieces.append((points * (1, 1, 0), faces[within]))
        faces = faces[~within]
        circle = _circle(body, stilts, x)
        n_up = math.ceil(body.clearance * _AROUND / (2 * math.pi * stilts.radius))
        levels = np.linspace(0.0, 1.0, n_up + 1)
        wall = np.concatenate([circle * (1, 1, level) for level in levels])
        at = np.arange(n_up * _AROUND)
        beside = at - at % _AROUND + (at + 1) % _AROUND
        above = np.stack([at + _AROUND, at, beside + _AROUND], 1)
        pieces.append((wall, np.concatenate([np.stack([at, beside, beside + _AROUND], 1), above])))
    return [(points, faces), *pieces]
