"""What ``data get`` makes of a Dataverse's faults, and what the user is told: ``docs/download_faults.md``.

``python benchmarks/download_faults.py --write docs/download_faults.md``

The server is ``benchmarks/dataverse_server.py`` on loopback with real zips of cars of our own; the tests in
``tests/data_download`` run the same cases.
"""

from __future__ import annotations

import argparse
import socket
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.dataverse_server import Dataverse, Faults, Stored, dataset_of, http_date
from benchmarks.drivaernet_corpus import write_corpus
from data.control import Control
from data.download.get import DownloadResult
from data.download.progress import OnProgress, silent
from data.download.retries import Patience
from data.download.session import Download, DownloadRequest
from data.errors import DrivAerError

DOI = "doi:10.5072/FK2/CARS"
DESIGNS = ("F_D_WM_WW_0001", "F_D_WM_WW_0002", "F_D_WM_WW_0003", "E_S_WW_WM_001")
ONE = "F_D_WM_WW_0002"
QUICK = Patience(
    connect_s=2.0,
    read_s=1.0,
    answer_s=2.0,
    tries=4,
    busy_tries=5,
    first_wait_s=0.01,
    longest_wait_s=0.05,
    longest_asked_s=30.0,
)


@dataclass(frozen=True)
class Case:
    """A server with a fault. faults: made anew for each run. ids: single designs instead of everything.

    ends: "right" with the right bytes, else what the error says. alter: what is different in the dataset's files.
    """

    name: str
    faults: Callable[[Sequence[Stored]], Faults] = lambda files: Faults()
    ids: str | None = None
    token: str | None = None
    ends: str = "right"
    alter: Callable[[list[Stored]], list[Stored]] = lambda files: files
    doi: str = DOI
    down: bool = False


@dataclass
class Run:
    """What came of a case. messages: lines that the user reads. fetched: bytes; needed: of the files asked for."""

    messages: list[str] = field(default_factory=list)
    result: DownloadResult | None = None
    error: str = ""
    fetched: int = 0
    needed: int = 0

    @property
    def is_right(self) -> bool:
        return self.result is not None and self.result.is_complete


def _next_version(files: Sequence[Stored], *, new_ids: bool) -> dict[int, Stored]:
    """Each file with some bytes more, as a corrected upload has."""
    return {f.id: replace(f, id=f.id + 1000 * new_ids, content=f.content[::-1] + b"corrected") for f in files}


def _named(files: Sequence[Stored], part: str) -> Stored:
    return next(f for f in files if part in f.name)


