"""Conditions on a report's cars: the language of data.catalogue.where on the report's columns, answered by SQLite."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

from data.catalogue.where import Column, parse_where
from drivaer_app.report.car import ReportCar
from drivaer_app.report.columns import COLUMNS, PARAMETER
from drivaer_app.report.content import Content


def matching(content: Content, text: str) -> list[ReportCar]:
    """The cars that fulfil ``cd < 0.28 and style = 'estate'``, in their order. Truths are 'true' and 'false'.

    Parameters are asked for by their own name too, where no column has it.
    Raises WhereError, which points at the word that is wrong.
    """
    columns = _columns(content)
    condition = parse_where(text, list(columns))
    asked = {column.expression: name for column, name in columns.items() if column.name in condition.columns}
    rows = [[_plain(row[name]) for name in asked.values()] for row in content.rows]
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute(f"CREATE TABLE cars (number INTEGER PRIMARY KEY{''.join(f', {place}' for place in asked)})")
        places = ", ".join("?" * (1 + len(asked)))
        database.executemany(f"INSERT INTO cars VALUES ({places})", ([number, *row] for number, row in enumerate(rows)))
        found = database.execute(f"SELECT number FROM cars WHERE {condition.sql} ORDER BY number", condition.parameters)
        return [content.cars[number] for (number,) in found]


def _columns(content: Content) -> dict[Column, str]:
    """Those that may be asked for, with the name that a report's row has them under."""
    taken = {column.name for column in COLUMNS}
    columns = {Column(own.name, "number" if own.kind == "number" else "text"): own.name for own in COLUMNS}
    for number, name in enumerate(content.parameters):
        is_text = any(isinstance(car.parameters.get(name), str) for car in content.cars)
        for asked in (PARAMETER + name, *(() if name.lower() in taken else (name,))):
            columns[Column(asked, "text" if is_text else "number", f"parameter_{number}")] = PARAMETER + name
    return columns


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value
