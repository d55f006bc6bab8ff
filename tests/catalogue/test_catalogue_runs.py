"""DrivAerML, AhmedML and WindsorML: which corpus a folder's runs and tables are of, wherever the scan begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.catalogue import Design, open_catalogue
from data.catalogue.scan import scan


def put(folder: Path, name: str, content: bytes = b"solid") -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def designs(folder: Path) -> dict[str, Design]:
    scan(folder)
    with open_catalogue(folder, read_only=True) as catalogue:
        return {design.id: design for design in catalogue.designs()}


def drivaerml(folder: Path, mesh: bool = True) -> None:
    put(folder, "run_1/boundary_1.vtp")
    put(folder, "run_1/slices/x_1.vtp")
    put(folder, "run_1/force_mom_1.csv", b"Cd,Cl\n 0.30, 0.05\n")
    put(folder, "run_1/force_mom_constref_1.csv", b"Cd,Cl\n0.31,0.052\n")
    put(folder, "run_1/geo_ref_1.csv", b"aRef,aRefRef\n2.223,2.17\n")
    if mesh:
        put(folder, "run_1/drivaer_1.stl")


def ahmedml(folder: Path, mesh: bool = True) -> None:
    put(folder, "run_1/boundary_1.vtp")
    put(folder, "run_1/force_mom_1.csv", b"cd, cl\n0.31, 0.05\n")
    put(folder, "run_1/force_mom_varref_1.csv", b"cd, cl\n0.30, 0.05\n")
    put(folder, "run_1/geo_parameters_1.csv", b"body-length,body-height,body-width\n1044,288,389\n")
    if mesh:
        put(folder, "run_1/ahmed_1.stl")


def windsorml(folder: Path, mesh: bool = True) -> None:
    put(folder, "run_1/boundary_1.vtu")
    put(folder, "run_1/force_mom_1.csv", b"cd, cl\n0.31, 0.05\n")
    put(folder, "run_1/force_mom_varref_1.csv", b"cd, cl\n0.30, 0.05\n")
    put(folder, "run_1/geo_parameters_1.csv", b"ratio_length_back_fast,frontal_area\n0.4,0.114\n")
    if mesh:
        put(folder, "run_1/windsor_1.stl")


CORPORA = [("DrivAerML", drivaerml), ("AhmedML", ahmedml), ("WindsorML", windsorml)]


@pytest.mark.parametrize(("title", "write"), CORPORA, ids=[title for title, _ in CORPORA])
@pytest.mark.parametrize("below", ["", "inner"], ids=["its own root", "a folder above"])
def test_runs_are_recognised_by_their_meshes_whatever_the_folder_is_called(tmp_path, title, write, below):
    write(tmp_path / "anything" / below)
    found = designs(tmp_path / "anything")
    assert found.keys() == {f"{title}_1"}
    assert (found[f"{title}_1"].cd, found[f"{title}_1"].label_version) == (0.30, "own area")


@pytest.mark.parametrize(("title", "write"), CORPORA, ids=[title for title, _ in CORPORA])
@pytest.mark.parametrize("scanned", ["{}", "{}/v2", "."], ids=["its own root", "a folder in it", "a folder above"])
def test_runs_without_meshes_are_recognised_by_a_folders_name(tmp_path, title, write, scanned):
    folder = tmp_path / title.lower()
    write(folder / "v2", mesh=False)
    found = designs(tmp_path / scanned.format(title.lower()))
    assert found.keys() == {f"{title}_1"}
    assert (found[f"{title}_1"].cd, found[f"{title}_1"].label_version) == (0.30, "own area")


@pytest.mark.parametrize(("title", "write"), CORPORA, ids=[title for title, _ in CORPORA])
def test_tables_without_meshes_and_names_are_recognised_by_what_is_in_them(tmp_path, title, write):
    write(tmp_path, mesh=False)
    assert designs(tmp_path)[f"{title}_1"].cd == 0.30


@pytest.mark.parametrize(
    ("title", "heading"), [("DrivAerML", b"Vehicle_Length"), ("AhmedML", b"body-length"), ("WindsorML", b"side_taper")]
)
def test_a_table_of_all_runs_tells_of_the_tables_beside_it(tmp_path, title, heading):
    put(tmp_path, "force_mom_all.csv", b"run,cd\n1,0.31\n")
    put(tmp_path, "geo_parameters_all.csv", b"run," + heading + b"\n1,7\n")
    assert designs(tmp_path)[f"{title}_1"].cd == 0.31


def test_two_corpora_in_folders_of_any_name_are_kept_apart(tmp_path):
    drivaerml(tmp_path / "a"), ahmedml(tmp_path / "b")
    put(tmp_path, "a/geo_parameters_all.csv", b"Run, Vehicle_Length\n1,186.1\n")
    found = designs(tmp_path)
    assert found.keys() == {"DrivAerML_1", "AhmedML_1"}
    assert [found[name].cd for name in sorted(found)] == [0.30, 0.30]
    assert found["DrivAerML_1"].parameters == {"Vehicle_Length": 186.1}


@pytest.mark.parametrize("name", ["drivaerml", "ahmedml", "home/ahmed/cars", "Windsor castle"])
def test_meshes_of_ones_own_stay_so_in_a_folder_with_a_corpus_s_name(tmp_path, name):
    put(tmp_path, f"{name}/car.stl")
    assert designs(tmp_path / name).keys() == {"car"}


def test_a_catalogue_of_an_earlier_version_gets_its_labels_at_the_next_scan(tmp_path):
    ahmedml(tmp_path)
    designs(tmp_path)
    with open_catalogue(tmp_path) as catalogue:
        catalogue.set_fact("rules", "1")
        catalogue.connection.execute("UPDATE designs SET cd = NULL")
    assert designs(tmp_path)["AhmedML_1"].cd == 0.30
