import csv
import json
import shutil

import numpy as np
import pytest

from data.corpora.case import CaseGeometry, is_test_design, is_test_name
from data.corpora.case_files import named_in_files, read_case, read_cases, read_header, write_case
from data.corpora.quantisation import CF_STEP, CP_RANGE, CP_STEP
from data.errors import DrivAerError
from data.nearest import NO_FACE
from factory.compact_corpus import keep
from tests.conftest import SHARED


def write_corpus_case(path, design=300, **parameters):
    """A case as the corpus's tools write it, a few hundred faces of noise."""
    rng = np.random.default_rng(design)
    meta = {
        "i": design,
        "name": f"{design:04d}",
        "underbody": "detailed",
        "params": {"length": 0.1, **parameters},
        "frontal_area": 2.2,
        **dict.fromkeys(("Cd_std", "Cl", "Clf", "Clr", "Cd_pressure", "Cd_friction"), 0.01),
        "Cd": 0.3,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        path,
        face_cp=rng.normal(-0.2, 1.5, 400).astype(np.float16),
        face_cf=rng.normal(0, 4e-3, (400, 3)).astype(np.float16),
        meta=json.dumps(meta),
    )


def test_a_compact_case_is_the_case_to_within_its_steps(tmp_path):
    write_corpus_case(tmp_path / "packed/cases/0300.npz")
    keep(tmp_path / "packed", tmp_path / "own")
    whole, compact = (read_case(tmp_path / f"{folder}/cases/0300.npz") for folder in ("packed", "own"))
    assert np.abs(compact.face_cp - whole.face_cp).max() <= CP_STEP / 2 + 1e-3
    assert np.abs(compact.face_cf - whole.face_cf).max() <= CF_STEP / 2 + 1e-5
    assert compact.parameters == whole.parameters and compact.coefficients == whole.coefficients


def test_cases_are_kept_as_differences_from_one_reference_that_later_cases_share(tmp_path):
    packed, own = tmp_path / "packed", tmp_path / "own"
    for design in (300, 301, 303, 304):
        write_corpus_case(packed / f"cases/{design:04d}.npz", design)
        keep(packed, own)
        whole, compact = (read_case(folder / f"cases/{design:04d}.npz") for folder in (packed, own))
        assert np.abs(compact.face_cp - whole.face_cp).max() <= CP_STEP / 2 + 1e-3
    assert len(list((own / "references").iterdir())) == 1


def test_a_compact_case_without_its_reference_says_what_is_missing(tmp_path):
    write_corpus_case(tmp_path / "packed/cases/0300.npz")
    keep(tmp_path / "packed", tmp_path / "own")
    shutil.copytree(tmp_path / "own/cases", tmp_path / "alone/cases")
    with pytest.raises(DrivAerError, match="references.*missing") as caught:
        read_case(tmp_path / "alone/cases/0300.npz")
    assert "together" in caught.value.line


def test_impossible_pressures_are_clipped(tmp_path):
    write_corpus_case(tmp_path / "cases/0300.npz")
    case = read_case(tmp_path / "cases/0300.npz")
    assert case.face_cp.min() == CP_RANGE[0]
    assert case.face_cp.max() <= CP_RANGE[1] + 1e-6


def test_keeping_again_adds_only_what_is_new_and_rewrites_the_index(tmp_path):
    packed, own = tmp_path / "packed", tmp_path / "own"
    write_corpus_case(packed / "cases/0300.npz")
    assert keep(packed, own) == 1
    write_corpus_case(packed / "cases/1152.npz", 1152, estate=0.9)
    assert keep(packed, own) == 1
    with (own / "index.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(r["name"], r["style"], r["split"]) for r in rows] == [
        ("0300", "fastback", "train"),
        ("1152", "estate", "test"),
    ]
    assert float(rows[0]["estate"]) == 0.0 and float(rows[1]["estate"]) == 0.9


def test_a_design_in_two_folders_counts_once(tmp_path):
    for folder in ("a", "b"):
        write_corpus_case(tmp_path / folder / "cases/0300.npz")
    assert len(read_cases(tmp_path / "a", tmp_path / "b")) == 1