CASES = (
    Case("nothing is wrong"),
    Case("nothing is wrong, one design", ids=ONE),
    Case("cuts every connection after 200 kB", lambda files: Faults(cut_after=200_000)),
    Case("cuts every connection after 200 kB, one design", lambda files: Faults(cut_after=200_000), ids=ONE),
    Case("cuts the connection after 777 bytes, ten times", lambda files: Faults(cut_after=777, cuts=10)),
    Case("closes before the first byte, twice", lambda files: Faults(cut_after=0, cuts=2)),
    Case("closes before the first byte, always", lambda files: Faults(cut_after=0), ends="in a row"),
    Case("cuts, and says no length", lambda files: Faults(cut_after=300_000, cuts=6, no_length=True)),
    Case("cuts, and has no ETags", lambda files: Faults(cut_after=300_000, etags=False)),
    Case("cuts, and has a new ETag each time", lambda files: Faults(cut_after=300_000, new_etags=True)),
    Case("ignores Range", lambda files: Faults(ignores_range=True)),
    Case("ignores Range and cuts three times", lambda files: Faults(cut_after=300_000, cuts=3, ignores_range=True)),
    Case("ignores Range, one design", lambda files: Faults(ignores_range=True), ids=ONE),
    Case("answers a range with other bytes", lambda files: Faults(cut_after=300_000, cuts=4, shifted=True)),
    Case("redirects to a store", lambda files: Faults(redirects=True)),
    Case(
        "redirects; each link works once, and the store cuts",
        lambda files: Faults(redirects=True, link_uses=1, cut_after=400_000),
    ),
    Case("redirects; links run out, one design", lambda files: Faults(redirects=True, link_uses=1), ids=ONE),
    Case("redirects; links never work", lambda files: Faults(redirects=True, link_uses=0), ends="store refused"),
    Case(
        "redirects to another host, with a token",
        lambda files: Faults(redirects=True, other_host=True, token="s3cret"),
        token="s3cret",
    ),
    Case("answers 429 (Retry-After: 1)", lambda files: Faults(busy=[(429, "1")])),
    Case("answers 503 (Retry-After: a date)", lambda files: Faults(busy=[(503, http_date(1.5))])),
    Case("answers 429 and wants an hour", lambda files: Faults(busy=[(429, "3600")]), ends="asks to wait 3600 s"),
    Case("answers 500 twice", lambda files: Faults(busy=[(500, ""), (502, "")])),
    Case("answers 503 always", lambda files: Faults(busy=[(503, "")] * 50), ends="503"),
    Case("sends a wrong byte once", lambda files: Faults(wrong_byte=1)),
    Case("sends a wrong byte always", lambda files: Faults(wrong_byte=-1), ends="checksum is still wrong"),
    Case("sends a wrong byte of a design once", lambda files: Faults(wrong_byte=1), ids=ONE),
    Case(
        "publishes a new version meanwhile",
        lambda files: Faults(cut_after=200_000, changes_to=_next_version(files, new_ids=True)),
    ),
    Case(
        "changes files under their ids meanwhile",
        lambda files: Faults(cut_after=200_000, changes_to=_next_version(files, new_ids=False)),
    ),
    Case(
        "changes files meanwhile, and has no ETags",
        lambda files: Faults(cut_after=200_000, etags=False, changes_to=_next_version(files, new_ids=False)),
    ),
    Case("goes silent half-way, twice", lambda files: Faults(stalls=2)),
    Case("wants a guestbook (400)", lambda files: Faults(guestbook="json"), ends="guestbook"),
    Case("sends the guestbook's page", lambda files: Faults(guestbook="page"), ends="web page instead"),
    Case("wants a token", lambda files: Faults(token="s3cret"), ends="needs an API token"),
    Case("is given a wrong token", lambda files: Faults(token="s3cret"), token="wrong", ends="no access"),
    Case("is given the right token", lambda files: Faults(token="s3cret"), token="s3cret"),
    Case("has a file on tape", lambda files: Faults(globus=(files[0].name,)), ends="Globus"),
    Case(
        "lists a file that it does not have",
        alter=lambda files: [*files, Stored(7777, "lost.csv", b"", listed={"id": 7778})],
        ends="is not on",
    ),
    Case("knows no such dataset", doi="doi:10.5072/FK2/NONE", ends="not published"),
    Case("sends a web page as listing", lambda files: Faults(listing="html"), ends="web page"),
    Case("sends half a listing", lambda files: Faults(listing="half"), ends="cut its answer off"),
    Case("says that it cannot list", lambda files: Faults(listing="error"), ends="the index is being rebuilt"),
    Case("answers with other JSON", lambda files: Faults(listing="array"), ends="no Dataverse"),
    Case("lists a wrong size", alter=lambda files: [replace(files[0], listed={"filesize": 12345}), *files[1:]]),
    Case("is down", down=True, ends="takes no connections"),
)


def files_of_corpus(folder: Path) -> list[Stored]:
    """The files of a small corpus of ours, as a dataset's."""
    write_corpus(folder, DESIGNS, what=("mesh", "pressure"), zipped=True, splits=False)
    table = (folder / "DrivAerNetPlusPlus_Cd_8k_Updated.csv").read_bytes()
    (folder / "DrivAerNetPlusPlus_Cd_8k_Updated.csv").unlink()
    tab = table.replace(b",", b"\t")
    upload = ("DrivAerNetPlusPlus_Cd_8k_Updated.csv", "text/csv", table)
    ingested = Stored(900, "DrivAerNetPlusPlus_Cd_8k_Updated.tab", tab, "tables", original=upload)
    return [*dataset_of(folder, 10), ingested]


def fetch(
    dataverse: Dataverse,
    folder: Path,
    name: str = DOI,
    *,
    server: str | None = None,
    token: str | None = None,
    patience: Patience = QUICK,
    control: Control | None = None,
    say: Callable[[str], None] = print,
    on_progress: OnProgress = silent,
    **choice: Any,
) -> DownloadResult:
    """What ``data get`` does but for its questions. choice: what, classes, ids, count, split."""
    request = DownloadRequest(name, folder, server=server or dataverse.url, **choice)
    download = Download(request, token=token, patience=patience, control=control, say=say)
    plan = download.plan()
    for note in plan.notes:
        say(note)
    return download.run(plan, accepted_by="flag", on_progress=on_progress)


