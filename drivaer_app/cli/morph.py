"""``drivaer morph``: any car bent by named handles, once or over a sweep, in its own unit, axes and format."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import DrivAerError
from drivaer_app.cli.options import Forward, Units, Up
from drivaer_app.cli.terminal import BadUsage, Waiting, say

if TYPE_CHECKING:
    from data.mesh import RawMesh
    from drivaer_app.shapes.morph import Morph

_SETTING = re.compile(r"[A-Za-z_]\w*=")
_MOST_VARIANTS = 10_000


@dataclass(frozen=True)
class MorphOutput:
    """What to do to the car, and where it goes."""

    values: dict[str, float]
    path: Path


def morph(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="CAR [NAME=VALUE ...]", help="A mesh, and more values or sweeps.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE ...", help="Values of handles: metres, degrees or factors."),
    ] = None,
    sweeps: Annotated[
        list[str] | None,
        typer.Option(
            "--sweep", metavar="NAME=START:STOP:COUNT ...", help="A variant for each value; several make a grid."
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help=".stl .obj .ply, or a folder (always for a sweep).")
    ] = None,
    list_handles: Annotated[
        bool, typer.Option("--list", help="The handles and their ranges; with a car, its own and its landmarks.")
    ] = False,
    units: Units = "auto",
    up: Up = "auto",
    forward: Forward = "auto",
) -> int:
    """Bend a car by its handles and write it in its own unit, axes, place and parts.

    drivaer morph car.stl --set backlight_angle=-4 ride_height=-0.015 -o out.stl

    drivaer morph car.stl --sweep boat_tail=0:8:5 -o folder/

    A sweep also writes variants.csv with each file's values. The input is never overwritten.
    """
    car_file, more = _divided(words or [])
    if list_handles:
        _list(car_file, units, up, forward)
        return 0
    values, swept = _asked(settings or [], sweeps or [], more)
    if car_file is None:
        raise BadUsage("which car? give a mesh: morph CAR.stl --set roof_height=0.03 -o out.stl")
    if not values and not swept:
        raise BadUsage("what to change? give --set NAME=VALUE or --sweep NAME=START:STOP:COUNT; --list tells the names")
    if output is None:
        raise BadUsage("where to? give -o OUT.stl, or a folder")
    variants = _planned(car_file, values, swept, output)
    waiting = Waiting(1)
    with waiting.on(f"reading {car_file.name}"):
        raw, morph_of_car = _read(car_file, units, up, forward)
    say(_read_as(morph_of_car))
    for warning in morph_of_car.car.frame.warnings:  # lengths are metres: they hang on how the file was read
        say(warning)
    for variant in variants:  # all of them first: nothing is written where one is refused
        _check(morph_of_car, variant.values)
    if variants[0].path != output:
        _make_folder(variants[0].path.parent)
    with waiting.on("morphing"):
        for variant in variants:
            _write(raw, morph_of_car, variant)
            typer.echo(variant.path)
    if swept:
        _write_table(variants[0].path.parent / "variants.csv", variants)
    return 0


# What was asked


def _divided(words: list[str]) -> tuple[Path | None, list[str]]:
    """The car, and what followed an option's first NAME=VALUE: only that one belongs to the option for the parser."""
    settings = [word for word in words if _SETTING.match(word) and not Path(word).exists()]
    files = [word for word in words if word not in settings]
    if len(files) > 1:
        raise BadUsage(f"one car at a time, or NAME=VALUE: what is {files[1]}?")
    return (Path(files[0]) if files else None), settings


def _asked(settings: list[str], sweeps: list[str], more: list[str]) -> tuple[dict[str, float], dict[str, list[float]]]:
    """Values, and values to sweep over, by handle."""
    values: dict[str, float] = {}
    swept: dict[str, list[float]] = {}
    for text in [*settings, *sweeps, *more]:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (name and equals and value):
            raise BadUsage(f"{text} is not NAME=VALUE; write for example --set roof_height=0.03")
        if name in values or name in swept:
            raise BadUsage(f"{name} is given twice")
        if ":" in value or text in sweeps:
            swept[name] = _span(text, value)
        else:
            values[name] = _number(text, value)
    _check_names([*values, *swept])
    return values, swept


def _check_names(names: list[str]) -> None:
    """Before a large mesh is read for nothing."""
    from drivaer_app.shapes.handles import HANDLES, checked

    try:
        checked({name: HANDLES[name].neutral if name in HANDLES else 0.0 for name in names})
    except DrivAerError as error:
        raise BadUsage(error.line) from error


def _span(text: str, value: str) -> list[float]:
    words = value.split(":")
    if len(words) != 3 or not words[2].isdecimal() or int(words[2]) < 1:
        raise BadUsage(f"{text} is not NAME=START:STOP:COUNT; write for example --sweep boat_tail=0:8:5")
    start, stop, count = _number(text, words[0]), _number(text, words[1]), int(words[2])
    if count > _MOST_VARIANTS:
        raise BadUsage(f"{text}: {count} variants are too many, {_MOST_VARIANTS} at most")
    return [round(start + (stop - start) * i / max(count - 1, 1), 12) for i in range(count)]


def _number(text: str, word: str) -> float:
    try:
        return float(word)
    except ValueError:
        raise BadUsage(f"{text}: {word} is not a number") from None


