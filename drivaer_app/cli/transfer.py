"""What the commands that move many bytes share: options, a bar, numbers in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from drivaer_app.cli.terminal import say

if TYPE_CHECKING:
    from data.control import Control
    from data.download.progress import TransferProgress

Server = Annotated[
    str | None, typer.Option(metavar="URL", help="The Dataverse to ask; Harvard's unless given.", show_default=False)
]
Token = Annotated[
    str | None,
    typer.Option(
        metavar="TOKEN", envvar="DATAVERSE_API_TOKEN", help="API token, for files that want one.", show_default=False
    ),
]
Connections = Annotated[int, typer.Option(min=1, max=8, metavar="N", help="Files fetched at once.")]


@contextmanager
def progress_bar(n_bytes: int | None) -> Iterator[Callable[[TransferProgress], None]]:
    """A bar at a terminal, nothing elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.table import Column

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda progress: None
        return
    columns = (
        TextColumn("{task.fields[files]}"),
        BarColumn(16),
        DownloadColumn(table_column=Column(no_wrap=True)),
        TransferSpeedColumn(table_column=Column(no_wrap=True)),
        TimeRemainingColumn(table_column=Column(no_wrap=True)),
        TextColumn("{task.fields[doing]}", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")),
    )
    with Progress(*columns, console=console, expand=True) as bar:
        task = bar.add_task("", total=n_bytes, files="", doing="")

        def show(now: TransferProgress) -> None:
            files = f"{now.n_done}/{now.n_files}"
            doing = now.doing.rpartition("/")[2].replace("[", "\\[")
            bar.update(task, completed=now.bytes_done, total=now.bytes_total, files=files, doing=doing)

        yield show


@contextmanager
def stopping(control: Control) -> Iterator[None]:
    """Ctrl-C stops the connections too; what they brought stays."""
    try:
        yield
    except KeyboardInterrupt:
        control.cancel()
        say("what has come stays; the same command goes on from there")
        raise
