"""``drivaer desktop``: a menu entry, an icon and file types, put there and taken away."""

from __future__ import annotations

from typing import Annotated

import typer

from drivaer_app.cli.terminal import BadUsage, say


def desktop(
    install: Annotated[bool, typer.Option("--install", help="Put them where this user's desktop looks.")] = False,
    uninstall: Annotated[bool, typer.Option("--uninstall", help="Take them away again.")] = False,
) -> int:
    """Put drivaer into the menu, with its icon, and let it open studies and meshes from the file manager.

    For this user alone, without an administrator. Tried on Linux; on Windows and macOS as their documents say, untried.
    """
    if install == uninstall:
        raise BadUsage("desktop wants --install or --uninstall")
    from drivaer_app import desktop as entries

    entry = entries.install() if install else entries.uninstall()
    for path in entry.files:
        say(f"{'made' if install else 'removed'} {path}")
    if not entry.files:
        say("there was nothing to remove")
    if not entry.tried:
        say("nobody has tried this on this system yet: please tell what happened")
    return 0
