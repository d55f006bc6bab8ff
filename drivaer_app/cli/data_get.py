"""``drivaer data get``: a published corpus, or some designs of it, brought onto a disk."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from data.errors import DrivAerError
from drivaer_app.cli.terminal import BadUsage, results_only, say
from drivaer_app.cli.transfer import Connections, Server, Token, progress_bar, stopping

if TYPE_CHECKING:
    from data.download.get import DownloadResult
    from data.download.plan import DownloadPlan
    from data.download.session import Download


def get(
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="drivaernet, or the DOI of a dataset.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", help="Where the corpus goes.")],
    what: Annotated[
        str | None,
        typer.Option(
            metavar="LIST",
            help="Of mesh, pressure, wall_shear, cfd, annotation, sketch, rendering, coefficients (the tables); "
            "mesh,pressure,coefficients of drivaernet and all of a DOI unless given.",
        ),
    ] = None,
    classes: Annotated[
        str | None, typer.Option(metavar="LIST", help="Of classes, such as F_D or E_S_WW_WM.", show_default=False)
    ] = None,
    ids: Annotated[
        str | None, typer.Option(metavar="LIST", help="Of designs, or a file with one a line.", show_default=False)
    ] = None,
    count: Annotated[int | None, typer.Option(metavar="N", help="The first N designs.", show_default=False)] = None,
    split: Annotated[
        str | None, typer.Option(metavar="NAME", help="train, val or test: the official split.", show_default=False)
    ] = None,
    server: Server = None,
    token: Token = None,
    connections: Connections = 4,
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="You have read the licence and accept it.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before fetching.")] = False,
    plan_only: Annotated[bool, typer.Option("--plan", help="Only say what would be done.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout, nothing else.")] = False,
) -> int:
    """Bring a corpus, or some designs of it, from a Dataverse onto a disk, checked by its checksums.

    Stop it however you like: the same command goes on from there. Single designs come out of the server's zips without
    the rest of them, where it sends parts of files. Exit status: 0 when every chosen file is there and right.
    """
    from data.download.get import check_space
    from data.download.session import Download, DownloadRequest

    try:
        request = DownloadRequest(dataset, out, what, classes, ids, count, split, server)
        download = Download(request, token=token, say=say)
    except DrivAerError as error:
        raise BadUsage(error.line) from error
    with results_only() as stdout:
        with _planning(download, out, as_json=as_json, stdout=stdout):
            plan = download.plan()
        if plan_only:
            _show_plan(plan, stdout, as_json=as_json)
            return 1 if plan.failed or plan.not_found else 0
        _show_plan(plan, sys.stderr, as_json=False)
        check_space(plan)
        _agree(plan, accept_licence=accept_licence, yes=yes)
        how = "flag" if accept_licence else "question"
        with progress_bar(plan.bytes_total) as on_progress, stopping(download.control):
            result = download.run(plan, accepted_by=how, connections=connections, on_progress=on_progress)
        _show_result(result, plan, stdout if as_json else None)
        return 0 if result.is_complete else 1


@contextmanager
def _planning(download: Download, out: Path, *, as_json: bool, stdout: TextIO) -> Iterator[None]:
    from rich.console import Console

    console = Console(stderr=True)
    try:
        if console.is_terminal:
            with console.status(f"asking {download.transport.server}"):
                yield
        else:
            yield
    except DrivAerError as error:
        if as_json:
            print(json.dumps({"folder": str(out), "status": "error", "error": error.line}), file=stdout, flush=True)
        raise


def _agree(plan: DownloadPlan, *, accept_licence: bool, yes: bool) -> None:
    """Ask once for the licence and the go-ahead. Raises DrivAerError where nobody can be asked, Abort for a no."""
    if not plan.to_fetch:
        return
    can_ask = sys.stdin.isatty()
    missing = []
    if not accept_licence and any(name not in plan.accepted for name, _ in plan.licences):
        missing.append("--accept-licence")
    if not yes and not (accept_licence and not can_ask):
        missing.append("--yes")
    if missing and not can_ask:
        what = "the licence is not accepted" if "--accept-licence" in missing else "nobody is here to say yes"
        raise DrivAerError(f"{what}, and there is no terminal to ask at", fix=f"read it and add {' '.join(missing)}")
    if missing:
        question = "Do you accept the licence, and fetch this?" if "--accept-licence" in missing else "Fetch this?"
        if not typer.confirm(question, err=True):
            raise typer.Abort


def _show_plan(plan: DownloadPlan, to: TextIO, *, as_json: bool) -> None:
    from data.download.words import plan_in_words

    if as_json:
        print(json.dumps(plan.record()), file=to, flush=True)
        return
    lines = plan_in_words(plan)
    for name, url in plan.licences:
        lines.append(f"Licence: {name}" + (f" {url}" if url else ""))
    print("\n".join(lines), file=to, flush=True)


def _show_result(result: DownloadResult, plan: DownloadPlan, json_to: TextIO | None) -> None:
    from data.download.words import bytes_in_words, few, time_in_words

    for line in (*result.warnings, *result.errors):
        say(line)
    if result.not_found:
        say(f"{len(result.not_found)} designs are not on {plan.server}: {few(result.not_found)}")
    for names in _failed_alike(result):
        if len(names) > 1:
            say(f"the same holds for {few(names[1:], 20)}")
    n_right = sum(outcome.is_right for outcome in result.outcomes)
    took = f"{bytes_in_words(result.bytes_fetched)} fetched in {time_in_words(result.seconds)}"
    say(f"{n_right} of {len(result.outcomes)} files are there and right; {took}")
    if json_to is not None:
        print(json.dumps(_record(result, plan)), file=json_to, flush=True)


def _failed_alike(result: DownloadResult) -> list[list[str]]:
    """Paths of the files that failed, those with the same reason together."""
    alike: dict[str, list[str]] = {}
    for outcome in result.failed:
        alike.setdefault(outcome.reason, []).append(outcome.item.path)
    return list(alike.values())


def _record(result: DownloadResult, plan: DownloadPlan) -> dict:
    files = []
    for outcome in result.outcomes:
        checksum = outcome.item.checksum
        files.append(
            {
                "path": outcome.item.path,
                "status": outcome.status,
                "design": outcome.item.design,
                "bytes": outcome.item.size,
                "checksum": {"type": checksum.kind, "value": checksum.value} if checksum else None,
                "error": outcome.error or None,
            }
        )
    return {
        "folder": str(plan.folder),
        "status": "ok" if result.is_complete else "error",
        "files": files,
        "not_found": list(result.not_found),
        "errors": list(result.errors),
        "bytes_fetched": result.bytes_fetched,
        "seconds": round(result.seconds, 3),
    }
