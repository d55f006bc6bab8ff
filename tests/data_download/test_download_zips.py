"""Single designs out of zips on a server: compressed, hostile, very large, damaged."""

from __future__ import annotations

import io
import mmap
import os
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.dataverse_server import Dataverse, Faults, Stored
from benchmarks.download_faults import DESIGNS, DOI, ONE, QUICK, fetch, wanted_files
from data.download.dataverse import files_of
from data.download.remote_bytes import RemoteBytes
from data.download.remote_zip import ZipDirectory
from data.download.transport import Transport
from data.errors import DrivAerError
from tests.data_download.fetching import fetched, text


def _zip_of(names: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as packed:
        for name, content in names.items():
            packed.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_designs_come_out_of_compressed_zips(compression, tmp_path):
    content = b"solid car\n" * 9000
    packed = _zip_of({"F_D_WM_WW_1/F_D_WM_WW_0001.stl": content, "F_D_WM_WW_1/F_D_WM_WW_0002.stl": b"x"}, compression)
    fetched([text(1, "F_D_WM_WW_1.zip", packed)], tmp_path, ids="F_D_WM_WW_0001")
    assert (tmp_path / "F_D_WM_WW_1" / "F_D_WM_WW_0001.stl").read_bytes() == content


def test_a_member_with_a_hostile_name_stays_inside(tmp_path):
    packed = _zip_of({"../../../F_D_WM_WW_0001.stl": b"car"})
    names = fetched([text(1, "F_D_WM_WW_1.zip", packed)], tmp_path / "corpus", ids="F_D_WM_WW_0001")
    assert names == ["F_D_WM_WW_1/F_D_WM_WW_0001.stl"]


def test_a_zip_of_very_many_files_has_a_directory_longer_than_its_tail(tmp_path):
    many = {f"F_D_WM_WW_1/F_D_WM_WW_{i:04d}.stl": b"%d" % i for i in range(1, 4000)}
    names = fetched([text(1, "F_D_WM_WW_1.zip", _zip_of(many))], tmp_path, ids="F_D_WM_WW_0003,F_D_WM_WW_3999")
    assert [(tmp_path / name).read_bytes() for name in names] == [b"3", b"3999"]


def test_a_design_beyond_four_gigabytes_in_its_zip_is_found(tmp_path):
    path = tmp_path / "large.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("F_D_WM_WW_0001.stl", b"first")
        packed.start_dir = 5 << 30  # a hole in the file, where gigabytes of other cars would be
        packed.writestr("F_D_WM_WW_0002.stl", b"second" * 1000)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        stored = _Large(1, "F_D_WM_WW_1.zip", content)
        with Dataverse({DOI: [stored]}, Faults(etags=False)).serving() as served:
            result = fetch(served, tmp_path / "corpus", ids="F_D_WM_WW_0002")
            sent = served.sent
    assert result.is_complete and sent < 200_000
    assert (tmp_path / "corpus" / "F_D_WM_WW_1" / "F_D_WM_WW_0002.stl").read_bytes() == b"second" * 1000


class _Large(Stored):
    """A file too large to be hashed in a test."""

    def entry(self):
        return replace(Stored(self.id, self.name, b""), listed={"filesize": len(self.content)}).entry()


@pytest.mark.parametrize("damage", ["cut", "no zip", "directory"])
def test_a_zip_that_is_none_is_one_line(damage, tmp_path):
    right = _zip_of({"F_D_WM_WW_0001.stl": os.urandom(300_000)})
    content = {
        "cut": right[:200_000],
        "no zip": b"not a zip" * 999,
        "directory": right.replace(b"PK\x01\x02", b"PK\x01\x03"),
    }
    stored = text(1, "F_D_WM_WW_1.zip", content[damage])
    message = pytest.raises(DrivAerError, match="F_D_WM_WW_1.zip.*no zip that can be read")
    with Dataverse({DOI: [stored]}).serving() as served, message:
        fetch(served, tmp_path, ids="F_D_WM_WW_0001")


@pytest.mark.parametrize("at", [0, 26, 28])  # its mark, and the lengths of name and extra field
@pytest.mark.parametrize("first", [True, False])
def test_a_design_whose_own_header_is_damaged_is_one_line(at, first, tmp_path):
    names = {"F_D_WM_WW_0001.stl": b"solid car" * 99, "F_D_WM_WW_0002.stl": b"solid other" * 99}
    content = bytearray(_zip_of(names, zipfile.ZIP_DEFLATED))
    header = 0 if first else content.index(b"PK\x03\x04", 4)
    content[header + at : header + at + 2] = b"\xff\xff"
    stored = text(1, "F_D_WM_WW_1.zip", bytes(content))
    with Dataverse({DOI: [stored]}).serving() as served:
        result = fetch(served, tmp_path, ids="F_D_WM_WW_0001" if first else "F_D_WM_WW_0002")
    assert ["is damaged in its zip" in outcome.error for outcome in result.failed] == [True]
    assert not list(tmp_path.rglob("*.stl"))


def test_a_zip_that_is_none_does_not_keep_the_others_from_coming(files, tmp_path):
    stored = [*files, text(3000, "F_D_WM_WW_2.zip", b"not a zip" * 999)]
    with Dataverse({DOI: stored}).serving() as served:
        result = fetch(served, tmp_path, ids=ONE)
    assert not result.is_complete and "F_D_WM_WW_2.zip" in result.errors[0]
    assert list(tmp_path.rglob(f"{ONE}.stl"))


def test_a_zip_that_comes_whole_is_unpacked_as_if_it_had_come_in_parts(files, tmp_path):
    slow = Faults(ignores_range=True, block_s=0.002)  # what is not wanted is hung up on before it is sent
    with Dataverse({DOI: files}, slow).serving() as served:
        assert fetch(served, tmp_path, ids=ONE).is_complete
        sent = served.sent
        assert fetch(served, tmp_path, ids=ONE).is_complete
        assert served.sent - sent < sent / 2, "the zips that are there are not fetched again"
        wanted = wanted_files(served, ONE)
    assert all((tmp_path / path).read_bytes() == content for path, content in wanted.items())


def test_the_directory_of_a_remote_zip_costs_its_last_bytes(files):
    with Dataverse({DOI: files}).serving() as served:
        transport = Transport(served.url, patience=QUICK)
        archive = next(f for f in files_of(transport, DOI) if f.name == "F_D_WM_WW_1.zip" and f.folder == "3DMeshesSTL")
        before = served.sent
        members = ZipDirectory(RemoteBytes(transport, archive)).members
        assert [Path(m.name).stem for m in members] == list(DESIGNS[:3])
        assert served.sent - before < 100_000