def run(case: Case, files: Sequence[Stored], folder: Path) -> tuple[Run, Dataverse]:
    """Let a case happen."""
    files = case.alter(list(files))
    dataverse = Dataverse({DOI: list(files)}, case.faults(files))
    done = Run()
    with dataverse.serving():
        if case.down:
            with socket.create_server(("127.0.0.1", 0)) as taken:
                dataverse.url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        request = DownloadRequest(case.doi, folder, ids=case.ids, server=dataverse.url)
        download = Download(request, token=case.token, patience=QUICK, say=done.messages.append)
        try:
            plan = download.plan()
            done.messages += plan.notes
            done.result = download.run(plan, accepted_by="flag")
        except DrivAerError as error:
            done.error = error.line
            done.messages.append(error.line)
        done.fetched = download.transport.n_fetched
        done.needed = needed(dataverse, case.ids)
    return done, dataverse


def needed(dataverse: Dataverse, ids: str | None) -> int:
    """Bytes of what was asked for."""
    import io
    import zipfile

    total = 0
    for stored in dataverse.datasets[DOI]:
        if ids and stored.name.endswith(".zip"):
            members = zipfile.ZipFile(io.BytesIO(stored.content)).infolist()
            total += sum(m.compress_size for m in members if ids in m.filename)
        else:
            total += len(stored.content if stored.original is None else stored.original[2])
    return total


def wanted_files(dataverse: Dataverse, ids: str | None) -> Mapping[str, bytes]:
    """What has to be below the folder in the end."""
    import io
    import zipfile

    wanted = {}
    for stored in dataverse.datasets[DOI]:
        where = f"{stored.folder}/" if stored.folder else ""
        if ids and stored.name.endswith(".zip"):
            packed = zipfile.ZipFile(io.BytesIO(stored.content))
            for member in packed.namelist():
                if ids in member:
                    wanted[where + member] = packed.read(member)
        elif stored.original is not None:
            wanted[where + stored.original[0]] = stored.original[2]
        else:
            wanted[where + stored.name] = stored.content
    return wanted


def table(files: Sequence[Stored]) -> str:
    rows = ["| the server | ends with | the user is told | fetched | needed |", "|---|---|---|---:|---:|"]
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            done, dataverse = run(case, files, Path(folder, "corpus"))
        ends = "every file, right" if done.is_right else "an error"
        messages = (
            "; ".join(dict.fromkeys(line.replace(dataverse.url, "SERVER") for line in done.messages)) or "nothing"
        )
        messages = messages.replace(folder, "…").replace("|", "\\|")
        messages = messages if len(messages) < 420 else messages[:420] + " …"
        rows.append(f"| {case.name} | {ends} | {messages} | {done.fetched / 1e6:.2f} MB | {done.needed / 1e6:.2f} MB |")
    return "\n".join(rows)


ALONE = (
    "nothing is wrong, one design",
    "cuts every connection after 200 kB, one design",
    "answers 500 twice",
    "redirects; links run out, one design",
    "redirects to another host, with a token",
)
"""Cases that are put to remotezip without our requests."""


def remotezip_alone(files: Sequence[Stored]) -> str:
    """What remotezip makes of the same faults with its own requests: one member of one zip."""
    from remotezip import RemoteZip

    rows = ["| the server | remotezip's own requests |", "|---|---|"]
    for case in (case for case in CASES if case.name in ALONE):
        dataverse = Dataverse({DOI: list(files)}, case.faults(files))
        packed = next(f for f in files if f.name == "F_D_WM_WW_1.zip")
        headers = {"X-Dataverse-key": case.token or ""}
        with dataverse.serving():
            try:
                with RemoteZip(f"{dataverse.url}/api/access/datafile/{packed.id}", headers=headers) as opened:
                    opened.read(next(name for name in opened.namelist() if ONE in name))
                ends = "right"
            except Exception as error:
                ends = f"{type(error).__name__}: {error}".replace(dataverse.url, "SERVER")
        stores = [headers for path, headers in dataverse.requests if path.startswith("/store/")]
        if case.token and any(case.token in asked.values() for asked in stores):
            ends += ", and the token went to the other host"
        rows.append(f"| {case.name} | {ends} |")
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", type=Path, metavar="FILE")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = files_of_corpus(Path(folder))
        text = table(files) + "\n\nWhy single designs come through our own requests:\n\n" + remotezip_alone(files)
    head = "# What `data get` makes of a server's faults\n\nWritten by `python benchmarks/download_faults.py --write "
    head += "docs/download_faults.md`: a Dataverse on loopback, real zips of cars of our own, waits shortened.\n"
    head += "*Fetched* counts what had to be sent twice and the listings; *needed* is what was asked for.\n\n"
    if options.write:
        options.write.write_text(head + text + "\n", encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
