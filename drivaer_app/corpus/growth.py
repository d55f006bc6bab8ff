"""Growing a corpus: workers take designs in turn, solve each by CFD and write its case.

A design is open until the corpus holds its case or its failure, and is taken by claiming its folder. So any number of
workers, also of two commands, share the work, and a command that was killed is simply given again.
"""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from data.errors import DrivAerError
from data.replacing import replacing
from drivaer_app.cfd.run import RunProgress, RunStopped, claimed
from drivaer_app.corpus.families import Family, FamilySource, open_family, solve_family
from drivaer_app.corpus.modes import SURFACE, make_modes
from drivaer_app.corpus.noise import measure_noise
from drivaer_app.corpus.runs import (
    CASES,
    FAILURES,
    RUNNING,
    Busy,
    FamilyDesign,
    ReadyFamily,
    claim,
    is_of_the_car,
    note_failure,
    run_design,
)
from drivaer_app.corpus.settings import GrowthSettings
from drivaer_app.priority import step_back
from drivaer_app.shapes.parameters import STYLES

LOG = "log"
_PLAN = "plan.json"
_MAKING = "making"
NICE = 19
_MOST_BROKEN = 3
_WAIT_SECONDS = 5.0

Tell = Callable[[str], None]


@dataclass(frozen=True)
class GrowthPlan:
    """Which designs to solve. work: the corpus's folder. sources: its families. count: designs of each family.

    nice: scheduling priority of the workers (niceness), 0 to 19.
    """

    work: Path
    sources: tuple[FamilySource, ...]
    settings: GrowthSettings
    count: int
    nice: int = NICE

    def jobs(self) -> Iterator[tuple[FamilySource, int]]:
        """(family, number of the design), the families in turn, so that all grow at the same pace."""
        for index in range(self.count):
            for source in self.sources:
                yield source, index


def sources_of(work: Path, families: str | None) -> tuple[FamilySource, ...]:
    """The families of a comma-separated list; without a list those of the last call, at first one a body style.

    Raises DrivAerError for a text that is no family, and for two families of one name.
    """
    if families is None:
        asked = read_plan(work)
        return asked[0] if asked else tuple(FamilySource.parse(style) for style in STYLES)
    sources = tuple(FamilySource.parse(text.strip()) for text in families.split(",") if text.strip())
    names = [source.name for source in sources]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or not names:
        raise DrivAerError(f"two families are called {twice[0]}" if twice else "no family was given")
    return sources


def grow(plan: GrowthPlan, workers: int, tell: Tell) -> None:
    """Solve every design of the plan that has neither a case nor a failure.

    The same call continues after an interruption, and two calls at a time share the work. Raises RunStopped after
    SIGINT or SIGTERM, and DrivAerError for what stops every design, such as a missing solver or a full disk.
    """
    _check_families(plan)
    _write_plan(plan)
    if workers == 1:
        work_through(plan, tell)
        return
    _side_by_side(plan, workers)


def _write_plan(plan: GrowthPlan) -> None:
    sources = [{"name": s.name, "style": s.style, "seed": s.seed, "file": s.file and str(s.file)} for s in plan.sources]
    with replacing(plan.work / _PLAN) as unfinished:
        unfinished.write_text(json.dumps({"sources": sources, "count": plan.count}) + "\n", encoding="utf-8")


