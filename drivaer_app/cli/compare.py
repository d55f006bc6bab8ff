"""``drivaer compare``: cars against a baseline, in counts, in pressure and along their length."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from drivaer_app.cli.options import (
    Area,
    AsJsonLines,
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
    predictor_of,
    reading_of,
)
from drivaer_app.cli.terminal import BadUsage, Waiting, results_only, say

if TYPE_CHECKING:
    from drivaer_app.predict import Prediction
    from drivaer_app.report.difference import Judgement
    from drivaer_app.results import Result


@dataclass(frozen=True, eq=False)
class Compared:
    """One car beside the baseline; judgement is None for the baseline itself."""

    file: Path
    prediction: Prediction
    result: Result
    judgement: Judgement | None

    def record(self) -> dict[str, Any]:
        record = {"file": str(self.file), "status": "ok", **self.prediction.record()}
        if self.judgement is None:
            return {**record, "baseline": True}
        return {**record, "baseline": False, **self.judgement.record()}


def compare(
    cars: Annotated[list[Path], typer.Argument(metavar="CAR", help="Meshes, two or more.")],
    baseline: Annotated[
        Path | None, typer.Option(metavar="MESH", help="What the others are compared to; the first unless given.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FOLDER", help="For pictures of ΔCp and of drag along the cars."),
    ] = None,
    as_json: AsJsonLines = False,
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
    """Predict cars and compare them to a baseline: ΔCd in counts, and whether it is larger than its uncertainty.

    With -o, a picture of ΔCp for each car and one of drag accumulated from nose to tail for all.
    """
    conditions, reading = conditions_of(speed, density, area), reading_of(units, up, forward, level, without)
    files = list(dict.fromkeys([*([baseline] if baseline else []), *cars]))
    if len(files) < 2:
        raise BadUsage("compare needs two cars at least; give another, or --baseline")
    if output is not None:
        try:
            output.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadUsage(f"-o {output}: the folder cannot be made ({error.strerror})") from error
    with results_only() as stdout:
        from drivaer_app.files import checksum_of
        from drivaer_app.report.difference import judged
        from drivaer_app.results import Result

        waiting = Waiting(len(files))
        with waiting.on("loading the models"):
            predictor = predictor_of(model, device)
        compared: list[Compared] = []
        for file in files:
            with waiting.on_file(file.name):
                prediction = predictor.predict(file, conditions, reading)
            result = Result.of(prediction, checksum_of(file))
            judgement = judged(result, compared[0].result) if compared else None
            compared.append(Compared(file, prediction, result, judgement))
        if output is not None:
            with waiting.on("drawing"):
                _draw(compared, output)
        if as_json:
            for car in compared:
                print(json.dumps(car.record(), allow_nan=False), file=stdout)
        else:
            _show(compared, stdout)
        for car in compared:
            for warning in car.prediction.warnings:
                say(f"{car.file}: {warning}")
    return 0


def _draw(compared: list[Compared], folder: Path) -> None:
    from drivaer_app.compare import pressure_difference
    from drivaer_app.drag_along import drag_along
    from drivaer_app.drawn_car import drawn_car
    from drivaer_app.pictures.compare_picture import write_delta_picture, write_drag_picture

    if compared[0].prediction.surface is None:
        say("this model gives drag only: there is nothing to draw")
        return
    base, *others = compared
    drawn = drawn_car(base.prediction)
    for number, car in enumerate(others, start=1):
        own = drawn_car(car.prediction)
        title = f"{_ascii(car.file.stem)}: {car.judgement.counts:+.1f} counts against {_ascii(base.file.stem)}"
        note = "" if car.judgement.holds else "outside of what the model was trained on: no interval holds"
        path = folder / f"delta_cp_{number:02d}.png"
        write_delta_picture(path, own, pressure_difference(own, drawn), title, note)
        say(f"{path}: ΔCp of {car.file.name}")
    write_drag_picture(
        folder / "drag_along.png",
        [(_ascii(car.file.stem) + _mark(car), drag_along(car.prediction)) for car in compared],
    )
    say(f"{folder / 'drag_along.png'}: drag from nose to tail")


def _ascii(name: str) -> str:
    """The pictures' built-in font has the letters of ASCII only."""
    plain = name.encode("ascii", "replace").decode()
    return plain if len(plain) <= 40 else f"{plain[:18]}...{plain[-18:]}"


def _mark(car: Compared) -> str:
    return " (outside)" if car.result.in_distribution is False else ""


def _show(compared: list[Compared], stdout) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 1), pad_edge=False)
    for head in ("Cd", "90 % interval", "ΔCd", "Cl", "drag, N", "area, m²", "novelty"):
        table.add_column(head, justify="right", header_style="dim")
    table.add_column("car", header_style="dim", overflow="fold")
    for car in compared:
        r, outside = car.result, car.result.in_distribution is False
        interval = f"{r.cd_low:.3f} – {r.cd_high:.3f}" if r.cd_low is not None and not outside else "none holds"
        delta = "baseline" if car.judgement is None else f"{car.judgement.counts:+.1f}"
        cells = [f"{r.cd:.4f}{' ▲' if outside else '  '}", interval, delta, "" if r.cl is None else f"{r.cl:.3f}"]
        cells += [
            f"{car.prediction.drag:.1f}",
            f"{r.frontal_area:.3f}",
            "" if r.novelty is None else f"{r.novelty:.2f}",
        ]
        style = "yellow" if outside else ""
        table.add_row(*(Text(cell, style=style) for cell in cells), Text(car.file.name))
    console = Console(file=stdout, highlight=False, soft_wrap=not stdout.isatty())
    if not stdout.isatty():
        console.width = 10_000
    console.print(table)
    for car in compared[1:]:
        console.print(Text(f"{car.file.name}: {car.judgement.counts:+.1f} counts, {car.judgement.in_words}"))
    if any(car.result.in_distribution is False for car in compared):
        console.print("▲ outside of what the model was trained on: a guess, and no interval holds", style="yellow")
