"""Files on disk hashed again: stopped and gone on with, zips of no known checksum, copies."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from data.catalogue import open_catalogue
from data.catalogue.scan import scan
from data.control import Cancelled, Control
from data.download.integrity import verify
from tests.data_download.fetching import fetched


def test_a_check_that_was_stopped_goes_on_where_it_was(files, tmp_path):
    fetched(files, tmp_path)
    control = Control()

    def stop_after_three(progress) -> None:
        if progress.n_done == 3:
            control.cancel()

    with open_catalogue(tmp_path) as catalogue:
        with pytest.raises(Cancelled):
            verify(catalogue, control=control, workers=1, on_progress=stop_after_three)
        rest = verify(catalogue)
        again = verify(catalogue)
    assert rest.is_right and again.is_right
    assert rest.n_bytes < again.n_bytes == sum(path.stat().st_size for path in tmp_path.rglob("*.*") if _is_data(path))


def _is_data(path: Path) -> bool:
    return path.is_file() and path.suffix in (".zip", ".csv")


def test_a_zip_of_no_known_checksum_is_checked_by_its_own(files, tmp_path):
    archive = next(f for f in files if f.folder == "3DMeshesSTL" and f.name.startswith("F_D"))
    (tmp_path / "a").mkdir()
    broken = bytearray(archive.content)
    broken[200_000] ^= 1
    (tmp_path / "a" / archive.name).write_bytes(broken)
    scan(tmp_path / "a")
    with open_catalogue(tmp_path / "a") as catalogue:
        found = verify(catalogue)
    assert [(f.fault, Path(f.path).name) for f in found.findings] == [("bad", archive.name)]


def test_a_designs_mesh_that_is_there_twice_is_named(sample_file, tmp_path):
    for where in ("a", "b"):
        (tmp_path / where).mkdir()
        shutil.copy(sample_file, tmp_path / where / "F_D_WM_WW_0001.stl")
    scan(tmp_path)
    with open_catalogue(tmp_path) as catalogue:
        found = verify(catalogue)
    assert [(f.path, f.fault) for f in found.findings] == [("b/F_D_WM_WW_0001.stl", "duplicated")]
