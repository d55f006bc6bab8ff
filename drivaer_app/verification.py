"""CFD runs of variants: started, watched, stopped and gone on with while the desk works on.

A run has a process of its own, so that predictions do not wait for it. It is stopped by a file that the process looks
for, which stops the solver in order; the same call goes on from there.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from data.errors import DrivAerError
from drivaer_app.conditions import Conditions
from drivaer_app.drawn_car import DrawnCar
from drivaer_app.engine import Engine
from drivaer_app.events import Event, Notify
from drivaer_app.jobs import FAILED, Cancelled, Job, Jobs
from drivaer_app.morphing import Values, values_of
from drivaer_app.origin import CfdCoefficients
from drivaer_app.predict import Reading, load
from drivaer_app.study import Recipe, StudyState, Variant

if TYPE_CHECKING:
    from drivaer_app.cfd.run import Progress
    from drivaer_app.truth import CarTruth

IDLE, RUNNING, STOPPING, STOPPED, DONE, FAILED_RUN = "idle", "running", "stopping", "stopped", "done", "failed"

_LANE = "cfd"
_STOP = ".drivaer.stop"
_CASE = "case.npz"
_STATE = "drivaer_case.json"
_PATIENCE = 15.0  # s that closing waits for the solver to be stopped


@dataclass(frozen=True)
class CfdNumbers:
    """What a CFD run says; coefficients on ``frontal_area`` (m²). As in drivaer_app.cfd.result.CaseResult."""

    cd: float
    cd_std: float
    cl: float
    clf: float
    clr: float
    cd_pressure: float
    cd_friction: float
    frontal_area: float
    settled: bool
    iterations: int
    cells: int
    preset: str
    warnings: tuple[str, ...]

    def on(self, conditions: Conditions) -> CfdNumbers:
        """With coefficients on the conditions' reference area, where they name one."""
        if conditions.area is None:
            return self
        names = ("cd", "cd_std", "cl", "clf", "clr", "cd_pressure", "cd_friction")
        scaled = {name: getattr(self, name) * self.frontal_area / conditions.area for name in names}
        return replace(self, **scaled, frontal_area=conditions.area)

    @property
    def coefficients(self) -> CfdCoefficients:
        """What any CFD says of a car."""
        told_by = self.preset if self.settled else f"{self.preset}, not settled"
        return CfdCoefficients(self.cd, self.cd_std, self.cl, self.clf, self.clr, self.frontal_area, told_by)


@dataclass(frozen=True)
class Run:
    """One variant's CFD. status: idle, running, stopping, stopped, done or failed.

    progress: the latest moment. history: (iterations, Cd) so far. residuals: (iteration, by field) so far.
    error: one line.
    """

    folder: Path
    preset: str
    status: str = IDLE
    progress: Progress | None = None
    history: tuple[tuple[int, ...], tuple[float, ...]] = ((), ())
    residuals: tuple[tuple[int, dict[str, float]], ...] = ()
    numbers: CfdNumbers | None = None
    error: str = ""

    @property
    def is_active(self) -> bool:
        return self.status in (RUNNING, STOPPING)


