"""What handles hang on: where a car's ends, axles, roof, windows, boot and mirrors are, measured on its surface."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from data.car import CarMesh
from data.errors import DrivAerError
from data.placing import find_axles
from drivaer_app.shapes.outlook import Outlook, look_at

WHEEL_NAME = re.compile(r"wheel|tyre|tire|\brim", re.IGNORECASE)
MIRROR_NAME = re.compile(r"mirror", re.IGNORECASE)

_ASSUMED_WHEELBASE = 0.6  # of the length, where no wheels are found
_LOWEST_GLASS = 0.6  # of the height: windows end above it
_NOSE = 0.15  # of the length: what is steep further back is no nose
_FLAT = 0.5  # slope from which on the nose is a bonnet
_HIGHEST_FOOT = 0.82  # of the height: a hollow above it is in the roof
_HIGHEST_BOOT = 0.86  # of the height
_STEEP, _LEVEL = 1.7, 0.5  # slopes of a boot's rear face and of its top
_CORNER = 0.012  # of the length of a chord: what stands less off it is no corner
_BEND = 0.04  # the same, for a tailgate that bends below its window rather than being bowed
_HOLLOW = 0.01  # of the height: what lies less deep under the hull is no foot of a pane
_MIRROR_STANDS_OUT = 0.06  # of the half-width, beyond the windows behind it


@dataclass(frozen=True)
class Point:
    """A place on the centreline, m."""

    x: float
    z: float


@dataclass(frozen=True)
class Wheels:
    """The two wheels of an axle: x of the axle, radius, |y| of their inner and outer sides, m."""

    x: float
    radius: float
    inner_y: float
    outer_y: float


@dataclass(frozen=True)
class GlassPane:
    """Windscreen or backlight in side view: lower and upper end on the centreline, and its angle to the horizontal."""

    foot: Point
    head: Point
    angle_deg: float


@dataclass(frozen=True)
class MirrorBox:
    """Both mirrors, folded onto y > 0: opposite corners, (x, y, z) m; low[1] is where they meet the body."""

    low: tuple[float, float, float]
    high: tuple[float, float, float]


@dataclass(frozen=True)
class Landmarks:
    """Places on a car in the car frame, m and degrees; None where the car has no such thing.

    nose_x, tail_x: ends of the whole car. half_width: of the body, without mirrors. roof: its highest point.
    floor_z: underbody between the axles, which is the ground clearance. belt_z: where the side windows begin.
    bonnet_edge: where the bonnet turns down into the nose.
    front_axle_x, rear_axle_x: assumed in proportion where front_wheels and rear_wheels are None.
    stands_on_ground: something other than wheels reaches the ground.
    """

    nose_x: float
    tail_x: float
    half_width: float
    roof: Point
    floor_z: float
    belt_z: float
    bonnet_edge: Point
    front_axle_x: float
    rear_axle_x: float
    front_wheels: Wheels | None
    rear_wheels: Wheels | None
    stands_on_ground: bool
    windscreen: GlassPane | None
    backlight: GlassPane | None
    mirrors: MirrorBox | None

    @property
    def length(self) -> float:
        return self.tail_x - self.nose_x

    def items(self) -> list[tuple[str, str]]:
        """Each landmark's name and what was measured, for people."""
        return [
            ("length", f"{self.length:.3f} m, x from {self.nose_x:.3f} to {self.tail_x:.3f}"),
            ("width", f"{2 * self.half_width:.3f} m without mirrors"),
            ("roof", f"highest at x {self.roof.x:.3f}, z {self.roof.z:.3f}"),
            ("ground clearance", f"{self.floor_z:.3f} m"),
            ("belt", f"z {self.belt_z:.3f}"),
            ("bonnet edge", f"x {self.bonnet_edge.x:.3f}, z {self.bonnet_edge.z:.3f}"),
            ("front wheels", _wheels_text(self.front_wheels, self.front_axle_x)),
            ("rear wheels", _wheels_text(self.rear_wheels, self.rear_axle_x)),
            ("windscreen", _pane_text(self.windscreen)),
            ("backlight", _pane_text(self.backlight)),
            ("mirrors", _mirrors_text(self.mirrors)),
        ]


