"""DrivAerNet's ids, in all the spellings that files, tables and people have."""

from __future__ import annotations

import pytest

from data.corpora.drivaernet import archive_of, classes_named, find_class, find_id, kind_of


@pytest.mark.parametrize(
    ("text", "design"),
    [
        ("F_D_WM_WW_0001", "F_D_WM_WW_0001"),
        ("DrivAer_F_D_WM_WW_0012", "F_D_WM_WW_0012"),
        ("f_d_wm_ww_12.stl", "F_D_WM_WW_0012"),
        ("F_D_WW_WM_12", "F_D_WM_WW_0012"),
        ("E_S_WWC_WM_5", "E_S_WWC_WM_005"),
        ("E_S_WM_WWC_0005", "E_S_WWC_WM_005"),
        ("n-s-wws-wm-57.vtk", "N_S_WWS_WM_057"),
        ("combined F_S_WWS_WM_684 final", "F_S_WWS_WM_684"),
    ],
)
def test_an_id_is_read_however_it_is_spelled(text, design):
    assert str(find_id(text)) == design


@pytest.mark.parametrize("text", ["", "car", "F_D_WM_WW", "XF_D_WM_WW_0001", "F_D_WM_WM_0001", "F_D_WM_WW_12345678"])
def test_what_is_no_id_is_none(text):
    assert find_id(text) is None


def test_an_id_tells_body_underbody_wheels_and_mirrors():
    of = find_id("N_S_WWC_WM_001").of
    assert (of.style, of.underbody, of.wheels, of.mirrors) == ("notchback", "smooth", "closed", True)


def test_f_d_designs_lie_500_to_an_archive_and_others_in_one():
    assert archive_of(find_id("F_D_WM_WW_0500")) == "F_D_WM_WW_1.zip"
    assert archive_of(find_id("F_D_WM_WW_0501")) == "F_D_WM_WW_2.zip"
    assert archive_of(find_id("F_D_WM_WW_4000")) == "F_D_WM_WW_8.zip"
    assert archive_of(find_id("E_S_WW_WM_700")) == "E_S_WW_WM.zip"


def test_a_shortened_class_means_all_that_begin_so():
    assert [c.name for c in classes_named("F_D")] == ["F_D_WM_WW"]
    assert [c.name for c in classes_named("e")] == ["E_S_WW_WM", "E_S_WWC_WM"]
    assert classes_named("SUV") == []


def test_wall_shear_is_distinguished_from_pressure_by_its_folder_or_archive():
    assert kind_of("SurfacePressureVTK/F_D_WM_WW_0001.vtk") == "pressure"
    assert kind_of("WallShearStressVTK/F_D_WM_WW_1.zip/F_D_WM_WW_0001.vtk") == "wall_shear"
    assert kind_of("notes.docx") is None


def test_all_published_ids_are_read_to_the_letter(shared):
    folder = shared / "reference" / "drivaernet"
    ids = [i for name in ("train", "val", "test") for i in (folder / f"{name}_design_ids.txt").read_text().split()]
    assert len(ids) == 8121
    assert [str(find_id(i)) for i in ids] == ids
    assert all(find_class(i).name in i for i in ids)
