"""Where the time goes from a mesh file to a sample: ``python benchmarks/loading.py FILE... [--repeats 5]``.

Prints a Markdown table of the best time of each stage, in ms and as a share of the whole, all from one run.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

STAGES = {
    "read": "read the file",
    "weld": "weld equal points",
    "frame": "unit, axes, place",
    "rays": "ray-tracing structure",
    "health": "health (with the look from the flow that the sample shares)",
    "area": "frontal area",
    "sample": "sample of 16,384 points",
}


class StageTimes(logging.Handler):
    """Collects what data.load logs: stage -> seconds of each run."""

    def __init__(self):
        super().__init__(logging.DEBUG)
        self.seconds: dict[str, list[float]] = defaultdict(list)

    def emit(self, record: logging.LogRecord) -> None:
        if hasattr(record, "stage"):
            self.seconds[record.stage].append(record.args[1])


def measure(path: Path, repeats: int) -> tuple[int, dict[str, float]]:
    """Number of faces, and the best seconds of each stage over ``repeats`` runs after one to warm up."""
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
    return len(car.faces), {stage: min(all_runs[1:]) for stage, all_runs in times.seconds.items()}


def table(path: Path, n_faces: int, seconds: dict[str, float]) -> str:
    total = sum(seconds.values())
    rows = [f"| {path.name}, {n_faces:,} faces | ms | share |", "|---|---:|---:|"]
    rows += [
        f"| {STAGES[stage]} | {1e3 * spent:.0f} | {100 * spent / total:.0f} % |" for stage, spent in seconds.items()
    ]
    return "\n".join([*rows, f"| **total** | **{1e3 * total:.0f}** | 100 % |"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    for path in arguments.files:
        print(table(path, *measure(path, arguments.repeats)), end="\n\n")


if __name__ == "__main__":
    main()