# Where it goes


def _planned(
    car_file: Path, values: dict[str, float], swept: dict[str, list[float]], output: Path
) -> list[MorphOutput]:
    from drivaer_app.shapes.mesh_files import WRITTEN_SUFFIXES, check_written

    grid = [{**values, **point} for point in _grid(swept)]
    if len(grid) > _MOST_VARIANTS:
        raise BadUsage(f"the sweeps make {len(grid)} variants, {_MOST_VARIANTS} at most")
    folder = output.is_dir() or output.suffix == ""
    if swept and not folder:
        raise BadUsage(f"-o {output} is one file for {len(grid)} variants; give a folder: -o variants/")
    if not folder:
        try:
            check_written(output)
        except DrivAerError as error:
            raise BadUsage(error.line) from error
        variants = [MorphOutput(grid[0], output)]
    else:
        stem, suffix = _stem_and_suffix(car_file)
        suffix = suffix if suffix in WRITTEN_SUFFIXES else ".stl"
        digits = len(str(len(grid)))
        variants = [
            MorphOutput(point, output / f"{stem}_{_values_in_name(point, swept, i, digits)}{suffix}")
            for i, point in enumerate(grid, start=1)
        ]
    for variant in variants:
        if variant.path.exists() and car_file.exists() and variant.path.samefile(car_file):
            raise BadUsage(f"-o would overwrite the input {car_file}; give another place")
    return variants


def _grid(swept: dict[str, list[float]]) -> Iterator[dict[str, float]]:
    from itertools import product

    for point in product(*swept.values()):
        yield dict(zip(swept, point, strict=True))


def _values_in_name(point: dict[str, float], swept: Mapping[str, object], i: int, digits: int) -> str:
    """``03_boat_tail_4``: numbered so that a folder sorts as the sweep runs."""
    if not swept:
        return "_".join(f"{name}_{value:g}" for name, value in point.items()) or "as_it_was"
    return f"{i:0{digits}d}_" + "_".join(f"{name}_{point[name]:g}" for name in swept)


def _stem_and_suffix(file: Path) -> tuple[str, str]:
    """``car`` and ``.stl`` of car.stl and of car.stl.gz."""
    plain = file.with_suffix("") if file.suffix.lower() == ".gz" else file
    return plain.stem, plain.suffix.lower()


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadUsage(f"-o {folder}: the folder cannot be made ({error.strerror})") from error


# The work


def _read(car_file: Path, units: str, up: str, forward: str) -> tuple[RawMesh, Morph]:
    from data.formats import read_mesh
    from data.load import place_car
    from drivaer_app.shapes.morph import Morph

    raw = read_mesh(car_file)
    return raw, Morph.of(place_car(raw, unit=units, up=up, forward=forward))


def _read_as(morph: Morph) -> str:
    frame, car = morph.car.frame, morph.car
    unit = frame.unit if frame.unit != "other" else f"{frame.to_metres:g} m a unit"
    wheels = "no wheels found"
    if morph.landmarks.front_wheels is not None:
        wheels = "wheels found" if morph.wheels_are_separate else "wheels found, not apart from the body"
    half = ", half a car" if frame.mirrored else ""
    sure = f"{frame.confidence:.0%} sure"
    name = car.path.name if car.path else "car"
    return f"{name} read as {unit}, nose along {frame.forward}, roof along {frame.up} ({sure}){half}, {wheels}"


def _check(morph: Morph, values: dict[str, float]) -> None:
    from drivaer_app.shapes.handles import checked

    try:
        checked(values, morph.handles)
    except DrivAerError as error:
        raise BadUsage(error.line) from error


def _write(raw: RawMesh, morph: Morph, variant: MorphOutput) -> None:
    from drivaer_app.shapes.mesh_files import write_mesh
    from drivaer_app.shapes.morph import reshaped_file

    vertices = morph.vertices(variant.values)
    flipped = morph.flipped_faces(vertices)
    if flipped:
        say(f"{variant.path.name}: {flipped} faces are turned over; values nearer to neutral keep them sound")
    write_mesh(variant.path, reshaped_file(raw, morph.car, vertices))


def _write_table(path: Path, variants: list[MorphOutput]) -> None:
    import csv

    from data.replacing import replacing

    names = list(variants[0].values)
    with replacing(path) as unfinished, unfinished.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["file", *names])
        writer.writerows([variant.path.name, *(variant.values[name] for name in names)] for variant in variants)
    typer.echo(path)


# The list


def _list(car_file: Path | None, units: str, up: str, forward: str) -> None:
    from drivaer_app.shapes.handles import HANDLES

    handles = HANDLES
    if car_file is not None:
        _, morph_of_car = _read(car_file, units, up, forward)
        typer.echo(_read_as(morph_of_car))
        for name, where in morph_of_car.landmarks.items():
            typer.echo(f"  {name:17s} {where}")
        typer.echo()
        handles = morph_of_car.handles
    for handle in handles.values():
        typer.echo(f"{handle.name:17s} {handle.range_text:>20s}   {handle.what}")
    absent = [name for name in HANDLES if name not in handles]
    if absent:
        typer.echo(f"not on this car: {', '.join(absent)}")
