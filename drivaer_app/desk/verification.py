"""CFD runs of variants: started, watched, stopped and gone on with while the desk works on.

A run has a process of its own, so that predictions do not wait for it. It is stopped by a file that the process looks
for, which stops the solver in order; the same call goes on from there.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.control import Cancelled
from data.errors import DrivAerError
from data.formats import CASE_STATE
from data.replacing import replacing
from drivaer_app.conditions import Conditions
from drivaer_app.desk.cfd_kept import CASE, CfdNumbers, History, KeptCfd, Residuals
from drivaer_app.desk.events import Event, Notify
from drivaer_app.desk.jobs import FAILED, Job, Jobs
from drivaer_app.desk.morphing import Values, values_of
from drivaer_app.desk.study_state import ResultInputs, StudyState, Variant
from drivaer_app.drawn_car import DrawnCar
from drivaer_app.engine import Engine
from drivaer_app.files import checksum_of
from drivaer_app.predict import Reading, load

if TYPE_CHECKING:
    from drivaer_app.cfd.run import RunProgress
    from drivaer_app.truth import CarTruth

IDLE, RUNNING, STOPPING, STOPPED, DONE, FAILED_RUN = "idle", "running", "stopping", "stopped", "done", "failed"

_LANE = "cfd"
_STOP = ".drivaer.stop"
_BEGUN = ".drivaer.run.json"
_PATIENCE = 15.0  # s that closing waits for the solver to be stopped


@dataclass(frozen=True)
class Run:
    """One variant's CFD. status: idle, running, stopping, stopped, done or failed.

    wind, mesh: what is solved, and the checksum of the file. progress: the latest moment. history: (iterations, Cd)
    so far. residuals: (iteration, by field) so far.
    finished: the result of this run, or of the one before while this one is not at its end. error: one line.
    lacking: why the case of a finished run cannot be looked at, a sentence.
    """

    folder: Path
    preset: str
    status: str = IDLE
    progress: RunProgress | None = None
    history: History = ((), ())
    residuals: Residuals = ()
    finished: KeptCfd | None = None
    lacking: str = ""
    error: str = ""
    wind: Conditions = Conditions()
    mesh: str = ""

    @property
    def is_active(self) -> bool:
        return self.status in (RUNNING, STOPPING)

    def goes_on(self, preset: str, checksum: str) -> bool:
        """Whether another start goes on with it: it was broken off, and is of the same mesh and fineness."""
        return self.status in (STOPPED, FAILED_RUN) and (self.preset, self.mesh) == (preset, checksum)


@dataclass
class Verifications:
    """Runs by shape.

    A shape is a result's inputs without the model, of which the flow knows nothing, unit and axes as found: to say
    "metres" of a file that was found to be in metres changes nothing.

    state: gives the study's present state. found: the reading that came of a result's, or None. notify: an Event
    ``verified`` for each change. on_finished: called where a
    variant of the study has a result that it did not have before.
    """

    jobs: Jobs
    state: Callable[[], StudyState]
    notify: Notify
    on_finished: Callable[[], None] = lambda: None
    found: Callable[[ResultInputs], Reading | None] = lambda inputs: None
    engine: Engine = field(default_factory=Engine)
    _runs: dict[ResultInputs, Run] = field(default_factory=dict)
    _jobs: dict[ResultInputs, Job] = field(default_factory=dict)
    _started: dict[str, ResultInputs] = field(default_factory=dict)
    """The shape of the latest run that was started of a variant's key."""

    def of(self, key: str) -> Run | None:
        variant = self.state().variant(key)
        if variant is None:
            return None
        run = self._run(self.state().inputs_of(variant))
        if run is None or not run.is_active:
            on = self._runs.get(self._started.get(key, _NOTHING))  # also while its file is being read in another way
            return on if on is not None and on.is_active else run
        return run

    def case_of(self, inputs: ResultInputs, mesh: str | None) -> Path | None:
        """The folder of a finished run of a mesh with that checksum, where its case is still there."""
        run = self._run(inputs)
        there = run and run.status == DONE and not run.lacking and run.finished.mesh == mesh
        return run.folder if there else None

    def kept(self, inputs: ResultInputs) -> KeptCfd | None:
        """What a study keeps of it: the latest result."""
        run = self._run(inputs)
        return run.finished if run else None

    def take_up(self, inputs: ResultInputs, kept: KeptCfd) -> None:
        """A result that a study kept; ``check`` finds out whether its case is still there."""
        run = self._run(inputs)
        if run is None or not run.is_active:
            lacking = "its case has not been looked for yet"
            preset = kept.numbers.preset
            run = Run(kept.folder, preset, DONE, finished=kept, lacking=lacking, wind=kept.wind, mesh=kept.mesh)
            self._runs[self._shape(inputs)] = run

    def look_for_begun(self, key: str, checksum: str) -> None:
        """A run of this variant that was begun in another session and not ended is to be gone on with."""
        variant = self.state().variant(key)
        inputs = variant and self.state().inputs_of(variant)
        if inputs is None or self._run(inputs) is not None:
            return
        for file in sorted(inputs.file.parent.glob(f"*_cfd_*/{_BEGUN}")):
            begun = _read_begun(file)
            if begun is None or (begun["mesh"], begun["values"]) != (checksum, [list(v) for v in values_of(inputs)]):
                continue
            if can_go_on(file.parent) and not (file.parent / CASE).exists():
                wind = Conditions(begun["speed_ms"], begun["density_kgm3"])
                self._put(inputs, Run(file.parent, begun["preset"], STOPPED, wind=wind, mesh=checksum))
                return

    def check(self, inputs: ResultInputs) -> None:
        """Look whether a result's case is where it was and the same, and how it went. Reads it."""
        run = self._run(inputs)
        if run is not None and run.status == DONE:
            lacking = run.finished.why_no_case()
            curves = (run.history, run.residuals)
            history, residuals = curves if lacking or run.history[0] else run.finished.curves()
            self._put(inputs, replace(run, lacking=lacking, history=history, residuals=residuals))

    def moved(self, old: ResultInputs, new: ResultInputs) -> None:
        """A variant's file was found in another place, and its case perhaps beside it."""
        run = self._run(old)
        if run is not None and not run.is_active:
            beside = new.file.parent / run.folder.name
            folder = beside if beside.is_dir() else run.folder
            finished = run.finished and replace(run.finished, folder=folder)
            self._runs[self._shape(new)] = replace(run, folder=folder, finished=finished)

    def start(
        self,
        key: str,
        preset: str,
        conditions: Conditions,
        checksum: str,
        iterations: int | None = None,
        *,
        anew: bool = False,
    ) -> None:
        """Begin, or go on with, the run of a variant; one at a time, others wait. Does nothing while it runs.

        A run that was stopped goes on under the conditions that it was begun with, whatever they are now, unless it is
        to be begun ``anew``. checksum: of the variant's file. iterations: None takes the preset's.
        """
        variant = self.state().variant(key)
        if variant is None:
            raise KeyError(key)
        inputs = self.state().inputs_of(variant)
        known = self.of(key)
        if known and known.is_active:
            return
        if known and not anew and known.goes_on(preset, checksum):
            conditions, folder = known.wind, known.folder
        else:
            folder = case_folder(variant, inputs, preset, conditions, checksum)
        old = known.residuals if known and known.folder == folder else ()
        before = known.finished if known else None
        solved = replace(conditions, area=None)
        run = Run(folder, preset, RUNNING, residuals=old, finished=before, wind=solved, mesh=checksum)
        self._started[key] = self._shape(inputs)
        self._put(inputs, run)
        (folder / _STOP).unlink(missing_ok=True)
        asked = (inputs.file, inputs.reading, values_of(inputs), folder, preset, iterations, conditions)

        def work(job: Job) -> CfdNumbers:
            def report(progress: RunProgress) -> None:
                if job.is_cancelled:
                    _ask_to_stop(folder)
                else:
                    job.report(fraction_of(progress), progress.step)
                self._show_progress(inputs, progress)

            _write_begun(run, values_of(inputs))
            try:
                return self.engine.call(run_case, *asked, report=report)
            except DrivAerError:
                if job.is_cancelled:
                    raise Cancelled from None
                raise

        def ended(job: Job) -> None:
            self._ended(inputs, job, checksum, solved)

        self._jobs[self._shape(inputs)] = self.jobs.submit(f"CFD of {variant.name}", work, lane=_LANE, on_end=ended)

    def stop(self, key: str) -> None:
        """Ask the run to stop; it says when it has."""
        variant = self.state().variant(key)
        if variant is None:
            return
        run = self.of(key)
        if run and run.status == RUNNING:
            shape = next(shape for shape, one in self._runs.items() if one is run)
            self._runs[shape] = replace(run, status=STOPPING)
            self.notify(Event("verified", key))
            self._jobs[shape].cancel()

    @property
    def active(self) -> list[Run]:
        return [run for run in self._runs.values() if run.is_active]

    def close(self) -> None:
        """Stop what runs, in order."""
        for shape, job in self._jobs.items():
            if not job.is_over:
                job.cancel()
                _ask_to_stop(self._runs[shape].folder)
                job.wait(_PATIENCE)
        self.engine.close()

    def _show_progress(self, inputs: ResultInputs, progress: RunProgress) -> None:
        run = self._run(inputs)
        residuals = run.residuals
        if progress.residuals and (not residuals or residuals[-1][0] < progress.iteration):
            residuals = (*residuals, (progress.iteration, dict(progress.residuals)))
        history = progress.history if progress.history[0] else run.history
        self._put(inputs, replace(run, progress=progress, history=history, residuals=residuals))

    def _ended(self, inputs: ResultInputs, job: Job, mesh: str, wind: Conditions) -> None:
        run = self._run(inputs)
        (run.folder / _STOP).unlink(missing_ok=True)
        if job.state == FAILED:
            self._put(inputs, replace(run, status=FAILED_RUN, error=job.error.line))
        elif job.result is None:
            self._put(inputs, replace(run, status=STOPPED))
        else:
            case = run.folder / CASE
            finished = KeptCfd(job.result, run.folder, checksum_of(case) if case.is_file() else "", mesh, wind)
            self._put(inputs, replace(run, status=DONE, finished=finished, error=""))
            if self._keys(inputs) and finished != run.finished:
                self.on_finished()

    def _run(self, inputs: ResultInputs) -> Run | None:
        return self._runs.get(self._shape(inputs)) or self._runs.get(replace(inputs, model=None))

    def _shape(self, inputs: ResultInputs) -> ResultInputs:
        return replace(inputs, model=None, reading=self.found(inputs) or inputs.reading)

    def _keys(self, inputs: ResultInputs) -> tuple[str, ...]:
        """Of the variants that have this shape now, or from which its run was started."""
        state, shape = self.state(), self._shape(inputs)
        return tuple(
            v.key
            for v in state.variants
            if self._started.get(v.key) == shape or (v.file == inputs.file and self._shape(state.inputs_of(v)) == shape)
        )

    def _put(self, inputs: ResultInputs, run: Run) -> None:
        self._runs[self._shape(inputs)] = run
        for key in self._keys(inputs):
            self.notify(Event("verified", key))


