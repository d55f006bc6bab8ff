"""Tables of points: the columns of x, y and z are found by their names, never by their place alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from data.errors import MeshError
from data.formats import read_mesh

SHARED = Path(__file__).resolve().parents[3] / "shared"


@pytest.fixture(scope="module")
def points() -> np.ndarray:
    unit = np.random.default_rng(0).normal(size=(300, 3))
    return (unit / np.linalg.norm(unit, axis=1, keepdims=True) * [2.0, 1.0, 0.75]).round(4)


def plain(value) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def comma(value) -> str:
    return plain(value).replace(".", ",")


def table(path: Path, points, heading: str | None, row, delimiter: str, write=plain) -> Path:
    lines = [] if heading is None else [heading]
    lines += [delimiter.join(write(cell) for cell in row(i, *point)) for i, point in enumerate(points)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


NAMED = {
    "pandas' index": (",x,y,z", lambda i, x, y, z: (i, x, y, z), ",", plain, None),
    "pandas' text": ("  x  y  z", lambda i, x, y, z: (i, x, y, z), "  ", plain, None),
    "Fluent": ("nodenumber, x-coordinate, y-coordinate, z-coordinate, pressure",)
    + (lambda i, x, y, z: (i + 1, x, y, z, 0.5), ", ", plain, None),
    "STAR-CCM+": ('"Pressure (Pa)","X (m)","Y (m)","Z (m)"', lambda i, x, y, z: (9, x, y, z), ",", plain, "m"),
    "STAR-CCM+ centroids": ('"Centroid[X] (mm)","Centroid[Y] (mm)","Centroid[Z] (mm)"',)
    + (lambda i, x, y, z: (x, y, z), ",", plain, "mm"),
    "CFX": ("\n[Name]\nbody\n\n[Data]\nX [ m ], Y [ m ], Z [ m ], Pressure [ Pa ]",)
    + (lambda i, x, y, z: (x, y, z, 3), ", ", plain, "m"),
    "ParaView": ('"p","Points:0","Points:1","Points:2"', lambda i, x, y, z: (9, x, y, z), ",", plain, None),
    "ParaView's newer": ("Points_0,Points_1,Points_2,p", lambda i, x, y, z: (x, y, z, 9), ",", plain, None),
    "CloudCompare": ("//X Y Z R G B", lambda i, x, y, z: (x, y, z, 1, 2, 3), " ", plain, None),
    "COMSOL": ("% x y z p", lambda i, x, y, z: (x, y, z, 3), " ", plain, None),
    "CGNS": ("CoordinateZ CoordinateY CoordinateX", lambda i, x, y, z: (z, y, x), " ", plain, None),
    "a German Excel": ("Punkt;X [mm];Y [mm];Z [mm]", lambda i, x, y, z: (f"A{i}", x, y, z), ";", comma, "mm"),
    "quoted decimal commas": ('"X","Y","Z"', lambda i, x, y, z: (x, y, z), ",", lambda v: f'"{comma(v)}"', None),
    "units in the names": ("z_in\ty_in\tx_in", lambda i, x, y, z: (z, y, x), "\t", plain, "in"),
    "a delimiter at the end": ("x;y;z;", lambda i, x, y, z: (x, y, z, ""), ";", comma, None),
    "positions after a text": ("name pos_x pos_y pos_z", lambda i, x, y, z: (f"n{i}", x, y, z), " ", plain, None),
}
UNNAMED = {
    "blanks": (None, lambda i, x, y, z: (x, y, z), " ", plain),
    "decimal commas between blanks": (None, lambda i, x, y, z: (x, y, z), " ", comma),
    "decimal commas between semicolons": (None, lambda i, x, y, z: (x, y, z), ";", comma),
    "words in a comment": ("# exported on Monday", lambda i, x, y, z: (x, y, z, 7), ",", plain),
    "their number first": ("300", lambda i, x, y, z: (x, y, z), " ", plain),
}


@pytest.mark.parametrize("name", NAMED)
def test_columns_are_found_by_their_names(tmp_path, points, name):
    heading, row, delimiter, write, unit = NAMED[name]
    mesh = read_mesh(table(tmp_path / "cloud.csv", points, heading, row, delimiter, write))
    np.testing.assert_allclose(mesh.vertices, points, atol=1e-12)
    assert mesh.unit == unit


@pytest.mark.parametrize("name", UNNAMED)
def test_without_a_heading_the_first_three_columns_are_x_y_and_z(tmp_path, points, name):
    mesh = read_mesh(table(tmp_path / "cloud.xyz", points, *UNNAMED[name]))
    np.testing.assert_allclose(mesh.vertices, points, atol=1e-12)


def test_a_first_column_that_counts_the_rows_is_left_out_and_reported(tmp_path, points):
    mesh = read_mesh(table(tmp_path / "cloud.txt", points, None, lambda i, x, y, z: (i, x, y, z), " "))
    np.testing.assert_allclose(mesh.vertices, points, atol=1e-12)
    assert "counts the rows" in mesh.warnings[0]


def test_a_heading_without_x_y_and_z_is_refused_with_the_names_that_were_seen(tmp_path, points):
    path = table(tmp_path / "cloud.csv", points, "id,a,b,c", lambda i, x, y, z: (i, x, y, z), ",")
    with pytest.raises(MeshError, match="its columns are id, a, b, c"):
        read_mesh(path)


def test_coordinates_in_different_units_are_refused(tmp_path, points):
    path = table(tmp_path / "cloud.csv", points, "X [m],Y [mm],Z [m]", lambda i, x, y, z: (x, y, z), ",")
    with pytest.raises(MeshError, match="different units"):
        read_mesh(path)


def test_a_row_that_is_too_short_is_reported(tmp_path, points):
    path = table(tmp_path / "cloud.csv", points, "x,y,z", lambda i, x, y, z: (x, y, z), ",")
    path.write_text(path.read_text() + "1,2\n")
    with pytest.raises(MeshError, match="Expected 3 columns, got 2"):
        read_mesh(path)


def test_points_without_coordinates_are_left_out_and_counted(tmp_path, points):
    holed = points.copy()
    holed[::3] = np.nan
    np.savez(tmp_path / "scan.npz", points=holed)
    mesh = read_mesh(tmp_path / "scan.npz")
    np.testing.assert_allclose(mesh.vertices, points[np.isfinite(holed[:, 0])])
    assert "100 of 300 points have no coordinates" in mesh.warnings[0]


def test_utf16_text_is_called_that_whatever_its_suffix(tmp_path):
    (tmp_path / "car.stl").write_text("solid car\nendsolid car\n", encoding="utf-16")
    with pytest.raises(MeshError, match="UTF-16"):
        read_mesh(tmp_path / "car.stl")


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared is not here")
@pytest.mark.parametrize("name", ["02_fluent.csv", "02_pandas_xyz.csv", "08_organised_nan.pcd"])
def test_tables_and_scans_that_people_really_have_are_the_reference_car(name):
    reference = read_mesh(SHARED / "cases" / "files" / "00_reference.stl").vertices
    mesh = read_mesh(SHARED / "cases" / "files" / name)
    np.testing.assert_allclose(np.ptp(mesh.vertices, axis=0), np.ptp(reference, axis=0), rtol=0.03)
