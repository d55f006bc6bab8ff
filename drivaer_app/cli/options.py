"""Options that several commands share, and what they are turned into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from data.errors import DrivAerError, ModelError
from drivaer_app.cli.terminal import BadUsage

if TYPE_CHECKING:
    from drivaer_app.conditions import Conditions
    from drivaer_app.predict import Predictor, Reading

Unit = Literal["auto", "m", "cm", "mm", "in", "ft"]
Axis = Literal["auto", "x", "y", "z", "-x", "-y", "-z"]
Device = Literal["auto", "cpu", "cuda"]


def conditions_of(speed: float, density: float, area: float | None) -> Conditions:
    """Raises BadUsage for a speed, density or area that no wind or car has."""
    from drivaer_app.conditions import Conditions

    try:
        return Conditions(speed, density, area)
    except DrivAerError as error:
        raise BadUsage(f"--{error.line}") from error


def reading_of(units: str, up: str, forward: str) -> Reading:
    """Raises BadUsage where up and forward lie along the same axis."""
    from drivaer_app.predict import Reading

    if "auto" not in (up, forward) and up[-1] == forward[-1]:
        raise BadUsage(f"--up {up} and --forward {forward} lie along the same axis")
    return Reading(units, up, forward)


def predictor_of(model: str | None, device: str) -> Predictor:
    """The model that the command asks for. Raises BadUsage where it cannot be had."""
    from drivaer_app.predict import Predictor

    try:
        return Predictor(model, device)
    except ModelError as error:
        if model is None and device == "auto":
            raise  # nobody asked for anything: not the user's mistake
        raise BadUsage(error.line) from error
