"""Queries on a catalogue: columns, rows page by page, ranges; used by the terminal and the window's table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from data.catalogue.store import Catalogue
from data.catalogue.where import Column, Condition, parse_where
from data.errors import DrivAerError

KINDS = ("mesh", "pressure", "wall_shear", "case")
"""Kinds of files that each have a column, which says where a design's file is."""

_TEXTS = ("id", "corpus", "class", "style", "underbody", "wheels", "label_version", "split", "notes")
_NUMBERS = ("cd", "cd_std", "cl", "cl_std", "clf", "clr", "area", "cd_first")
_TAGS = "(SELECT group_concat(tag, ',') FROM tags WHERE tags.design = designs.id)"
_FILE_STATE = (
    "(SELECT CASE WHEN state = 'here' AND member <> '' THEN 'zipped' ELSE state END FROM files "
    "WHERE files.design = designs.id AND files.kind = '{kind}' "
    "ORDER BY instr('here partial bad remote missing', state), member LIMIT 1)"
)
_BYTES = "(SELECT sum(size) FROM files WHERE files.design = designs.id)"


@dataclass(frozen=True)
class Sort:
    """By a column, missing values last; then by id."""

    column: str = "id"
    descending: bool = False


def columns_of(catalogue: Catalogue) -> list[Column]:
    """All columns of a catalogue's designs: facts, files' states (here, zipped, partial, ...), then parameters."""
    columns = [Column(name, "text", "design_class" if name == "class" else "") for name in _TEXTS]
    columns += [Column(name, "number") for name in _NUMBERS]
    columns += [Column("cda", "number", "(cd * area)"), Column("tags", "text", _TAGS)]
    columns += [Column(kind, "text", _FILE_STATE.format(kind=kind)) for kind in KINDS]
    columns.append(Column("bytes", "number", _BYTES))
    taken = {column.name.lower() for column in columns}
    for name in parameter_names(catalogue):
        if name.lower() not in taken:
            columns.append(Column(name, "number", _parameter(name)))
            taken.add(name.lower())
    return columns


def _parameter(name: str) -> str:
    """SQL for a parameter; the quick form where its name cannot be mistaken in a JSON path."""
    literal = name.replace("'", "''")
    if name.isprintable() and not set(name) & {'"', "\\"}:
        return f"json_extract(parameters, '$.\"{literal}\"')"
    return f"(SELECT value FROM json_each(parameters) WHERE key = '{literal}')"


def parameter_names(catalogue: Catalogue) -> list[str]:
    """Names of the designs' parameters, in the tables' order."""
    return json.loads(catalogue.fact("parameters", "[]"))


def named_columns(catalogue: Catalogue, names: Sequence[str]) -> list[Column]:
    """Columns by name, in any case. Raises DrivAerError for one that there is not, with the nearest that there is."""
    import difflib

    known = {column.name.lower(): column for column in columns_of(catalogue)}
    for name in names:
        if name.lower() not in known:
            near = [known[n].name for n in difflib.get_close_matches(name.lower(), known, n=3, cutoff=0.5)]
            fix = f"did you mean {' or '.join(near)}?" if near else f"the columns are {', '.join(known)}"
            raise DrivAerError(f"there is no column {name}", fix=fix)
    return [known[name.lower()] for name in names]


def condition_of(catalogue: Catalogue, where: str | None) -> Condition | None:
    """Parse a condition on the catalogue's columns. Raises WhereError, which points at what is wrong."""
    return None if where is None else parse_where(where, columns_of(catalogue))


def rows(
    catalogue: Catalogue,
    columns: Sequence[Column],
    where: Condition | None = None,
    *,
    sort: Sort | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> list[tuple[Any, ...]]:
    """The designs' values in the given columns; from the ``offset``-th on, ``limit`` at most."""
    sort = sort or Sort()
    order = named_columns(catalogue, [sort.column])[0].expression
    chosen = ", ".join(column.expression for column in columns)
    statement = (
        f"SELECT {chosen} FROM designs WHERE {where.sql if where else '1'} "
        f"ORDER BY {order} IS NULL, {order} {'DESC' if sort.descending else 'ASC'}, id LIMIT ? OFFSET ?"
    )
    parameters = (*(where.parameters if where else ()), -1 if limit is None else limit, offset)
    return catalogue.connection.execute(statement, parameters).fetchall()


def count(catalogue: Catalogue, where: Condition | None = None) -> int:
    """How many designs fulfil a condition."""
    statement = f"SELECT count(*) FROM designs WHERE {where.sql if where else '1'}"
    return catalogue.connection.execute(statement, where.parameters if where else ()).fetchone()[0]


def ids(catalogue: Catalogue, where: Condition | None = None, *, sort: Sort | None = None) -> list[str]:
    """Ids of the designs that fulfil a condition."""
    return [row[0] for row in rows(catalogue, named_columns(catalogue, ["id"]), where, sort=sort)]


def range_of(
    catalogue: Catalogue, column: Column, where: Condition | None = None
) -> tuple[float | None, float | None, int]:
    """Lowest and highest value of a number's column (None where there are none), and how many designs lack one."""
    x = column.expression
    statement = f"SELECT min({x}), max({x}), count(*) - count({x}) FROM designs WHERE {where.sql if where else '1'}"
    return catalogue.connection.execute(statement, where.parameters if where else ()).fetchone()


def values_of(catalogue: Catalogue, column: Column, where: Condition | None = None) -> list[tuple[str | None, int]]:
    """Each different value of a text's column and how many designs have it, the most frequent first."""
    x = column.expression
    statement = f"SELECT {x}, count(*) FROM designs WHERE {where.sql if where else '1'} GROUP BY 1 ORDER BY 2 DESC, 1"
    return catalogue.connection.execute(statement, where.parameters if where else ()).fetchall()


def find_design(catalogue: Catalogue, given: str) -> str:
    """The id that a user means: spelled in any case and padding.

    Raises DrivAerError for one that there is not, with the nearest that there are.
    """
    import difflib

    from data.corpora.drivaernet import find_id

    if catalogue.design(given) is not None:
        return given
    known = find_id(given)
    if known is not None and catalogue.design(str(known)) is not None:
        return str(known)
    folded = {i.lower(): i for i in ids(catalogue)}
    if given.lower() in folded:
        return folded[given.lower()]
    tail = [i for low, i in folded.items() if low.endswith("/" + given.lower())]
    if len(tail) == 1:
        return tail[0]
    near = tail or [folded[n] for n in difflib.get_close_matches(given.lower(), folded, n=3, cutoff=0.7)]
    fix = f"did you mean {' or '.join(near[:3])}?" if near else "'data list' shows all"
    raise DrivAerError(f"there is no design {given}", file=catalogue.path, fix=fix)
