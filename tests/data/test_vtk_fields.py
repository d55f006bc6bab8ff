"""Arrays on VTK surfaces: whatever writer, whatever form."""

from __future__ import annotations

import numpy as np
import pytest

from data.errors import MeshError
from data.formats.vtk_fields import read_face_fields, read_fields


@pytest.fixture(scope="module")
def surface():
    import pyvista

    sphere = pyvista.Sphere(theta_resolution=12, phi_resolution=12)
    sphere["p"] = sphere.points[:, 0].copy()
    sphere["wall shear"] = sphere.points.copy()
    sphere.cell_data["of face"] = np.arange(sphere.n_cells, dtype=float)
    return sphere


@pytest.mark.parametrize("name", ["binary.vtk", "ascii.vtk", "binary.vtp", "ascii.vtp"])
def test_arrays_on_points_and_faces_are_read_from_every_form(surface, tmp_path, name):
    surface.save(tmp_path / name, binary=name.startswith("binary"))
    read = read_fields(tmp_path / name)
    assert np.allclose(read.arrays["p"], surface["p"], atol=1e-6)
    assert np.allclose(read.arrays["wall shear"], surface["wall shear"], atol=1e-6)
    assert np.allclose(read.arrays["of face"], surface.cell_data_to_point_data()["of face"], atol=1e-4)


HEAD = (
    "# vtk DataFile Version 2.0\nx\nASCII\nDATASET POLYDATA\nPOINTS 3 float\n0 0 0 1 0 0 0 1 0\nPOLYGONS 1 4\n3 0 1 2\n"
)


def read(tmp_path, data: str):
    path = tmp_path / "a.vtk"
    path.write_text(HEAD + data)
    return read_fields(path).arrays


def test_several_arrays_of_all_kinds_follow_each_other(tmp_path):
    data = (
        "CELL_DATA 1\nSCALARS c float\nLOOKUP_TABLE default\n7\n"
        "POINT_DATA 3\nSCALARS p float 1\nLOOKUP_TABLE default\n1 nan\n3\nVECTORS U float\n1 2 3 4 5 6 7 8 9\n"
        "FIELD attributes 2\nk 1 3 float\n4 5 6\nw%20x 2 3 double\n1 2\n3 4\n5 6\n"
    )
    found = read(tmp_path, data)
    assert sorted(found) == ["U", "c", "k", "p", "w x"]
    assert np.array_equal(found["p"], [1, np.nan, 3], equal_nan=True)
    assert found["w x"].tolist() == [[1, 2], [3, 4], [5, 6]]
    assert found["c"].tolist() == [7, 7, 7]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("POINT_DATA 3\nSCALARS p float\nLOOKUP_TABLE default\n1 2\n", "3 numbers promised, found 2"),
        ("POINT_DATA 999999999\nSCALARS p double\nLOOKUP_TABLE default\n1 2 3\n", "promised"),
        ("POINT_DATA 2\nSCALARS p float\nLOOKUP_TABLE default\n1 2\n", "2 values for 3 points"),
        ("POINT_DATA 3\nSCALARS p colour\n1 2 3\n", "no known type"),
        ("POINT_DATA 3\nNONSENSE p float\n1 2 3\n", "where an array should be"),
    ],
)
def test_a_damaged_array_is_one_line(tmp_path, data, message):
    with pytest.raises(MeshError, match=message):
        read(tmp_path, data)


def test_a_binary_file_that_is_cut_short_is_reported(surface, tmp_path):
    whole = tmp_path / "whole.vtk"
    surface.save(whole, binary=True)
    cut = tmp_path / "cut.vtk"
    cut.write_bytes(whole.read_bytes()[:-2000])
    with pytest.raises(MeshError, match="promised|damaged"):
        read_fields(cut)


@pytest.mark.parametrize("name", ["a.vtk", "a.vtp", "a.vtu", "a.vtm"])
def test_arrays_are_read_on_faces_from_every_format(surface, tmp_path, name):
    import pyvista

    block = surface.cast_to_unstructured_grid() if name == "a.vtu" else surface
    (pyvista.MultiBlock([block]) if name == "a.vtm" else block).save(tmp_path / name)
    read = read_face_fields(tmp_path / name)
    assert read.arrays["of face"].tolist() == surface.cell_data["of face"].tolist()
    assert np.allclose(read.arrays["p"], surface.point_data_to_cell_data()["p"], atol=1e-6)
