"""``drivaer corpus``: CFD of many designs, grown in the background, looked at, packed for training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from drivaer_app.cli.terminal import say

corpus = typer.Typer(
    help="Grow a corpus of CFD cases from our own cars, and look after it.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Work = Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the corpus grows.")]


@corpus.command()
def grow(
    work: Work,
    families: Annotated[
        str | None,
        typer.Option(
            metavar="LIST",
            help="Styles, STYLE:SEED for random cars, car files, with commas between; all six styles unless given.",
        ),
    ] = None,
    count: Annotated[int, typer.Option(min=1, metavar="N", help="Designs of each family.")] = 500,
    workers: Annotated[int, typer.Option(min=1, metavar="N", help="Processes, each on one core.")] = 1,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Of the designs' sequence; a corpus keeps the one it began with.")
    ] = None,
    preset: Annotated[
        str | None, typer.Option(help="Mesh of the families: draft, coarse, medium, fine; coarse unless given.")
    ] = None,
) -> int:
    """Solve design after design, at the lowest priority, until all are done or it is stopped.

    Stop it however you like; the same command goes on. FOLDER/log tells what it does, 'corpus status' how far it is.
    """
    from data.errors import DrivAerError
    from drivaer_app.cfd.find import find_openfoam
    from drivaer_app.cfd.run import Cancelled
    from drivaer_app.corpus.growth import Plan, sources_of
    from drivaer_app.corpus.growth import grow as grow_corpus
    from drivaer_app.corpus.settings import settled_settings

    find_openfoam()
    if preset is not None:
        from drivaer_app.cfd.presets import preset_of

        preset_of(preset)
    try:
        work.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DrivAerError(f"the folder cannot be made ({error.strerror})", file=work) from error
    settings = settled_settings(work, seed=seed, preset=preset)
    sources = sources_of(work, settings, families)
    try:
        grow_corpus(Plan(work, sources, settings, count), workers, say)
    except Cancelled as stopped:
        say(stopped.line)
        raise KeyboardInterrupt from stopped
    return 0
