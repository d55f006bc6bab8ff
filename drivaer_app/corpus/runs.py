"""One design from handle values to its case file: the family's mesh bent, its mean flow passed on, solved, kept."""

from __future__ import annotations

import json
import os
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path

import numpy as np

from data.corpora.case import COEFFICIENTS, is_test_design
from data.corpora.case_files import CASES, named_in_files, write_case
from data.corpora.morphed_families import (
    FRONT_WHEELS,
    REAR_WHEELS,
    MorphedFamily,
)
from data.errors import DrivAerError
from data.frontal_area import frontal_area
from data.replacing import replacing
from drivaer_app.cfd import logs
from drivaer_app.cfd.find import find_openfoam
from drivaer_app.cfd.read import read_surface
from drivaer_app.cfd.result import CaseResult, evaluate
from drivaer_app.cfd.run import MESHING, SAMPLE, SOLVE, CaseState, OnProgress, Runner, RunStopped, Step, claimed
from drivaer_app.cfd.setup import CaseSetup, case_files
from drivaer_app.cfd.wheels import FRONT, RotatingAxle
from drivaer_app.corpus.designs import design_values
from drivaer_app.corpus.families import Family
from drivaer_app.corpus.modes import VOLUME, load_surface
from drivaer_app.corpus.polymesh import VolumeMesh, pass_flow_on, read_mesh

FAILURES, RUNNING = "failures", "running"

_CHECK = next(step for step in MESHING if step.name == "checkMesh")
_MESH_FILES = ("boundary", "faces", "neighbour", "owner")
_WORST_NON_ORTHOGONALITY = 85.0  # degrees
_WORST_SKEWNESS = 12.0
_MOST_FOLDED = 3  # faces of some 400,000: the solver bears a few
_MOST_ARTEFACT = 0.015  # of Cd, by faces with a Cp that no flow has
_BELIEVABLE_CD = (0.05, 1.5)


class Busy(Exception):
    """Another process works on it."""


@contextmanager
def claim(folder: Path) -> Iterator[int | None]:
    """A folder for this process and its solver alone. Raises Busy where another one has it."""
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        try:
            lock = stack.enter_context(claimed(folder))
        except (DrivAerError, FileNotFoundError) as error:  # worked on, or just finished and taken away
            raise Busy(str(folder)) from error
        yield lock


@dataclass(frozen=True, eq=False)
class ReadyFamily:
    """A solved family with what its designs are made from, read once."""

    family: Family

    @property
    def name(self) -> str:
        return self.family.name

    @cached_property
    def surface(self) -> MorphedFamily:
        return load_surface(self.family)

    @cached_property
    def mesh(self) -> VolumeMesh:
        return read_mesh(self.family.case / "constant" / "polyMesh")

    def bent_points(self, amounts: np.ndarray) -> np.ndarray:
        """(P, 3) m, the volume mesh's points on a design."""
        points = self.mesh.points.copy()
        modes = np.load(self.family.folder / VOLUME, mmap_mode="r")
        for i in np.flatnonzero(amounts):
            points[:, self.surface.handles.axis[i]] += amounts[i] * modes[i]
        return points

    @cached_property
    def solution(self) -> Path:
        """The folder with the family's mean flow."""
        times = [path for path in self.family.case.iterdir() if path.name.isdigit() and (path / "UMean").exists()]
        return max(times, key=lambda path: int(path.name))

    @property
    def non_orthogonality(self) -> float:
        return float(self.surface.meta["non_orthogonality"])


@dataclass(frozen=True)
class FamilyDesign:
    """A family's design. index: in the family's sequence. values: of its handles, in their units."""

    family: str
    index: int
    values: dict[str, float] = field(hash=False)

    @property
    def name(self) -> str:
        return f"{self.family}_{self.index:04d}"

    @classmethod
    def of(cls, ready: ReadyFamily, index: int) -> FamilyDesign:
        settings = ready.family.settings
        values = design_values(settings.seed, ready.name, ready.surface.handles, index, settings.spread)
        return cls(ready.name, index, values)


