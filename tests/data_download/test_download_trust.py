"""A catalogue may come from a stranger: it moves no file outside of its folder, and no token to another server."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from benchmarks.dataverse_server import Dataverse
from benchmarks.download_faults import DOI, fetch
from data.catalogue import open_catalogue
from data.catalogue.store import CATALOGUE_NAME
from data.download.integrity import verify
from data.download.repair import Repairer
from data.download.transport import Transport, is_private
from data.errors import DrivAerError
from tests.data_download.fetching import text

SHARED = Path(__file__).resolve().parents[3] / "shared"


@pytest.fixture
def corpus(tmp_path):
    """A folder that was fetched from a server, which is still there; its file is damaged since."""
    folder = tmp_path / "corpus"
    with Dataverse({DOI: [text(1, "table.csv", b"Design,Cd\nF_D_WM_WW_0001,0.3\n")]}).serving() as served:
        fetch(served, folder)
        (folder / "table.csv").write_bytes(b"damaged")
        yield folder, served


def asked_tokens(served) -> set[str | None]:
    return {headers.get("X-Dataverse-key") for _, headers in served.requests}


@pytest.mark.parametrize("path", ["../outside.csv", "a/../../outside.csv", "/ABSOLUTE/outside.csv"])
def test_paths_outside_of_the_folder_are_refused_whoever_reads_the_catalogue(corpus, tmp_path, path):
    folder, _ = corpus
    path = path.replace("/ABSOLUTE", str(tmp_path))
    with sqlite3.connect(folder / CATALOGUE_NAME) as connection:
        connection.execute("UPDATE files SET path = ?", (path,))
    with open_catalogue(folder) as catalogue, pytest.raises(DrivAerError, match="outside of its folder"):
        verify(catalogue)
    assert not (tmp_path / "outside.csv").exists()


def test_a_catalogue_that_calls_another_folder_its_own_is_not_repaired(corpus, tmp_path):
    folder, _ = corpus
    with open_catalogue(folder) as catalogue:
        catalogue.set_fact("root", str(tmp_path))
    with open_catalogue(folder) as catalogue, pytest.raises(DrivAerError, match="outside of its own folder"):
        Repairer(catalogue)


def test_a_token_goes_to_no_server_that_the_catalogue_alone_names(corpus):
    folder, served = corpus
    messages = []
    with open_catalogue(folder) as catalogue:
        found = verify(catalogue)
        served.requests.clear()
        done = Repairer(catalogue, token="secret", say=messages.append).repair(found.to_fetch)
    assert done.is_complete
    assert asked_tokens(served) == {None}
    assert any("token is not sent" in line for line in messages)


def test_a_token_goes_to_the_server_that_the_user_names(corpus):
    folder, served = corpus
    with open_catalogue(folder) as catalogue:
        found = verify(catalogue)
        served.requests.clear()
        Repairer(catalogue, token="secret", server=served.url).repair(found.to_fetch)
    assert "secret" in asked_tokens(served)


def test_a_token_is_not_sent_where_it_could_be_read_on_the_way():
    with pytest.raises(DrivAerError, match="https"):
        Transport("http://dataverse.example", "secret")
    assert is_private("https://dataverse.example") and is_private("http://127.0.0.1:8080")
    assert not is_private("http://127.example.org")


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared is not here")
def test_a_hostile_catalogue_is_one_line(tmp_path):
    hostile = SHARED / "cases" / "hostile" / "catalogue_repair_traversal_token.sqlite"
    shutil.copy(hostile, tmp_path / CATALOGUE_NAME)
    (tmp_path / CATALOGUE_NAME).chmod(0o644)
    with open_catalogue(tmp_path) as catalogue, pytest.raises(DrivAerError, match="outside of its folder"):
        verify(catalogue)
