"""Where the time goes from a mesh file to a sample: ``python benchmarks/loading.py FILE... [--repeats 5]``.

Prints a Markdown table of the best time of each stage, all from one run: on the clock, and of CPU summed over cores
(on a machine that others use too, the clock says more about them than about us).
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

STAGES = {
    "read": "read the file",
    "weld": "weld equal points",
    "frame": "unit, axes, place (edges are examined beside it)",
    "rays": "ray-tracing structure",
    "look": "look from the flow, for health and sample",
    "area": "frontal area",
    "edges": "what is left of the edges",
    "sample": "sample of 16,384 points",
}


class StageTimes(logging.Handler):
    """Collects what data.load logs: stage -> (seconds on the clock, seconds of CPU) of each run."""

    def __init__(self):
        super().__init__(logging.DEBUG)
        self.runs: dict[str, list[tuple[float, float]]] = defaultdict(list)

    def emit(self, record: logging.LogRecord) -> None:
        if hasattr(record, "stage"):
            self.runs[record.stage].append(record.args[1:])


def measure(path: Path, repeats: int) -> tuple[int, dict[str, np.ndarray]]:
    """Number of faces, and the best (clock, CPU) seconds of each stage over ``repeats`` runs after one to warm up."""
    from data.load import load_car, sample_car

    times, log = StageTimes(), logging.getLogger("data.load")
    log.addHandler(times)
    log.setLevel(logging.DEBUG)
    log.propagate = False
    try:
        for _ in range(repeats + 1):
            car = load_car(path)
            sample_car(car)
    finally:
        log.removeHandler(times)
    return len(car.faces), {stage: np.min(runs[1:], axis=0) for stage, runs in times.runs.items()}


def table(path: Path, n_faces: int, seconds: dict[str, np.ndarray]) -> str:
    total = sum(seconds.values())
    rows = [f"| {path.name}, {n_faces:,} faces | ms | CPU ms | share of CPU |", "|---|---:|---:|---:|"]
    rows += [
        f"| {STAGES[stage]} | {1e3 * clock:.0f} | {1e3 * cpu:.0f} | {100 * cpu / total[1]:.0f} % |"
        for stage, (clock, cpu) in seconds.items()
    ]
    return "\n".join([*rows, f"| **total** | **{1e3 * total[0]:.0f}** | **{1e3 * total[1]:.0f}** | 100 % |"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    for path in arguments.files:
        print(table(path, *measure(path, arguments.repeats)), end="\n\n")


if __name__ == "__main__":
    main()