_NOTHING = ResultInputs(Path(), None, Reading(), None)


def _write_begun(run: Run, values: Values) -> None:
    """What the folder's run is of, so that another session can go on with it."""
    begun = {"preset": run.preset, "mesh": run.mesh, "values": values}
    try:
        run.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DrivAerError(f"the folder cannot be made ({error.strerror})", file=run.folder) from error
    with replacing(run.folder / _BEGUN) as unfinished:
        wind = {"speed_ms": run.wind.speed, "density_kgm3": run.wind.density}
        unfinished.write_text(json.dumps(begun | wind, indent=1), "utf-8")


def _read_begun(file: Path) -> dict[str, Any] | None:
    """None for a file that is damaged or another program's: then there is nothing to go on with."""
    try:
        begun = json.loads(file.read_text("utf-8"))
        kinds = {"preset": str, "mesh": str, "values": list, "speed_ms": float, "density_kgm3": float}
        return begun if all(isinstance(begun[name], kind) for name, kind in kinds.items()) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def case_folder(variant: Variant, inputs: ResultInputs, preset: str, wind: Conditions, checksum: str) -> Path:
    """Beside the mesh: ``fastback_cfd_draft_1a2b3c``, by the variant, the preset, and what the flow depends on.

    checksum: of the variant's file.
    """
    solved = repr((checksum, values_of(inputs), inputs.reading, wind.speed, wind.density))
    name = re.sub(r"\W+", "_", variant.name).strip("_") or "car"
    return inputs.file.parent / f"{name[:40]}_cfd_{preset}_{hashlib.sha256(solved.encode()).hexdigest()[:6]}"