def run_design(
    ready: ReadyFamily,
    design: FamilyDesign,
    work: Path,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
) -> dict | None:
    """Run a design that is neither done nor failed; its case file, or its failure with the reason, is there then.

    Returns the case's meta, or None for a failure. Raises Busy, RunStopped, and what is the fault of no design
    (a full disk, a missing solver).
    """
    folder = work / RUNNING / design.name
    with claim(folder) as lock:
        if (work / CASES / f"{design.name}.npz").exists():  # by another worker, a moment ago
            shutil.rmtree(folder, ignore_errors=True)
            return None
        empty(folder)
        amounts = ready.surface.handles.amounts_of(design.values)
        try:
            result = solve_bent(ready, folder, amounts, lock, on_progress, cancel)
            _check_result(result)
        except _BadDesign as error:
            note_failure(work, design.name, design.family, error.what, design=design.index, values=design.values)
            shutil.rmtree(folder, ignore_errors=True)
            return None
        meta = _meta(ready, design, amounts, result)
        (work / CASES).mkdir(exist_ok=True)
        write_case(work / CASES / f"{design.name}.npz", meta, result.surface.cp, result.surface.cf)
        shutil.rmtree(folder, ignore_errors=True)
    return meta


class _BadDesign(DrivAerError):
    """This design cannot be had; others can."""


def solve_bent(
    ready: ReadyFamily,
    folder: Path,
    amounts: np.ndarray,
    lock: int | None = None,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
    iterations: int | None = None,
    window: int | None = None,
) -> CaseResult:
    """Solve a family's car bent by amounts, from the family's mean flow. iterations, window: None for the corpus's."""
    settings = ready.family.settings
    iterations, window = iterations or settings.design_iterations, window or settings.window
    installation = find_openfoam()
    setup = _setup_on(ready, amounts)
    _write(ready, setup, folder, amounts, iterations, window)
    state = CaseState(setup.fingerprint(), installation.name, processes=1)
    runner = _DesignRunner(
        folder, installation, state, on_progress or (lambda p: None), cancel or threading.Event(), lock
    )
    runner.head_for(iterations)
    runner.run()
    mesh = logs.read_mesh_report((folder / _CHECK.log).read_text(errors="replace"))
    surface = read_surface(folder, setup.conditions.speed)
    history = logs.read_coefficients(folder)
    return evaluate(setup, folder, installation.name, history, surface, mesh, {}, dict(state.seconds), window)


class _DesignRunner(Runner):
    """A case whose mesh is there already."""

    def _steps(self) -> tuple[Step, ...]:
        return (_CHECK, SOLVE, SAMPLE)

    def _run_program(self, step: Step, *rest) -> None:
        try:
            super()._run_program(step, *rest)
        except RunStopped:
            raise
        except DrivAerError as error:
            if not is_of_the_car(error):
                raise
            what = f"the bent mesh failed: {error.what}" if step is _CHECK else error.what
            raise _BadDesign(what, file=error.file) from error

    def _after(self, step: Step) -> None:
        if step is not _CHECK:
            super()._after(step)
            return
        text = (self.folder / step.log).read_text(errors="replace")
        fault = mesh_fault(text)
        if fault:
            raise _BadDesign(f"the bent mesh failed: {fault}")


def is_of_the_car(error: DrivAerError) -> bool:
    """Whether another car would fare better: not so without a solver, memory, or room on the disk."""
    return not any(words in error.what for words in ("disk is full", "not installed", "was killed", "another dialect"))


def mesh_fault(check: str) -> str:
    """Why a bent mesh, of which checkMesh says ``check``, is not worth solving; empty where it is."""
    report = logs.read_mesh_report(check)
    if report.unusable:
        return report.unusable
    if report.n_folded > _MOST_FOLDED:
        return f"{report.n_folded} faces are turned inside out"
    if report.non_orthogonality > _WORST_NON_ORTHOGONALITY:
        return f"non-orthogonality of {report.non_orthogonality:.0f} degrees"
    if report.skewness > _WORST_SKEWNESS:
        return f"skewness of {report.skewness:.1f}"
    return ""


def _check_result(result: CaseResult) -> None:
    low, high = _BELIEVABLE_CD
    if not low < result.cd < high:
        raise _BadDesign(f"Cd = {result.cd:.3f} cannot be")
    if abs(result.cd_artefact) > _MOST_ARTEFACT:
        raise _BadDesign(f"{result.n_bad_faces} faces with a Cp that no flow has add {result.cd_artefact:+.3f} to Cd")


