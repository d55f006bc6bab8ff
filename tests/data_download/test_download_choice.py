"""What somebody wants, in the words that people type, and what comes for them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from benchmarks.dataverse_server import Dataverse
from benchmarks.download_faults import DESIGNS, DOI, ONE, fetch
from data.download.choice import choice_of
from data.download.dataverse import doi_of, server_of
from data.errors import DrivAerError
from tests.data_download.fetching import fetched, text


@pytest.mark.parametrize(
    ("choice", "designs"),
    [
        ({"classes": "E"}, ["E_S_WW_WM_001"]),
        ({"ids": f"{ONE}, e_s_wm_ww_1"}, ["E_S_WW_WM_001", ONE]),
        ({"count": 2, "classes": "F_D"}, list(DESIGNS[:2])),
        ({"what": "mesh", "count": 4}, sorted(DESIGNS)),
    ],
)
def test_designs_are_chosen_by_class_id_and_count(files, tmp_path, choice, designs):
    names = fetched(files, tmp_path, **choice)
    stems = {Path(n).stem for n in names if n.endswith((".stl", ".vtk"))}
    stems |= {m for n in names if n.endswith(".zip") for m in _stems_in(tmp_path / n)}
    assert sorted(stems) == designs
    if choice.get("what") == "mesh":
        assert not [n for n in names if n.endswith((".vtk", ".csv"))]


def _stems_in(archive: Path) -> set[str]:
    with zipfile.ZipFile(archive) as opened:
        return {Path(name).stem for name in opened.namelist()}


def test_a_split_is_read_from_the_dataset_or_the_folder(files, tmp_path):
    listed = [*files, text(3000, "test_design_ids.txt", f"{ONE}\nF_D_WM_WW_0003\n".encode())]
    names = fetched(listed, tmp_path / "one", split="test", what="mesh")
    assert {Path(n).stem for n in names} == {ONE, "F_D_WM_WW_0003"}
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "val_design_ids.txt").write_text("F_D_WM_WW_0001")
    assert "3DMeshesSTL/F_D_WM_WW_1/F_D_WM_WW_0001.stl" in fetched(files, tmp_path / "two", split="val", what="mesh")


def test_a_split_that_nobody_knows_says_where_to_get_it(files, tmp_path):
    with Dataverse({DOI: files}).serving() as served, pytest.raises(DrivAerError, match="test_design_ids.txt"):
        fetch(served, tmp_path, split="test")


def test_designs_that_are_nowhere_are_named_and_the_others_come(files, tmp_path):
    with Dataverse({DOI: files}).serving() as served:
        result = fetch(served, tmp_path, ids=f"{ONE},F_D_WM_WW_3999")
    assert result.not_found == ("F_D_WM_WW_3999",) and not result.is_complete
    assert (tmp_path / "3DMeshesSTL" / "F_D_WM_WW_1" / f"{ONE}.stl").is_file()


@pytest.mark.parametrize("spelling", ["{}", "doi:{}", "DOI:{}", " https://doi.org/{} ", "http://dx.doi.org/{}"])
def test_a_doi_may_be_written_as_people_write_it(spelling):
    assert doi_of(spelling.format("10.7910/DVN/OYU2FG")) == "doi:10.7910/DVN/OYU2FG"


@pytest.mark.parametrize(
    ("typed", "server"),
    [
        ("dataverse.harvard.edu", "https://dataverse.harvard.edu"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("https://demo.dataverse.org/api/", "https://demo.dataverse.org"),
    ],
)
def test_a_server_may_be_written_as_people_write_it(typed, server):
    assert server_of(typed) == server


@pytest.mark.parametrize("typed", ["http://", "ftp://x.org", "http://x.org:port", "https://user:secret@x.org"])
def test_what_is_no_server_is_reported(typed):
    with pytest.raises(DrivAerError, match="no address of a server"):
        server_of(typed)


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"what": "meshes"}, "there is no 'meshes'"),
        ({"classes": "Q_X"}, "there is no class 'Q_X'"),
        ({"split": "testing"}, "there is no split 'testing'"),
        ({"count": 0}, "--count"),
        ({"ids": "no_such_list.txt"}, "neither an id nor a file"),
    ],
)
def test_a_choice_of_nothing_that_is_there_is_reported(choice, message):
    asked = {"what": None, "classes": None, "ids": None, "count": None, "split": None} | choice
    with pytest.raises(DrivAerError, match=message):
        choice_of(**asked)


def test_ids_come_from_a_file_too(tmp_path):
    (tmp_path / "list.txt").write_text("F_D_WM_WW_0001\nE_S_WWC_WM_005\n")
    assert choice_of(None, None, str(tmp_path / "list.txt"), None, None).ids == {"F_D_WM_WW_0001", "E_S_WWC_WM_005"}


def test_loose_files_of_designs_are_chosen_by_their_ids(tmp_path):
    stored = [text(i, f"F_D_WM_WW_{i:04d}.vtk", b"%d" % i, folder="Pressure") for i in range(1, 30)]
    assert fetched(stored, tmp_path, ids="F_D_WM_WW_0007,F_D_WM_WW_0021") == [
        "Pressure/F_D_WM_WW_0007.vtk",
        "Pressure/F_D_WM_WW_0021.vtk",
    ]
