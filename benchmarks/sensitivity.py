"""Does the sensitivity overlay tell what morphs do? `python benchmarks/sensitivity.py [--write docs/sensitivity.md]`.

For every handle of the sample cars and of the DrivAer (from ../shared): dCd by the overlay beside the network's own
difference between the car bent one way and the other, sampled and predicted anew. All in counts.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
sys.path.insert(0, str(ROOT))

from benchmarks.marks import show_rows  # noqa: E402
from data.car import CarMesh  # noqa: E402
from data.load import load_car, place_car  # noqa: E402
from data.mesh import RawMesh  # noqa: E402
from drivaer_app.predict import Predictor  # noqa: E402
from drivaer_app.results import COUNT  # noqa: E402
from drivaer_app.shapes.handles import Handle  # noqa: E402
from drivaer_app.shapes.morph import Morph  # noqa: E402

STEP = 0.1  # of a handle's range, either way


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path, metavar="MD")
    show_rows(_rows(Predictor(device="cpu")), parser.parse_args().write)


def _rows(predictor: Predictor) -> Iterator[str]:
    effects: dict[str, dict[str, tuple[float, float]]] = {}
    yield "| car | novelty | handles | correlation | same sign | overlay / network |\n|---|---|---|---|---|---|"
    for name, car in _cars():
        novelty = predictor.predict(car).novelty
        effects[name] = dict(_of_handles(predictor, car))
        yield _summary(name, f"{novelty:.2f}", list(effects[name].values()))
    yield _summary("all", "", [pair for of_car in effects.values() for pair in of_car.values()])
    yield "\nOverlay and network of each handle, counts:\n"
    yield f"| handle | {' | '.join(effects)} |\n|---|{'---|' * len(effects)}"
    for handle in dict.fromkeys(handle for of_car in effects.values() for handle in of_car):
        cells = (of_car.get(handle) for of_car in effects.values())
        shown = ("" if pair is None else f"{pair[0]:+.1f} / {pair[1]:+.1f}" for pair in cells)
        yield f"| {handle.replace('_', ' ')} | {' | '.join(shown)} |"


def _summary(name: str, novelty: str, pairs: list[tuple[float, float]]) -> str:
    overlay, network = np.array(pairs).T
    correlation = np.corrcoef(overlay, network)[0, 1]
    slope = (overlay * network).sum() / (network**2).sum()
    large = np.abs(network) >= 0.5  # what is under half a count has no sign worth speaking of
    agree = f"{(np.sign(overlay) == np.sign(network))[large].sum()} of {large.sum()}"
    return f"| {name} | {novelty} | {len(pairs)} | {correlation:.3f} | {agree} | {slope:.2f} |"


def _of_handles(predictor: Predictor, car: CarMesh) -> Iterator[tuple[str, tuple[float, float]]]:
    morph = Morph.of(car)
    found = predictor.sensitivity(predictor.sample(car))
    for name, handle in morph.handles.items():
        further, nearer = ({name: value} for value in _either_way(handle))
        moved = morph.displacement(found.points, further) - morph.displacement(found.points, nearer)
        network = [predictor.cd(predictor.sample(morph.apply(values))) for values in (further, nearer)]
        yield name, (found.change(moved) / COUNT, (network[0] - network[1]) / COUNT)


def _either_way(handle: Handle) -> tuple[float, float]:
    room = min(handle.high - handle.neutral, handle.neutral - handle.low)
    step = min(STEP * (handle.high - handle.low), room)
    return handle.neutral + step, handle.neutral - step


def _cars() -> Iterator[tuple[str, CarMesh]]:
    for file in sorted((ROOT / "resources" / "samples").glob("*.stl")):
        yield file.stem, load_car(file)
    geometry = SHARED / "geometry" / "drivaer_fastback"
    if not geometry.is_dir():
        return
    from factory.morph_generator import MorphGenerator

    generator = MorphGenerator(SHARED / "corpus", geometry)
    for style in ("fastback", "estate", "notchback"):
        vertices, faces = generator.mesh(generator.neutral(style), "detailed")
        raw = RawMesh(vertices, faces.astype(np.int32))
        yield f"DrivAer {style}", place_car(raw, unit="m", up="z", forward="-x")


if __name__ == "__main__":
    main()
