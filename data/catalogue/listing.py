"""What a browser of a catalogue shows: what there is to choose from, and the rows that a choice leaves.

All rows of a choice are read at once: 8,000 of them are a few megabytes and a fraction of a second, and then any of
them can be scrolled to, drawn or picked out of a plot without another question.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from data.catalogue.conditions import all_of, equal_to, within
from data.catalogue.licences import licences_of
from data.catalogue.query import Sort, columns_of, condition_of, count, named_columns, rows, values_of
from data.catalogue.store import Catalogue, open_catalogue
from data.catalogue.where import Column

CHOICES = ("class", "style", "split")
"""Columns whose values are chosen from."""

_SHOWN = (
    *("id", "class", "style", "underbody", "wheels", "cd", "cl", "clf", "clr", "area", "cda", "cd_first"),
    *("label_version", "split", "mesh", "pressure", "tags", "notes"),
)


@dataclass(frozen=True)
class Overview:
    """What a catalogue holds.

    choices: values of each of CHOICES, the most frequent first. numbers: the columns of numbers that have values.
    spans: lowest and highest of each of these. split: where it comes from. licences: of the published corpora in it;
    accepted: those that somebody accepted when fetching. label_versions: designs by what their coefficients refer to.
    """

    path: Path
    root: Path
    n_designs: int
    corpora: Mapping[str, int]
    choices: Mapping[str, tuple[str, ...]]
    columns: tuple[Column, ...]
    spans: Mapping[str, tuple[float, float]]
    split: str
    splits: Mapping[str, int]
    label_versions: Mapping[str, int]
    licences: tuple[str, ...]
    accepted: tuple[str, ...]

    @property
    def numbers(self) -> tuple[str, ...]:
        return tuple(self.spans)


@dataclass(frozen=True)
class Question:
    """Which designs, in which order. where: a condition as typed. equal: values of columns of texts. ranges: of columns
    of numbers. also: columns to have beside those that are always shown."""

    where: str = ""
    equal: Mapping[str, str] = field(default_factory=dict)
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    sort: Sort = Sort()
    also: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Listing:
    """The answer: columns by name and kind, and a row of values for each design; the first value is its id."""

    question: Question
    columns: tuple[Column, ...]
    rows: list[tuple[Any, ...]]
    n_designs: int

    @cached_property
    def row_of(self) -> dict[str, int]:
        return {row[0]: number for number, row in enumerate(self.rows)}

    @cached_property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    def values(self, column: str) -> list[Any]:
        at = self.names.index(column)
        return [row[at] for row in self.rows]


def overview(path: str | Path) -> Overview:
    """Raises DrivAerError where there is no catalogue, or it cannot be read."""
    with open_catalogue(path, read_only=True) as catalogue:
        columns = columns_of(catalogue)
        counted = {c.name: dict(values_of(catalogue, c)) for c in columns if c.name in _COUNTED}
        spans = _spans(catalogue, [c for c in columns if c.kind == "number"])
        corpora = counted["corpus"]
        entries = json.loads(catalogue.fact("licence_accepted") or "[]")
        return Overview(
            path=catalogue.path,
            root=catalogue.root,
            n_designs=catalogue.count(),
            corpora={str(name): n for name, n in corpora.items()},
            choices={name: tuple(v for v in counted[name] if v) for name in CHOICES},
            columns=tuple(columns),
            spans=spans,
            split=catalogue.fact("split"),
            splits={name: n for name, n in counted["split"].items() if name},
            label_versions={name: n for name, n in counted["label_version"].items() if name},
            licences=licences_of(catalogue),
            accepted=tuple(entry["licence"] for entry in entries),
        )


_COUNTED = ("corpus", "label_version", *CHOICES)


def _spans(catalogue: Catalogue, columns: list[Column]) -> dict[str, tuple[float, float]]:
    """Lowest and highest value of each column that has any, in one pass over the designs."""
    asked = ", ".join(f"min({c.expression}), max({c.expression})" for c in columns)
    found = catalogue.connection.execute(f"SELECT {asked} FROM designs").fetchone()
    ends = zip(columns, found[::2], found[1::2], strict=True)
    return {c.name: (float(low), float(high)) for c, low, high in ends if low is not None}


def listing(path: str | Path, question: Question) -> Listing:
    """Raises WhereError for a condition that makes no sense, DrivAerError for a catalogue that cannot be read."""
    with open_catalogue(path, read_only=True) as catalogue:
        typed = condition_of(catalogue, question.where.strip() or None)
        chosen = [equal_to(c, question.equal[c.name]) for c in named_columns(catalogue, list(question.equal))]
        ranges = [within(c, *question.ranges[c.name]) for c in named_columns(catalogue, list(question.ranges))]
        where = all_of([*([typed] if typed else []), *chosen, *ranges])
        named = [*question.also, *question.ranges, question.sort.column, *(typed.columns if typed else ())]
        columns = named_columns(catalogue, [*dict.fromkeys([*_SHOWN, *named])])
        found = rows(catalogue, columns, where, sort=question.sort)
        total = count(catalogue)
    return _without_empty(Listing(question, tuple(columns), found, total), named)


def _without_empty(found: Listing, named: list[str]) -> Listing:
    """Columns that nobody asked for and that have no value in any row are left out."""
    keep = [
        i
        for i, name in enumerate(found.names)
        if name == "id" or name in named or any(row[i] not in (None, "") for row in found.rows)
    ]
    columns = tuple(found.columns[i] for i in keep)
    return Listing(found.question, columns, [tuple(row[i] for i in keep) for row in found.rows], found.n_designs)
