"""One call from a car to its CFD result, which goes on where it was stopped."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from pathlib import Path

from data.car import CarMesh
from data.errors import DrivAerError
from drivaer_app.cfd import logs
from drivaer_app.cfd.case_file import write_case_file, write_surface
from drivaer_app.cfd.convergence import write_convergence
from drivaer_app.cfd.find import Installation, find_openfoam, mpirun
from drivaer_app.cfd.presets import Preset, preset_of
from drivaer_app.cfd.read import read_surface
from drivaer_app.cfd.result import CaseResult, evaluate
from drivaer_app.cfd.run import CASE_STATE, SOLVE, CaseState, OnProgress, Runner, claimed
from drivaer_app.cfd.setup import LONGEST_WITHOUT_WRITING, CaseSetup, set_up, write_case
from drivaer_app.cfd.written import last_written
from drivaer_app.conditions import Conditions

CASE, SURFACE, PLOT = "case.npz", "surface.vtp", "convergence.png"


def simulate(
    car: CarMesh,
    folder: str | Path,
    *,
    preset: str | Preset = "coarse",
    conditions: Conditions | None = None,
    iterations: int | None = None,
    processes: int | None = None,
    moving_ground: bool = True,
    half: bool | None = None,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
) -> CaseResult:
    """Solve the flow around a car in a case folder, and read the result.

    The same call on an unfinished folder goes on from there, on a finished one it only reads; more iterations than
    were run are added, at least a window of the preset's, over which the means begin anew; fewer than were run take
    none away. iterations, processes: None takes the preset's, and all cores; more than 40 iterations are rounded up to
    tens.
    on_progress: called with a `RunProgress` from this thread. cancel: set it from another thread to stop.
    Raises DrivAerError: no solver, a surface without an inside, a folder that holds another case, a failed step,
    a full disk; RunStopped.
    """
    preset = preset if isinstance(preset, Preset) else preset_of(preset)
    folder = Path(folder)
    installation = find_openfoam()
    setup = set_up(car, preset, conditions, moving_ground=moving_ground, half=half)
    _make(folder)
    with claimed(folder) as lock:
        state = _state(folder, setup, installation, processes)
        iterations = end_of_run(folder, state, preset, iterations)
        runner = Runner(
            folder, installation, state, on_progress or (lambda progress: None), cancel or threading.Event(), lock
        )
        runner.head_for(iterations)
        state.save(folder)  # first: from here on the folder is known as ours
        write_case(setup, folder, iterations, state.processes)
        runner.run()
        return _result(setup, folder, installation, state)


def end_of_run(folder: Path, state: CaseState, preset: Preset, wanted: int | None) -> int:
    """Where the solver is to stop. What it has been through stays, and the means are over a whole window of it.

    An end that was set before has its window already: asked for less, the run never ends later than there.
    """
    iterations = max(_writable(wanted or preset.iterations), state.iterations)
    if state.target and iterations not in (state.target, state.iterations):
        with_window = max(iterations, _writable(last_written(folder) + preset.window))
        return min(with_window, state.target) if iterations < state.target else with_window
    return iterations


def _writable(iterations: int) -> int:
    """The solver writes every so many iterations (`setup.write_interval`), and the last has to be one of them."""
    return iterations if iterations <= LONGEST_WITHOUT_WRITING else 10 * -(-iterations // 10)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DrivAerError(f"the folder cannot be made ({error.strerror})", file=folder) from error
    foreign = [path.name for path in folder.iterdir() if not path.name.startswith(".")]
    if foreign and not (folder / CASE_STATE).exists():
        raise DrivAerError(
            f"holds other things ({', '.join(sorted(foreign)[:3])})", file=folder, fix="give a new or empty folder"
        )


def _state(folder: Path, setup: CaseSetup, installation: Installation, processes: int | None) -> CaseState:
    fingerprint = setup.fingerprint()
    state = CaseState.load(folder)
    if state is None:
        return CaseState(fingerprint, installation.name, _processes(processes))
    if state.fingerprint != fingerprint:
        raise DrivAerError(
            "holds the case of another car, preset or flow", file=folder, fix="give another folder, or remove this one"
        )
    return state


def _processes(wanted: int | None) -> int:
    """As many as wanted; as there are cores where nobody said; one where mpirun does not work."""
    if wanted is not None and wanted < 1:
        raise DrivAerError(f"{wanted} processes cannot solve anything", fix="give 1 or more")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    n = cores if wanted is None else wanted
    if n > 1 and mpirun() is None:
        if wanted is not None:
            raise DrivAerError("mpirun, which starts several processes, does not work here", fix="give --processes 1")
        return 1
    return n


def _result(setup: CaseSetup, folder: Path, installation: Installation, state: CaseState) -> CaseResult:
    history = logs.read_coefficients(folder)
    surface = read_surface(folder, setup.conditions.speed)
    mesh = logs.read_mesh_report((folder / "log.checkMesh").read_text(errors="replace"))
    files = {"case": folder / CASE, "vtp": folder / SURFACE, "plot": folder / PLOT}
    window = min(setup.preset.window, max(len(history) // 2, 1))
    result = evaluate(setup, folder, installation.name, history, surface, mesh, files, dict(state.seconds), window)
    result = replace(result, warnings=(*result.warnings, *installation.warnings))
    write_case_file(files["case"], result)
    write_surface(files["vtp"], surface)
    residuals = logs.read_residuals((folder / SOLVE.log).read_text(errors="replace"))
    title = f"{setup.car.path.name if setup.car.path else folder.name}: Cd {result.cd:.3f}, {setup.preset.name} mesh"
    write_convergence(files["plot"], history, residuals, window, f"{title} of {mesh.n_cells:,} cells")
    return result
