"""How long a slider takes: ``python benchmarks/morphs.py``.

A car of over a million vertices bent by its handles, against finding its landmarks and wheels once. Prints a Markdown
table of medians, all from one run.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from data.load import place_car
from data.mesh import RawMesh
from drivaer_app.shapes.car import CarShape, build_car
from drivaer_app.shapes.designs import handle_values
from drivaer_app.shapes.morph import Morph
from drivaer_app.shapes.parameters import CarParameters

TURNS = 5
DIVISIONS = 2  # of each edge in two: 16 times the faces


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    car = place_car(divided(build_car(CarParameters(), resolution=0.0145)), unit="m", up="z", forward="-x")
    morph = Morph.of(car)
    values = handle_values(0, morph.handles)
    some = car.vertices[::100]
    rows = [
        ("landmarks and wheels, once a car", lambda: Morph.of(car)),
        ("all handles, for the first time", lambda: replace(morph, _weights={}).vertices(values)),
        ("all handles, from then on", lambda: morph.vertices(values)),
        ("one handle", lambda: morph.vertices({"roof_height": 0.03})),
        ("all handles at other points, as many", lambda: morph.displacement(car.vertices, values, part="body")),
        (f"the way back of {len(some):,} points", lambda: morph.inverse(some, values, part="body")),
    ]
    print(f"{len(car.vertices):,} vertices, {len(car.faces):,} faces, {len(values)} handles:\n")
    print("| what | median |\n|---|---:|")
    for what, work in rows:
        print(f"| {what} | {1000 * seconds(work):.0f} ms |", flush=True)


def divided(shape: CarShape) -> RawMesh:
    """The shape with every face in 16, its parts kept."""
    from trimesh.remesh import subdivide

    vertices, faces, parts = shape.vertices, shape.faces, shape.parts
    for _ in range(DIVISIONS):
        pieces = [subdivide(vertices, faces[first:last]) for _, first, last in parts]
        starts = np.cumsum([0, *(len(v) for v, _ in pieces)])
        ends = np.cumsum([0, *(len(f) for _, f in pieces)])
        faces = np.concatenate([f + start for (_, f), start in zip(pieces, starts[:-1], strict=True)])
        vertices = np.concatenate([v for v, _ in pieces])
        parts = tuple((name, int(a), int(b)) for (name, _, _), a, b in zip(parts, ends[:-1], ends[1:], strict=True))
    return RawMesh(vertices, faces.astype(np.int32), parts=parts)


def seconds(work: Callable[[], object]) -> float:
    times = []
    for _ in range(TURNS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


if __name__ == "__main__":
    main()
