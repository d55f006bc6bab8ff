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

import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.marks import replace_between  # noqa: E402
from benchmarks.network import FORMS, load_network  # noqa: E402

SIZES = ((1, 5000), (8, 5000), (32, 5000), (1, 20_000))
"""Cars at once, points of each."""
K = 40


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
        cells = [f"{1000 * found[form][0]:.0f} ms | {found[form][1] / 1e9:.2f} GB" for form in FORMS]
        ratio = found["published"][0] / found["fast"][0]
        apart = (found["published"][2] - found["fast"][2]).abs().max().item()
        yield f"| {n_cars} | {n_points:,} | {' | '.join(cells)} | {ratio:.1f} | {apart:.0e} |"


def bodies(n_cars: int, n_points: int) -> torch.Tensor:
    """(n_cars, n_points, 3) m: points of ellipsoids as long, wide and high as cars."""
    directions = torch.randn(n_cars, n_points, 3, generator=torch.Generator().manual_seed(0))
    return directions / directions.norm(dim=2, keepdim=True) * torch.tensor([2.3, 0.9, 0.7])


@torch.inference_mode()
def measured(network: torch.nn.Module, cars: torch.Tensor, repeats: int) -> tuple[float, int, torch.Tensor]:
    """Seconds, bytes at the peak, and the answers."""
    network(cars)
    torch.cuda.reset_peak_memory_stats()
    seconds = []
    for _ in range(repeats):
        torch.cuda.synchronize()
        start = time.perf_counter()
        answer = network(cars)
        torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds), torch.cuda.max_memory_allocated(), answer


if __name__ == "__main__":
    main()
