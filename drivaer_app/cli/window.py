"""``drivaer window``: the designer's desk, on files, a folder or a study; or a picture of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

import typer

from drivaer_app.cli.terminal import BadUsage, say

Theme = Literal["system", "light", "dark"]
Page = Literal["desk", "data", "batch"]
Show = Literal["cp", "cf", "difference", "sensitivity", "cfd", "truth", "sides", "shape", "health"]


def window(
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILES|FOLDER|STUDY]", help="Meshes, folders, or a .drivaer study.")
    ] = None,
    select: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="The variant to show; several are put side by side.")
    ] = None,
    shot: Annotated[
        Path | None, typer.Option(metavar="OUT.png", help="Write a picture of the settled window, and leave.")
    ] = None,
    show: Annotated[Show, typer.Option(help="What colours the car.")] = "cp",
    page: Annotated[
        Page, typer.Option(help="What to begin with; data takes a FOLDER or 'built-in', batch what it predicts.")
    ] = "desk",
    theme: Annotated[Theme | None, typer.Option(help="Colours, for this once.")] = None,
    size: Annotated[str, typer.Option(metavar="WxH", help="Size of the window for --shot.")] = "1600x1000",
) -> int:
    """Open the window: a folder of variants, their drag and pressure, side by side. Also what no command does.

    With --shot, exit status 1 where a variant could not be predicted.
    """
    measures = re.fullmatch(r"(\d{3,4})x(\d{3,4})", size)
    if not measures:
        raise BadUsage(f"--size {size} is not WIDTHxHEIGHT, such as 1600x1000")
    if shot is not None and shot.suffix.lower() != ".png":
        raise BadUsage(f"--shot {shot.name}: must be a .png")
    if page == "data" and len(paths or ()) > 1:
        raise BadUsage("--page data shows one dataset: give one folder")
    if page != "desk" and select:
        raise BadUsage("--select is for the desk")
    if shot is not None and not paths and page == "desk":
        raise BadUsage("--shot needs something to show: give files, a folder or a study")
    from drivaer_app.ui.start import WindowOptions, run_window

    width, height = (int(number) for number in measures.groups())
    status, remarks = run_window(
        WindowOptions(tuple(paths or ()), tuple(select or ()), shot, show, theme, (width, height), page)
    )
    for remark in remarks:
        say(remark)
    return status
