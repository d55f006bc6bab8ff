"""How a file comes into its place: its checksum, under which name, beside what is there, from where a part ended."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace

import pytest

from benchmarks.dataverse_server import Dataverse, Faults
from benchmarks.download_faults import DOI, QUICK, fetch
from data.catalogue import open_catalogue
from tests.data_download.fetching import fetched, text


@pytest.mark.parametrize("kind", ["MD5", "SHA-1", "SHA-256", "SHA-512"])
def test_checksums_are_checked_in_each_of_dataverses_kinds(kind, tmp_path):
    assert fetched([text(1, "a.txt", b"content", checksum=kind)], tmp_path) == ["a.txt"]
    with open_catalogue(tmp_path, read_only=True) as catalogue:
        assert catalogue.files(path="a.txt")[0].checksum_type == kind
    with Dataverse({DOI: [text(1, "b.txt", b"content", checksum=kind)]}, Faults(wrong_byte=-1)).serving() as served:
        assert "checksum is still wrong" in fetch(served, tmp_path).failed[0].error


def test_an_older_server_that_gives_md5_alone_is_understood(tmp_path):
    listed = {"checksum": None, "md5": hashlib.md5(b"words").hexdigest()}
    with Dataverse({DOI: [text(1, "a.txt", listed=listed)]}, Faults(wrong_byte=1)).serving() as served:
        assert fetch(served, tmp_path).is_complete
    assert (tmp_path / "a.txt").read_bytes() == b"words"


def test_of_an_ingested_table_comes_the_upload_under_its_own_name(tmp_path):
    upload = ("coefficients.csv", "text/csv", b"Design,Cd\na,0.3\n")
    older = {"originalFileName": None, "originalFileSize": None}
    tables = [
        text(1, "coefficients.tab", b"Design\tCd\na\t0.3\n", original=upload),
        text(2, "areas.tab", b"x\ty\n", original=("?", "text/csv", b"x,y\n"), listed=older),
    ]
    assert fetched(tables, tmp_path) == ["areas.csv", "coefficients.csv"]
    assert (tmp_path / "coefficients.csv").read_bytes() == upload[2]
    assert (tmp_path / "areas.csv").read_bytes() == b"x,y\n"


def test_a_file_that_globus_brought_is_taken_and_put_in_its_place(files, tmp_path):
    archive = next(f for f in files if f.folder == "3DMeshesSTL")
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / archive.name).write_bytes(archive.content)
    with Dataverse({DOI: [archive]}, Faults(globus=(archive.name,))).serving() as served:
        result = fetch(served, tmp_path)
    assert result.is_complete and result.outcomes[0].status == "taken" and served.sent == 0
    assert (tmp_path / "3DMeshesSTL" / archive.name).read_bytes() == archive.content


def test_the_same_file_in_two_folders_comes_into_both(tmp_path):
    stored = [text(1, "read me.txt", b"same", folder="a")]
    assert fetched(stored, tmp_path) == ["a/read me.txt"]
    both = [*stored, text(2, "read me.txt", b"same", folder="b")]
    assert fetched(both, tmp_path) == ["a/read me.txt", "b/read me.txt"]


def test_a_half_file_that_globus_left_is_not_taken(files, tmp_path):
    archive = next(f for f in files if f.folder == "3DMeshesSTL")
    (tmp_path / archive.name).write_bytes(archive.content[:1000])
    with Dataverse({DOI: [archive]}, Faults(globus=(archive.name,))).serving() as served:
        result = fetch(served, tmp_path)
    assert "start the same command again: it takes what has arrived" in result.failed[0].error
    assert not (tmp_path / "3DMeshesSTL").exists() or not any((tmp_path / "3DMeshesSTL").glob("*.zip"))


def test_a_users_own_file_of_the_same_name_keeps_its_content(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    assert fetched([text(1, "notes.txt", b"theirs")], tmp_path) == ["notes.txt", "notes.txt.kept1"]
    assert (tmp_path / "notes.txt.kept1").read_text() == "mine"


def test_a_part_of_another_file_is_not_gone_on_with(tmp_path):
    with Dataverse({DOI: [text(1, "a.bin", b"a" * 90_000)]}, Faults(cut_after=30_000, cuts=1)).serving() as served:
        served.faults.busy = []
        assert not fetch(served, tmp_path, patience=replace(QUICK, tries=1)).is_complete
        assert (tmp_path / "a.bin.part").stat().st_size == 30_000
        served.datasets[DOI] = [text(2, "a.bin", b"b" * 80_000)]
        assert fetch(served, tmp_path).is_complete
    assert (tmp_path / "a.bin").read_bytes() == b"b" * 80_000


def test_a_part_is_gone_on_with_from_its_last_byte(tmp_path):
    content = os.urandom(90_000)
    with Dataverse({DOI: [text(1, "a.bin", content)]}, Faults(cut_after=30_000, cuts=1)).serving() as served:
        fetch(served, tmp_path, patience=replace(QUICK, tries=1))
        assert fetch(served, tmp_path).is_complete
        assert served.file_requests[-1]["Range"] == "bytes=30000-"
    assert (tmp_path / "a.bin").read_bytes() == content
