"""The box of air around a car, where it is refined, and whether half of it is enough."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.car import CarMesh
from data.load import sample_car, scene_of
from drivaer_app.cfd.mirrors import find_mirrors
from drivaer_app.cfd.presets import Preset
from drivaer_app.cfd.wheels import RotatingAxle

REFERENCE_LENGTH = 4.6
"""m: length of the car that presets and distances below are given for."""

SYMMETRIC = 0.002
"""Of the car's size: what 98 % of the surface may be off its mirror image by, for half a domain."""

# m around a car of REFERENCE_LENGTH. The width and height keep the blockage at 3 % where a preset has no more room.
_AHEAD, _BEHIND, _ASIDE, _ABOVE = 7.46, 15.9, 5.25, 7.0
_NEAR_FINE, _NEAR_COARSE = 0.072, 0.27
_AROUND_MIRROR = np.array([0.08, 0.12, 0.08])


@dataclass(frozen=True)
class Box:
    """low, high: (x, y, z) m."""

    low: tuple[float, float, float]
    high: tuple[float, float, float]


@dataclass(frozen=True)
class Domain:
    """The flow's box, in the car frame.

    cell: m, edge of an undisturbed cell; cells: how many along x, y, z. half: y >= 0 only, a symmetry plane at y = 0.
    boxes: regions by name that are refined. details: around mirrors and the tyres' contacts with the road, which get
        cells half as large as the rest of the surface.
    near_fine, near_coarse: m from the body to where the finest and the second finest level reach.
    blockage: frontal area over the box's cross-section.
    """

    box: Box
    cell: float
    cells: tuple[int, int, int]
    half: bool
    boxes: dict[str, Box]
    details: tuple[Box, ...]
    near_fine: float
    near_coarse: float
    blockage: float

    @property
    def seed(self) -> tuple[float, float, float]:
        """A point in the flow, on no cell's face: ahead of the car, above it, aside."""
        x, y, z = self.box.low[0], 0.0, self.box.high[2]
        return (x + 0.4137 * self.cell, y + 0.3719 * self.cell, z - 0.4391 * self.cell)


def size_of(car: CarMesh) -> float:
    """The car's size as a length, m: its own, or what its height or width would be the usual share of."""
    length, width, height = np.ptp(car.vertices, axis=0)
    return float(max(length, 3.2 * height, 2.2 * width))


def asymmetry(car: CarMesh) -> float:
    """How far the surface that the flow sees is off its mirror image in y = 0, m: exceeded on 2 % of the area."""
    import open3d as o3d

    scene = scene_of(car)
    tracer = o3d.t.geometry.RaycastingScene()
    tracer.add_triangles(
        o3d.core.Tensor(scene.vertices.astype(np.float32)), o3d.core.Tensor(scene.faces.astype(np.uint32))
    )
    mirrored = sample_car(car).points * np.float32([1, -1, 1])
    return float(np.quantile(tracer.compute_distance(o3d.core.Tensor(mirrored)).numpy(), 0.98))


def is_symmetric(car: CarMesh) -> bool:
    return asymmetry(car) <= SYMMETRIC * size_of(car)


def domain_around(car: CarMesh, preset: Preset, axles: tuple[RotatingAxle, ...], *, half: bool) -> Domain:
    """The box for a car: its distances and cells grow with the car; its grid is fixed to the car's nose and ground."""
    scale = size_of(car) / REFERENCE_LENGTH
    cell = preset.base_cell * scale
    low, high = car.vertices.min(axis=0), car.vertices.max(axis=0)
    x = float(low[0] - _AHEAD * scale)
    cells = [
        _whole((high[0] + _BEHIND * scale - x) / cell),
        _whole(preset.room * _ASIDE * scale / cell),
        _whole(preset.room * _ABOVE * scale / cell),
    ]
    aside = cells[1] * cell
    if not half:
        cells[1] *= 2
    box = Box((x, 0.0 if half else -aside, 0.0), (x + cells[0] * cell, aside, cells[2] * cell))
    section = (box.high[1] - box.low[1]) * box.high[2]
    return Domain(
        box=box,
        cell=cell,
        cells=tuple(cells),
        half=half,
        boxes=_refined(low, high, scale),
        details=(*_mirrors(car, scale), *_contacts(axles, cell / 2**preset.level)),
        near_fine=_NEAR_FINE * scale,
        near_coarse=_NEAR_COARSE * scale,
        blockage=car.frontal_area * (0.5 if half else 1.0) / section,
    )


def _whole(cells: float) -> int:
    return max(int(round(cells)), 1)


def _refined(low: np.ndarray, high: np.ndarray, scale: float) -> dict[str, Box]:
    """Cells twice as large as the surface's under and behind the car, four times around it, eight times further out."""
    nose, tail, wide, tall = float(low[0]), float(high[0]), float(max(-low[1], high[1])), float(high[2])

    def box(x0: float, x1: float, y: float, z: float) -> Box:
        return Box((x0, -y, 0.0), (x1, y, z))

    return {
        "under": box(nose - 0.36 * scale, tail + 0.53 * scale, wide + 0.28 * scale, 0.2 * scale),
        "near": box(nose - 0.66 * scale, tail + 2.7 * scale, wide + 0.38 * scale, tall + 0.28 * scale),
        "wake": box(tail - 0.47 * scale, tail + 1.43 * scale, wide + 0.08 * scale, tall - 0.1 * scale),
        "far": box(nose - 1.7 * scale, tail + 8.2 * scale, wide + 0.9 * scale, tall + scale),
    }


def plinth_height(surface_cell: float) -> float:
    """m: below this height the wedge between tyre and road is filled; half of a cell as fine as they are there."""
    return 0.3 * surface_cell


def plinths(axle: RotatingAxle, surface_cell: float) -> list[Box]:
    """A block under each tyre of an axle, in place of the wedge of air that no cell can fit into."""
    height = plinth_height(surface_cell)
    half_length = float(np.sqrt(max(axle.radius**2 - (axle.z - height) ** 2, 0.0)))
    inset = 0.12
    blocks = []
    for y0, y1 in axle.tyres:
        aside = inset * (y1 - y0)
        blocks.append(
            Box((axle.x - half_length, y0 + aside, -surface_cell), (axle.x + half_length, y1 - aside, height))
        )
    return blocks


def _mirrors(car: CarMesh, scale: float) -> list[Box]:
    """Boxes from within the door to beyond the mirror's edges."""
    boxes = []
    for low, high in find_mirrors(car):
        around = _AROUND_MIRROR * scale
        inward = np.where(low[1] + high[1] > 0, [around[1], 0.0], [0.0, around[1]])
        boxes.append(
            Box(
                tuple((low - [around[0], inward[0] + 0.03 * scale, around[2]]).tolist()),
                tuple((high + [around[0], inward[1] + 0.03 * scale, around[2]]).tolist()),
            )
        )
    return boxes


def _contacts(axles: tuple[RotatingAxle, ...], surface_cell: float) -> tuple[Box, ...]:
    boxes = []
    for axle in axles:
        for y0, y1 in axle.tyres:
            reach = 0.6 * axle.radius
            boxes.append(
                Box((axle.x - reach, y0 - surface_cell, 0.0), (axle.x + reach, y1 + surface_cell, 1.5 * surface_cell))
            )
    return tuple(boxes)
