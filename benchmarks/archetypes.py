"""Simple bodies with the proportions of kinds of cars that no mesh at hand shows: pick-ups, vans, mid-engined cars...

They are lofted from a roof line and a plan view, rough on purpose: enough for finding the nose and the roof, which is
what `front_from_rear.py` fits and scores on them. Not for aerodynamics.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Archetype:
    """roof: (x, z) m of the top, nose to tail; width m; axles: x of both; mirrors: x or None; belt: height m."""

    roof: tuple[tuple[float, float], ...]
    width: float
    axles: tuple[float, float]
    mirrors: float | None
    belt: float
    tumblehome: float = 0.28
    wheel: float = 0.32


# ruff: noqa: E501 (one roof line a line)
ARCHETYPES = {
    "hatchback": Archetype(
        ((0, 0.5), (0.05, 0.7), (0.25, 0.8), (1.15, 1.0), (1.95, 1.42), (2.6, 1.46), (3.7, 1.38), (4.1, 1.0), (4.28, 0.7)),
        1.79, (0.88, 3.50), 1.45, 0.95,
    ),
    "city car": Archetype(
        ((0, 0.5), (0.1, 0.75), (0.5, 0.95), (1.2, 1.5), (1.6, 1.55), (2.3, 1.45), (2.6, 0.95), (2.69, 0.6)),
        1.66, (0.55, 2.42), 0.85, 0.98,
    ),
    "saloon": Archetype(
        ((0, 0.5), (0.05, 0.68), (0.3, 0.78), (1.45, 0.98), (2.25, 1.38), (2.8, 1.44), (3.4, 1.38), (4.15, 1.08), (4.62, 1.06), (4.71, 0.8)),
        1.83, (0.80, 3.65), 1.75, 0.93,
    ),
    "old saloon": Archetype(
        ((0, 0.5), (0.02, 0.75), (1.45, 0.92), (1.85, 1.4), (2.3, 1.46), (3.1, 1.42), (3.55, 0.98), (4.75, 0.92), (4.8, 0.5)),
        1.72, (0.90, 3.55), None, 0.92,
    ),
    "american saloon": Archetype(
        ((0, 0.5), (0.05, 0.8), (1.65, 0.93), (2.1, 1.35), (2.5, 1.4), (3.2, 1.37), (3.75, 0.98), (5.3, 0.92), (5.4, 0.55)),
        2.0, (0.95, 4.05), None, 0.93,
    ),
    "electric fastback": Archetype(
        ((0, 0.5), (0.1, 0.68), (0.4, 0.8), (1.1, 0.95), (2.0, 1.38), (2.5, 1.44), (3.2, 1.38), (4.4, 1.05), (4.65, 1.03), (4.69, 0.6)),
        1.85, (0.84, 3.72), 1.5, 0.93,
    ),
    "estate": Archetype(
        ((0, 0.5), (0.06, 0.7), (0.3, 0.8), (1.4, 0.98), (2.2, 1.38), (2.7, 1.43), (4.2, 1.38), (4.6, 1.0), (4.76, 0.6)),
        1.85, (0.9, 3.77), 1.7, 0.94,
    ),
    "off-roader": Archetype(
        ((0, 0.6), (0.05, 1.05), (0.4, 1.15), (1.45, 1.25), (2.0, 1.8), (2.6, 1.88), (4.5, 1.85), (4.85, 1.2), (4.9, 0.7)),
        1.94, (0.9, 3.75), 1.75, 1.2, 0.15, 0.4,
    ),
    "jeep": Archetype(
        ((0, 0.6), (0.05, 1.05), (1.45, 1.15), (1.65, 1.75), (2.0, 1.83), (4.0, 1.82), (4.15, 1.1), (4.2, 0.7)),
        1.85, (0.65, 3.1), 1.55, 1.15, 0.12, 0.4,
    ),
    "coupe suv": Archetype(
        ((0, 0.55), (0.06, 0.9), (0.3, 1.0), (1.4, 1.15), (2.1, 1.58), (2.7, 1.65), (3.5, 1.58), (4.5, 1.15), (4.75, 1.1), (4.8, 0.7)),
        1.95, (0.88, 3.75), 1.75, 1.1, 0.25, 0.37,
    ),
    "people carrier": Archetype(
        ((0, 0.55), (0.1, 0.8), (0.7, 1.0), (2.0, 1.6), (2.6, 1.7), (4.2, 1.65), (4.6, 1.1), (4.66, 0.6)),
        1.85, (0.95, 3.75), 1.35, 1.0, 0.2,
    ),
    "van": Archetype(
        ((0, 0.6), (0.1, 0.95), (0.8, 1.2), (1.7, 2.3), (2.2, 2.6), (5.8, 2.6), (5.93, 2.4), (5.93, 0.6)),
        2.02, (1.0, 4.66), 1.2, 1.3, 0.1, 0.35,
    ),
    "bulli": Archetype(
        ((0, 0.5), (0.05, 0.9), (0.35, 1.7), (0.8, 1.93), (3.9, 1.93), (4.2, 1.6), (4.28, 0.9), (4.28, 0.5)),
        1.72, (0.95, 3.35), 0.45, 1.1, 0.12,
    ),
    "cab-over van": Archetype(
        ((0, 0.5), (0.02, 0.9), (0.35, 1.2), (0.8, 1.8), (1.1, 1.9), (3.3, 1.88), (3.39, 1.0), (3.39, 0.5)),
        1.48, (0.75, 3.15), 0.55, 1.1, 0.1, 0.28,
    ),
    "pick-up": Archetype(
        ((0, 0.6), (0.05, 1.15), (0.4, 1.25), (1.55, 1.32), (2.15, 1.85), (2.6, 1.95), (3.7, 1.93), (4.0, 1.35), (4.05, 1.3), (5.8, 1.32), (5.89, 1.2), (5.89, 0.7)),
        2.03, (0.95, 4.6), 1.85, 1.3, 0.2, 0.4,
    ),
    "small pick-up": Archetype(
        ((0, 0.55), (0.05, 0.9), (1.2, 1.1), (1.9, 1.68), (2.3, 1.75), (3.6, 1.72), (3.75, 1.15), (5.25, 1.12), (5.3, 0.7)),
        1.82, (0.95, 4.05), 1.55, 1.1, 0.2, 0.37,
    ),
    "mid-engined": Archetype(
        ((0, 0.3), (0.1, 0.5), (0.6, 0.7), (1.2, 0.85), (2.1, 1.18), (2.5, 1.21), (3.4, 1.05), (4.2, 0.95), (4.45, 0.92), (4.53, 0.5)),
        1.94, (1.05, 3.7), 1.5, 0.85, 0.35, 0.34,
    ),
    "rear-engined": Archetype(
        ((0, 0.4), (0.1, 0.55), (0.5, 0.72), (1.2, 0.9), (1.95, 1.25), (2.4, 1.3), (3.2, 1.2), (4.2, 0.85), (4.45, 0.7), (4.5, 0.45)),
        1.85, (1.02, 3.47), 1.5, 0.88, 0.3, 0.34,
    ),
    "roadster": Archetype(
        ((0, 0.4), (0.1, 0.55), (1.35, 0.88), (1.85, 1.2), (2.3, 1.23), (2.75, 1.15), (3.2, 0.93), (3.8, 0.9), (3.91, 0.5)),
        1.73, (0.78, 3.09), 1.6, 0.85, 0.3, 0.31,
    ),
    "open roadster": Archetype(
        ((0, 0.4), (0.1, 0.6), (1.5, 0.88), (1.85, 1.18), (1.95, 1.18), (2.05, 0.9), (2.9, 0.92), (3.3, 0.9), (3.9, 0.85), (4.0, 0.5)),
        1.75, (0.8, 3.2), 1.65, 0.86, 0.2, 0.32,
    ),
    "long-nose coupe": Archetype(
        ((0, 0.4), (0.08, 0.62), (0.5, 0.75), (1.9, 0.92), (2.55, 1.25), (2.9, 1.28), (3.5, 1.18), (4.3, 0.88), (4.5, 0.8), (4.54, 0.5)),
        1.94, (0.9, 3.53), 2.1, 0.88, 0.3, 0.34,
    ),
    "wedge": Archetype(
        ((0, 0.35), (0.05, 0.45), (1.3, 0.78), (2.2, 1.1), (2.6, 1.12), (3.3, 1.0), (4.1, 0.92), (4.14, 0.5)),
        1.9, (1.1, 3.55), None, 0.8, 0.35, 0.33,
    ),
}  # fmt: skip


def archetype_mesh(name: str, seed: int = 0, *, wheels: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """One body of this kind in the car frame, (V, 3) m and (F, 3); the seed varies proportions, corners and details."""
    kind = ARCHETYPES[name]
    rng = np.random.default_rng([seed, *name.encode()])
    rounding = rng.uniform([0.10, 0.04], [0.55, 0.35])
    clearance = rng.uniform([0.14, 0.16], [0.28, 0.36])
    stretch = rng.uniform(0.94, 1.06, 3)
    parts = [_loft(kind, rounding, clearance, rng.uniform(0.6, 1.3))]
    if wheels:
        parts += _wheels(kind)
    if kind.mirrors is not None and rng.random() < 0.75:
        parts += [
            _box((kind.mirrors, side * (kind.width / 2 + 0.06), kind.belt + 0.07), (0.16, 0.2, 0.14))
            for side in (-1, 1)
        ]
    vertices, faces = _joined(parts)
    vertices = vertices * stretch
    vertices[:, 0] -= kind.axles[0] * stretch[0]
    vertices[:, 2] -= vertices[:, 2].min()
    return vertices, faces


def _loft(kind: Archetype, rounding: np.ndarray, clearance: np.ndarray, taper: float):
    """The body without wheels: sections across, at 120 places along."""
    roof_x, roof_z = np.array(kind.roof).T
    length = roof_x[-1]
    t = (1 - np.cos(np.linspace(0, np.pi, 120))) / 2
    x = t * length
    top = np.interp(x, roof_x, roof_z)
    bottom = np.interp(
        x / length, [0, 0.08, 0.2, 0.8, 1], [clearance[0] + 0.05, clearance[0], 0.18, 0.18, clearance[1]]
    )
    bottom = np.minimum(bottom, top - 0.05)
    front = np.clip(x / rounding[0], 0, 1)
    rear = np.clip((length - x) / rounding[1], 0, 1)
    half = kind.width / 2 * (0.62 + 0.38 * np.sqrt(1 - (1 - front) ** 2)) * (0.72 + 0.28 * np.sqrt(1 - (1 - rear) ** 2))
    return _skin(x, [_section(w, b, z, kind, taper) for w, b, z in zip(half, bottom, top, strict=True)])


def _section(half: float, bottom: float, top: float, kind: Archetype, taper: float) -> np.ndarray:
    """(16, 2) y, z around one section: sill, side up to the belt, leaning glass, roof edge."""
    belt = min(kind.belt, bottom + 0.85 * (top - bottom))
    lean = half - min(kind.tumblehome * taper * max(top - belt, 0.0) + 0.02, 0.5 * half)
    right = [(0.0, bottom), (0.85 * half, bottom), (half, bottom + 0.25 * (belt - bottom)), (half, belt)]
    right += [((half + lean) / 2, (belt + top) / 2), (lean, top - 0.03), (0.7 * lean, top), (0.0, top)]
    right = np.array(right)
    left = right[::-1] * [-1, 1]
    return np.vstack([right, left])


def _skin(x: np.ndarray, sections: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    n, m = len(x), len(sections[0])
    points = np.stack([np.column_stack([np.full(m, xi), s]) for xi, s in zip(x, sections, strict=True)]).reshape(-1, 3)
    i, j = (g.ravel() for g in np.meshgrid(np.arange(n - 1), np.arange(m), indexing="ij"))
    a, b, c, d = i * m + j, i * m + (j + 1) % m, (i + 1) * m + j, (i + 1) * m + (j + 1) % m
    faces = [np.column_stack([a, c, b]), np.column_stack([b, c, d])]
    fan = np.arange(1, m - 1)
    faces += [np.column_stack([0 * fan, fan, fan + 1]), np.column_stack([0 * fan, fan + 1, fan]) + (n - 1) * m]
    return points, np.vstack(faces)


def _wheels(kind: Archetype):
    angle = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    ring = np.column_stack([np.cos(angle), np.sin(angle)]) * kind.wheel
    made = []
    for x in kind.axles:
        for side in (-1, 1):
            y = np.array([kind.width / 2 - 0.24, kind.width / 2 - 0.02]) * side
            points, faces = _skin(np.sort(y), [ring, ring])
            made.append((points[:, [1, 0, 2]] + [x, 0, kind.wheel], faces[:, ::-1]))
    return made


def _box(centre, size):
    corners = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) / 2
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    faces = [tri for a, b, c, d in quads for tri in ((a, b, c), (a, c, d))]
    return corners * size + centre, np.array(faces)


def _joined(parts) -> tuple[np.ndarray, np.ndarray]:
    starts = np.cumsum([0, *(len(v) for v, _ in parts[:-1])])
    faces = [f + s for (_, f), s in zip(parts, starts, strict=True)]
    return np.vstack([v for v, _ in parts]), np.vstack(faces).astype(np.int32)


def ahmed_mesh(slant_deg: float, *, seed: int = 0, stilts: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """An Ahmed-like body: round nose edges, flat back, slant; nose at low x, ground at z = 0. Seed: proportions."""
    rng = np.random.default_rng(seed)
    length, height, width = np.array([1.044, 0.288, 0.389]) * rng.uniform([0.85, 0.85, 0.85], [1.15, 1.15, 1.15])
    radius, slant, lift = rng.uniform(0.06, 0.13), 0.222 * rng.uniform(0.6, 1.3), 0.05
    x = np.unique(
        np.concatenate([radius * (1 - np.cos(np.linspace(0, np.pi / 2, 12))), np.linspace(radius, length, 40)])
    )
    inset = radius - np.sqrt(np.maximum(radius**2 - np.clip(radius - x, 0, None) ** 2, 0))
    drop = np.tan(np.radians(slant_deg)) * np.clip(x - (length - slant * np.cos(np.radians(slant_deg))), 0, None)
    sections = []
    for i, d in zip(inset, drop, strict=True):
        w, low, high = width / 2 - i, lift + i, lift + height - max(i, d)
        sections.append(np.array([(0, low), (w, low), (w, high), (0, high), (-w, high), (-w, low)]))
    parts = [_skin(x, sections)]
    if stilts:
        parts += [_box((a, s * 0.42 * width, lift / 2), (0.03, 0.03, lift)) for a in (0.2, 0.67) for s in (-1, 1)]
    return _joined(parts)
