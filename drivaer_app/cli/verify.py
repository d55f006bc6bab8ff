"""``drivaer verify``: a car's prediction beside its CFD."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from drivaer_app.cli.options import (
    AsJson,
    Density,
    Forward,
    Level,
    OnDevice,
    Speed,
    Units,
    Up,
    Without,
    conditions_of,
    predictor_of,
    reading_of,
)
from drivaer_app.cli.simulate import HALF, PresetName, Sides, progress_shown
from drivaer_app.cli.terminal import error_as_json, results_only, say

if TYPE_CHECKING:
    from drivaer_app.cfd.comparison import CfdComparison

PICTURE = "verify.png"
_N_PLACES = 5


def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A car's mesh.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FOLDER", help="Where the case goes; NAME_case unless given."),
    ] = None,
    preset: Annotated[PresetName, typer.Option(help="How fine the CFD mesh is.")] = "coarse",
    iterations: Annotated[int | None, typer.Option(min=2, metavar="N", help="Instead of the preset's.")] = None,
    processes: Annotated[int | None, typer.Option(min=1, metavar="N", help="That solve together, by MPI.")] = None,
    sides: Annotated[
        Sides, typer.Option(help="Solve half the car, mirrored, or the whole; auto measures it.")
    ] = "auto",
    as_json: AsJson = False,
    units: Units = "auto",
    up: Up = "auto",
    forward: Forward = "auto",
    level: Level = False,
    without: Without = None,
    speed: Speed = 30.0,
    density: Density = 1.184,
    device: OnDevice = "auto",
    model: Annotated[str | None, typer.Option(metavar="NAME|PATH", help="A bundled model or a model folder.")] = None,
) -> int:
    """Predict a car's drag and pressure, simulate it, and show both side by side.

    Stop it with Ctrl-C; the same command goes on from there. A picture of both pressures and their difference is
    left in the case folder as verify.png.
    """
    conditions, reading = conditions_of(speed, density, None), reading_of(units, up, forward, level, without)
    folder = output or Path(f"{file.stem}_case")
    with results_only() as stdout, error_as_json(file, stdout, wanted=as_json):
        from drivaer_app.cfd.comparison import compare
        from drivaer_app.cfd.comparison_picture import write_comparison
        from drivaer_app.cfd.simulate import simulate
        from drivaer_app.predict import load

        predictor = predictor_of(model, device)
        car = load(file, reading)
        prediction = predictor.predict(car, conditions)
        with progress_shown() as on_progress:
            result = simulate(
                car,
                folder,
                preset=preset,
                conditions=conditions,
                iterations=iterations,
                processes=processes,
                half=HALF[sides],
                on_progress=on_progress,
            )
        comparison = compare(prediction, result)
        picture = folder / PICTURE
        write_comparison(picture, comparison, file.name)
        if as_json:
            record = {"file": str(file), "status": "ok", **comparison.record(), "picture": str(picture)}
            print(json.dumps(record), file=stdout)
            for warning in (*prediction.warnings, *result.warnings):
                say(f"{file}: {warning}")
        else:
            _show(comparison, file.name, picture, stdout)
    return 0


def _show(comparison: CfdComparison, name: str, picture: Path, stdout) -> None:
    from rich.console import Console
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    console = Console(file=stdout, highlight=False, soft_wrap=not stdout.isatty())
    console.print(Text(name, style="bold"))
    table = Table(box=None, padding=(0, 2), pad_edge=False)
    table.add_column("", style="dim")
    for column in ("predicted", "CFD", "difference"):
        table.add_column(column, justify="right")
    for row in _numbers(comparison):
        table.add_row(*row)
    console.print(Padding(table, (0, 0, 0, 2)))
    console.print(Text(f"  {_verdict(comparison)}"))
    console.print(
        f"  Pressure differs by {100 * comparison.cp_error:.0f} % (relative L2 of Cp), friction by "
        f"{100 * comparison.cf_error:.0f} %; most of it at"
    )
    for place in comparison.places[:_N_PLACES]:
        console.print(f"    {place.words}")
    console.print(f"  Picture  {picture}")
    warnings = (*comparison.prediction.warnings, *comparison.result.warnings)
    for warning in dict.fromkeys(warnings):
        line = Table.grid(padding=(0, 1))
        line.add_row(Text("!", style="bold yellow"), Text(warning, style="yellow"))
        console.print(Padding(line, (0, 0, 0, 2)))


def _numbers(comparison: CfdComparison) -> list[tuple[str, str, str, str]]:
    p, r = comparison.prediction, comparison.result
    pairs = [
        ("Cd", p.compared, r.cd, 3),
        ("  from pressure", p.cd_pressure, r.cd_pressure, 3),
        ("  from friction", p.cd_friction, r.cd_friction, 3),
        ("Cl", p.cl, r.cl, 3),
        ("Drag, N", p.drag, r.drag, 1),
    ]
    return [
        (label, f"{a:.{digits}f}", f"{b:.{digits}f}", f"{a - b:+.{digits}f}")
        for label, a, b, digits in pairs
        if a is not None
    ]


def _verdict(comparison: CfdComparison) -> str:
    p, r = comparison.prediction, comparison.result
    scatter = f"The CFD's own scatter is {r.cd_std:.4f} in Cd."
    if comparison.inside_interval is None:
        return scatter
    assert p.compared_interval is not None  # or there were no verdict
    low, high = p.compared_interval
    where = "inside" if comparison.inside_interval else "outside"
    real = "" if p.cd_rans is None else f" Of the real car the model says {p.cd:.3f}."
    return f"The CFD lies {where} the 90 % interval {low:.3f} to {high:.3f} of what it should be. {scatter}{real}"
