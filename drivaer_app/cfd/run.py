"""Running a case's programs one after the other: watched, cancellable, resumable."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from data.errors import DrivAerError
from data.formats import CASE_STATE
from data.replacing import replacing
from drivaer_app.cfd import logs
from drivaer_app.cfd.find import Installation, mpi_command, mpirun
from drivaer_app.cfd.written import drop_half_written, forget_means
from drivaer_app.priority import share_priority

_LOCK = ".drivaer.lock"
_POLL_SECONDS = 0.01, 0.25  # at first, and at most
_PATIENCE_SECONDS = 10.0
_LEAST_FREE = 200e6  # bytes on the disk, below which nothing is begun
_RATE_OVER = 30  # iterations


class RunStopped(DrivAerError):
    """The run was told to stop; the same call goes on from there."""


@dataclass(frozen=True)
class RunProgress:
    """One moment of a run.

    step: the program that works, in words; number of n_steps: which one that is.
    iteration of n_iterations, residuals by field, running cd and cl (None before there are any): while solving.
    seconds_left: of this step, estimated from the last iterations; None where that is not known.
    history: (iterations, Cd) so far, for a curve.
    """

    step: str
    number: int
    n_steps: int
    iteration: int = 0
    n_iterations: int = 0
    residuals: dict[str, float] = field(default_factory=dict)
    cd: float | None = None
    cl: float | None = None
    seconds_left: float | None = None
    history: tuple[tuple[int, ...], tuple[float, ...]] = ((), ())


OnProgress = Callable[[RunProgress], None]


@dataclass(frozen=True)
class Step:
    """One program. name: its own. words: what it does. log: its file's name."""

    name: str
    words: str
    arguments: tuple[str, ...] = ()
    parallel: bool = False

    @property
    def log(self) -> str:
        return f"log.{self.name}"


MESHING = (
    Step("surfaceFeatureExtract", "finding the surface's edges"),
    Step("blockMesh", "making the box of air"),
    Step("snappyHexMesh", "meshing", ("-overwrite",)),
    Step("renumberMesh", "ordering the cells", ("-overwrite",)),
    Step("checkMesh", "checking the mesh"),
)
ONE_MESH = MESHING[1:4]
"""These write over what the one before wrote."""
DECOMPOSE = Step("decomposePar", "splitting the mesh", ("-force",))
SOLVE = Step("simpleFoam", "solving", parallel=True)
RECONSTRUCT = Step("reconstructPar", "joining the parts", ("-latestTime",))
SAMPLE = Step(
    "postProcess",
    "reading the surface",
    ("-dict", "system/surfaceSampleDict", "-latestTime", "-fields", "(pMean wallShearStressMean)"),
)