def _setup_on(ready: ReadyFamily, amounts: np.ndarray) -> CaseSetup:
    """The family's case with the design's axles and frontal area."""
    setup = ready.family.setup
    area = frontal_area(*ready.surface.mesh_on(amounts))
    axles = tuple(_moved(ready.surface, axle, amounts) for axle in setup.axles)
    return replace(setup, conditions=replace(setup.conditions, area=area), axles=axles)


def _moved(surface: MorphedFamily, axle: RotatingAxle, amounts: np.ndarray) -> RotatingAxle:
    """Wheels move as rigid bodies: any of their points tells how."""
    part = FRONT_WHEELS if axle.name == FRONT else REAR_WHEELS
    vertex = surface.faces[np.flatnonzero(surface.face_part == part)[0], 0]
    moves = amounts * surface.surface.modes[:, vertex]
    x, _, z = (float(moves[surface.handles.axis == axis].sum()) for axis in range(3))
    return replace(axle, x=axle.x + x, z=axle.z + z)


def _write(
    ready: ReadyFamily, setup: CaseSetup, folder: Path, amounts: np.ndarray, iterations: int, window: int
) -> None:
    for name, text in case_files(setup, iterations, 1).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.name == "controlDict":
            text = _average_over(text, iterations, window)
        path.write_text(text, encoding="ascii")
    mesh = folder / "constant" / "polyMesh"
    mesh.mkdir()
    for name in _MESH_FILES:
        _link(ready.family.case / "constant" / "polyMesh" / name, mesh / name)
    ready.mesh.write_points(mesh, ready.bent_points(amounts))
    origins = {axle.name: (axle.x, 0.0, axle.z) for axle in setup.axles}
    for name in setup.flow_fields:
        mean, last = ready.solution / f"{name}Mean", ready.solution / name
        pass_flow_on(mean, last, folder / "0" / name, origins if name == "U" else {})


def _average_over(control: str, iterations: int, window: int) -> str:
    """The corpus's own window; and nothing written before the end, as nobody goes on from the middle."""
    control, n = re.subn(r"timeStart(\s+)\d+;", rf"timeStart\g<1>{iterations - window + 1};", control)
    control, m = re.subn(r"^writeInterval(\s+)\d+;", rf"writeInterval\g<1>{iterations};", control, flags=re.MULTILINE)
    if (n, m) != (1, 1):
        raise DrivAerError("the case's controlDict is not as the corpus knows it")
    return control


def _link(source: Path, destination: Path) -> None:
    try:
        os.link(source, destination)
    except OSError:  # a file system without hard links
        shutil.copyfile(source, destination)


def empty(folder: Path) -> None:
    """Nothing of a run that was cut short is used: it takes two minutes to do it again."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif not path.name.startswith("."):  # the lock stays
            path.unlink()


def _meta(ready: ReadyFamily, design: FamilyDesign, amounts: np.ndarray, result: CaseResult) -> dict:
    numbers = named_in_files({name: round(float(getattr(result, name)), 6) for name in COEFFICIENTS})
    settings = ready.family.settings
    return {
        "name": design.name,
        "family": design.family,
        "style": ready.surface.style,
        "design": design.index,
        "split": "test" if is_test_design(design.index) else "train",
        "values": design.values,
        "amounts": [round(float(amount), 8) for amount in amounts],
        **numbers,
        "Cd_drift": round(result.cd_drift, 6),
        "Cd_artefact": round(result.cd_artefact, 6),
        "bad_faces": result.n_bad_faces,
        "settled": result.settled,
        "frontal_area": round(result.setup.frontal_area, 6),
        "wheelbase": round(result.setup.axle_xs[1] - result.setup.axle_xs[0], 5),
        "non_orthogonality": round(result.mesh.non_orthogonality, 2),
        "skewness": round(result.mesh.skewness, 2),
        "iterations": settings.design_iterations,
        "window": settings.window,
        "seconds": round(sum(result.seconds.values()), 1),
        "solver": result.solver,
        # So that another window can be looked at without solving again.
        "Cd_history": [round(float(cd), 4) for cd in result.history.cd],
    }


def note_failure(work: Path, name: str, family: str, reason: str, **details: object) -> None:
    """Keep that a design, or a family, cannot be had, and why."""
    (work / FAILURES).mkdir(parents=True, exist_ok=True)
    when = datetime.now(timezone.utc).isoformat(timespec="seconds")
    with replacing(work / FAILURES / f"{name}.json") as unfinished:
        record = {"name": name, "family": family, "reason": reason, **details, "when": when}
        unfinished.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
