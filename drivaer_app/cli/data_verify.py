"""``drivaer data verify`` and ``drivaer data repair``: a corpus on a disk against its checksums."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from drivaer_app.cli.terminal import BadUsage, results_only, say
from drivaer_app.cli.transfer import Connections, Server, Token, progress_bar, stopping

if TYPE_CHECKING:
    from data.catalogue import Catalogue
    from data.download.integrity import Verified

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the corpus lies; here unless given.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, nothing else.")]


def verify(folder: Folder = Path("."), as_json: AsJson = False) -> int:
    """Hash every file of a corpus again and name those that are bad, missing, cut short or there twice.

    Stopped half-way, it goes on from there the next time. Exit status: 0 when all is right, 1 when something is wrong.
    """
    from data.catalogue import open_catalogue
    from data.download.words import bytes_in_words, time_in_words

    with results_only() as stdout:
        with open_catalogue(_catalogue_of(folder)) as catalogue:
            found = _verify(catalogue, trusting=False)
        if as_json:
            print(json.dumps({**asdict(found), "folder": str(folder)}), file=stdout)
        else:
            for finding in found.findings:
                print(f"{finding.path}: {finding.fault}: {finding.why}", file=stdout)
        n_wrong = len({finding.path for finding in found.findings})
        rate = f", {bytes_in_words(found.n_bytes / found.seconds)}/s" if found.n_bytes and found.seconds else ""
        hashed = f"{bytes_in_words(found.n_bytes)} hashed in {time_in_words(found.seconds)}{rate}"
        say(f"{found.n_files} files, {n_wrong} of them wrong; {hashed}")
        if found.unchecked:
            say(f"of {len(found.unchecked)} no checksum is known: they are there, and nobody can say more")
        if found.to_fetch:
            say(f"'drivaer data repair {folder}' fetches what is wrong again")
    return 0 if found.is_right else 1


def repair(
    folder: Folder = Path("."),
    server: Server = None,
    token: Token = None,
    connections: Connections = 4,
    as_json: AsJson = False,
) -> int:
    """Fetch again what is bad, missing or cut short, and nothing else.

    Files that were found right before and have not been touched since are not hashed again: 'data verify' does that.
    Exit status: 0 when every file is there and right.
    """
    from data.catalogue import open_catalogue
    from data.control import Control
    from data.download.dataverse import server_of
    from data.download.get import working_in
    from data.download.repair import Repairer
    from data.download.words import bytes_in_words
    from data.errors import DrivAerError

    try:
        address = server_of(server) if server else None
    except DrivAerError as error:
        raise BadUsage(error.line) from error
    corpus, control = _catalogue_of(folder), Control()

    with results_only() as stdout:
        with working_in(corpus), open_catalogue(corpus) as catalogue:
            found = _verify(catalogue, trusting=True)
            wrong = found.to_fetch
            say(f"{len(wrong)} of {found.n_files} files are to be fetched again")
            repairer = Repairer(catalogue, server=address, token=token, control=control, say=say)
            with progress_bar(None) as on_progress, stopping(control):
                done = repairer.repair(wrong, connections=connections, on_progress=on_progress)
        for line in done.hopeless:
            say(line)
        outcomes = [outcome for result in done.results for outcome in result.outcomes]
        n_right = sum(outcome.is_right for outcome in outcomes)
        fetched = sum(result.bytes_fetched for result in done.results)
        say(f"{n_right} of {len(wrong)} files are right again; {bytes_in_words(fetched)} fetched")
        if as_json:
            files = [{"path": o.item.path, "status": o.status, "error": o.error or None} for o in outcomes]
            status = "ok" if done.is_complete else "error"
            record = {"folder": str(folder), "status": status, "files": files, "errors": list(done.hopeless)}
            print(json.dumps(record | {"bytes_fetched": fetched}), file=stdout)
    return 0 if done.is_complete else 1


def _catalogue_of(folder: Path) -> Path:
    """Raises DrivAerError where the folder holds nothing that could be checked."""
    from data.catalogue import CATALOGUE_NAME
    from data.errors import DrivAerError

    if not (folder / CATALOGUE_NAME).is_file():
        fix = "give the folder that 'data get' filled, or look through this one with 'data scan' first"
        raise DrivAerError("holds no catalogue, so nothing is known to check by", file=folder, fix=fix)
    return folder


def _verify(catalogue: Catalogue, *, trusting: bool) -> Verified:
    from data.control import Control
    from data.download.integrity import verify as verify_files

    control = Control()
    with progress_bar(None) as on_progress, stopping(control):
        return verify_files(catalogue, trusting=trusting, control=control, on_progress=on_progress)
