import csv
import json
import shutil

import numpy as np
import pytest

from data.corpora.cases import is_test_design, read_case, read_cases
from data.corpora.compact import keep
from data.corpora.quantised import CF_STEP, CP_RANGE, CP_STEP
from data.errors import DrivAerError


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
        points=np.zeros((5, 3), np.uint16),
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
