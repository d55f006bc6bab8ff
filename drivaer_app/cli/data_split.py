"""``drivaer data split``, ``tag`` and ``note``: which designs are for what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from drivaer_app.cli.data_options import AsJson, Folder, Where, condition, opened
from drivaer_app.cli.terminal import BadUsage, say

if TYPE_CHECKING:
    from data.catalogue.split import Split


def split(
    folder: Folder = None,
    official: Annotated[
        Path | None,
        typer.Option(metavar="LISTS", help="Folder with train_design_ids.txt and the others.", show_default=False),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Draw a split; the same seed draws the same.", show_default=False)
    ] = None,
    fractions: Annotated[
        str, typer.Option(metavar="LIST", help="Of train, val and test, when drawing.")
    ] = "0.7,0.15,0.15",
    where: Where = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FOLDER", help="Write the lists too.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Split designs into training, validation and test, and keep that in the catalogue.

    Either as official lists have it, or drawn: seeded, with each class and drag alike in all parts, and with designs
    that are nearly the same car on one side. Without --official and --seed it shows the split that is in force.
    """
    from data.catalogue.split import draw_split, keep_split, official_split, present_split, write_lists

    if official is not None and seed is not None:
        raise BadUsage("give either --official or --seed")
    drawing = official is not None or seed is not None
    with opened(folder, to_change=drawing) as catalogue:
        only = condition(catalogue, where)
        if official is not None:
            made, lists = official_split(catalogue, official)
            for warning in lists.warnings:
                say(warning)
            source = f"lists in {official}"
        elif seed is not None:
            from data.catalogue.query import ids

            parts = _fractions(fractions)
            made = draw_split(catalogue, catalogue.designs(ids(catalogue, only)), fractions=parts, seed=seed)
            source = f"seed {seed}, {fractions}" + (f", where {where}" if where else "")
        else:
            made = present_split(catalogue)
            source = catalogue.fact("split") or "none"
        if drawing:
            keep_split(catalogue, made, source)
    if out is not None:
        write_lists(made, out)
    _show(made, source, as_json)
    return 0


def tag(
    name: Annotated[str, typer.Argument(metavar="TAG", help="A word without commas.")],
    designs: Annotated[
        list[str] | None, typer.Argument(metavar="ID", help="Designs to tag.", show_default=False)
    ] = None,
    where: Where = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take the tag off instead.")] = False,
    folder: Annotated[
        Path | None, typer.Option("--in", metavar="FOLDER", help="Folder that was scanned.", show_default=False)
    ] = None,
) -> int:
    """Tag designs, by id or by a condition; --where "tags has 'TAG'" finds them again."""
    from data.catalogue.query import find_design, ids

    if not name.strip() or "," in name:
        raise BadUsage("a tag is a word without commas")
    if bool(designs) == (where is not None):
        raise BadUsage("give either ids or --where")
    with opened(folder, to_change=True) as catalogue:
        chosen = [find_design(catalogue, d) for d in designs or []] or ids(catalogue, condition(catalogue, where))
        (catalogue.untag if remove else catalogue.tag)(chosen, name.strip())
    typer.echo(f"{len(chosen)} designs {'are without' if remove else 'have'} the tag {name.strip()}")
    return 0


def note(
    design: Annotated[str, typer.Argument(metavar="ID", help="Of a design.")],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to remember of it; '' for nothing.")],
    folder: Annotated[
        Path | None, typer.Option("--in", metavar="FOLDER", help="Folder that was scanned.", show_default=False)
    ] = None,
) -> int:
    """Write a note on a design, in place of the one that it has; 'data info' shows it."""
    from data.catalogue.query import find_design

    with opened(folder, to_change=True) as catalogue:
        found = find_design(catalogue, design)
        catalogue.note(found, text.strip())
    typer.echo(f"{found}: {text.strip() or 'no note any more'}")
    return 0


def _fractions(text: str) -> tuple[float, float, float]:
    try:
        train, val, test = (float(part) for part in text.split(","))
    except ValueError as error:
        raise BadUsage(f"--fractions {text} is not three numbers such as 0.7,0.15,0.15") from error
    if min(train, val, test) < 0 or abs(train + val + test - 1) > 1e-6:
        raise BadUsage(f"--fractions {text} must be positive and add up to 1")
    return train, val, test


def _show(made: Split, source: str, as_json: bool) -> None:
    from data.corpora.splits import SPLITS

    counts = {name: made.count(name) for name in SPLITS}
    if as_json:
        leaks = [list(group) for group in made.leaks]
        typer.echo(json.dumps({**counts, "source": source, "groups": made.n_groups, "leaks": leaks}))
        return
    typer.echo(f"{', '.join(f'{n} {name}' for name, n in counts.items())}  ({source})")
    if made.leaks:
        say(
            f"{len(made.leaks)} groups of nearly the same car are torn apart (such as {', '.join(made.leaks[0][:4])}): "
            "test errors look better than they are; 'data split --seed 0' keeps them together"
        )
