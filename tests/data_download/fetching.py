"""Small datasets and what came of fetching them."""

from __future__ import annotations

from pathlib import Path

from benchmarks.dataverse_server import Dataverse, Faults, Stored
from benchmarks.download_faults import DOI, fetch


def text(number: int, name: str, content: bytes = b"words", **more) -> Stored:
    return Stored(number, name, content, **more)


def fetched(stored: list[Stored], folder: Path, faults: Faults | None = None, **choice) -> list[str]:
    """What is below the folder after everything was fetched."""
    with Dataverse({DOI: stored}, faults).serving() as served:
        result = fetch(served, folder, **choice)
    assert result.is_complete, [outcome.error for outcome in result.failed]
    found = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    return sorted(path for path in found if not path.startswith((".drivaer", "catalogue.sqlite")))
