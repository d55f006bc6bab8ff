import numpy as np
import pytest
import trimesh

from data.errors import DrivAerError
from drivaer_app.field_files import FIELD_SUFFIXES, write_fields
from drivaer_app.fields import SurfaceFields


def fields(as_points: bool = False) -> SurfaceFields:
    ball = trimesh.creation.icosphere(subdivisions=2)
    vertices = ball.vertices.astype(np.float32) * 1000
    n = len(vertices)
    return SurfaceFields(
        vertices=vertices,
        faces=np.empty((0, 3), np.int32) if as_points else ball.faces.astype(np.int32),
        cp=np.linspace(-1, 1, n, dtype=np.float32),
        cf=np.arange(3 * n, dtype=np.float32).reshape(n, 3) * 1e-3,
        exposed=np.arange(n) % 3 > 0,
    )


@pytest.mark.parametrize("suffix", [".vtp", ".vtu", ".vtk"])
def test_vtk_readers_find_cp_and_cf_by_name(tmp_path, suffix):
    import pyvista

    ours = fields()
    write_fields(tmp_path / f"car{suffix}", ours)
    read = pyvista.read(tmp_path / f"car{suffix}")
    np.testing.assert_array_equal(read.points, ours.vertices)
    np.testing.assert_array_equal(read["Cp"], ours.cp)
    np.testing.assert_array_equal(read["Cf"], ours.cf)
    np.testing.assert_array_equal(read["Exposed"], ours.exposed)
    assert read.n_cells == len(ours.faces)
    assert read.active_scalars_name == "Cp"


def test_ply_is_read_with_its_scalars_by_another_library(tmp_path):
    ours = fields()
    write_fields(tmp_path / "car.ply", ours)
    read = trimesh.load(tmp_path / "car.ply", process=False)
    np.testing.assert_array_equal(read.faces, ours.faces)
    columns = read.metadata["_ply_raw"]["vertex"]["data"]
    np.testing.assert_array_equal(np.ravel(columns["Cp"]), ours.cp)
    np.testing.assert_array_equal(np.ravel(columns["Cf_z"]), ours.cf[:, 2])


def test_csv_holds_every_digit_of_the_places(tmp_path):
    ours = fields()
    write_fields(tmp_path / "car.csv", ours)
    table = np.genfromtxt(tmp_path / "car.csv", delimiter=",", names=True)
    np.testing.assert_array_equal(np.float32(table["x"]), ours.vertices[:, 0])
    np.testing.assert_allclose(table["Cf_y"], ours.cf[:, 1], rtol=1e-5)
    np.testing.assert_array_equal(table["Exposed"], ours.exposed)


def test_npz_gives_the_arrays_back(tmp_path):
    ours = fields()
    write_fields(tmp_path / "car.npz", ours)
    with np.load(tmp_path / "car.npz") as read:
        np.testing.assert_array_equal(read["faces"], ours.faces)
        np.testing.assert_array_equal(read["Cf"], ours.cf)


@pytest.mark.parametrize("suffix", FIELD_SUFFIXES)
def test_point_clouds_are_written_without_faces(tmp_path, suffix):
    write_fields(tmp_path / f"cloud{suffix}", fields(as_points=True))
    assert (tmp_path / f"cloud{suffix}").stat().st_size > 1000


def test_an_unknown_format_names_the_known_ones(tmp_path):
    with pytest.raises(DrivAerError, match=r"car\.stp.*\.vtp"):
        write_fields(tmp_path / "car.stp", fields())


@pytest.mark.parametrize("suffix", FIELD_SUFFIXES)
def test_a_failed_write_says_so_and_leaves_nothing_behind(tmp_path, suffix):
    with pytest.raises(DrivAerError, match="cannot be written"):
        write_fields(tmp_path / "missing" / f"car{suffix}", fields())
    assert list(tmp_path.iterdir()) == []
