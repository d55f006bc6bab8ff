"""What is made of every mesh in a folder: `python benchmarks/meshes.py [FOLDER...]` prints a Markdown table.

Without a folder the real meshes of ../shared are taken, cars and others.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "meshes"
sys.path.insert(0, str(ROOT))

from data.errors import DrivAerError  # noqa: E402
from data.formats import find_meshes  # noqa: E402
from drivaer_app.predict import Predictor  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, default=[SHARED / "cars", SHARED / "non_cars"])
    predictor = Predictor()
    print("| file | faces | read as | sure | area | Cd | fields | novelty | first warning |")
    print("|---|---|---|---|---|---|---|---|---|")
    for folder in parser.parse_args().folders:
        for path in find_meshes(folder, recursive=True):
            print(_row(predictor, path), flush=True)


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
