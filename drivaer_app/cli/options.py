"""Options that several commands share, and what they are turned into."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from data.errors import DrivAerError, ModelError
from drivaer_app.cli.terminal import BadUsage

if TYPE_CHECKING:
    from drivaer_app.conditions import Conditions
    from drivaer_app.predict import Predictor, Reading

_Unit = Literal["auto", "m", "cm", "mm", "in", "ft"]
_Axis = Literal["auto", "x", "y", "z", "-x", "-y", "-z"]
Device = Literal["auto", "cpu", "cuda"]

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, nothing else.")]
AsJsonLines = Annotated[bool, typer.Option("--json", help="One JSON object a line on stdout, nothing else.")]

Units = Annotated[_Unit, typer.Option(help="Unit of the mesh file; worked out from its shape unless given.")]
Up = Annotated[_Axis, typer.Option(help="The file's axis along which the roof points.")]
Forward = Annotated[_Axis, typer.Option(help="The file's axis along which the nose points.")]

Level = Annotated[bool, typer.Option("--level", help="Turn a tilted car level and set it on its wheels.")]
Without = Annotated[
    list[str] | None,
    typer.Option(metavar="PART", help="Leave out a part: a body that the file names, or what a warning calls one."),
]

Speed = Annotated[float, typer.Option(metavar="M/S", help="Speed of the wind.")]
Density = Annotated[float, typer.Option(metavar="KG/M3", help="Density of the air.")]
Area = Annotated[
    float | None, typer.Option(metavar="M2", help="Area that coefficients refer to, instead of the measured one.")
]

OnDevice = Annotated[Device, typer.Option(help="Where the networks run.")]
ModelName = Annotated[
    str | None, typer.Option(metavar="NAME|PATH", help="A bundled model, a model folder, or a published .pth.")
]


def conditions_of(speed: float, density: float, area: float | None) -> Conditions:
    """Raises BadUsage for a speed, density or area that no wind or car has."""
    from drivaer_app.conditions import Conditions

    try:
        return Conditions(speed, density, area)
    except DrivAerError as error:
        raise BadUsage(f"--{error.line}") from error


def reading_of(units: str, up: str, forward: str, level: bool = False, without: Sequence[str] | None = None) -> Reading:
    """Raises BadUsage where up and forward lie along the same axis."""
    from drivaer_app.predict import Reading

    if "auto" not in (up, forward) and up[-1] == forward[-1]:
        raise BadUsage(f"--up {up} and --forward {forward} lie along the same axis")
    return Reading(units, up, forward, level, tuple(without or ()))


def predictor_of(model: str | None, device: str) -> Predictor:
    """The model that the command asks for. Raises BadUsage where it cannot be had."""
    from drivaer_app.predict import Predictor

    try:
        return Predictor(model, device)
    except ModelError as error:
        if model is None and device == "auto":
            raise  # nobody asked for anything: not the user's mistake
        raise BadUsage(error.line) from error
