"""How fast batches are: ``python benchmarks/batch.py [--cars 16]`` prints two Markdown tables, all of one run.

The cars are a sample, stretched a little from one to the next. Whole commands are timed, with the loading of libraries
and models; what a long batch comes to is the rate between its first and its last car. On a machine that does other work
too, the clock says as much about that as about us: the CPU time says what a quiet one would need.
``--write README.md --cluster docs/cluster.md`` puts the tables between their marks. ``--network`` measures instead
whether the networks are faster with several cars in one call.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.marks import replace_between  # noqa: E402

SAMPLE = ROOT / "resources" / "samples" / "fastback.stl"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cars", type=int, default=16)
    parser.add_argument("--write", type=Path, metavar="README")
    parser.add_argument("--cluster", type=Path, metavar="DOC")
    parser.add_argument("--network", action="store_true")
    options = parser.parse_args()
    if options.network:
        _network()
        return
    with tempfile.TemporaryDirectory() as folder:
        files = _cars(Path(folder), options.cars)
        local = _local_table(files)
        print(local, flush=True)
        cluster = _cluster_table(files)
        print(f"\n{cluster}")
    if options.write:
        replace_between("batch-benchmark", local, options.write)
    if options.cluster:
        replace_between("cluster-table", cluster, options.cluster)


def _cars(folder: Path, n: int) -> list[Path]:
    import trimesh

    mesh = trimesh.load(SAMPLE)
    files = [folder / f"car_{i:03d}.stl" for i in range(n)]
    for i, file in enumerate(files):
        trimesh.Trimesh(mesh.vertices * [1 + 0.001 * i, 1, 1], mesh.faces, process=False).export(file)
    return files


def _local_table(files: list[Path]) -> str:
    n, cores = len(files), len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    some = files[: max(3, n // 4)]
    rows = [("`predict FILE`, a process for each", *_measured(lambda: _each(some), len(some)), None)]
    rows.append(
        ("`predict *.stl`, one after another", *_measured(lambda: _command("predict", *files, "--json"), n), None)
    )
    loop = rows[-1][1]
    default = (cores, 1, True)
    for form in (default, (cores, 1, False), (cores, 2, True), (1, 1, True), (1, cores, True)):
        workers, threads, ahead = form
        before = _cpu_of_children()
        whole, steady = _batch(files, workers, threads, ahead)
        cpu = (_cpu_of_children() - before) / n
        row = f"batch, {workers} worker{'s' * (workers > 1)} of {threads} thread{'s' * (threads > 1)}"
        row += "" if ahead else ", next mesh not read ahead"
        rows.append((row + (": what `batch` does" if form == default else ""), whole, cpu, steady))
    head = f"| {n} cars of 54,000 faces, {cores} cores | s a car | CPU s a car | s a car, once running |"
    lines = [f"{head} times `predict *.stl` |", "|---|---:|---:|---:|---:|"]
    for name, whole, cpu, steady in rows:
        row = "" if steady is None else f"{steady:.2f}"
        lines.append(f"| {name} | {whole:.2f} | {cpu:.2f} | {row} | {loop / whole:.2f} |")
    return "\n".join(lines)


def _each(files: list[Path]) -> None:
    for file in files:
        _command("predict", file, "--json")


def _measured(work: Callable[[], object], n_cars: int) -> tuple[float, float]:
    """Seconds on the clock and of CPU in the processes that it starts, a car."""
    before = _cpu_of_children()
    seconds = _seconds(work)
    return seconds / n_cars, (_cpu_of_children() - before) / n_cars


def _cpu_of_children() -> float:
    times = os.times()
    return times.children_user + times.children_system


def _cluster_table(files: list[Path]) -> str:
    from distributed import LocalCluster

    from drivaer_app.batch import cluster

    lines = ["| Dask cluster on one machine | s a car when running | cars/s |", "|---|---:|---:|"]
    for n_workers in (1, 2):
        with LocalCluster(n_workers=n_workers, threads_per_worker=1, dashboard_address=None) as made:
            address = made.scheduler_address
            _, steady = _timed(lambda address=address: cluster.outcomes(_tasks(files), address), n_workers)
        lines.append(f"| {n_workers} worker{'s' * (n_workers > 1)} of 1 thread | {steady:.2f} | {1 / steady:.2f} |")
    return "\n".join(lines)


def _batch(files: list[Path], workers: int, threads: int, ahead: bool) -> tuple[float, float]:
    from drivaer_app.batch import local

    return _timed(lambda: local.outcomes(_tasks(files), workers, threads=threads, read_ahead=ahead), workers)


def _tasks(files: list[Path]) -> Iterator:
    from drivaer_app.batch.work import Task
    from drivaer_app.prediction_settings import ModelIdentity, PredictionSettings

    settings = PredictionSettings(None, ModelIdentity.of(None).digest)
    return iter([Task(str(file), settings) for file in files])


def _timed(start: Callable[[], Iterator], workers: int) -> tuple[float, float]:
    """Seconds a car of the whole, and between the first car of every worker and the last car."""
    started, ends = time.perf_counter(), []
    for done in start():
        for outcome in done:
            if outcome.error:
                sys.exit(outcome.error)
            ends.append(time.perf_counter())
    return (ends[-1] - started) / len(ends), (ends[-1] - ends[workers - 1]) / (len(ends) - workers)


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _command(*words: object) -> None:
    command = [sys.executable, str(ROOT / "main.py"), *map(str, words)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _network() -> None:
    """Both networks on one thread, with one to eight cars' clouds in a call; CPU time, medians of three turns."""
    import torch

    from drivaer_app.predict import Predictor

    torch.set_num_threads(1)
    drag, field = Predictor()._surrogate._networks.values()
    print("| cars in a call | drag network, CPU s a car | field network, CPU s a car |\n|---:|---:|---:|")
    for n in (1, 2, 4, 8):
        clouds, points = (torch.rand(n * own.config.n_clouds, own.config.n_points, 3) for own in (drag, field))
        of_drag = _cpu_seconds(partial(drag.network, clouds)) / n
        of_field = _cpu_seconds(partial(field.network, points, points)) / n
        print(f"| {n} | {of_drag:.3f} | {of_field:.3f} |", flush=True)


def _cpu_seconds(work: Callable[[], object]) -> float:
    import torch

    times = []
    with torch.inference_mode():
        for _ in range(3):
            started = time.process_time()
            work()
            times.append(time.process_time() - started)
    return sorted(times)[1]


if __name__ == "__main__":
    main()
