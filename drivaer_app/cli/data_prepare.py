"""``drivaer data prepare``: the points of every design, sampled once for training and evaluation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from drivaer_app.cli.data_options import AsJson, Folder, Where, condition, opened
from drivaer_app.cli.terminal import results_only, say

_SHOWN_FAILURES = 20


def prepare(
    folder: Folder = None,
    where: Where = None,
    points: Annotated[int, typer.Option(min=1, metavar="N", help="In each cloud; fewer can be read later.")] = 10_000,
    normals: Annotated[bool, typer.Option("--normals", help="Keep the normals too.")] = False,
    pressure: Annotated[bool, typer.Option("--pressure", help="Keep Cp at the points too, where it is known.")] = False,
    draw: Annotated[int, typer.Option(min=0, metavar="I", help="Which of many samples of each car.")] = 0,
    workers: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Processes; one for each core unless given.", show_default=False),
    ] = None,
    cache: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where the points go; beside the catalogue unless given.")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Sample every design's surface once, for training and evaluation to read.

    Goes on where it was stopped; does only what is new, or whose mesh or settings have changed. Exit status: 0 when all
    designs have points, 1 when any failed.
    """
    from data.catalogue.prepare import prepare as fill
    from data.catalogue.query import ids
    from data.point_store import PointSettings

    settings = PointSettings(points, draw, normals, pressure)
    with results_only() as stdout, opened(folder) as catalogue:
        chosen = ids(catalogue, condition(catalogue, where))
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        parts = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        console = Console(stderr=True)
        with Progress(*parts, console=console, disable=not console.is_terminal) as bar:
            task = bar.add_task("sampling", total=len(chosen))
            done = fill(
                catalogue,
                chosen,
                settings,
                folder=cache,
                workers=workers,
                report=lambda n, _, name: bar.update(task, completed=n, description=name),
            )
        for design, reason in list(done.failed.items())[:_SHOWN_FAILURES]:
            say(f"{design}: {reason}")
        if len(done.failed) > _SHOWN_FAILURES:
            say(f"and {len(done.failed) - _SHOWN_FAILURES} more")
        if as_json:
            numbers = {"ready": done.n_ready, "new": done.n_new, "failed": done.failed, "folder": str(done.path)}
            print(json.dumps(numbers), file=stdout)
        else:
            failed = f", {len(done.failed)} failed" if done.failed else ""
            print(f"{done.n_ready} designs have {points} points ({done.n_new} new{failed}) in {done.path}", file=stdout)
    return 1 if done.failed else 0