@dataclass
class CaseState:
    """What a case folder remembers, in ``drivaer_case.json``.

    fingerprint: of surface, mesh and flow. processes: of the solver. done: steps that are through.
    target: iterations that the run heads for. iterations: that the solver has been through, once it got there.
    seconds: wall time of each step, resumed ones added up.
    """

    fingerprint: str
    solver: str
    processes: int
    done: list[str] = field(default_factory=list)
    target: int = 0
    iterations: int = 0
    seconds: dict[str, float] = field(default_factory=dict)

    def save(self, folder: Path) -> None:
        with replacing(folder / CASE_STATE) as unfinished:
            unfinished.write_text(json.dumps(vars(self), indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> CaseState | None:
        path = folder / CASE_STATE
        if not path.exists():
            return None
        try:
            return cls(**json.loads(path.read_text("utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise DrivAerError(f"is damaged ({error})", file=path, fix="give another folder for the case") from error


@contextmanager
def claimed(folder: Path) -> Iterator[int | None]:
    """Only one run works in a folder: a lock that its solver holds too, so that an orphaned one keeps others out."""
    try:
        import fcntl
    except ImportError:  # Windows, where OpenFOAM does not run
        yield None
        return
    lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DrivAerError(
                "another simulation is running in this folder", file=folder, fix="wait for it, or give another folder"
            ) from error
        yield lock
    finally:
        os.close(lock)


@dataclass
class Runner:
    """Runs the steps of a case that was written into ``folder``.

    on_progress: called from this thread, a few times a second at most.
    cancel: set it from any thread, and `run` raises RunStopped once its programs have been stopped.
    """

    folder: Path
    installation: Installation
    state: CaseState
    on_progress: OnProgress
    cancel: threading.Event
    lock: int | None = None

    def run(self) -> None:
        """Every step that is not done yet. Raises DrivAerError for one that fails, RunStopped."""
        steps = self._steps()
        for number, step in enumerate(steps, 1):
            if step.name in self.state.done:
                continue
            self._check_disk()
            if step is SOLVE:
                drop_half_written(self.folder)
            watch = _SolverWatch(self) if step is SOLVE else None
            started = time.monotonic()
            try:
                self._run_program(step, number, len(steps), watch)
            finally:
                spent = self.state.seconds.get(step.name, 0.0) + time.monotonic() - started
                self.state.seconds[step.name] = round(spent, 1)
                self.state.save(self.folder)
            self._after(step)
            self.state.done.append(step.name)
            self.state.save(self.folder)

    def head_for(self, iterations: int) -> None:
        """Set where the solver stops, and forget the steps that this makes undone."""
        state = self.state
        if SOLVE.name in state.done and iterations > state.iterations:
            undone = {step.name for step in (DECOMPOSE, SOLVE, RECONSTRUCT, SAMPLE)}
            state.done = [name for name in state.done if name not in undone]
        if state.target and iterations != state.target:
            forget_means(self.folder)
        state.target = iterations
        # A mesh that was being written when its program was stopped is no start for that program.
        if not all(step.name in state.done for step in ONE_MESH):
            state.done = [name for name in state.done if name not in {step.name for step in ONE_MESH}]

    def _steps(self) -> tuple[Step, ...]:
        if self.state.processes == 1:
            return (*MESHING, SOLVE, SAMPLE)
        return (*MESHING, DECOMPOSE, SOLVE, RECONSTRUCT, SAMPLE)

    def _run_program(self, step: Step, number: int, n_steps: int, watch: _SolverWatch | None) -> None:
        log = self.folder / step.log
        try:
            self._watch_program(step, log, number, n_steps, watch)
        except OSError as error:
            if not logs.is_disk_full(error):
                raise
            fix = "make room, then give the same command again"
            raise DrivAerError("the disk is full", file=log, fix=fix) from error

    def _watch_program(self, step: Step, log: Path, number: int, n_steps: int, watch: _SolverWatch | None) -> None:
        # What a resumed solver says follows what it said before.
        with log.open("ab" if step is SOLVE else "wb") as file:
            process, pause = self._start(step, file), _POLL_SECONDS[0]
            try:
                while process.poll() is None:
                    if self.cancel.is_set():
                        raise RunStopped("the simulation was stopped", file=self.folder, fix="the same command goes on")
                    progress = RunProgress(step.words, number, n_steps)
                    self.on_progress(watch.look(progress) if watch else progress)
                    self.cancel.wait(pause)
                    pause = min(2 * pause, _POLL_SECONDS[1])
            finally:
                _stop(process)
        if process.returncode != 0:
            raise logs.failure(step.name, process.returncode, log)
        if watch:
            self.on_progress(watch.look(RunProgress(step.words, number, n_steps)))

    def _start(self, step: Step, log) -> subprocess.Popen:
        command = [self.installation.program(step.name), *step.arguments]
        if step.parallel and self.state.processes > 1:
            mpi = mpirun()
            if mpi is None:
                raise DrivAerError("mpirun does not work any more", file=self.folder, fix="give another folder")
            command = [*mpi_command(mpi, self.state.processes), *command, "-parallel"]
        process = subprocess.Popen(
            command,
            cwd=self.folder,
            env=dict(self.installation.environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for us: we stop it in order
            pass_fds=() if self.lock is None else (self.lock,),
        )
        share_priority(process.pid)
        return process

    def _after(self, step: Step) -> None:
        """Look at what a step that ended well has left."""
        if step.name == "checkMesh":
            report = logs.read_mesh_report(logs.tail(self.folder / step.log))
            on_car = logs.faces_of_patches(self.folder / "constant" / "polyMesh" / "boundary").get("body", 0)
            if report.unusable or report.n_cells == 0 or on_car == 0:
                what = report.unusable or ("it has no cells" if report.n_cells == 0 else "no face of it is on the car")
                raise DrivAerError(
                    f"the mesh failed: {what}",
                    file=self.folder / step.log,
                    fix="check the car's surface for holes, or choose another preset",
                )
        elif step is SOLVE:
            coefficients = logs.read_coefficients(self.folder)
            if coefficients.diverged or not len(coefficients):
                what, fix = logs.diverged(step.name)
                raise DrivAerError(what, file=self.folder / step.log, fix=fix)
            self.state.iterations = int(coefficients.iteration[-1])
        elif step is SAMPLE:
            for part in self.folder.glob("processor*"):
                shutil.rmtree(part, ignore_errors=True)

    def _check_disk(self) -> None:
        free = shutil.disk_usage(self.folder).free
        if free < _LEAST_FREE:
            raise DrivAerError(
                f"the disk is full: {free / 1e6:.0f} MB are left", file=self.folder, fix="make room, then go on"
            )


class _SolverWatch:
    """Follows a solver's log and coefficients while they grow."""

    def __init__(self, runner: Runner):
        self._runner = runner
        self._log = runner.folder / SOLVE.log
        self._read_from = self._log.stat().st_size if self._log.exists() else 0
        self._times: list[tuple[float, int]] = []
        self._residuals: dict[str, float] = {}
        self._iteration = 0

    def look(self, progress: RunProgress) -> RunProgress:
        """The progress with what the solver has said since. Raises DrivAerError when it has run away."""
        self._read_log()
        coefficients = logs.read_coefficients(self._runner.folder)
        if coefficients.diverged or logs.SolverState(self._iteration, self._residuals).diverged:
            what, fix = logs.diverged(SOLVE.name)
            raise DrivAerError(what, file=self._log, fix=fix)
        n = len(coefficients)
        return RunProgress(
            progress.step,
            progress.number,
            progress.n_steps,
            iteration=self._iteration or (int(coefficients.iteration[-1]) if n else 0),
            n_iterations=self._runner.state.target,
            residuals=self._residuals,
            cd=float(coefficients.cd[-1]) if n else None,
            cl=float(coefficients.cl[-1]) if n else None,
            seconds_left=self._seconds_left(),
            history=(tuple(coefficients.iteration.tolist()), tuple(coefficients.cd.tolist())),
        )

    def _read_log(self) -> None:
        try:
            with self._log.open("rb") as file:
                file.seek(self._read_from)
                text = file.read().decode("utf-8", errors="replace")
        except OSError:
            return
        states = logs.read_residuals(text)
        if not states or states[-1].iteration == self._iteration:
            return
        # Read on from the last whole iteration, not from the log's beginning each time.
        self._read_from += len(text[: text.rfind("\nTime = ")].encode())
        self._iteration, self._residuals = states[-1].iteration, states[-1].residuals
        self._times = [*self._times[-_RATE_OVER:], (time.monotonic(), self._iteration)]

    def _seconds_left(self) -> float | None:
        if len(self._times) < 2:
            return None
        (then, first), (now, last) = self._times[0], self._times[-1]
        return (now - then) / max(last - first, 1) * max(self._runner.state.target - last, 0)


def _stop(process: subprocess.Popen) -> None:
    """End a program and all that it started, if it still runs."""
    if process.poll() is not None:
        return
    for sign, patience in ((signal.SIGTERM, _PATIENCE_SECONDS), (getattr(signal, "SIGKILL", 9), _PATIENCE_SECONDS)):
        try:
            os.killpg(process.pid, sign) if hasattr(os, "killpg") else process.terminate()
            process.wait(patience)
            return
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
