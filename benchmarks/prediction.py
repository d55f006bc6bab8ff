"""How long a prediction takes: `python benchmarks/prediction.py [FILE]` prints a Markdown table.

FILE: a mesh; without one a sample car in 540,000 faces. `--write README.md` puts the table between the marks there.
Times are medians of several runs in one process with the models warm, and of whole processes for the cold starts;
a machine that does other work as well shows larger ones, so the fastest run stands beside them.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.marks import replace_between  # noqa: E402

SAMPLE = ROOT / "resources" / "samples" / "fastback.stl"
N_FACES = 540_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--write", type=Path, metavar="README")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = options.file or large_sample(Path(folder))
        table = _table(file, options.repeats)
    print(table)
    if options.write:
        replace_between("prediction-benchmark", table, options.write)


def large_sample(folder: Path) -> Path:
    """A sample car with every triangle split, then thinned to N_FACES, as a binary STL."""
    import fast_simplification
    import trimesh

    mesh = trimesh.load(SAMPLE)
    fine = trimesh.remesh.subdivide(*trimesh.remesh.subdivide(mesh.vertices, mesh.faces))
    vertices, faces = fast_simplification.simplify(*fine, target_count=N_FACES)
    path = folder / "fastback_540k.stl"
    trimesh.Trimesh(vertices, faces, process=False).export(path)
    return path


def _table(file: Path, repeats: int) -> str:
    from drivaer_app.predict import Predictor

    predictor = Predictor()
    predictor.predict(SAMPLE)  # the first one pays for imports and allocations
    runs = []
    for _ in range(repeats):
        prediction = predictor.predict(file)
        started = time.perf_counter()
        _ = prediction.file_fields
        runs.append({**prediction.seconds, "fields on all vertices": time.perf_counter() - started})
    n_faces = len(prediction.car.faces)
    rows = [(f"{name} ({n_faces:,} faces)", [run[name] for run in runs]) for name in runs[0]]
    rows.append(("drag, interval and fields, warm", [sum(run.values()) for run in runs]))
    cold = [sys.executable, str(ROOT / "main.py"), "predict", str(SAMPLE), "--json"]
    rows.append(("first prediction from a cold start (sample car)", _process(cold, 3)))
    rows.append(("main.py --help", _process([sys.executable, str(ROOT / "main.py"), "--help"], 3)))
    lines = [f"| {name} | {statistics.median(times):.2f} s | {min(times):.2f} s |" for name, times in rows]
    return "\n".join(["| what | median | fastest |", "|---|---|---|", *lines])


def _process(command: list[str], repeats: int) -> list[float]:
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT)
        times.append(time.perf_counter() - started)
    return times


if __name__ == "__main__":
    main()