def read_plan(work: Path) -> tuple[tuple[FamilySource, ...], int] | None:
    """The families of the last call and how many designs of each; None before the first call. Raises DrivAerError."""
    path = work / _PLAN
    if not path.is_file():
        return None
    try:
        stored = json.loads(path.read_text("utf-8"))
        sources = tuple(
            FamilySource(s["name"], s["style"], s["seed"], Path(s["file"]) if s["file"] else None)
            for s in stored["sources"]
        )
        return sources, int(stored["count"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DrivAerError(f"is damaged ({error})", file=path, fix="remove it; 'corpus grow' writes it anew") from error


def _check_families(plan: GrowthPlan) -> None:
    """Raise DrivAerError at once for a family whose folder holds another car, rather than hours later."""
    for source in plan.sources:
        if (plan.work / "families" / source.name).exists():
            open_family(plan.work, source, plan.settings)


def _side_by_side(plan: GrowthPlan, workers: int) -> None:
    from data.spawned import spawning

    context = spawning()
    processes = [context.Process(target=_worker, args=(plan,)) for _ in range(workers)]
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a polite kill ends the workers as Ctrl-C does
    for process in processes:
        process.start()
    try:
        for process in processes:
            process.join()
    except BaseException:
        for process in processes:
            process.terminate()
        for process in processes:
            process.join()
        raise
    if any(process.exitcode for process in processes):
        raise DrivAerError("a worker ended early", file=plan.work / LOG, fix="see there; the same command goes on")


def _worker(plan: GrowthPlan) -> None:
    """What a worker process runs."""
    try:
        work_through(plan, lambda line: None)
    except RunStopped:
        pass
    except DrivAerError as error:
        _write_log(plan.work, f"stopped: {error.line}")
        raise SystemExit(1) from error
    except Exception as error:
        _write_log(plan.work, f"stopped by a bug: {type(error).__name__}: {error}")
        raise


def work_through(plan: GrowthPlan, tell: Tell) -> None:
    """Solve the open designs, one at a time, in this process. Raises as `grow` does."""
    step_back(plan.nice)
    cancel = _cancelled_by_signals()
    watch = _parent_watch(cancel)
    worker = _Worker(plan, _logged(plan.work, tell), cancel, watch)
    jobs = list(plan.jobs())
    while jobs:
        left = [job for job in jobs if worker.is_open(*job) and not worker.do(*job)]
        if len(left) == len(jobs):
            cancel.wait(_WAIT_SECONDS)
            worker.check()
        jobs = left


def measure(families: Sequence[Family], work: Path, n_designs: int, tell: Tell) -> None:
    """Measure the noise of families' labels, at the lowest scheduling priority. Raises as `measure_noise` does."""
    step_back(NICE)
    cancel = _cancelled_by_signals()
    for family in families:
        try:
            measure_noise(family, work, n_designs, _logged(work, tell), None, cancel)
        except Busy as error:
            raise DrivAerError("another process measures this family", file=work, fix="wait for it") from error


def _logged(work: Path, tell: Tell) -> Tell:
    def say(line: str) -> None:
        _write_log(work, line)
        tell(line)

    return say


class _Worker:
    def __init__(self, plan: GrowthPlan, say: Tell, cancel: threading.Event, watch: Callable[[RunProgress], None]):
        self._plan, self._say, self._cancel, self._watch = plan, say, cancel, watch
        self._ready: dict[str, ReadyFamily] = {}
        self._n_broken = 0

    def check(self) -> None:
        if self._cancel.is_set():
            raise RunStopped("growing was stopped", file=self._plan.work, fix="the same command goes on")

    def is_open(self, source: FamilySource, index: int) -> bool:
        name, work = f"{source.name}_{index:04d}", self._plan.work
        done = (work / CASES / f"{name}.npz", work / FAILURES / f"{name}.json", work / FAILURES / f"{source.name}.json")
        return not any(path.exists() for path in done)

    def do(self, source: FamilySource, index: int) -> bool:
        """Solve a design. Returns False where another worker has claimed it."""
        self.check()
        try:
            ready = self._family(source)
            if ready is None:
                return True
            design = FamilyDesign.of(ready, index)
            started = time.monotonic()
            meta = run_design(ready, design, self._plan.work, self._watch, self._cancel)
        except Busy:
            return False
        except RunStopped:
            raise
        except DrivAerError as error:
            self._count_error(f"{source.name}_{index:04d}", error)
            return True
        self._n_broken = 0
        if meta:
            seconds = time.monotonic() - started
            self._say(
                f"{design.name}: Cd {meta['Cd']:.4f}, scatter {meta['Cd_std']:.4f}, Cl {meta['Cl']:+.3f}, "
                f"{seconds:.0f} s"
            )
        elif (self._plan.work / FAILURES / f"{design.name}.json").exists():
            record = json.loads((self._plan.work / FAILURES / f"{design.name}.json").read_text("utf-8"))
            self._say(f"{design.name}: failed, {record['reason']}")
        return True

    def _count_error(self, name: str, error: DrivAerError) -> None:
        """Count an error that no design causes, such as a killed solver. Raises it after _MOST_BROKEN in a row."""
        self._n_broken += 1
        self._say(f"{name}: left for the next time, {error.line}")
        if self._n_broken >= _MOST_BROKEN:
            raise error

    def _family(self, source: FamilySource) -> ReadyFamily | None:
        """The family with its mesh and modes, made by the first call; None if that failed.

        Raises Busy while another worker makes it.
        """
        if source.name not in self._ready:
            family = open_family(self._plan.work, source, self._plan.settings)
            if not (family.folder / SURFACE).exists() and not self._prepared(family):
                return None
            self._ready[source.name] = ReadyFamily(family)
        return self._ready[source.name]

    def _prepared(self, family: Family) -> bool:
        with claim(family.folder / _MAKING):
            if (family.folder / SURFACE).exists():
                return True
            self._say(f"family {family.name}: meshing and solving its own car")
            started = time.monotonic()
            try:
                solve_family(family, self._watch, self._cancel)
                make_modes(family)
            except RunStopped:
                raise
            except DrivAerError as error:
                if not is_of_the_car(error):
                    raise
                note_failure(self._plan.work, family.name, family.name, error.line)
                self._say(f"family {family.name}: failed, {error.line}")
                return False
        self._say(f"family {family.name}: ready after {time.monotonic() - started:.0f} s")
        return True


def running(work: Path) -> list[str]:
    """Names of the designs, and of the families, that a worker has claimed."""
    designs = [path.name for path in sorted((work / RUNNING).glob("*")) if path.is_dir() and _is_claimed(path)]
    making = [path.parent.name for path in sorted((work / "families").glob(f"*/{_MAKING}")) if _is_claimed(path)]
    return [*designs, *(f"the family {name}" for name in making)]


def _is_claimed(folder: Path) -> bool:
    try:
        with claimed(folder):
            return False
    except DrivAerError:
        return True
    except OSError:  # it has just been finished
        return False


def _write_log(work: Path, line: str) -> None:
    with (work / LOG).open("a", encoding="utf-8") as file:
        file.write(f"{datetime.now():%Y-%m-%d %H:%M:%S} {line}\n")


def _cancelled_by_signals() -> threading.Event:
    """An event that SIGINT and SIGTERM set: the solver then ends with this process."""
    cancel = threading.Event()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: cancel.set())
    return cancel


def _parent_watch(cancel: threading.Event) -> Callable[[RunProgress], None]:
    """Sets ``cancel`` once the parent process is gone: a worker must not outlive it."""
    from multiprocessing import parent_process

    parent = parent_process()

    def look(_: RunProgress) -> None:
        if parent is not None and not parent.is_alive():
            cancel.set()

    return look
