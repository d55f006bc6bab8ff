"""``drivaer data``: corpora on a disk, found, looked through, made ready for training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from drivaer_app.cli.terminal import say

data = typer.Typer(
    help="Find, browse and prepare corpora of cars: DrivAerNet, its neighbours and your own.",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@data.command()
def scan(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the corpus lies, unpacked or still zipped.")],
    catalogue: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where the catalogue goes; FOLDER/catalogue.sqlite unless given."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout, nothing else.")] = False,
) -> int:
    """Bring a folder's catalogue up to date: what designs there are, where their files lie, their coefficients."""
    import json
    from dataclasses import asdict

    from data.catalogue.scan import scan as scan_folder

    found = scan_folder(folder, catalogue=catalogue)
    for warning in found.warnings:
        say(warning)
    if as_json:
        typer.echo(json.dumps({**asdict(found), "catalogue": str(found.catalogue)}))
    else:
        typer.echo(f"{found.n_designs} designs, {found.n_files} files ({found.n_new} new) in {found.catalogue}")
    return 0
