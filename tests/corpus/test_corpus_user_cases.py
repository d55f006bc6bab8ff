"""A user's own CFD taken into a corpus: surfaces with pressure and wall shear in whatever way solvers write them."""

from __future__ import annotations

import numpy as np
import pytest

from data.corpora.case_files import read_case
from data.errors import DrivAerError
from drivaer_app.corpus.user_cases import Reference, add_case

SPEED, DENSITY = 40.0, 1.2
KINEMATIC = 0.5 * SPEED**2


@pytest.fixture(scope="module")
def flow(sample_file):
    """The sample car as a surface with a made-up flow: stagnation ahead, suction behind, friction everywhere."""
    pyvista = pytest.importorskip("pyvista")
    surface = pyvista.read(sample_file).clean()
    normals = np.asarray(surface.compute_normals(auto_orient_normals=False).cell_data["Normals"], float)
    cp = np.where(normals[:, 0] < 0, 2 * normals[:, 0] ** 2 - 1, -0.2)
    along = np.array([1.0, 0, 0]) - normals[:, :1] * normals
    areas = np.asarray(surface.compute_cell_sizes().cell_data["Area"], float)
    force = -(cp * areas) @ normals[:, 0] + 0.004 * areas @ along[:, 0]
    return surface, cp, 0.004 * along, force


def _write(surface, path, **fields):
    surface = surface.copy()
    surface.clear_data()
    for name, values in fields.items():
        surface.cell_data[name] = values
    surface.save(path)
    return path


@pytest.fixture(scope="module")
def openfoam_like(flow, tmp_path_factory):
    """Kinematic pressure, and the stress on the air."""
    surface, cp, cf, _ = flow
    path = tmp_path_factory.mktemp("surface") / "mine.vtp"
    return _write(surface, path, p=cp * KINEMATIC, wallShearStress=-cf * KINEMATIC)


@pytest.fixture(scope="module")
def added(openfoam_like, tmp_path_factory):
    corpus = tmp_path_factory.mktemp("corpus")
    return add_case(openfoam_like, corpus, reference=Reference(speed=SPEED)), corpus


def test_the_drag_is_what_the_surface_adds_up_to(flow, added):
    answer, _ = added
    assert answer.cd == pytest.approx(flow[3] / answer.frontal_area, rel=2e-3)
    assert answer.cd_friction > 0


def test_it_is_read_as_any_other_case(flow, added):
    answer, _ = added
    case = read_case(answer.path)
    assert len(case.face_cp) == len(flow[1]) and case.design is None
    assert np.abs(case.face_cp - flow[1]).max() < 2e-3


def test_points_take_the_values_of_a_face_that_looks_their_way(added):
    with np.load(added[0].path) as arrays:
        face, normals, of_face = arrays["point_face"], arrays["normals"] / 127.0, arrays["face_normals"] / 127.0
    known = face < len(of_face)
    assert known.mean() > 0.9
    assert np.einsum("nd,nd->n", normals[known], of_face[face[known]]).min() > 0.25


def test_it_stands_in_the_corpus_table(added):
    assert "mine," in (added[1] / "index.csv").read_text()


def test_a_name_is_not_taken_twice(openfoam_like, added):
    with pytest.raises(DrivAerError, match="of that name"):
        add_case(openfoam_like, added[1], reference=Reference(speed=SPEED))


def test_pascals_and_the_stress_on_the_wall_give_the_same(flow, added, tmp_path):
    surface, cp, cf, _ = flow
    pascal = KINEMATIC * DENSITY
    file = _write(surface, tmp_path / "pascal.vtp", pressure=cp * pascal + 101_325.0, wall_shear=cf * pascal)
    reference = Reference(speed=SPEED, density=DENSITY, ambient=101_325.0, pressure="pascal")
    assert add_case(file, tmp_path, reference=reference).cd == pytest.approx(added[0].cd, rel=1e-4)


def test_another_speed_than_the_files_is_noticed(openfoam_like, tmp_path):
    with pytest.raises(DrivAerError, match="no stagnation pressure"):
        add_case(openfoam_like, tmp_path, reference=Reference(speed=70.0))


def test_a_drag_that_the_surface_does_not_add_up_to_is_reported(openfoam_like, tmp_path):
    answer = add_case(openfoam_like, tmp_path, reference=Reference(speed=SPEED, cd=2 * 0.3))
    assert answer.cd == 0.6 and "adds up to" in answer.warnings[0]


def test_half_a_car_counts_twice(flow, added, tmp_path):
    surface, cp, cf, _ = flow
    half = np.asarray(surface.cell_centers().points)[:, 1] > 0
    file = tmp_path / "half.vtp"
    both = surface.copy()
    both.clear_data()
    both.cell_data["Cp"], both.cell_data["Cf"] = cp, cf
    both.extract_cells(half).extract_surface(algorithm=None).save(file)
    answer = add_case(file, tmp_path, reference=Reference(speed=SPEED))
    assert answer.cd == pytest.approx(added[0].cd, rel=0.01)


def test_what_lacks_wall_shear_is_refused(flow, tmp_path):
    file = _write(flow[0], tmp_path / "p.vtp", p=flow[1] * KINEMATIC)
    with pytest.raises(DrivAerError, match="has no array wallShearStress"):
        add_case(file, tmp_path, reference=Reference(speed=SPEED))


@pytest.mark.parametrize(("name", "message"), [("nothing.vtp", "not there"), ("notes.txt", "no CFD result")])
def test_what_is_no_cfd_is_one_line(tmp_path, name, message):
    if name == "notes.txt":
        (tmp_path / name).write_text("drag was low")
    with pytest.raises(DrivAerError, match=message):
        add_case(tmp_path / name, tmp_path)
