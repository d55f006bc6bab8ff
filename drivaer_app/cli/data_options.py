"""What the commands of ``drivaer data`` have in common: which catalogue, which designs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from drivaer_app.cli.terminal import BadUsage

if TYPE_CHECKING:
    from data.catalogue import Catalogue
    from data.catalogue.query import Sort
    from data.catalogue.where import Column, Condition

Folder = Annotated[
    Path | None,
    typer.Argument(
        metavar="FOLDER",
        help="Folder that was scanned, or 'built-in'; this one or the last one scanned unless given.",
        show_default=False,
    ),
]
Where = Annotated[
    str | None,
    typer.Option(
        "--where",
        metavar="CONDITION",
        help="Only designs with style='fastback' and cd<0.24; knows and, or, not, in, like, between, is missing, has.",
        show_default=False,
    ),
]
Columns = Annotated[
    str | None,
    typer.Option("--columns", metavar="LIST", help="With commas between; 'all' for every one.", show_default=False),
]
SortBy = Annotated[
    str | None,
    typer.Option("--sort", metavar="COLUMN", help="By a column, with - before it downwards.", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON on stdout, nothing else.")]


@contextmanager
def opened(folder: Path | None, *, to_change: bool = False) -> Iterator[Catalogue]:
    """The catalogue that the command means."""
    from data.catalogue import open_catalogue
    from drivaer_app.catalogues import which_catalogue

    with open_catalogue(which_catalogue(folder), read_only=not to_change) as catalogue:
        yield catalogue


def condition(catalogue: Catalogue, where: str | None) -> Condition | None:
    """Parse ``--where``. Raises BadUsage after showing which word is wrong."""
    from data.catalogue.query import condition_of
    from data.catalogue.where import WhereError

    try:
        return condition_of(catalogue, where)
    except WhereError as error:
        print("".join(f"  {line}\n" for line in error.picture.splitlines()), end="", file=sys.stderr)
        raise BadUsage(f"--where: {error.line}") from error


def columns(catalogue: Catalogue, wanted: str | None, default: tuple[str, ...]) -> list[Column]:
    """Parse ``--columns``. Raises BadUsage for one that there is not."""
    from data.catalogue.query import columns_of, named_columns
    from data.errors import DrivAerError

    if wanted is not None and wanted.strip().lower() == "all":
        return columns_of(catalogue)
    names = list(default) if wanted is None else [name.strip() for name in wanted.split(",") if name.strip()]
    if not names:
        raise BadUsage("--columns names no column")
    try:
        return named_columns(catalogue, names)
    except DrivAerError as error:
        raise BadUsage(f"--columns: {error.line}") from error


def sort_of(catalogue: Catalogue, wanted: str | None) -> Sort:
    """Parse ``--sort``. Raises BadUsage for a column that there is not."""
    from data.catalogue.query import Sort, named_columns
    from data.errors import DrivAerError

    if wanted is None:
        return Sort()
    name = wanted.strip().removeprefix("-")
    try:
        return Sort(named_columns(catalogue, [name])[0].name, wanted.strip().startswith("-"))
    except DrivAerError as error:
        raise BadUsage(f"--sort: {error.line}") from error
