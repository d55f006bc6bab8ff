"""Families of CFD cases, written and read again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data.corpora.case_files import read_case, write_case
from data.corpora.morphed_families import (
    CfdFaces,
    DeformablePoints,
    Handles,
    MorphedFamily,
    read_families,
    read_family,
    write_family,
)
from data.corpora.quantisation import CF_STEP, CP_RANGE, CP_STEP
from data.errors import DrivAerError
from data.polygons import polygon_faces

PUBLISHED = Path(__file__).resolve().parents[2] / "resources" / "corpus" / "procedural_cars"


@pytest.fixture(scope="module")
def family() -> MorphedFamily:
    """Half a box, 2 x 1.6 x 1 m, whose tail can be drawn out and whose roof leant back."""
    trimesh = pytest.importorskip("trimesh")
    box = trimesh.creation.box(bounds=[[0, 0, 0.2], [2, 0.8, 1.2]]).subdivide().subdivide()
    vertices, faces = np.asarray(box.vertices), np.asarray(box.faces)
    faces = faces[~(vertices[faces][:, :, 1] == 0).all(axis=1)]
    value = np.linspace(-10, 10, 65)
    handles = Handles(
        names=("length", "lean"),
        units=("m", "deg"),
        neutral=np.zeros(2),
        values=np.array([np.linspace(-0.2, 0.2, 65), value]),
        amounts=np.array([np.linspace(-0.2, 0.2, 65), np.tan(np.radians(value))]),
        axis=np.array([0, 0]),
        owner=np.array([0, 1]),
    )
    modes = np.array([vertices[:, 0] / 2, vertices[:, 2] - 0.2])
    starts = np.arange(0, 3 * len(faces) + 1, 3)
    # The solver's faces look into the car.
    cfd = CfdFaces(faces[:, ::-1].ravel(), starts, np.zeros(len(faces), int))
    body = np.zeros(len(faces), int)
    surface = DeformablePoints(vertices, modes)
    return MorphedFamily("box", None, {"frontal_area": 1.6}, handles, surface, faces, body, True, surface, cfd)


@pytest.fixture
def again(family, tmp_path) -> MorphedFamily:
    write_family(tmp_path / "box.npz", family)
    return read_family(tmp_path / "box.npz")


def test_a_family_is_read_as_it_was_written(family, again):
    amounts = family.handles.amounts_of({"length": 0.1, "lean": 5.0})
    assert np.abs(again.mesh_on(amounts)[0] - family.mesh_on(amounts)[0]).max() < 2e-4
    assert again.handles.names == family.handles.names and again.meta["frontal_area"] == 1.6


def test_a_family_is_the_same_within_a_millimetre_however_it_is_bent(family, again):
    def with_modes(change: np.ndarray) -> MorphedFamily:
        bent = replace(family.surface, modes=family.surface.modes + change)
        return replace(family, surface=bent, cfd_points=bent)

    assert family.covers(again)
    assert family.covers(with_modes(np.array([[4e-3], [0]]))), "0.8 mm at the largest length"
    assert not family.covers(with_modes(np.array([[6e-3], [0]])))


def test_a_family_with_one_handle_more_covers_the_one_without(family):
    own, rows = family.handles, [0, 1, 1]
    names, units = (*own.names, "squat"), (*own.units, "deg")
    more = Handles(names, units, own.neutral[rows], own.values[rows], own.amounts[rows], own.axis[rows], np.arange(3))
    bent = replace(family.surface, modes=family.surface.modes[rows])
    larger = replace(family, handles=more, surface=bent, cfd_points=bent)
    assert larger.covers(family) and not family.covers(larger)
    amounts = own.amounts_of({"length": 0.1})
    assert np.array_equal(larger.mesh_on(amounts)[0], family.mesh_on(amounts)[0]), "cases from before are as they were"


def test_handles_add_up(family):
    both = family.handles.amounts_of({"length": 0.1, "lean": 5.0})
    vertices, _ = family.mesh_on(both)
    expected = family.surface.places[:, 0] * 1.05 + np.tan(np.radians(5.0)) * (family.surface.places[:, 2] - 0.2)
    np.testing.assert_allclose(vertices[: len(expected), 0], expected, atol=1e-5)


def test_the_whole_car_is_closed_and_outward(family):
    import trimesh

    car = trimesh.Trimesh(*family.mesh_on(family.neutral))
    car.merge_vertices()
    assert car.is_watertight and car.volume == pytest.approx(2 * 1.6 * 1.0)


def test_faces_of_a_stretched_box_grow_and_look_outward(family):
    centres, vectors = family.faces_on(family.handles.amounts_of({"length": 0.2}))
    roof = vectors[:, 2] > 1e-3
    assert vectors[roof, 2].sum() == pytest.approx(2.2 * 0.8) and (centres[roof, 2] > 1.19).all()


def test_points_follow_the_material(family):
    points = family.material_points(2000)
    which = np.arange(2000)
    before, _ = points.cloud(family.neutral, which)
    after, normals = points.cloud(family.handles.amounts_of({"length": 0.2}), which)
    np.testing.assert_allclose(after[:, 0], before[:, 0] * 1.1, atol=1e-5)
    sides = np.abs(before[:, 1]) > 0.799
    np.testing.assert_allclose(normals[sides, 1], np.sign(before[sides, 1]), atol=1e-5)


def test_points_know_their_cfd_face_on_either_half(family):
    points = family.material_points(2000)
    at, normals = points.cloud(family.neutral, np.arange(2000))
    centres, vectors = family.faces_on(family.neutral)
    known = points.cfd_face >= 0
    assert known.mean() > 0.08  # the faces are large
    folded = np.where(at[:, 1:2] < 0, at * [1, -1, 1], at)[known]
    assert np.linalg.norm(folded - centres[points.cfd_face[known]], axis=1).max() < 0.04


def test_what_the_family_has_not_is_refused(family):
    with pytest.raises(DrivAerError, match="no handle width"):
        family.handles.amounts_of({"width": 0.1})
    with pytest.raises(DrivAerError, match="out of range"):
        family.handles.amounts_of({"length": 0.3})


def test_a_case_is_read_as_it_was_written(tmp_path):
    meta = {"name": "box_0002", "family": "box", "style": None, "design": 2, "values": {}, "amounts": [0.0, 0.0]}
    meta |= {key: 0.3 for key in ("Cd", "Cd_std", "Cl", "Clf", "Clr", "Cd_pressure", "Cd_friction")}
    cp, cf = np.linspace(-4, 2, 50), np.linspace(-0.01, 0.01, 150).reshape(50, 3)
    write_case(tmp_path / "box_0002.npz", meta | {"frontal_area": 1.6}, cp, cf)
    case = read_case(tmp_path / "box_0002.npz")
    assert case.is_test and case.family == "box"
    np.testing.assert_allclose(case.face_cp, np.clip(cp, *CP_RANGE), atol=0.51 * CP_STEP)
    np.testing.assert_allclose(case.face_cf, cf, atol=0.51 * CF_STEP)


def test_another_file_is_no_family(tmp_path):
    (tmp_path / "x.npz").write_bytes(b"PK\x03\x04 not really")
    with pytest.raises(DrivAerError, match="not a family"):
        read_family(tmp_path / "x.npz")


def test_a_squares_area_vector_follows_its_winding():
    square = np.array([[0, 0, 0], [2, 0, 0], [2, 1, 0], [0, 1, 0.0]])
    centres, vectors = polygon_faces(square, np.arange(4), np.array([0, 4]))
    np.testing.assert_allclose(centres, [[1, 0.5, 0]])
    np.testing.assert_allclose(vectors, [[0, 0, 2]])


@pytest.fixture(scope="module")
def published():
    if not (PUBLISHED / "index.csv").exists():
        pytest.skip("no procedural cases are published yet")
    return read_families(PUBLISHED)


def test_published_fields_integrate_to_their_drag(published):
    families, cases = published
    for case in cases[::7]:
        _, vectors = families[case.family].faces_on(case.amounts)
        pressure = -2 * (case.face_cp @ vectors[:, 0]) / case.frontal_area
        assert pressure == pytest.approx(case.coefficients["cd_pressure"], abs=1.5e-3), case.name


def test_a_fifth_of_the_published_designs_is_held_out(published):
    assert all(case.is_test == (case.design % 5 == 2) for case in published[1])


def test_published_cases_are_small():
    if not PUBLISHED.exists():
        pytest.skip("no procedural cases are published yet")
    assert all(path.stat().st_size < 60_000 for path in PUBLISHED.glob("cases/*.npz"))