def measured(name: str, marks: Landmarks) -> float | None:
    """What a handle changes, as it is on the car: m or degrees; None of handles that stand for no single measure."""
    measures = {
        "ride_height": marks.floor_z,
        "length": marks.length,
        "wheelbase": marks.rear_axle_x - marks.front_axle_x,
        "width": 2 * marks.half_width,
        "roof_height": marks.roof.z,
        "windscreen_angle": marks.windscreen and marks.windscreen.angle_deg,
        "backlight_angle": marks.backlight and marks.backlight.angle_deg,
    }
    return measures.get(name)


def find_landmarks(car: CarMesh) -> Landmarks:
    """Measure a car. Raises DrivAerError for a surface too broken to find even its outline."""
    outlook = look_at(car)
    top = outlook.top
    if not np.isfinite(top).sum() > 10:
        raise DrivAerError("its outline cannot be made out from above", file=car.path, fix="export the outer surface")
    nose_x, tail_x = float(outlook.x[0]), float(outlook.x[-1])
    length = tail_x - nose_x
    front, rear = _wheels(car)
    axles = (front.x, rear.x) if front and rear else (0.0, _ASSUMED_WHEELBASE * length)
    roof = _roof(outlook)
    windscreen, edge = _windscreen(outlook, roof)
    half_width = _half_width(outlook, roof.z)
    floor_z = _floor(outlook, axles, roof.z)
    belt_z = _belt(outlook, axles, floor_z, roof.z)
    foot_x = windscreen.foot.x if windscreen else nose_x + 0.27 * length
    return Landmarks(
        nose_x=nose_x,
        tail_x=tail_x,
        half_width=half_width,
        roof=roof,
        floor_z=floor_z,
        belt_z=belt_z,
        bonnet_edge=edge,
        front_axle_x=axles[0],
        rear_axle_x=axles[1],
        front_wheels=front,
        rear_wheels=rear,
        stands_on_ground=front is None and outlook.lowest_z < 0.3 * floor_z,
        windscreen=windscreen,
        backlight=_backlight(outlook, roof),
        mirrors=_mirrors(car, outlook, foot_x, belt_z, roof.z, half_width),
    )


def _wheels_text(wheels: Wheels | None, axle_x: float) -> str:
    if wheels is None:
        return f"none found; the axle is assumed at x {axle_x:.3f}"
    return f"axle at x {wheels.x:.3f}, radius {wheels.radius:.3f}, y {wheels.inner_y:.3f} to {wheels.outer_y:.3f}"


def _pane_text(pane: GlassPane | None) -> str:
    if pane is None:
        return "none found"
    return (
        f"{pane.angle_deg:.1f} degrees, foot at x {pane.foot.x:.3f}, z {pane.foot.z:.3f}, "
        f"head at x {pane.head.x:.3f}, z {pane.head.z:.3f}"
    )


def _mirrors_text(box: MirrorBox | None) -> str:
    if box is None:
        return "none found"
    spans = ", ".join(
        f"{axis} {low:.3f} to {high:.3f}" for axis, low, high in zip("xyz", box.low, box.high, strict=True)
    )
    return spans


def _wheels(car: CarMesh) -> tuple[Wheels | None, Wheels | None]:
    axles = find_axles(car.vertices, car.faces)
    if axles is None:
        return None, None
    pairs = []
    x, y, z = (car.vertices if len(car.faces) == 0 else car.vertices[np.unique(car.faces)]).T
    for axle in (axles.front, axles.rear):
        tread = (np.abs(x - axle.x) < 0.8 * axle.radius) & (z - axle.ground < 0.35 * axle.radius)
        if not tread.any():
            return None, None
        across = np.abs(y[tread])
        outer = float(across.max())
        # Half-way up the tyre's wall: what lies nearest to the middle may be an axle, so the spread is bounded.
        inner = max(float(np.percentile(across, 2)), outer - 1.2 * axle.radius)
        pairs.append(Wheels(float(axle.x), float(axle.radius), inner, outer))
    return pairs[0], pairs[1]


def _roof(outlook: Outlook) -> Point:
    z = float(np.nanmax(outlook.top))
    # The middle of what is as good as highest: one vertex more or less does not move it.
    highest = outlook.x[outlook.top > z - 0.003 * z]
    return Point(float(highest.mean()), z)


