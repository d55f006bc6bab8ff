"""What tables say of designs, put together: coefficients, areas, parameters, splits."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from data.corpora.tables import TEXTS, Table, number

NUMBERS = ("cd", "cd_std", "cl", "cl_std", "clf", "clr", "area", "cda")


@dataclass
class Labels:
    """What is known of a design besides its files.

    values: by column of the catalogue (cd, cl, ..., area, cd_first; style, split, ... as text). parameters: by name.
    version: what the coefficients refer to.
    """

    values: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, float] = field(default_factory=dict)
    version: str | None = None


def read_labels(table: Table, design_of: Callable[[str], str | None]) -> dict[str, Labels]:
    """Each row's labels by the design's id, as ``design_of`` makes it of the id's cell; rows of no design are left out.

    Of a design that comes twice the last row counts.
    """
    at = table.column("id")
    if at is None:
        return {}
    numbers = {name: column for name in NUMBERS if (column := table.column(name)) is not None}
    texts = {name: column for name in TEXTS if (column := table.column(name)) is not None}
    names = {column: table.headings[column] for column in table.parameters()}
    found: dict[str, Labels] = {}
    for row in table.rows:
        design = design_of(row[at])
        if design is None:
            continue
        values: dict[str, float | str] = {
            name: value for name, column in numbers.items() if (value := number(row[column])) is not None
        }
        values |= {name: row[column] for name, column in texts.items() if row[column]}
        parameters = {name: value for column, name in names.items() if (value := number(row[column])) is not None}
        found[design] = Labels(values, parameters)
    return found


def merge(labels: Iterable[dict[str, Labels]]) -> dict[str, Labels]:
    """Several tables' labels as one: what an earlier one says stands, later ones add. Cd comes of Cd·A and the area."""
    merged: dict[str, Labels] = {}
    for one in labels:
        for design, new in one.items():
            known = merged.setdefault(design, Labels())
            known.values = {**new.values, **known.values}
            known.parameters = {**new.parameters, **known.parameters}
            known.version = known.version or new.version
    for known in merged.values():
        drag_area = known.values.pop("cda", None)
        area = known.values.get("area")
        if drag_area is not None and area and "cd" not in known.values:
            known.values["cd"] = drag_area / area
    return merged