def can_go_on(folder: Path) -> bool:
    """Whether a run was begun in a folder."""
    return (folder / CASE_STATE).exists()


def why_not() -> str:
    """Why no run can be started on this system, with what helps; empty where one can. May take a second."""
    from drivaer_app.cfd.find import find_openfoam

    try:
        find_openfoam()
    except DrivAerError as error:
        return error.line
    return ""


def _ask_to_stop(folder: Path) -> None:
    if folder.is_dir():
        (folder / _STOP).touch()


def fraction_of(progress: RunProgress) -> float:
    """Of the whole run; the solver takes nearly all of the time."""
    if progress.n_iterations:
        return 0.2 + 0.8 * progress.iteration / progress.n_iterations
    return 0.2 * (progress.number - 1) / progress.n_steps


# In the run's process


def run_case(
    file: Path,
    reading: Reading,
    values: Values,
    folder: Path,
    preset: str,
    iterations: int | None,
    conditions: Conditions,
    report: Callable[[RunProgress], None],
) -> CfdNumbers:
    """Solve, looking for the file that asks to stop. Raises DrivAerError."""
    import threading

    from drivaer_app.cfd.simulate import simulate

    car = load(file, reading)
    if values:
        from drivaer_app.shapes.morph import Morph

        car = Morph.of(car).apply(dict(values))
    cancel = threading.Event()

    def watch(progress: RunProgress) -> None:
        if (folder / _STOP).exists():
            cancel.set()
        report(progress)

    wind = replace(conditions, area=None)
    r = simulate(car, folder, preset=preset, conditions=wind, iterations=iterations, on_progress=watch, cancel=cancel)
    same: dict[str, Any] = {
        name: float(getattr(r, name)) for name in ("cd", "cd_std", "cl", "clf", "clr", "cd_pressure", "cd_friction")
    }
    return CfdNumbers(
        **same,
        frontal_area=r.setup.frontal_area,
        settled=r.settled,
        iterations=r.iterations,
        cells=r.mesh.n_cells,
        preset=preset,
        warnings=r.warnings,
    )


def run_truth(folder: Path, drawn: DrawnCar) -> CarTruth:
    """The Cp that a finished run found, on a drawn car's points."""
    from data.corpora.case_files import read_case
    from data.corpora.pressure import SurfacePressure
    from drivaer_app.truth import truth_on

    return truth_on(drawn, SurfacePressure.of_case(read_case(folder / CASE), f"the CFD run in {folder.name}"))
