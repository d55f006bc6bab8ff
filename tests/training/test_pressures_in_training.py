"""Cp that a training learns: of every corpus what the catalogue's own reader gives, on the car that it is of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.drivaernet_corpus import write_corpus
from data.catalogue.opening import open_design
from data.catalogue.scan import scan
from data.catalogue.store import open_catalogue
from data.errors import DrivAerError
from gnn.training.corpora import MeshCar, read_corpora
from gnn.training.point_store import stored

pyvista = pytest.importorskip("pyvista")

Y_UP = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
"""(3, 3) from the car frame to a file whose roof is along y."""


@pytest.fixture(scope="module")
def surface(sample_file):
    """The sample car with a made-up Cp on its faces: 1 where the surface meets the wind, -0.2 behind."""
    car = pyvista.read(sample_file).clean()
    normals = np.asarray(car.compute_normals(auto_orient_normals=False).cell_data["Normals"], float)
    car.clear_data()
    car.cell_data["Cp"] = np.where(normals[:, 0] < 0, 1.2 * normals[:, 0] ** 2 - 0.2, -0.2)
    return car


def write(surface, mesh: Path, fields: Path, name: str, scale: float, turn: np.ndarray | None = None) -> None:
    """The car and its surface with an array ``name`` of Cp * scale, with the roof along y if turned."""
    mesh.parent.mkdir(parents=True, exist_ok=True)
    turn = np.eye(3) if turn is None else turn
    bare, flow = surface.copy(), surface.copy()
    bare.clear_data(), flow.clear_data()
    bare.points = flow.points = surface.points @ turn.T
    flow.cell_data[name] = surface.cell_data["Cp"] * scale
    bare.save(mesh), flow.save(fields)


def only_car(folder: Path, catalogues: Path) -> MeshCar:
    (car,) = read_corpora([folder], catalogues).cars
    return car


def is_right(car: MeshCar) -> None:
    """Cp of 1 at the nose, where the surface meets the wind, and -0.2 at the rear."""
    sample, values = car.sample()
    nose, tail = sample.normals[:, 0] < -0.97, sample.normals[:, 0] > 0.5
    assert np.nanmedian(values[nose, 0]) == pytest.approx(0.95, abs=0.1)
    assert np.nanmedian(values[tail, 0]) == pytest.approx(-0.2, abs=0.05)
    assert np.isfinite(values[:, 0]).mean() > 0.98 and np.isnan(values[:, 1:]).all()


@pytest.mark.parametrize(("name", "scale"), [("p", 450.0), ("Cp", 1.0), ("pMean", 1.0)])
def test_a_folder_s_pressure_is_cp_whatever_it_was_written_as(surface, tmp_path, name, scale):
    write(surface, tmp_path / "c/car.stl", tmp_path / "c/car.vtk", name, scale)
    (tmp_path / "c/drag.csv").write_text("file,Cd\ncar.stl,0.3\n")
    is_right(only_car(tmp_path / "c", tmp_path / "catalogues"))


def test_a_folder_s_pressure_lies_on_the_car_in_any_axes(surface, tmp_path):
    write(surface, tmp_path / "c/car.stl", tmp_path / "c/car.vtp", "p", 450.0, Y_UP)
    (tmp_path / "c/drag.csv").write_text("file,Cd\ncar.stl,0.3\n")
    is_right(only_car(tmp_path / "c", tmp_path / "catalogues"))


@pytest.mark.parametrize(
    ("prefix", "array", "turn"),
    [("drivaer", "CpMeanTrim", None), ("ahmed", "static(p)_coeffMean", None), ("windsor", "cpavg", Y_UP)],
)
def test_runs_with_their_boundary_are_trained_on(surface, tmp_path, prefix, array, turn):
    run = tmp_path / "c/run_1"
    write(surface, run / f"{prefix}_1.stl", run / "boundary_1.vtp", array, 1.0, turn)
    for table in ("force_mom", "force_mom_varref"):
        (run / f"{table}_1.csv").write_text("Cd,Cl\n0.3,0.1\n")
    is_right(only_car(tmp_path / "c", tmp_path / "catalogues"))


def test_a_pressure_whose_unit_cannot_be_found_is_refused(surface, tmp_path):
    write(surface, tmp_path / "c/car.stl", tmp_path / "c/car.vtk", "p", 4500.0)
    (tmp_path / "c/drag.csv").write_text("file,Cd\ncar.stl,0.3\n")
    with pytest.raises(DrivAerError, match="cannot tell the unit"):
        only_car(tmp_path / "c", tmp_path / "catalogues").sample()


def test_training_and_the_catalogue_have_the_same_cp(tmp_path):
    write_corpus(tmp_path / "c", ["F_D_WM_WW_0001"], what=("mesh", "pressure"))
    scan(tmp_path / "c")
    sample, values = only_car(tmp_path / "c", tmp_path / "catalogues").sample()
    with open_catalogue(tmp_path / "c") as catalogue:
        opened = open_design(catalogue, "F_D_WM_WW_0001")
    np.testing.assert_array_equal(values[:, 0], opened.pressure.at(sample.points.astype(float)).astype(np.float32))


def test_zipped_designs_are_trained_on_as_they_are(tmp_path):
    write_corpus(tmp_path / "c", ["F_D_WM_WW_0001"], what=("mesh", "pressure"), zipped=True)
    found = read_corpora([tmp_path / "c"], tmp_path / "catalogues")
    (car,) = stored(found.cars, found.splits, tmp_path / "points", n_points=512)
    assert len(car.face_values)
