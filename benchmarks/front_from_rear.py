"""How often roof, nose and unit are found: `python benchmarks/front_from_rear.py` prints Markdown tables.

The first table is honest about unseen kinds of cars: a family is scored with weights fitted without it and its kin.
The second runs `data.frame.find_frame` as shipped on cars turned all 24 ways, in five units, moved off the origin and
below ground. `--fit` prints the weights that data/upright.py and data/front_rear.py hold.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from archetypes import ARCHETYPES, ahmed_mesh, archetype_mesh
from scipy.optimize import minimize

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
sys.path.insert(0, str(ROOT))

from data import front_rear, upright  # noqa: E402
from data.formats import read_mesh  # noqa: E402
from data.frame import find_frame  # noqa: E402
from data.mesh import RawMesh  # noqa: E402
from data.outline import Outline, outline_of  # noqa: E402
from data.units import METRES  # noqa: E402
from data.upright import AXES, axis_vector, car_rotation  # noqa: E402

# As a person reads them off pictures (../shared/meshes/SOURCES.md): file, family, up, nose, and the unit where there is
# one.
REAL = (
    ("CesiumMilkTruck.glb", "milk truck", "y", "x", "m"),
    ("DrivAer_F_D_WM_WW_0002.pcd", "DrivAer fastback", "z", "-x", "m"),
    ("ahmed_rajkumar.stl", "Ahmed body", "z", "-x", "m"),
    ("mlsimkit_ahmed/ahmed_1_downsampled.stl", "Ahmed body", "z", "-x", "m"),
    ("mlsimkit_ahmed/ahmed_2_downsampled.stl", "Ahmed body", "z", "-x", "m"),
    ("mlsimkit_ahmed/ahmed_3_downsampled.stl", "Ahmed body", "z", "-x", "m"),
    ("beetle.obj", "Beetle", "y", "z", None),
    ("gazebo_hatchback.obj", "hatchback (Gazebo)", "z", "-y", "in"),
    ("gazebo_suv.obj", "SUV (Gazebo)", "z", "y", None),
    ("libigl_truck.obj", "open jeep", "y", "x", None),
    ("mlsimkit_drivaer/run1_full_car_derived.stl", "DrivAer estate", "z", "-x", None),
    ("mlsimkit_drivaer/run4_full_car_derived.stl", "DrivAer fastback", "z", "-x", None),
)


@dataclass(frozen=True, eq=False)
class Car:
    """A car in car axes (not placed). family: a row of the table; unit: the one its numbers are in, or None.

    kin: what is held out with it, because it is the same car in another trim or drawn by the same code.
    """

    family: str
    name: str
    vertices: np.ndarray
    faces: np.ndarray
    unit: str | None
    kin: str
    drawn: bool = False


def all_cars() -> Iterator[Car]:
    """Real meshes and morphs where ../shared is there, then what this project draws itself."""
    if SHARED.is_dir():
        yield from _real_cars()
        yield from _morphs()
    yield from _procedural_cars()
    yield from _archetypes()


def _real_cars() -> Iterator[Car]:
    for path, family, up, forward, unit in REAL:
        raw = read_mesh(SHARED / "meshes/cars" / path)
        yield Car(family, path, raw.vertices @ car_rotation(up, forward).T, raw.faces, unit, _kin(family))


def _kin(family: str) -> str:
    return next((name for name in ("DrivAer", "Ahmed body") if family.startswith(name)), family)


def _morphs(each: int = 6) -> Iterator[Car]:
    sys.path.insert(0, str(SHARED / "corpus/tools"))
    import morph

    parts = [read_mesh(SHARED / f"geometry/drivaer_fastback/{n}.obj.gz") for n in ("body", "frontWheels", "rearWheels")]
    starts = np.cumsum([0] + [len(p.vertices) for p in parts])
    faces = np.vstack([p.faces + s for p, s in zip(parts, starts[:3], strict=True)]).astype(np.int32)
    for first, style in ((0, "fastback"), (1000, "estate"), (2000, "notchback")):
        for i in range(first, first + each):
            p = morph.design(i)
            shifts = morph.axle_shift(p)
            moved = [morph.morph_body(parts[0].vertices, p)]
            moved += [morph.move_wheels(w.vertices, s) for w, s in zip(parts[1:], shifts, strict=True)]
            yield Car(f"DrivAer {style}", f"morph {i}", np.vstack(moved), faces, "m", "DrivAer")
    yield Car("DrivAer without wheels", "body", parts[0].vertices, parts[0].faces, "m", "DrivAer")


def _procedural_cars(each: int = 3) -> Iterator[Car]:
    from drivaer_app.shapes.car import build_car
    from drivaer_app.shapes.parameters import STYLES, random_parameters

    for style, seed in product(STYLES, range(each)):
        car = build_car(random_parameters(style, seed), resolution=0.05)
        yield Car(f"{style}, procedural", str(seed), car.vertices, car.faces, "m", "procedural", drawn=True)


def _archetypes(each: int = 8, bare: int = 3) -> Iterator[Car]:
    for name in ARCHETYPES:
        for seed in range(each):
            yield Car(f"{name}, drawn", str(seed), *archetype_mesh(name, seed), "m", name, drawn=True)
        for seed in range(100, 100 + bare):
            vertices, faces = archetype_mesh(name, seed, wheels=False)
            yield Car(f"{name}, drawn", f"{seed} without wheels", vertices, faces, "m", name, drawn=True)
    for seed in range(12):
        vertices, faces = ahmed_mesh(5 + 3 * seed, seed=seed, stilts=seed % 2 == 0)
        yield Car("Ahmed body, drawn", str(seed), vertices, faces, "m", "Ahmed body", drawn=True)


WAYS = upright.ways_up()
RIGHT_WAY = WAYS.index(("z", "x"))


@dataclass(frozen=True, eq=False)
class Evidence:
    """What both models see. family, kin: (n,); nose: (n, cues); roof: (n, ways, features), less the right way's."""

    family: np.ndarray
    kin: np.ndarray
    nose: np.ndarray
    roof: np.ndarray

    def weight(self) -> np.ndarray:
        """(n,) so that all kin count the same together."""
        _, which, counts = np.unique(self.kin, return_inverse=True, return_counts=True)
        return 1.0 / counts[which]


