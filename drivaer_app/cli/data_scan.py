"""``drivaer data scan``: a folder's catalogue brought up to date."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from drivaer_app.cli.terminal import say

if TYPE_CHECKING:
    from data.catalogue.scan import ScanResult

_VERSIONS = {
    "updated": "as updated, on each car's own frontal area",
    "first": "as first published, on 2.154 m² for all cars",
    "own area": "on each car's own frontal area",
    "fixed area": "on one area for all cars",
    "as given": "as a table gives them",
}


def scan(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Where the corpus lies, unpacked or zipped; or 'built-in'.")
    ],
    catalogue: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where the catalogue goes; FOLDER/catalogue.sqlite unless given."),
    ] = None,
    labels: Annotated[
        Literal["updated", "first"] | None,
        typer.Option(
            help="Which of DrivAerNet's label versions to use; updated where there is one.", show_default=False
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout, nothing else.")] = False,
) -> int:
    """Bring a folder's catalogue up to date: what designs there are, where their files lie, their coefficients.

    Knows DrivAerNet, DrivAerML, AhmedML, WindsorML, our own CFD cases, and any folder of meshes with a CSV. Reads no
    meshes, and only what is new since the last time.
    """
    from data.catalogue.scan import scan as scan_folder
    from drivaer_app.catalogues import remember, scan_place

    folder, own_place = scan_place(folder)
    found = scan_folder(folder, catalogue=catalogue or own_place, labels=labels)
    remember(found.catalogue)
    for warning in found.warnings:
        say(warning)
    if as_json:
        import json
        from dataclasses import asdict

        typer.echo(json.dumps({**asdict(found), "catalogue": str(found.catalogue)}))
    else:
        _show(found)
    return 0


def _show(found: ScanResult) -> None:
    changes = [
        f"{n} {what}" for n, what in ((found.n_new, "new"), (found.n_changed, "changed"), (found.n_gone, "gone")) if n
    ]
    typer.echo(f"{found.n_designs} designs, {found.n_files} files ({', '.join(changes) or 'as before'})")
    for corpus, n in found.corpora.items():
        licence = found.licences.get(corpus)
        typer.echo(f"  {corpus:<12} {n}{f'  ({licence})' if licence else ''}")
    for version, n in found.label_versions.items():
        typer.echo(f"  coefficients of {n}: {_VERSIONS.get(version, version)}")
    if found.splits:
        typer.echo(f"  split: {', '.join(f'{n} {name}' for name, n in found.splits.items())}")
    typer.echo(f"  catalogue: {found.catalogue}")
    if not found.n_designs:
        say("no designs are in it: it holds no meshes, archives or tables of a corpus that is known")
