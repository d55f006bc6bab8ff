"""``drivaer batch``: every car of a folder into a store of results, from which reports are made."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import DrivAerError, ModelError
from drivaer_app.cli.options import (
    Area,
    Density,
    Forward,
    Level,
    ModelName,
    OnDevice,
    Speed,
    Units,
    Up,
    Without,
    conditions_of,
    reading_of,
)
from drivaer_app.cli.report import check_report
from drivaer_app.cli.terminal import BadUsage, results_only, say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from drivaer_app.batch.run import BatchPlan, Tally, Workers
    from drivaer_app.batch.work import CarOutcome

_MOST_FAILURES = 20  # that are said again in the end


def batch(
    cars: Annotated[
        list[str], typer.Argument(metavar="CARS", help="Meshes, folders with all below them, or 'patterns/**/*.stl'.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="The store of results; grows from run to run.")
    ],
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, metavar="N", help="Worker processes; one a core unless given.")
    ] = None,
    fields: Annotated[bool, typer.Option("--fields", help="Keep every car's surface with Cp and Cf (.vtp).")] = False,
    pictures: Annotated[
        bool, typer.Option("--pictures", help="Keep four views of every car and a small 3D model, for reports.")
    ] = False,
    baseline: Annotated[
        Path | None, typer.Option(metavar="MESH", help="The car that reports compare the others to.")
    ] = None,
    parameters: Annotated[
        Path | None,
        typer.Option(metavar="TABLE", help="A .csv of the designs' parameters; those beside the meshes are found."),
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(
            metavar="CONDITION", help="CARS is a catalogue: its designs with \"style = 'estate' and cd < 0.28\"."
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="OUT", help="Make a report in the end; see 'report' for its formats."),
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Work on this Dask cluster: tcp://HOST:8786.")
    ] = None,
    scatter: Annotated[
        bool, typer.Option("--scatter", help="Send the meshes to the cluster, which does not see their folder.")
    ] = False,
    units: Units = "auto",
    up: Up = "auto",
    forward: Forward = "auto",
    level: Level = False,
    without: Without = None,
    speed: Speed = 30.0,
    density: Density = 1.184,
    area: Area = None,
    device: OnDevice = "auto",
    model: ModelName = None,
) -> int:
    """Predict many cars in parallel, and keep every result the moment it is there.

    Stop it however you like: the same command goes on from there, and does only what is new. A mesh that changed,
    another model or other conditions are worked out anew. Cars that fail do not stop the others.

    Exit status: 0 all predicted, 1 some failed, 2 a mistake in the command.
    """
    conditions, reading = conditions_of(speed, density, area), reading_of(units, up, forward, level, without)
    if scatter and scheduler is None:
        raise BadUsage("--scatter needs a cluster; give --scheduler tcp://HOST:8786")
    if report is not None:
        check_report(report)
    with results_only() as stdout:
        from drivaer_app.batch.inputs import parameters_of
        from drivaer_app.batch.run import BatchPlan, run
        from drivaer_app.batch.store import Store
        from drivaer_app.batch.work import FIELDS, PICTURE, VIEW
        from drivaer_app.prediction_settings import ModelIdentity, PredictionSettings

        try:
            identity = ModelIdentity.of(model)
            files, known = _found(cars, where, output)
            if baseline is not None and not baseline.is_file():
                raise DrivAerError("no such baseline", file=baseline, fix="check the name")
        except DrivAerError as error:
            raise BadUsage(error.line) from error
        wants = ((FIELDS,) if fields else ()) + ((PICTURE, VIEW) if pictures else ())
        settings = PredictionSettings(model, identity.digest, conditions, reading, device)
        plan = BatchPlan.of(files, settings, identity, wants=wants, baseline=baseline)
        plan = plan.with_parameters({**known, **parameters_of(plan.files, parameters)})
        started = time.perf_counter()
        with Store.create(output) as store, _progress(len(plan.files)) as on_done:
            try:
                tally = run(plan, store, _workers(plan, jobs, scheduler, scatter), on_done)
            except ModelError as error:
                raise BadUsage(error.line) from error
        _conclude(tally, time.perf_counter() - started, output, stdout)
        if report is not None and tally.n_done > len(tally.failures):
            from drivaer_app.cli.report import make_report

            make_report(output, report)
            print(report, file=stdout)
    return 1 if tally.failures else 0


def _found(cars: list[str], where: str | None, output: Path) -> tuple[Sequence[Path], dict[Path, dict]]:
    """The meshes, and what a catalogue knows of them. Raises DrivAerError."""
    from data.catalogue import CATALOGUE_NAME
    from drivaer_app.batch.inputs import find_cars

    if where is None and not (len(cars) == 1 and Path(cars[0]).name == CATALOGUE_NAME):
        return find_cars(cars, output), {}
    from drivaer_app.batch.from_catalogue import find_designs
    from drivaer_app.files import absolute

    if len(cars) != 1:
        raise DrivAerError("--where asks one catalogue", fix="give its folder alone")
    found = find_designs(Path(cars[0]), where)
    for ids, why in ((found.packed, "in an archive: unpack it first"), (found.absent, "not on disk")):
        if ids:
            say(f"{len(ids)} designs are passed over, their meshes are {why} ({', '.join(ids[:3])}, ...)")
    return found.files, {absolute(file): known for file, known in found.parameters.items()}


def _workers(plan: BatchPlan, jobs: int | None, scheduler: str | None, scatter: bool) -> Workers:
    if scheduler is not None:
        from drivaer_app.batch import cluster

        return lambda tasks: cluster.outcomes(tasks, scheduler, send=scatter, on_wait=say)
    from drivaer_app.batch import local

    n_workers = min(jobs or local.available_cores(), len(plan.files))
    return lambda tasks: local.outcomes(tasks, n_workers)


@contextmanager
def _progress(n_files: int) -> Iterator[Callable[[Tally, CarOutcome], None]]:
    """A bar with the rate and the time left at a terminal, failures above it; elsewhere nothing."""
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal, speed_estimate_period=600) as bar:
        shown = bar.add_task("starting", total=n_files, rate="")
        started = time.monotonic()

        def on_done(tally: Tally, outcome: CarOutcome) -> None:
            if outcome.error and console.is_terminal:
                bar.console.print(f"drivaer: {escape(_one_line(outcome.error))}", soft_wrap=True, highlight=False)
            rate = f"{tally.n_done / max(time.monotonic() - started, 1e-3):.1f} cars/s"
            failed = f", {len(tally.failures)} failed" if tally.failures else ""
            bar.update(shown, completed=tally.n_done, rate=rate + failed, description=escape(_short(outcome.file)))

        yield on_done


def _conclude(tally: Tally, seconds: float, output: Path, stdout) -> None:
    parts = [f"{tally.n_predicted} of {_cars(tally.n_files)} predicted in {seconds:.0f} s"]
    if tally.n_unchanged:
        parts.append(f"{tally.n_unchanged} known and unchanged")
    if tally.failures:
        parts.append(f"{len(tally.failures)} failed")
    print(f"{output}: {', '.join(parts)}", file=stdout)
    if tally.failures:
        say(f"{len(tally.failures)} of {_cars(tally.n_files)} failed:")
        for line in tally.failures[:_MOST_FAILURES]:
            say(f"  {_one_line(line)}")
        if len(tally.failures) > _MOST_FAILURES:
            say(f"  and {len(tally.failures) - _MOST_FAILURES} more; drivaer rank {output} --failed lists all")


def _cars(n: int) -> str:
    return "1 car" if n == 1 else f"{n} cars"


def _short(file: str) -> str:
    name = Path(file).name.encode("utf-8", "replace").decode()
    return name if len(name) <= 32 else f"{name[:15]}…{name[-16:]}"


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text.encode("utf-8", "backslashreplace").decode())