def gather(cars: list[Car]) -> Evidence:
    outlines = [outline_of(c.vertices, c.faces) for c in cars]
    roof = np.array([_roof_features(o) for o in outlines])
    nose = np.array([front_rear.nose_cues(o) for o in outlines])
    return Evidence(
        np.array([c.family for c in cars]),
        np.array([c.kin for c in cars]),
        nose,
        roof - roof[:, RIGHT_WAY : RIGHT_WAY + 1],
    )


def _roof_features(outline: Outline) -> np.ndarray:
    coarse = outline.coarser()
    symmetry = np.array([upright.mirror_symmetry(coarse, axis) for axis in range(3)])
    return np.array([upright.upright_features(coarse, up, along, symmetry) for up, along in WAYS])


def fit_nose(e: Evidence, use: np.ndarray, ridge: float = 1.0) -> np.ndarray:
    """Logistic fit without intercept. Every car counts once as it is and once as if it had no mirrors."""
    bare = e.nose.copy()
    bare[:, front_rear.CUES.index("mirrors")] = 0
    x = np.vstack([e.nose[use], bare[use]])
    weight = np.tile(e.weight()[use], 2)
    scale = np.sqrt(np.average(x**2, axis=0, weights=weight))
    z = x / scale

    def loss(b: np.ndarray) -> tuple[float, np.ndarray]:
        t = z @ b
        wrong = weight / (1 + np.exp(t))
        return float(weight @ np.logaddexp(0, -t) + ridge / 2 * b @ b), ridge * b - z.T @ wrong

    return minimize(loss, np.zeros(len(scale)), jac=True).x / scale


def fit_roof(e: Evidence, use: np.ndarray, ridge: float = 0.15) -> np.ndarray:
    """Conditional logit over the twelve ways."""
    x, weight = e.roof[use], e.weight()[use]
    scale = np.sqrt(np.einsum("n,nwk->k", weight, x**2) / weight.sum() / x.shape[1])
    z = x / scale

    def loss(b: np.ndarray) -> tuple[float, np.ndarray]:
        t = z @ b
        p = np.exp(t - t.max(axis=1, keepdims=True))
        total = np.log(p.sum(axis=1)) + t.max(axis=1)
        p /= p.sum(axis=1, keepdims=True)
        return float(weight @ total + ridge / 2 * b @ b), np.einsum("n,nw,nwk->k", weight, p, z) + ridge * b

    return minimize(loss, np.zeros(len(scale)), jac=True).x / scale


