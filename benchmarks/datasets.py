"""Measure the dataset manager at 4,000 and 8,000 designs: ``python benchmarks/datasets.py --write docs/datasets.md``

The corpora are `benchmarks.drivaernet_corpus`'s: all the files, tables and lists, with links to a few real meshes. So
what reads contents (sampling) is measured on some cars and named so; all else on everything.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.drivaernet_corpus import FOLDERS, ids_of, write_corpus, write_large_corpus  # noqa: E402
from benchmarks.marks import replace_between  # noqa: E402

SIZES = (4000, 8000)
N_POINTS = 10_000
N_SAMPLED = 8  # cars that are really read and sampled
N_DRAWN = 2000  # clouds drawn at random
CONDITION = "style = 'fastback' and cd < 0.28 and A_Car_Length > 10"

Row = tuple[str, str, str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table between its marks in this file")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        by_size = [_catalogue_rows(Path(folder), n, options.repeats) for n in SIZES]
        rows = [(what, one, other) for (what, one), (_, other) in zip(*by_size, strict=True)]
        table = _table(rows) + "\n\n" + _sampling_line(Path(folder))
    print(table)
    if options.write:
        replace_between("datasets-benchmark", table, options.write)


def _catalogue_rows(folder: Path, n: int, repeats: int) -> list[tuple[str, str]]:
    from data.catalogue import open_catalogue
    from data.catalogue.query import Sort, columns_of, condition_of, count, rows
    from data.catalogue.scan import scan
    from data.catalogue.split import draw_split

    corpus = folder / str(n)
    write_large_corpus(corpus, n)

    def first_scan() -> None:
        for path in corpus.glob("catalogue.sqlite*"):
            path.unlink()
        assert scan(corpus).n_designs == n

    found = [("first scan", _seconds(first_scan, min(repeats, 3)))]
    found.append(("scan again, nothing new", _seconds(lambda: scan(corpus), repeats)))

    def one_more() -> None:
        path = corpus / FOLDERS["mesh"] / f"{ids_of(n)[0]}.stl"
        os.utime(path)
        scan(corpus)

    found.append(("scan again, one file touched", _seconds(one_more, repeats)))
    command = [sys.executable, str(ROOT / "main.py"), "data", "scan", str(corpus)]
    found.append(("`drivaer data scan`, nothing new", _seconds(lambda: _run(command), repeats)))
    with open_catalogue(corpus) as catalogue:
        columns = columns_of(catalogue)
        condition = condition_of(catalogue, CONDITION)
        page = {"sort": Sort("cd"), "limit": 100}
        found.append(("count by a condition of three", _seconds(lambda: count(catalogue, condition), repeats)))
        first = _seconds(lambda: rows(catalogue, columns, condition, **page), repeats)
        found.append(("100 rows, all columns, sorted", first))
        last = {**page, "offset": n - 100}
        found.append(("the last 100 rows of all", _seconds(lambda: rows(catalogue, columns, None, **last), repeats)))
        designs = catalogue.designs()
        found.append(("draw a leak-free split", _seconds(lambda: draw_split(catalogue, designs), repeats)))
        found += _cloud_rows(catalogue, folder / f"{n}.points", n)
    shutil.rmtree(corpus)
    return found


def _cloud_rows(catalogue, folder: Path, n: int) -> list[tuple[str, str]]:
    """A store of n clouds of N_POINTS random points, read at random: one by one, and by a dataset with its target."""
    import numpy as np

    from data.catalogue.prepare import _size_and_time, _sources  # the stamps that a prepared store would have
    from data.dataset import DesignDataset
    from data.point_store import MeshStamp, PointSettings, PointStore

    settings = PointSettings(N_POINTS)
    store = PointStore(folder, settings)
    cloud = np.random.default_rng(0).random((N_POINTS, 3), np.float32)
    ids = ids_of(n)
    started = time.perf_counter()
    for start in range(0, n, 100):
        stamps = [
            (d, MeshStamp(d, *_size_and_time(_sources(catalogue, d, settings)))) for d in ids[start : start + 100]
        ]
        store.put_many([(d, {"points": cloud + np.float32(start)}, stamp) for d, stamp in stamps])
    wrote = n / (time.perf_counter() - started)
    size = sum(p.stat().st_size for p in store.path.iterdir()) / 1e9
    opened: list[DesignDataset] = []
    opening = _seconds(lambda: opened.append(DesignDataset(catalogue.path, settings, store=folder)), 3)
    dataset = opened[-1]
    order = [random.Random(1).randrange(n) for _ in range(N_DRAWN)]
    cold = _rate(lambda i: dataset.store.cloud(ids[i]).points.sum(), order, store.path)
    warm = _rate(lambda i: dataset[i], order, None)
    shutil.rmtree(folder)
    return [
        (f"point store of {N_POINTS:,} points each: its size", f"{size:.2f} GB"),
        ("put into it, 100 at a time", f"{wrote:,.0f} clouds/s"),
        ("open a dataset, every mesh checked against its stamp", opening),
        ("random clouds, page cache dropped before", f"{cold:,.0f} clouds/s"),
        ("random clouds with targets, once in memory", f"{warm:,.0f} clouds/s"),
    ]


def _rate(read: Callable[[int], object], order: list[int], drop: Path | None) -> float:
    """Clouds a second. drop: a folder whose files are to be forgotten by the system before."""
    if drop is not None:
        _forget(drop)
    started = time.perf_counter()
    for i in order:
        read(i)
    return len(order) / (time.perf_counter() - started)


def _forget(folder: Path) -> None:
    """Ask the system to drop the files' pages, so that they come from the disk."""
    if not hasattr(os, "posix_fadvise"):
        return
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _sampling_line(folder: Path) -> str:
    from data.catalogue import open_catalogue
    from data.catalogue.prepare import prepare
    from data.catalogue.query import ids
    from data.catalogue.scan import scan
    from data.point_store import PointSettings

    corpus = folder / "small"
    write_corpus(corpus, ids_of(N_SAMPLED), what=("mesh", "pressure"))
    scan(corpus)
    with open_catalogue(corpus) as catalogue:
        started, cpu = time.perf_counter(), _cpu()
        done = prepare(catalogue, ids(catalogue), PointSettings(N_POINTS, pressure=True))
        seconds = time.perf_counter() - started
    each, cpu = seconds / done.n_new, (_cpu() - cpu) / done.n_new
    cores = os.cpu_count() or 1
    return (
        f"`data prepare --pressure` of {N_SAMPLED} of our own cars (29,000 faces, pressure on 31,000) in {cores} "
        f"processes, their start included: {each:.2f} s a design (CPU {cpu:.2f} s)."
    )


def _seconds(of: Callable[[], object], repeats: int) -> str:
    """Medians of wall time and of CPU time, child processes included: on a busy machine they differ."""
    walls, cpus = [], []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), _cpu()
        of()
        walls.append(time.perf_counter() - wall)
        cpus.append(_cpu() - cpu)
    return f"{_shown(statistics.median(walls))} (CPU {_shown(statistics.median(cpus))})"


def _cpu() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _shown(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 0.1 else f"{seconds * 1000:.0f} ms"


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _table(rows: list[Row]) -> str:
    machine = f"{os.cpu_count()} CPU cores, Python {platform.python_version()}"
    if hasattr(os, "getloadavg"):
        machine += f", on average {os.getloadavg()[2]:.0f} processes that wanted a core"
    head = f"{machine}; medians, of wall time and in brackets of CPU time.\n\n"
    lines = [f"| what | {SIZES[0]:,} designs | {SIZES[1]:,} designs |", "|---|---:|---:|"]
    return head + "\n".join(lines + [f"| {what} | {one} | {other} |" for what, one, other in rows])


if __name__ == "__main__":
    main()
