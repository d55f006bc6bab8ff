"""What ``data scan`` makes of a folder, whatever state it is in."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from data.catalogue import CorpusFile, open_catalogue
from data.catalogue.scan import scan
from data.errors import DrivAerError

ROOT = Path(__file__).resolve().parents[2]
FIRST, SECOND = "F_D_WM_WW_0001", "F_D_WM_WW_0002"


def put(folder: Path, name: str, content: bytes = b"solid") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def packed(path: Path, members: list[str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for member in members:
            archive.writestr(member, b"solid")
    return path


def files(folder: Path) -> dict[tuple[str, str], CorpusFile]:
    with open_catalogue(folder, read_only=True) as catalogue:
        return {(f.path, f.member): f for f in catalogue.files()}


def test_unpacked_and_zipped_designs_are_found_with_class_and_kind(tmp_path):
    put(tmp_path, "meshes/f_d_wm_ww_1.STL")
    put(tmp_path, "WallShearStressVTK/E_S_WWC_WM_005.vtk")
    packed(tmp_path / "F_D_WM_WW_1.zip", [f"F_D_WM_WW_1/{SECOND}.stl", "F_D_WM_WW_1/readme.txt"])
    found = scan(tmp_path)
    assert (found.n_designs, found.warnings) == (3, ())
    with open_catalogue(tmp_path) as catalogue:
        assert catalogue.design(FIRST).underbody == "detailed"
        assert [(f.kind, f.design) for f in catalogue.files(path="F_D_WM_WW_1.zip")] == [
            ("archive", None),
            ("mesh", SECOND),
        ]
        assert [f.kind for f in catalogue.files(design="E_S_WWC_WM_005")] == ["wall_shear"]


def test_a_second_scan_finds_nothing_new_and_a_changed_folder_only_the_change(tmp_path):
    put(tmp_path, f"{FIRST}.stl")
    gone = put(tmp_path, f"{SECOND}.stl")
    scan(tmp_path)
    again = scan(tmp_path)
    assert (again.n_new, again.n_changed, again.n_gone) == (0, 0, 0)
    gone.unlink()
    put(tmp_path, f"{FIRST}.stl", b"another solid")
    put(tmp_path, "F_D_WM_WW_0003.stl")
    now = scan(tmp_path)
    assert (now.n_new, now.n_changed, now.n_gone, now.n_designs) == (1, 1, 1, 2)


def test_an_archive_that_is_cut_short_is_reported_and_the_rest_still_found(tmp_path):
    whole = packed(tmp_path / "F_D_WM_WW_1.zip", [f"{FIRST}.stl"] * 1)
    put(tmp_path, "F_D_WM_WW_2.zip", whole.read_bytes()[:40])
    put(tmp_path, "F_D_WM_WW_3.zip", b"<html>not found</html>")
    found = scan(tmp_path)
    assert found.n_designs == 1
    assert "F_D_WM_WW_2.zip: is cut short" in found.warnings[0]
    assert "F_D_WM_WW_3.zip: is no zip file" in found.warnings[1]


def test_half_a_download_is_partial(tmp_path):
    put(tmp_path, f"{FIRST}.stl.part", b"half")
    put(tmp_path, f"{SECOND}.stl", b"")
    scan(tmp_path)
    assert {f.state for f in files(tmp_path).values()} == {"partial"}


def test_a_mesh_shorter_than_its_header_promises_is_partial(tmp_path, sample_file):
    whole = sample_file.read_bytes()
    put(tmp_path, f"{FIRST}.stl", whole)
    put(tmp_path, f"{SECOND}.stl", whole[: 1 << 20])
    found = scan(tmp_path)
    states = {f.design: f.state for f in files(tmp_path).values()}
    assert states == {FIRST: "here", SECOND: "partial"}
    assert f"in part only: 1, such as {SECOND}.stl" in found.warnings[0]
    assert scan(tmp_path).warnings == found.warnings


def test_what_a_server_said_of_a_file_outlives_the_file(tmp_path):
    path = put(tmp_path, f"{FIRST}.stl", b"12345")
    scan(tmp_path)
    server_facts = {"checksum_type": "MD5", "checksum": "827ccb0eea8a706c4c34a16891f84e7b", "datafile_id": "7"}
    with open_catalogue(tmp_path) as catalogue:
        known = catalogue.files()[0]
        catalogue.upsert_files([CorpusFile(**{**vars(known), **server_facts})])
    path.unlink()
    scan(tmp_path)
    assert files(tmp_path)[f"{FIRST}.stl", ""].state == "missing"
    put(tmp_path, f"{FIRST}.stl", b"123")
    scan(tmp_path)
    cut = files(tmp_path)[f"{FIRST}.stl", ""]
    assert (cut.state, cut.size, cut.checksum) == ("partial", 5, server_facts["checksum"])


def test_tags_notes_and_a_drawn_split_stay_when_a_folder_changes(tmp_path):
    from data.catalogue.split import Split, keep_split

    path = put(tmp_path, f"{FIRST}.stl")
    scan(tmp_path)
    with open_catalogue(tmp_path) as catalogue:
        catalogue.tag([FIRST], "good")
        keep_split(catalogue, Split({FIRST: "test"}, 1, ()), "seed 0")
    path.unlink()
    put(tmp_path, f"{SECOND}.stl")
    scan(tmp_path)
    with open_catalogue(tmp_path) as catalogue:
        assert catalogue.tags(FIRST) == ["good"]
        assert catalogue.design(FIRST).split == "test"


def test_a_folder_of_meshes_with_a_csv_is_a_corpus_too(tmp_path, sample_file):
    shutil.copy(sample_file, put(tmp_path, "variants/a.stl"))
    shutil.copy(sample_file, put(tmp_path, "variants/b.stl"))
    put(tmp_path, "results.csv", b"Name;Drag coefficient;Spoiler height\nvariants/a.stl;0,31;12,5\nb;0,29;\n")
    scan(tmp_path)
    with open_catalogue(tmp_path) as catalogue:
        a, b = catalogue.designs()
        assert (a.id, a.cd, a.parameters) == ("variants/a", 0.31, {"Spoiler height": 12.5})
        assert (b.id, b.cd, b.parameters) == ("variants/b", 0.29, {})


def test_runs_of_drivaerml_and_ahmedml_lie_side_by_side_on_their_own_areas(tmp_path):
    for corpus, prefix in (("drivaerml", "drivaer"), ("ahmedml", "ahmed")):
        put(tmp_path, f"{corpus}/run_1/{prefix}_1.stl")
        put(tmp_path, f"{corpus}/run_1/boundary_1.vtp")
        put(tmp_path, f"{corpus}/run_1/volume_1.vtu")
        put(tmp_path, f"{corpus}/run_1/force_mom_1.csv", b"Cd,Cl\n 0.30, 0.05\n")
    put(tmp_path, "drivaerml/run_1/force_mom_constref_1.csv", b"Cd,Cl\n0.31,0.052\n")
    put(tmp_path, "drivaerml/run_1/geo_ref_1.csv", b"aRef,aRefRef\n2.223,2.17\n")
    put(tmp_path, "ahmedml/run_1/force_mom_varref_1.csv", b"cd, cl\n0.32,0.1\n")
    put(tmp_path, "drivaerml/geo_parameters_all.csv", b"Run, Vehicle_Length\n1,186.1\n2,3.0\n")
    scan(tmp_path)
    with open_catalogue(tmp_path) as catalogue:
        drivaer, ahmed = catalogue.design("DrivAerML_1"), catalogue.design("AhmedML_1")
        assert (drivaer.cd, drivaer.area, drivaer.parameters) == (0.30, 2.223, {"Vehicle_Length": 186.1})
        assert (ahmed.cd, ahmed.label_version) == (0.32, "own area")
        assert [f.kind for f in catalogue.files(design="DrivAerML_1")] == ["pressure", "mesh"]
        assert catalogue.count() == 3


def test_the_built_in_corpus_is_read_with_its_split(tmp_path):
    found = scan(ROOT / "resources" / "corpus", catalogue=tmp_path / "c.sqlite")
    assert found.corpora["cases"] == found.n_designs == len(list((ROOT / "resources/corpus").glob("*/cases/*.npz")))
    with open_catalogue(tmp_path / "c.sqlite") as catalogue:
        design = catalogue.design("procedural_cars/fastback_0000")
        assert (design.cd, design.style, design.split) == (pytest.approx(0.285193), "fastback", "train")


def test_an_npz_that_is_no_case_is_passed_over_once_and_for_all(tmp_path):
    np.savez(put(tmp_path, "anything.npz"), a=np.zeros(3))
    assert scan(tmp_path).n_designs == 0
    assert scan(tmp_path).n_changed == 0


def test_hostile_names_are_files_like_others(tmp_path):
    name = "F_D_WM_WW_0001'; DROP TABLE designs; --.stl"
    put(tmp_path, name)
    put(tmp_path, 'x"\N{SNOWMAN} [1]/車.stl')
    assert scan(tmp_path).n_designs == 2
    assert scan(tmp_path).n_new == 0


@pytest.mark.skipif(sys.platform != "linux", reason="names are text there")
def test_a_name_that_is_no_text_is_reported_and_passed_over(tmp_path):
    (tmp_path / os.fsdecode(b"F_D_WM_WW_0001\xff.stl")).write_bytes(b"solid")
    put(tmp_path, f"{SECOND}.stl")
    found = scan(tmp_path)
    assert (found.n_designs, len(found.warnings)) == (1, 1)
    assert "rename it" in found.warnings[0]


@pytest.mark.parametrize("content", [b'Design,Average Cd\n"' + b"x" * 200_000, b"\0\1\2", b"Design\n", b"a;b\n1"])
def test_a_table_that_is_none_does_not_stop_a_scan(tmp_path, content):
    put(tmp_path, "table.csv", content)
    put(tmp_path, f"{FIRST}.stl")
    assert scan(tmp_path).n_designs == 1


def test_two_scans_at_once_leave_one_right_catalogue(tmp_path, tables_of):
    folder = tables_of([f"F_D_WM_WW_{i:04d}" for i in range(1, 301)], tmp_path / "corpus")
    code = f"from data.catalogue.scan import scan; print(scan({str(folder)!r}).n_designs)"
    running = [
        subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    assert [p.communicate()[0].strip() for p in running] == ["300"] * 4
    with sqlite3.connect(folder / "catalogue.sqlite") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert scan(folder).n_new == 0


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9 there")
def test_a_scan_killed_in_its_transaction_leaves_the_catalogue_as_it_was(tmp_path):
    put(tmp_path, f"{FIRST}.stl")
    scan(tmp_path)
    put(tmp_path, f"{SECOND}.stl")
    code = (
        "import os, signal, data.catalogue.scan as s\n"
        "s._write_designs = lambda *a: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"s.scan({str(tmp_path)!r})"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=os.environ)
    assert done.returncode == -signal.SIGKILL
    with open_catalogue(tmp_path) as catalogue:
        assert [d.id for d in catalogue.designs()] == [FIRST]
        assert len(catalogue.files()) == 1
    assert scan(tmp_path).n_designs == 2


@pytest.mark.parametrize(
    ("content", "message"), [(b"not a database" * 100, "damaged"), (b"", "")], ids=["garbage", "empty"]
)
def test_a_catalogue_that_is_none_is_reported_and_not_overwritten(tmp_path, content, message):
    put(tmp_path, f"{FIRST}.stl")
    path = put(tmp_path, "catalogue.sqlite", content)
    if not message:
        assert scan(tmp_path).n_designs == 1
        return
    with pytest.raises(DrivAerError, match=message):
        scan(tmp_path)
    assert path.read_bytes() == content


def test_a_missing_folder_is_one_line(tmp_path):
    with pytest.raises(DrivAerError, match="no such folder"):
        scan(tmp_path / "nowhere")
