"""What is made of every mesh in a folder: `python benchmarks/meshes.py [FOLDER...] [--write MD]` makes a table.

Without a folder the real meshes of ../shared are taken, cars and others.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "meshes"
sys.path.insert(0, str(ROOT))

from benchmarks.marks import show_rows  # noqa: E402
from data.errors import DrivAerError  # noqa: E402
from data.formats import find_meshes  # noqa: E402
from drivaer_app.predict import Predictor  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, default=[SHARED / "cars", SHARED / "non_cars"])
    parser.add_argument("--write", type=Path, metavar="MD")
    options = parser.parse_args()
    show_rows(_rows(options.folders), options.write)


def _rows(folders: list[Path]) -> Iterator[str]:
    predictor = Predictor()
    yield "| file | faces | read as | sure | area | Cd | fields | novelty | first warning |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for folder in folders:
        for path in find_meshes(folder, recursive=True):
            yield _row(predictor, path)


def _row(predictor: Predictor, path: Path) -> str:
    try:
        record = predictor.predict(path).record()
    except DrivAerError as error:
        return f"| {path.name} | | | | | | | | {error.what} |"
    read = record["import"]
    how = f"{read['unit']}, nose {read['forward']}, roof {read['up']}" + (", half" if read["mirrored"] else "")
    fields = record["cd_pressure"] + record["cd_friction"]
    warnings = [w for w in record["warnings"] if "trained on" not in w and "two answers" not in w]
    return (
        f"| {path.name} | {record['n_faces']:,} | {how} | {read['confidence']:.0%} | {record['frontal_area_m2']:.2f} "
        f"| {record['cd']:.3f} | {fields:.3f} | {record['novelty']:.1f} | {warnings[0] if warnings else ''} |"
    )


if __name__ == "__main__":
    main()
