"""RegDGCNN's two forms on a CUDA device: `python benchmarks/gpu.py [--write README.md]` prints a table.

Cars are stood in for by points of bodies of their size: only the number of points matters. Weights are the published
ones from ../shared/reference/regdgcnn where they are, else random ones of that size. Each row is after a warm-up.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.marks import replace_between  # noqa: E402
from benchmarks.network import FORMS, load_network  # noqa: E402

SIZES = ((1, 5000), (8, 5000), (32, 5000), (1, 20_000))
"""Cars at once, points of each."""
K = 40
NO_ROOM = "no room | more than the GPU has"


class Measured(NamedTuple):
    """seconds, the median; bytes at the peak; answer (n_cars, out)."""

    seconds: float
    bytes: int
    answer: torch.Tensor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--write", type=Path, help="file to put the table into, between its marks")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        sys.exit("no CUDA device is available: this table is of one")
    rows = list(table(options.repeats))
    print("\n".join(rows))
    if options.write:
        replace_between("gpu-benchmark", "\n".join(rows), options.write)


def table(repeats: int) -> Iterator[str]:
    yield f"{torch.cuda.get_device_name()}, k = {K}, published size; medians of {repeats}, memory on the GPU:\n"
    yield "| cars at once | points | published | memory | fast | memory | times as fast | Cd apart |"
    yield "|---:|---:|---:|---:|---:|---:|---:|---:|"
    networks = {form: load_network(K).eval().cuda() for form in FORMS}
    for form, network in networks.items():
        network.form = form
    for n_cars, n_points in SIZES:
        cars = bodies(n_cars, n_points).cuda()
        found = {form: measured(network, cars, repeats) for form, network in networks.items()}
        cells = [f"{1000 * of.seconds:.0f} ms | {of.bytes / 1e9:.2f} GB" if of else NO_ROOM for of in found.values()]
        compared = "- | -"
        if all(found.values()):
            published, fast = found["published"], found["fast"]
            apart = (published.answer - fast.answer).abs().max().item()
            compared = f"{published.seconds / fast.seconds:.1f} | {apart:.0e}"
        yield f"| {n_cars} | {n_points:,} | {' | '.join(cells)} | {compared} |"


def bodies(n_cars: int, n_points: int) -> torch.Tensor:
    """(n_cars, n_points, 3) m: points of ellipsoids as long, wide and high as cars."""
    directions = torch.randn(n_cars, n_points, 3, generator=torch.Generator().manual_seed(0))
    return directions / directions.norm(dim=2, keepdim=True) * torch.tensor([2.3, 0.9, 0.7])


@torch.inference_mode()
def measured(network: torch.nn.Module, cars: torch.Tensor, repeats: int) -> Measured | None:
    """None where the cars do not fit the GPU's memory."""
    try:
        network(cars)
        torch.cuda.reset_peak_memory_stats()
        seconds = []
        for _ in range(repeats):
            torch.cuda.synchronize()
            start = time.perf_counter()
            answer = network(cars)
            torch.cuda.synchronize()
            seconds.append(time.perf_counter() - start)
        return Measured(statistics.median(seconds), torch.cuda.max_memory_allocated(), answer)
    except torch.OutOfMemoryError:
        return None
    finally:
        torch.cuda.empty_cache()


if __name__ == "__main__":
    main()
