"""``main.py shapes``: procedural cars from named parameters, written as mesh files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import DrivAerError

if TYPE_CHECKING:
    from drivaer_app.shapes.parameters import CarParameters


def shapes(
    more: Annotated[list[str] | None, typer.Argument(metavar="[NAME=VALUE ...]", help="More values for --set.")] = None,
    style: Annotated[str, typer.Option(help="fastback, notchback, estate, hatchback, suv, van, or all.")] = "fastback",
    random: Annotated[int, typer.Option(min=0, help="How many random cars of the style; 0 for its default.")] = 0,
    seed: Annotated[int, typer.Option(min=0, help="First random car's seed; the next ones count up.")] = 0,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE ...", help="Values of parameters: m, or degrees for *_deg."),
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the cars.")] = Path("cars"),
    file_format: Annotated[
        str, typer.Option("--format", help="stl, ply, or obj, which also holds the names of the parts.")
    ] = "stl",
    resolution_mm: Annotated[float, typer.Option("--resolution", help="Grid spacing in mm; finer, more faces.")] = 16.0,
    list_parameters: Annotated[bool, typer.Option("--list", help="List the parameters and ranges, and stop.")] = False,
) -> None:
    """Build procedural cars and write each to FOLDER/STYLE_SEED.stl, with cars.csv telling their parameters."""
    if list_parameters:
        _print_parameters(style)
        return
    from drivaer_app.shapes.car import build_car
    from drivaer_app.shapes.mesh_files import check_written

    suffix = "." + file_format.lower().lstrip(".")
    check_written(output / f"car{suffix}")
    cars = _wanted(style, random, seed, _parsed([*(settings or []), *(more or [])]))
    for name, parameters in cars:
        typer.echo(build_car(parameters, resolution=1e-3 * resolution_mm).export(output / f"{name}{suffix}"))
    _write_table(output / "cars.csv", cars)


def _wanted(style: str, random: int, seed: int, changes: dict[str, float | str]) -> list[tuple[str, CarParameters]]:
    from drivaer_app.shapes.parameters import STYLES, CarParameters, random_parameters

    styles = STYLES if style == "all" else (style,)
    if not random:
        return [(name, CarParameters.for_style(name, **changes)) for name in styles]
    return [
        (f"{name}_{number:04d}", random_parameters(name, number, **changes))
        for name in styles
        for number in range(seed, seed + random)
    ]


def _parsed(settings: list[str]) -> dict[str, float | str]:
    changes: dict[str, float | str] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not (name and equals and value):
            raise DrivAerError(f"--set {setting} is not NAME=VALUE", fix="write for example --set length=4.7")
        try:
            changes[name.strip()] = float(value)
        except ValueError:
            changes[name.strip()] = value.strip()
    return changes


def _print_parameters(style: str) -> None:
    from drivaer_app.shapes.parameters import RANGES, STYLES, UNDERBODIES, CarParameters

    defaults = CarParameters.for_style("fastback" if style == "all" else style)
    typer.echo(f"{'parameter':22s} {defaults.style:>10s}   range")
    typer.echo(f"{'style':22s} {defaults.style:>10s}   {', '.join(STYLES)}")
    typer.echo(f"{'underbody':22s} {defaults.underbody:>10s}   {', '.join(UNDERBODIES)}")
    for name, (low, high) in RANGES.items():
        typer.echo(f"{name:22s} {getattr(defaults, name):10.4g}   {low:g} to {high:g}")


def _write_table(path: Path, cars: list[tuple[str, CarParameters]]) -> None:
    import csv
    from dataclasses import asdict

    rows = [{"name": name, **asdict(parameters)} for name, parameters in cars]
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    except OSError as error:
        raise DrivAerError(f"cannot be written ({error.strerror})", file=path) from error
