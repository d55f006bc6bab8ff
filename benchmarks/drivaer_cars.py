"""The DrivAer's bodies and floors from the fastback that `../shared/geometry` has: cars for the CFD to be judged on.

`python benchmarks/drivaer_cars.py FOLDER` writes all six as OBJ files with named parts (body, frontWheels, rearWheels),
in metres in the car frame.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from data.replacing import replacing  # noqa: E402
from factory.morph_generator import MorphGenerator  # noqa: E402
from factory.tunnel_cars import closed_floor  # noqa: E402

SHARED = ROOT.parent / "shared"
GEOMETRY = SHARED / "geometry" / "drivaer_fastback"
BODIES = ("fastback", "estate", "notchback")
FLOORS = ("detailed", "smooth")


def car(body: str, floor: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Parts by name, each vertices (V, 3) m and faces (F, 3). Raises DrivAerError where the geometry is missing."""
    roof = None if body == "fastback" else body
    vertices, faces, part = MorphGenerator(SHARED / "corpus", GEOMETRY, roof).surface("detailed")
    parts = {}
    for number, name in enumerate(("body", "frontWheels", "rearWheels")):
        own = faces[part[faces[:, 0]] == number]
        used, index = np.unique(own, return_inverse=True)
        parts[name] = (vertices[used], index.reshape(-1, 3))
    if floor == "smooth":
        parts |= {f"floor{number}": panel for number, panel in enumerate(closed_floor())}
    return parts


def write_obj(path: Path, parts: dict[str, tuple[np.ndarray, np.ndarray]]) -> None:
    start = 1
    with replacing(path) as unfinished, unfinished.open("w", encoding="ascii") as file:
        for name, (vertices, faces) in parts.items():
            file.write(f"g {name}\n")
            np.savetxt(file, vertices, "v %.6f %.6f %.6f")
            np.savetxt(file, faces + start, "f %d %d %d")
            start += len(vertices)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for body in BODIES:
        for floor in FLOORS:
            write_obj(folder / f"drivaer_{body}_{floor}.obj", car(body, floor))


if __name__ == "__main__":
    main()