def _windscreen(outlook: Outlook, roof: Point) -> tuple[GlassPane | None, Point]:
    """The windscreen, and the bonnet's front edge."""
    line = outlook.line(outlook.x[0], roof.x)
    slope = np.gradient(line[:, 1], line[:, 0])
    steep = np.flatnonzero((slope > _FLAT) & (line[:, 0] < line[0, 0] + _NOSE * (outlook.x[-1] - outlook.x[0])))
    edge = line[min(steep[-1] + 1, len(line) - 1)] if len(steep) else line[0]
    bonnet = line[line[:, 0] >= edge[0]]
    at = _hollow(bonnet)
    if at is None:
        return None, Point(*map(float, edge))
    head = _corner(bonnet[at:])
    end = at + (head if head is not None else len(bonnet) - 1 - at)
    return _pane(bonnet[at : end + 1]), Point(*map(float, edge))


def _backlight(outlook: Outlook, roof: Point) -> GlassPane | None:
    line = outlook.line(roof.x, outlook.x[-1])
    kept = np.flatnonzero(line[:, 1] > _LOWEST_GLASS * roof.z)
    line = _without_tail(line[: kept[-1] + 1], roof.z)
    if len(line) < 8:
        return None
    foot = _hollow(line, highest=_HIGHEST_FOOT * roof.z)
    head = _corner(line[: foot + 1 if foot else len(line)])
    if head is None:  # a roof that runs straight down to the tail
        fallen = line[:, 1] < line[0, 1] - 0.15 * (line[0, 1] - line[-1, 1])
        head = int(fallen.argmax())
    if foot is None:  # no boot to speak of: the pane ends where the tailgate bends down, or at the lowest glass
        rest = head + np.flatnonzero(line[head:, 1] < 0.55 * line[head, 1] + 0.45 * line[-1, 1])
        bend = _corner(line[head:], among=rest - head, least=_BEND)
        foot = head + bend if bend else len(line) - 1
    return _pane(line[head : foot + 1])


