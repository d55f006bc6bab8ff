"""A small corpus of our own, as a Dataverse would have it."""

from __future__ import annotations

import pytest

from benchmarks.dataverse_server import Stored
from benchmarks.download_faults import files_of_corpus


@pytest.fixture(scope="session")
def files(tmp_path_factory) -> list[Stored]:
    """Zips of meshes and pressures of four designs, tables, and one table that was ingested."""
    return files_of_corpus(tmp_path_factory.mktemp("published"))


@pytest.fixture(autouse=True)
def without_token(monkeypatch):
    monkeypatch.delenv("DATAVERSE_API_TOKEN", raising=False)
