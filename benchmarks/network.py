"""RegDGCNN's two forms side by side, and against the recorded numbers of the published network.

    python benchmarks/network.py [--points 5000] [--k 40] [--repeats 3] [--threads 1] [--write README.md]

Every measurement is one prediction of one car in a process of its own (so that the peak memory is that form's alone),
after a warm-up on a few points; the forms take turns. Prints Markdown; ``--write`` puts it between the
``<!-- network-benchmark -->`` marks of a file. Weights and recorded numbers come from ../shared/reference/regdgcnn;
without them a network with random weights is measured and there is nothing to compare with.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.marks import replace_between  # noqa: E402

REFERENCE = ROOT.parent / "shared" / "reference" / "regdgcnn"
CAR = ROOT / "resources" / "samples" / "fastback.stl"
FORMS = ("published", "fast")
TOLERANCE = 1e-5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=5000)
    parser.add_argument("--k", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, help="torch's default; 1 gives steady ratios on a busy machine")
    parser.add_argument("--write", type=Path, help="file to put the tables into, between its marks")
    parser.add_argument("--measure", choices=FORMS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.threads:
        os.environ["OMP_NUM_THREADS"] = str(options.threads)  # before torch is loaded, here and in the measurements
    if options.measure:
        print(json.dumps(measure(options.measure, options.points, options.k)))
        return
    text = speed_table(options.points, options.k, options.repeats)
    if REFERENCE.is_dir():
        text += "\n" + parity_table()
    print(text)
    if options.write:
        replace_between("network-benchmark", text.rstrip("\n"), options.write)


def measure(form: str, n_points: int, k: int) -> dict[str, float | list[float]]:
    """Seconds, CPU seconds, peak memory in bytes and answer of one prediction, in this process."""
    import resource

    import numpy as np
    import torch
    import trimesh

    mesh = trimesh.load(CAR, force="mesh")
    points = torch.from_numpy(np.float32(trimesh.sample.sample_surface(mesh, n_points, seed=0)[0]))[None]
    network = load_network(k).eval()
    network.form = form
    with torch.inference_mode():
        network(points[:, : 2 * k])
        cpu, clock = time.process_time(), time.perf_counter()
        features = network.features(points)
        drag = network.head(features)
        clock, cpu = time.perf_counter() - clock, time.process_time() - cpu
    unit = 1 if platform.system() == "Darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return {"seconds": clock, "cpu": cpu, "peak": peak, "drag": drag.item(), "features": features[0].tolist()}


def load_network(k: int):
    """The published drag network, or one of its size with random weights."""
    import torch

    import gnn
    from gnn.regdgcnn import RegDGCNN

    if REFERENCE.is_dir():
        return gnn.load_published(REFERENCE / "drag.pth", k=k)
    torch.manual_seed(0)
    return RegDGCNN(k=k)


def speed_table(n_points: int, k: int, repeats: int) -> str:
    """Both forms in turns: medians of time and memory, of their ratios in each turn, and the worst difference."""
    import torch

    turns = [{form: measure_apart(form, n_points, k) for form in FORMS} for _ in range(repeats)]

    def middle(form: str, key: str) -> float:
        return statistics.median(turn[form][key] for turn in turns)

    def ratio(key: str) -> float:
        return statistics.median(turn["published"][key] / turn["fast"][key] for turn in turns)

    def difference(key: str) -> float:
        pairs = [(torch.tensor(turn["published"][key]), torch.tensor(turn["fast"][key])) for turn in turns]
        return max((ours - theirs).abs().max().item() for ours, theirs in pairs)

    def row(form: str) -> str:
        gigabytes = middle(form, "peak") / 1e9
        return f"| {form} | {middle(form, 'seconds'):.2f} s | {middle(form, 'cpu'):.2f} s | {gigabytes:.2f} GB |"

    return "\n".join(
        [
            f"One car of {n_points:,} points, k = {k}, published size, {torch.get_num_threads()} CPU thread(s); "
            f"medians of {repeats} turns, peak memory of the whole process:",
            "",
            "| form | time | CPU time | peak memory |",
            "|---|---:|---:|---:|",
            *map(row, FORMS),
            f"| ratio | {ratio('seconds'):.1f} | {ratio('cpu'):.1f} | {ratio('peak'):.1f} |",
            "",
            f"Largest difference between the forms: drag {difference('drag'):.1e}, pooled features "
            f"{difference('features'):.1e} (of up to {max(map(abs, turns[0]['published']['features'])):.1f}).",
            "",
        ]
    )


def measure_apart(form: str, n_points: int, k: int) -> dict:
    """`measure` in a process of its own."""
    command = [sys.executable, __file__, "--measure", form, "--points", str(n_points), "--k", str(k)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def parity_table() -> str:
    """Fast form against the published network's recorded outputs, and against its recorded outputs in float64."""
    import numpy as np
    import torch

    import gnn

    rows = []
    for kind in ("drag", "pressure"):
        record = np.load(REFERENCE / f"{kind}_io.npz")
        network = gnn.load_published(REFERENCE / f"{kind}.pth", k=int(record["k"]))
        with torch.inference_mode():
            answer = network(torch.from_numpy(record["points"])).numpy()
        for cloud in range(len(answer)):
            cells = []
            for key in ("output", "output_float64"):
                apart = np.abs(answer[cloud] - record[key][cloud])
                cells += [f"{apart.max():.1e}", f"{100 * (apart < TOLERANCE).mean():.2f} %"]
            rows.append(f"| {kind} | {cloud + 1} | {' | '.join(cells)} |")
    return "\n".join(
        [
            "The fast form against the published network's recorded outputs (float32, and the same network in float64; "
            "where those two differ, near-ties in the k-NN flip):",
            "",
            f"| network | cloud | worst vs float32 | within {TOLERANCE:g} | worst vs float64 | within {TOLERANCE:g} |",
            "|---|---:|---:|---:|---:|---:|",
            *rows,
            "",
        ]
    )


if __name__ == "__main__":
    main()
