"""Fill the point store from a catalogue's meshes: in parallel, resumable, only what is new or changed."""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from data.catalogue.opening import file_of, on_disk, open_design
from data.catalogue.recognise import CASES
from data.catalogue.records import CorpusFile, Design
from data.catalogue.store import Catalogue, open_catalogue
from data.errors import DrivAerError
from data.point_store import MeshStamp, PointSettings, PointStore
from data.spawned import spawning

if TYPE_CHECKING:
    import numpy as np

    from data.point_store import Layout

_CACHE = ".points"
_NO_MESH = "there is no mesh of it on disk"


@dataclass(frozen=True)
class Prepared:
    """What a run did: n_ready designs have points now, n_new of them are new. failed: why others have none."""

    path: Path
    n_ready: int
    n_new: int
    failed: dict[str, str]


def store_folder(catalogue: Catalogue) -> Path:
    """Where a catalogue's stores lie unless another place is given: beside it, hidden from the next scan."""
    return catalogue.path.parent / _CACHE


def prepare(
    catalogue: Catalogue,
    designs: Sequence[str],
    settings: PointSettings,
    *,
    folder: str | Path | None = None,
    workers: int | None = None,
    report: Callable[[int, int, str], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Prepared:
    """Sample every design that has no points yet, or whose mesh has changed since.

    folder: of the stores. workers: processes; one for each core unless given. report: called with how many are done, of
    how many, and the last one's id. stop: asked between designs. What is done stays done, however the run ends.
    A design that fails does not stop the others.
    """
    store = PointStore(folder or store_folder(catalogue), settings)
    failed: dict[str, str] = {}
    todo = [design for design in designs if not _is_fresh(catalogue, store, design, failed)]
    n_before = len(designs) - len(todo) - len(failed)
    n_new = 0
    for design, result in _sampled(catalogue.path, todo, settings, workers or os.cpu_count() or 1, stop):
        if isinstance(result, str):
            failed[design] = result
        else:
            arrays, stamp = result
            store.put(design, arrays, stamp)
            n_new += 1
        if report:
            report(n_before + n_new + len(failed), len(designs), design)
    return Prepared(store.path, n_before + n_new, n_new, failed)


def fresh_designs(catalogue: Catalogue, store: PointStore, designs: Sequence[str]) -> list[str]:
    """Those designs whose points are of the files that the catalogue knows now."""
    return [d for d in designs if (s := store.stamp(d)) and _is_of(s, _sources(catalogue, d, store.settings))]


def _is_fresh(catalogue: Catalogue, store: PointStore, design: str, failed: dict[str, str]) -> bool:
    """Whether a design needs no sampling; files with another time but the same bytes need none either."""
    sources = _sources(catalogue, design, store.settings)
    if not sources:
        failed[design] = _NO_MESH
        return True
    stamp = store.stamp(design)
    if stamp is None:
        return False
    if _is_of(stamp, sources):
        return True
    try:
        now = _stamp(catalogue, sources)
    except DrivAerError:
        return False  # the sampling will say so
    if now.checksum == stamp.checksum:
        store.restamp(design, now)
        return True
    return False


def _sources(catalogue: Catalogue, design: str, settings: Layout) -> list[CorpusFile]:
    """The files that a design's points are made of; none where there is no geometry of it."""
    geometry = file_of(catalogue, design, "mesh") or file_of(catalogue, design, "case")
    if geometry is None:
        return []
    pressure = file_of(catalogue, design, "pressure") if "cp" in settings.fields else None
    return [geometry] if pressure is None else [geometry, pressure]


def _is_of(stamp: MeshStamp, sources: Sequence[CorpusFile]) -> bool:
    return (stamp.size, stamp.mtime_ns) == _size_and_time(sources)


def _size_and_time(sources: Sequence[CorpusFile]) -> tuple[int, int]:
    return sum(f.size or 0 for f in sources), max((f.mtime_ns or 0 for f in sources), default=0)


def _stamp(catalogue: Catalogue, sources: Sequence[CorpusFile]) -> MeshStamp:
    digest = hashlib.sha256()
    for file in sources:
        with on_disk(catalogue, file) as path, path.open("rb") as content:
            while block := content.read(1 << 20):
                digest.update(block)
    return MeshStamp(digest.hexdigest(), *_size_and_time(sources))


_Result = tuple["dict[str, np.ndarray]", MeshStamp]


def _sampled(
    catalogue: Path, designs: Sequence[str], settings: PointSettings, workers: int, stop: Callable[[], bool] | None
) -> Iterator[tuple[str, _Result | str]]:
    """Each design with its arrays and stamp, or with the reason for having none, in the order of completion."""
    if not designs:
        return
    waiting = iter(designs)
    with ProcessPoolExecutor(min(workers, len(designs)), spawning(), _begin_worker) as pool:
        running: dict[Future, str] = {}
        try:
            while True:
                while len(running) < 2 * workers and not (stop and stop()):
                    design = next(waiting, None)
                    if design is None:
                        break
                    running[pool.submit(_sample, catalogue, design, settings)] = design
                if not running:
                    return
                for done in wait(running, return_when=FIRST_COMPLETED).done:
                    yield running.pop(done), done.result()
        except BrokenProcessPool as error:
            names = ", ".join(sorted(running.values()))
            what = f"a worker process died (out of memory?) while sampling {names}"
            raise DrivAerError(what, fix="run it again with fewer --workers: it goes on") from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _begin_worker() -> None:
    """A worker keeps to one thread, as there is one for each core, and leaves Ctrl-C to its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["OMP_NUM_THREADS"] = "1"


def _sample(catalogue_path: Path, design_id: str, settings: PointSettings) -> _Result | str:
    """Runs in a worker."""
    try:
        with open_catalogue(catalogue_path, read_only=True) as catalogue:
            design = catalogue.design(design_id)
            sources = _sources(catalogue, design_id, settings)
            if design is None or not sources:
                return _NO_MESH
            stamp = _stamp(catalogue, sources)
            return _arrays(catalogue, design, settings), stamp
    except DrivAerError as error:
        return error.line
    except MemoryError:
        return "there is not enough memory for it"


def _arrays(catalogue: Catalogue, design: Design, settings: PointSettings) -> dict[str, np.ndarray]:
    import numpy as np

    from data.catalogue.opening import load_mesh
    from data.load import sample_car

    if settings.pressure or design.corpus == CASES:
        opened = open_design(catalogue, design.id)
        car, pressure = opened.car, opened.pressure
    else:
        car, pressure = load_mesh(catalogue, design)[0], None
    sample = sample_car(car, settings.n_points, draw=settings.draw)
    if len(sample.points) != settings.n_points:
        raise DrivAerError(f"only {len(sample.points)} points can be had of {design.id}", file=car.path)
    arrays = {"points": sample.points, "normals": sample.normals}
    if settings.pressure:
        none = np.full(settings.n_points, np.nan)
        arrays["cp"] = none if pressure is None else pressure.at(sample.points.astype(float))
    return arrays
