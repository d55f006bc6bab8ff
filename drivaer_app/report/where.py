"""Conditions on a batch's cars: the language of data.catalogue.where on the columns of a report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from data.catalogue.where import Column, parse_where
from drivaer_app.report.columns import COLUMNS, PARAMETER, row_of
from drivaer_app.report.content import Content, ReportCar

_TEXTS = {"name", "status", "delta_verdict", "unit", "up", "forward", "warnings", "error", "file", "mesh_sha256"}
_TEXTS |= {"model", "model_sha256", "device", "predicted_at", "program_version"}
_TRUTHS = {"in_distribution", "delta_calibrated", "watertight", "mirrored"}


def condition(text: str, everything: Content) -> Callable[[ReportCar], bool]:
    """Which cars fulfil ``cd < 0.28 and style = 'estate'``. Truths are 'true' and 'false'.

    everything: a report of all cars, which knows the parameters' names; those are asked for by their own name too.
    Raises WhereError, which points at the word that is wrong.
    """
    names = everything.parameters
    columns = [Column(column.name, "text" if column.name in _TEXTS | _TRUTHS else "number") for column in COLUMNS]
    taken = {column.name for column in columns}
    for name in names:
        kind = "text" if any(isinstance(car.parameters.get(name), str) for car in everything.cars) else "number"
        columns.append(Column(PARAMETER + name, kind))
        if name.lower() not in taken:
            columns.append(Column(name, kind))
    found = parse_where(text, columns)
    return lambda car: found.matches(_row(car, names))


def _row(car: ReportCar, names: Sequence[str]) -> dict[str, Any]:
    row = row_of(car, tuple(names))
    told = {name: value for name, value in car.parameters.items() if name not in row}
    return {name: _plain(value) for name, value in {**told, **row}.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value
