"""``drivaer simulate``: the flow around a car solved by OpenFOAM, from its mesh to a case file."""

from __future__ import annotations

import json
import signal
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from drivaer_app.cli.options import (
    Area,
    AsJson,
    Density,
    Forward,
    Level,
    Speed,
    Units,
    Up,
    Without,
    conditions_of,
    reading_of,
)
from drivaer_app.cli.terminal import error_as_json, results_only, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

    from drivaer_app.cfd.result import CaseResult
    from drivaer_app.cfd.run import RunProgress

PresetName = Literal["draft", "coarse", "medium", "fine", "trial"]
Sides = Literal["auto", "half", "whole"]
HALF = {"auto": None, "half": True, "whole": False}


def simulate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A car's mesh.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where the case goes.")],
    preset: Annotated[
        PresetName, typer.Option(help="How fine the mesh is; trial shows in a minute that all works, no more.")
    ] = "coarse",
    iterations: Annotated[
        int | None, typer.Option(min=2, metavar="N", help="Instead of the preset's; more are added to a finished case.")
    ] = None,
    processes: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="That solve together, by MPI; as many as cores unless given.")
    ] = None,
    sides: Annotated[
        Sides, typer.Option(help="Solve half the car, mirrored, or the whole; auto measures it.")
    ] = "auto",
    ground: Annotated[
        Literal["moving", "fixed"], typer.Option(help="A road that moves, and wheels that turn; or a fixed floor.")
    ] = "moving",
    as_json: AsJson = False,
    units: Units = "auto",
    up: Up = "auto",
    forward: Forward = "auto",
    level: Level = False,
    without: Without = None,
    speed: Speed = 30.0,
    density: Density = 1.184,
    area: Area = None,
) -> int:
    """Solve the flow around a car with OpenFOAM: Cd, Cl, and pressure and friction all over it.

    Stop it with Ctrl-C; the same command goes on from there. In the end the folder holds case.npz (what training
    reads), surface.vtp (for ParaView) and convergence.png, and the whole OpenFOAM case.
    """
    conditions, reading = conditions_of(speed, density, area), reading_of(units, up, forward, level, without)
    with results_only() as stdout, error_as_json(file, stdout, wanted=as_json):
        from drivaer_app.cfd.simulate import simulate as solve
        from drivaer_app.predict import load

        car = load(file, reading)
        with progress_shown() as on_progress:
            result = solve(
                car,
                output,
                preset=preset,
                conditions=conditions,
                iterations=iterations,
                processes=processes,
                moving_ground=ground == "moving",
                half=HALF[sides],
                on_progress=on_progress,
            )
        if as_json:
            print(json.dumps({"file": str(file), "status": "ok", **result.record()}), file=stdout)
            for warning in result.warnings:
                say(f"{file}: {warning}")
        else:
            show(result, file.name, stdout)
    return 0


@contextmanager
def progress_shown() -> Iterator[Callable[[RunProgress], None]]:
    """A live line at a terminal; else a line for each step and every fiftieth iteration, on stderr.

    What ends a job on a cluster (SIGTERM) ends it here as Ctrl-C does, so that no solver is left behind.
    """
    from rich.console import Console

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with _shown(Console(stderr=True)) as show_progress:
            yield show_progress
    except KeyboardInterrupt:
        say("stopped; the same command goes on from there")
        raise


@contextmanager
def _shown(console: Console) -> Iterator[Callable[[RunProgress], None]]:
    if not console.is_terminal:
        yield _Lines().show
        return
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(16), TextColumn("{task.fields[facts]}"))
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("preparing", total=None, facts="")
        started: dict[int, float] = {}

        def show_live(progress: RunProgress) -> None:
            since = started.setdefault(progress.number, time.monotonic())
            bar.update(
                task,
                description=f"{progress.number}/{progress.n_steps} {progress.step}",
                total=progress.n_iterations or None,
                completed=progress.iteration,
                facts=facts(progress) or _duration(time.monotonic() - since),
            )

        yield show_live


def facts(progress: RunProgress) -> str:
    """``120 of 300, Cd 0.3120, Cl 0.051, 3 min left``; nothing before there are iterations."""
    if not progress.iteration:
        return ""
    parts = [f"{progress.iteration} of {progress.n_iterations}"]
    if progress.cd is not None:
        parts.append(f"Cd {progress.cd:.4f}, Cl {progress.cl:.3f}")
    if progress.seconds_left is not None:
        parts.append(_duration(progress.seconds_left) + " left")
    return ", ".join(parts)


class _Lines:
    """Progress where nobody watches: a log, a pipe."""

    def __init__(self) -> None:
        self._last = (0, 0)

    def show(self, progress: RunProgress) -> None:
        now = (progress.number, progress.iteration // 50)
        if now == self._last:
            return
        self._last = now
        about = f": {facts(progress)}" if progress.iteration else ""
        say(f"[{progress.number}/{progress.n_steps}] {progress.step}{about}")


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def show(result: CaseResult, name: str, stdout) -> None:
    """A page for people."""
    from rich.console import Console
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    console = Console(file=stdout, highlight=False, soft_wrap=not stdout.isatty())
    console.print(Text(name, style="bold"))
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column()
    for label, value, remark in _page(result):
        grid.add_row(label, Text(value, style="bold"), remark)
    console.print(Padding(grid, (0, 0, 0, 2)))
    for warning in result.warnings:
        line = Table.grid(padding=(0, 1))
        line.add_row(Text("!", style="bold yellow"), Text(warning, style="yellow"))
        console.print(Padding(line, (0, 0, 0, 2)))


def _page(result: CaseResult) -> list[tuple[str, str, str]]:
    setup = result.setup
    settled = "settled" if result.settled else "not settled"
    wheels = "wheels turning" if setup.axles else "no wheels turning"
    return [
        ("Cd", f"{result.cd:.4f}", f"scatter {result.cd_std:.4f} over the last {result.window} iterations: {settled}"),
        ("Cl", f"{result.cl:.3f}", f"front {result.clf:.3f}, rear {result.clr:.3f}, scatter {result.cl_std:.3f}"),
        ("Parts", f"{result.cd_pressure:.4f}", f"of Cd from pressure, {result.cd_friction:.4f} from friction"),
        ("Drag", f"{result.drag:.1f} N", f"at {setup.conditions.speed:g} m/s, on {setup.frontal_area:.3f} m²"),
        (
            "Mesh",
            f"{result.mesh.n_cells:,} cells",
            f"{setup.preset.name}, {'half' if setup.domain.half else 'whole'} car, {1000 * setup.surface_cell:.0f} mm "
            f"on its surface, {wheels}",
        ),
        ("Took", _duration(sum(result.seconds.values())), f"{result.iterations} iterations, {result.solver}"),
        (
            "Files",
            result.files["case"].name,
            f"{result.files['vtp'].name}, {result.files['plot'].name} in {result.folder}",
        ),
    ]
