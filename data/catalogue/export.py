"""A catalogue's rows as a file: CSV that spreadsheets can open without harm, or Parquet."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from data.catalogue.query import Sort, rows
from data.catalogue.store import Catalogue
from data.catalogue.where import Column, Condition
from data.errors import DrivAerError
from data.extras import needs
from data.replacing import replacing

Format = Literal["csv", "parquet"]

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def export(
    catalogue: Catalogue,
    path: str | Path,
    columns: Sequence[Column],
    where: Condition | None = None,
    *,
    sort: Sort | None = None,
    form: Format | None = None,
) -> int:
    """Write the chosen rows and columns; returns how many rows. form: by the path's suffix unless given.

    Raises DrivAerError for another suffix, or a file that cannot be written.
    """
    path = Path(path)
    form = form or _form_of(path)
    found = rows(catalogue, columns, where, sort=sort)
    with replacing(path) as unfinished:
        (_write_csv if form == "csv" else _write_parquet)(unfinished, columns, found)
    return len(found)


def safe_cell(value: Any) -> Any:
    """Texts that a spreadsheet would take for a formula get an apostrophe before them; numbers stay."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_STARTS) else value


def _form_of(path: Path) -> Format:
    suffix = path.suffix.lower()
    if suffix == ".csv":
        return "csv"
    if suffix in (".parquet", ".pq"):
        return "parquet"
    what = f"cannot tell a format from {suffix or 'a name without suffix'}"
    raise DrivAerError(what, file=path, fix="name it .csv or .parquet, or give --format")


def _write_csv(path: Path, columns: Sequence[Column], found: Sequence[tuple[Any, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow([safe_cell(column.name) for column in columns])
        table.writerows([safe_cell(value) for value in row] for row in found)


def _write_parquet(path: Path, columns: Sequence[Column], found: Sequence[tuple[Any, ...]]) -> None:
    needs("train")
    import pyarrow
    from pyarrow import parquet

    types = {"number": pyarrow.float64(), "text": pyarrow.string()}
    arrays = {
        column.name: pyarrow.array([row[i] for row in found], type=types[column.kind], from_pandas=True)
        for i, column in enumerate(columns)
    }
    parquet.write_table(pyarrow.table(arrays), path)