def _without_tail(line: np.ndarray, height: float) -> np.ndarray:
    """The line up to a boot's rear edge: where it first falls steeply, after something as level as a boot."""
    step = np.diff(line, axis=0)
    steep = np.flatnonzero(-step[:, 1] > _STEEP * step[:, 0])
    if len(steep) == 0 or line[steep[0], 1] > _HIGHEST_BOOT * height:
        return line  # a tailgate from the roof down
    edge = steep[0]
    before = line[max(edge - len(line) // 12, 0)]
    level = before[1] - line[edge, 1] < _LEVEL * (line[edge, 0] - before[0])
    return line[: edge + 1] if level else line


def _pane(line: np.ndarray) -> GlassPane | None:
    """A pane along a line (n, 2) from one end to the other; its angle from the middle, clear of the bent ends."""
    (x0, z0), (x1, z1) = line[0], line[-1]
    rise = abs(z1 - z0)
    share = np.abs(line[:, 1] - z0) / max(rise, 1e-9)
    middle = line[(share > 0.2) & (share < 0.8)]
    if rise < 0.08 * max(z0, z1) or len(middle) < 3:
        return None
    centred = middle - middle.mean(axis=0)
    along = np.linalg.svd(centred, full_matrices=False)[2][0]
    angle = float(np.degrees(np.arctan2(abs(along[1]), abs(along[0]))))
    low, high = (Point(x0, z0), Point(x1, z1)) if z0 < z1 else (Point(x1, z1), Point(x0, z0))
    return GlassPane(Point(float(low.x), float(low.z)), Point(float(high.x), float(high.z)), angle)


def _off_chord(line: np.ndarray) -> tuple[np.ndarray, float]:
    """(n,) how far each point of (n, 2) stands above the straight line between the ends; its length."""
    chord = line[-1] - line[0]
    size = float(np.hypot(*chord))
    away = line - line[0]
    return (chord[0] * away[:, 1] - chord[1] * away[:, 0]) / max(size, 1e-9), size


def _corner(line: np.ndarray, among: np.ndarray | None = None, least: float = _CORNER) -> int | None:
    """Index of the point (of those ``among``) that stands furthest above the chord; None where it is straight."""
    among = np.arange(len(line)) if among is None else among
    if len(line) < 4 or len(among) == 0:
        return None
    off, size = _off_chord(line)
    at = int(among[off[among].argmax()])
    return at if off[at] > least * size else None


def _hollow(line: np.ndarray, highest: float = np.inf) -> int | None:
    """Index of the deepest point, none above ``highest``, under the line's upper convex hull, or None."""
    hull: list[int] = []
    for i in range(len(line)):
        while len(hull) > 1 and _turns_left(line[hull[-2]], line[hull[-1]], line[i]):
            hull.pop()
        hull.append(i)
    depth = np.zeros(len(line))
    for a, b in zip(hull, hull[1:], strict=False):
        depth[a : b + 1] = -_off_chord(line[a : b + 1])[0]
    depth[line[:, 1] > highest] = 0.0
    at = int(depth.argmax())
    return at if depth[at] > _HOLLOW * line[:, 1].max() else None


def _turns_left(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> bool:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]) >= 0


def _half_width(outlook: Outlook, height: float) -> float:
    below_mirrors = outlook.z < 0.55 * height
    return float(np.nanmax(outlook.side[:, below_mirrors]))


def _floor(outlook: Outlook, axles: tuple[float, float], height: float) -> float:
    base = axles[1] - axles[0]
    between = (outlook.x > axles[0] + 0.2 * base) & (outlook.x < axles[1] - 0.2 * base)
    under = outlook.under[between]
    clearance = float(np.nanpercentile(under, 25)) if np.isfinite(under).any() else 0.1 * height
    return min(max(clearance, 0.0), 0.4 * height)


def _belt(outlook: Outlook, axles: tuple[float, float], floor_z: float, height: float) -> float:
    """Where the side, seen from ahead, turns inward: the outermost off a chord from sill to roof."""
    section = outlook.section(axles)
    cabin = (
        (outlook.z > floor_z + 0.35 * (height - floor_z))
        & (outlook.z < floor_z + 0.88 * (height - floor_z))
        & np.isfinite(section)
    )
    line = np.stack([section[cabin], outlook.z[cabin]], axis=1)
    assumed = floor_z + 0.6 * (height - floor_z)
    if len(line) < 6:
        return assumed
    off, size = _off_chord(line)
    at = int((-off).argmax())
    found = float(line[at, 1])
    usual = floor_z + 0.45 * (height - floor_z) < found < floor_z + 0.8 * (height - floor_z)
    return found if -off[at] > _CORNER * size and usual else assumed


def _mirrors(
    car: CarMesh, outlook: Outlook, foot_x: float, belt_z: float, height: float, half_width: float
) -> MirrorBox | None:
    named = [np.arange(a, b) for name, a, b in car.parts if MIRROR_NAME.search(name)]
    if named:
        corners = car.vertices[car.faces[np.concatenate(named)]].reshape(-1, 3)
        return _box(corners)
    from scipy.ndimage import label

    length = outlook.x[-1] - outlook.x[0]
    ahead = (outlook.x > foot_x - 0.05 * length) & (outlook.x < foot_x + 0.28 * length)
    beside = (outlook.z > belt_z - 0.04 * height) & (outlook.z < belt_z + 0.6 * (height - belt_z))
    near = outlook.side[np.ix_(ahead, beside)]
    body = np.nanmedian(outlook.side[np.ix_(outlook.x > foot_x + 0.2 * length, beside)], axis=0)
    out = np.nan_to_num(near - body, nan=0.0) > _MIRROR_STANDS_OUT * half_width
    blobs, n = label(out)
    if n == 0:
        return None
    sizes = np.bincount(blobs.ravel())[1:]
    i, k = np.nonzero(blobs == 1 + int(sizes.argmax()))
    x, z = outlook.x[ahead][i], outlook.z[beside][k]
    reach = near[i, k].max()
    # A mirror is small, and stands out by more than it would need to be noticed.
    if (
        np.ptp(x) > 0.12 * length
        or np.ptp(z) > 0.25 * height
        or reach < np.nanmax(body) + _MIRROR_STANDS_OUT * half_width
    ):
        return None
    step = (outlook.x[1] - outlook.x[0], outlook.z[1] - outlook.z[0])
    root = float(np.nanmax(body[np.unique(k)]))
    return MirrorBox(
        (float(x.min() - step[0]), root, float(z.min() - step[1])),
        (float(x.max() + step[0]), float(reach), float(z.max() + step[1])),
    )


def _box(corners: np.ndarray) -> MirrorBox:
    folded = np.abs(corners * (0, 1, 0)) + corners * (1, 0, 1)
    low, high = folded.min(axis=0), folded.max(axis=0)
    return MirrorBox(tuple(map(float, low)), tuple(map(float, high)))