@dataclass
class Verifications:
    """Runs by recipe. state: gives the study's present state. notify: an Event ``verified`` for each change."""

    jobs: Jobs
    state: Callable[[], StudyState]
    notify: Notify
    engine: Engine = field(default_factory=Engine)
    _runs: dict[Recipe, Run] = field(default_factory=dict)
    _jobs: dict[Recipe, Job] = field(default_factory=dict)

    def of(self, key: str) -> Run | None:
        variant = self.state().variant(key)
        return None if variant is None else self._runs.get(self.state().recipe(variant))

    def case_of(self, recipe: Recipe) -> Path | None:
        """The folder of a finished run."""
        run = self._runs.get(recipe)
        return run.folder if run and run.status == DONE else None

    def numbers(self, key: str | None) -> CfdNumbers | None:
        run = self.of(key) if key else None
        return run.numbers if run else None

    def start(
        self, key: str, preset: str, conditions: Conditions, checksum: str, iterations: int | None = None
    ) -> None:
        """Begin, or go on with, the run of a variant; one at a time, others wait. Does nothing while it runs.

        checksum: of the variant's file. iterations: None takes the preset's.
        """
        variant = self.state().variant(key)
        if variant is None:
            raise KeyError(key)
        recipe = self.state().recipe(variant)
        known = self._runs.get(recipe)
        if known and known.is_active:
            return
        folder = case_folder(variant, recipe, preset, conditions, checksum)
        old = known.residuals if known and known.folder == folder else ()
        self._put(recipe, Run(folder, preset, RUNNING, residuals=old))
        (folder / _STOP).unlink(missing_ok=True)
        asked = (recipe.file, recipe.reading, values_of(recipe), folder, preset, iterations, conditions)

        def work(job: Job) -> CfdNumbers:
            def report(progress: Progress) -> None:
                if job.is_cancelled:
                    _ask_to_stop(folder)
                else:
                    job.report(fraction_of(progress), progress.step)
                self._told(recipe, progress)

            try:
                return self.engine.call(run_case, *asked, report=report)
            except DrivAerError:
                if job.is_cancelled:
                    raise Cancelled from None
                raise

        job = self.jobs.submit(f"CFD of {variant.name}", work, lane=_LANE, on_end=lambda job: self._ended(recipe, job))
        self._jobs[recipe] = job

    def stop(self, key: str) -> None:
        """Ask the run to stop; it says when it has."""
        variant = self.state().variant(key)
        recipe = variant and self.state().recipe(variant)
        run = self._runs.get(recipe)
        if run and run.status == RUNNING:
            self._put(recipe, replace(run, status=STOPPING))
            self._jobs[recipe].cancel()

    def close(self) -> None:
        """Stop what runs, in order."""
        for recipe, job in self._jobs.items():
            if not job.is_over:
                job.cancel()
                _ask_to_stop(self._runs[recipe].folder)
                job.wait(_PATIENCE)
        self.engine.close()

    def _told(self, recipe: Recipe, progress: Progress) -> None:
        run = self._runs[recipe]
        residuals = run.residuals
        if progress.residuals and (not residuals or residuals[-1][0] < progress.iteration):
            residuals = (*residuals, (progress.iteration, dict(progress.residuals)))
        history = progress.history if progress.history[0] else run.history
        self._put(recipe, replace(run, progress=progress, history=history, residuals=residuals))

    def _ended(self, recipe: Recipe, job: Job) -> None:
        run = self._runs[recipe]
        (run.folder / _STOP).unlink(missing_ok=True)
        if job.state == FAILED:
            self._put(recipe, replace(run, status=FAILED_RUN, error=job.error.line))
        elif job.result is None:
            self._put(recipe, replace(run, status=STOPPED))
        else:
            self._put(recipe, replace(run, status=DONE, numbers=job.result, error=""))

    def _put(self, recipe: Recipe, run: Run) -> None:
        self._runs[recipe] = run
        for key in self.state().keys_of(recipe):
            self.notify(Event("verified", key))


def case_folder(variant: Variant, recipe: Recipe, preset: str, wind: Conditions, checksum: str) -> Path:
    """Beside the mesh: ``fastback_cfd_draft_1a2b3c``, by the variant, the preset, and what the flow depends on.

    checksum: of the variant's file.
    """
    told = repr((checksum, values_of(recipe), recipe.reading, wind.speed, wind.density))
    name = re.sub(r"\W+", "_", variant.name).strip("_") or "car"
    return recipe.file.parent / f"{name[:40]}_cfd_{preset}_{hashlib.sha256(told.encode()).hexdigest()[:6]}"


def can_go_on(folder: Path) -> bool:
    """Whether a run was begun in a folder."""
    return (folder / _STATE).exists()


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


def fraction_of(progress: Progress) -> float:
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
    report: Callable[[Progress], None],
) -> CfdNumbers:
    """Solve, looking for the file that asks to stop. Raises DrivAerError."""
    import threading

    from drivaer_app.cfd.simulate import simulate

    car = load(file, reading)
    if values:
        from drivaer_app.shapes.morph import Morph

        car = Morph.of(car).apply(dict(values))
    cancel = threading.Event()

    def watch(progress: Progress) -> None:
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
    import json

    from data.corpora.pressure import SurfacePressure, with_image
    from drivaer_app.cfd.read import PHYSICAL_CP
    from drivaer_app.truth import truth_on

    with np.load(folder / _CASE, allow_pickle=False) as case:
        centres = case["face_centers"] * 1e-4 + case["offset"]
        normals = case["face_normals"] / np.float32(127)
        cp = np.clip(case["face_cp"].astype(np.float32), *PHYSICAL_CP)
        half = json.loads(str(case["meta"]))["half"]
    if half:
        centres, normals, cp = with_image(centres, normals, cp)
    none = np.zeros((0, 3), np.int32)
    return truth_on(drawn, SurfacePressure(centres, none, cp, f"the CFD run in {folder.name}", normals=normals))