def test_a_fifth_of_the_designs_is_held_out_and_never_the_unmorphed_car():
    held = [i for i in range(3000) if is_test_design(i)]
    assert len(held) == 600
    assert {i % 2 for i in held} == {0, 1} and {i // 1000 for i in held} == {0, 1, 2}
    assert not is_test_design(-1) and not is_test_design(-2) and not is_test_design(-3)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 torn", b"solid text"])
def test_a_file_that_is_no_case_is_named(tmp_path, content):
    path = tmp_path / "0300.npz"
    path.write_bytes(content)
    with pytest.raises(DrivAerError, match="not a CFD case") as caught:
        read_case(path)
    assert str(path) in caught.value.line


def test_a_folder_without_cases_is_named(tmp_path):
    with pytest.raises(DrivAerError, match="no CFD cases"):
        read_cases(tmp_path)


@pytest.fixture
def geometry():
    """The left half of a box: two of its CFD faces, and a point inside of it that no flow sees."""
    centres, normals = np.array([[0.0, 0.5, 0.3], [2.0, 0.5, 0.8]]), np.array([[-1.0, 0, 0], [1, 0, 0]])
    points = np.array([[0.01, 0.4, 0.3], [2.0, 0.5, 0.81], [1.0, 0.2, 0.5]])
    facing = np.array([[-1.0, 0, 0], [1, 0, 0], [0, 0, 1]])
    return CaseGeometry.with_nearest_faces(
        points, facing, centres, normals, np.array([0.5, 0.7]), half=True, max_distance=0.2
    )


@pytest.fixture
def own_case(geometry, tmp_path):
    numbers = {"frontal_area": 2.0, **named_in_files({"cd": 0.3, "cl": 0.1, "cd_pressure": 0.28, "cd_friction": 0.02})}
    cf = np.array([[0.0, 0.001, 0], [0, 0, 0.002]])
    write_case(tmp_path / "mine.npz", numbers, np.array([0.9, -0.2]), cf, geometry=geometry)
    return read_case(tmp_path / "mine.npz")


def test_a_case_with_geometry_is_read_as_it_was_written(own_case, geometry):
    assert own_case.geometry.half and own_case.geometry.point_face.tolist() == [0, 1, NO_FACE]
    np.testing.assert_allclose(own_case.geometry.points, geometry.points, atol=1e-4)
    np.testing.assert_allclose(own_case.geometry.centres, geometry.centres, atol=1e-4)
    assert own_case.geometry.wetted_area == pytest.approx(2 * 1.2, rel=1e-3)
    assert own_case.point_values[:, 0] == pytest.approx([0.9, -0.2, np.nan], abs=1e-3, nan_ok=True)


def test_the_other_half_s_friction_is_the_mirror_image(own_case):
    points, normals, values = own_case.on_whole_car()
    assert len(points) == len(normals) == 6
    np.testing.assert_array_equal(points[1::2], points[::2] * [1, -1, 1])
    assert (values[1, 2], values[3, 3]) == (-values[0, 2], values[2, 3])


def test_what_lacks_a_coefficient_is_reported(tmp_path, geometry):
    path = tmp_path / "mine.npz"
    write_case(path, {"frontal_area": 2.0, "Cd": 0.3, "Cl": 0.1}, np.zeros(2), np.zeros((2, 3)), geometry=geometry)
    with pytest.raises(DrivAerError, match="it has no Cd_pressure, Cd_friction"):
        read_case(path)
    assert read_header(path).coefficients == {"cd": 0.3, "cl": 0.1}


@pytest.mark.parametrize(
    ("design", "known"),
    [
        ({"i": 7, "params": {"notch": 1}, "underbody": "smooth"}, (7, None, "notchback", "smooth", True)),
        (
            {"family": "van", "design": 5, "values": {}, "amounts": [1.0], "style": "van"},
            (5, "van", "van", None, False),
        ),
        ({}, (None, None, None, None, is_test_name("a"))),
    ],
    ids=["generator", "family", "own car"],
)
def test_one_reader_reads_every_corpus_s_designs(tmp_path, design, known):
    numbers = {"frontal_area": 2.0, "Cd": 0.3, "Cl": 0.1, "Cd_pressure": 0.28, "Cd_friction": 0.02}
    write_case(tmp_path / "a.npz", numbers | design, np.zeros(3), np.zeros((3, 3)))
    for case in (read_case(tmp_path / "a.npz"), read_header(tmp_path / "a.npz")):
        assert (case.design, case.family, case.style, case.underbody, case.is_test) == known
        assert case.coefficients == {"cd": 0.3, "cl": 0.1, "cd_pressure": 0.28, "cd_friction": 0.02}


def test_cases_handed_over_have_their_values_at_their_points():
    path = SHARED / "corpus" / "cases" / "baseline.npz"
    if not path.exists():
        pytest.skip("the corpus handed over is not there")
    case = read_case(path)
    assert case.geometry.half and case.point_values.shape == (len(case.geometry.points), 4)
    pressure = -2 * (case.face_cp * case.geometry.areas) @ case.geometry.face_normals[:, 0] / case.frontal_area
    assert pressure == pytest.approx(case.coefficients["cd_pressure"], abs=0.003)