def held_out_table(e: Evidence) -> str:
    """Each family scored by weights fitted without it and its kin, and by the shipped ones."""
    lines = [
        "| family | cars | nose found, family held out | nose found, as shipped | least log-odds held out "
        "| roof found, family held out | roof found, as shipped |",
        "|---|---|---|---|---|---|---|",
    ]
    totals = []
    for family in dict.fromkeys(e.family):
        mine = e.family == family
        others = ~np.isin(e.kin, e.kin[mine])
        nose = e.nose[mine] @ fit_nose(e, others)
        shares = [_share(nose > 0), _share(e.nose[mine] @ front_rear.WEIGHTS > 0)]
        shares += [_roof_share(e.roof[mine] @ w) for w in (fit_roof(e, others), upright.WEIGHTS)]
        totals.append(shares)
        a, b, c, d = (f"{s:.0%}" for s in shares)
        lines.append(f"| {family} | {mine.sum()} | {a} | {b} | {nose.min():+.1f} | {c} | {d} |")
    a, b, c, d = (f"**{s:.1%}**" for s in np.mean(totals, axis=0))
    lines.append(f"| **all families alike** | {len(e.family)} | {a} | {b} | | {c} | {d} |")
    return "\n".join(lines)


def _share(right: np.ndarray) -> float:
    return float(np.mean(right))


def _roof_share(scores: np.ndarray) -> float:
    others = np.delete(scores, RIGHT_WAY, axis=1).max(axis=1)
    return _share(others < scores[:, RIGHT_WAY])


def all_turns() -> list[tuple[str, str]]:
    """The 24 (up, forward) pairs."""
    return [(u, f) for u, f in product(AXES, AXES) if u[-1] != f[-1]]


def turned_rows(cars: list[Car]) -> Iterator[str]:
    """One car of each family, and every real file, through find_frame: all 24 ways, the units taking turns, off the
    origin and below ground. A row at a time: the whole takes minutes."""
    yield "| car | runs | roof | nose | unit | mean confidence |"
    yield "|---|---|---|---|---|---|"
    firsts = {(c.family if c.drawn else c.name): c for c in reversed(cars)}
    for car in reversed(firsts.values()):
        results = np.array([_one_turn(car, i, *turn) for i, turn in enumerate(all_turns())], dtype=float)
        roof, nose, unit, confidence = results.mean(axis=0)
        found = f"{unit:.0%}" if car.unit else "none to find"
        yield f"| {car.family}: {car.name} | {len(results)} | {roof:.0%} | {nose:.0%} | {found} | {confidence:.2f} |"


def _one_turn(car: Car, i: int, up: str, forward: str) -> tuple[bool, bool, float, float]:
    unit = list(METRES)[i % len(METRES)]
    metres = METRES[unit] if car.unit in ("m", None) else METRES[unit] / METRES[car.unit]
    points = (car.vertices @ car_rotation(up, forward)) / metres
    size = np.ptp(points, axis=0).max()
    points = points + size * np.array([3.1, -0.7, 0.4]) - axis_vector(up) * 0.9 * size
    frame = find_frame(RawMesh(points, car.faces))
    right = np.nan if car.unit is None else float(frame.unit == unit)
    return frame.up == up, frame.forward == forward, right, frame.confidence


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fit", action="store_true", help="print the weights to put into data/")
    parser.add_argument("--quick", action="store_true", help="only the held-out table")
    options = parser.parse_args()
    cars = list(all_cars())
    evidence = gather(cars)
    if options.fit:
        everything = np.ones(len(cars), dtype=bool)
        for module, names, weights in (
            ("front_rear", front_rear.CUES, fit_nose(evidence, everything)),
            ("upright", upright.FEATURES, fit_roof(evidence, everything)),
        ):
            print(module, dict(zip(names, weights.round(2).tolist(), strict=True)))
        return
    print(held_out_table(evidence), flush=True)
    if not options.quick:
        print()
        for row in turned_rows(cars):
            print(row, flush=True)


if __name__ == "__main__":
    main()
