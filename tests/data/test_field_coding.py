from pathlib import Path

import numpy as np
import pytest

from data.corpora.field_coding import Fields, decode_fields, encode_fields, reference_for
from data.corpora.npz import write_npz
from data.corpora.quantisation import CF_RANGE, CF_STEP, CP_RANGE, CP_STEP


def fields(n: int, seed: int = 0) -> Fields:
    """Cp (n,) and Cf (n, 3) of noise."""
    rng = np.random.default_rng((n, seed))
    return rng.normal(-0.2, 0.5, n), rng.normal(0.0, 4e-3, (n, 3))


def regional(n: int, seed: int) -> Fields:
    """Fields that differ from case to case by what holds for the whole of each of five regions."""
    rng = np.random.default_rng(seed)
    region = np.arange(n) % 5
    base = np.random.default_rng(n)
    cp = base.normal(-0.2, 0.5, n) + rng.normal(0, 0.3, 5)[region]
    return cp, base.normal(0.0, 4e-3, (n, 3)) + rng.normal(0, 4e-3, (5, 3))[region]


def kept(corpus: Path, name: str, case: Fields, reference: Path | None) -> tuple[Fields, int]:
    """The case as it is read from its file, and the file's size in bytes."""
    path = corpus / f"cases/{name}.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_npz(path, encode_fields(*case, reference))
    with np.load(path) as members:
        return decode_fields(members, path), path.stat().st_size


@pytest.mark.parametrize("with_reference", [False, True], ids=["alone", "as differences"])
def test_a_case_comes_back_to_within_half_a_step(tmp_path, with_reference):
    reference = reference_for(tmp_path, "box", [fields(400, seed) for seed in range(5)]) if with_reference else None
    given = fields(400, 9)
    (cp, cf), _ = kept(tmp_path, "case", given, reference)
    assert cp.dtype == cf.dtype == np.float32
    np.testing.assert_allclose(cp, np.clip(given[0], *CP_RANGE), atol=CP_STEP / 2 + 1e-6)
    np.testing.assert_allclose(cf, given[1], atol=CF_STEP / 2 + 1e-8)


def test_the_largest_differences_come_back_as_they_were(tmp_path):
    cp, cf = np.float32(CP_RANGE), np.float32([CF_RANGE] * 3).T
    reference = reference_for(tmp_path, "box", [(cp[::-1], cf[::-1])])
    again, _ = kept(tmp_path, "case", (cp, cf), reference)
    np.testing.assert_allclose(again[0], cp, atol=CP_STEP / 2)
    np.testing.assert_allclose(again[1], cf, atol=CF_STEP / 2)


@pytest.mark.parametrize("n", [1, 2, 30])
def test_a_car_of_few_faces_has_a_reference(tmp_path, n):
    reference = reference_for(tmp_path, "box", [fields(n, 1), fields(n, 2)])
    (cp, _), _ = kept(tmp_path, "case", fields(n, 3), reference)
    np.testing.assert_allclose(cp, np.clip(fields(n, 3)[0], *CP_RANGE), atol=CP_STEP / 2 + 1e-6)


@pytest.mark.parametrize("n", [29, 31])
def test_a_case_of_other_faces_than_its_reference_s_is_refused(tmp_path, n):
    reference = reference_for(tmp_path, "box", [fields(30)])
    members = {**encode_fields(*fields(n)), "reference": np.array(reference.stem)}
    with pytest.raises(ValueError, match=f"{n} faces, its reference 30"):
        decode_fields(members, tmp_path / "cases/case.npz")


def test_a_file_of_an_earlier_version_is_refused(tmp_path):
    members = {"face_cp": np.int16([-31, 20]), "face_cf": np.int16([[1, 30, 0], [0, -7, 50]])}
    with pytest.raises(ValueError, match="earlier version"):
        decode_fields(members, tmp_path / "case.npz")


def test_what_whole_regions_have_in_common_takes_little_room(tmp_path):
    reference = reference_for(tmp_path, "box", [regional(4000, seed) for seed in range(20)])
    given = regional(4000, 99)
    _, alone = kept(tmp_path, "alone", given, None)
    (cp, _), size = kept(tmp_path, "differences", given, reference)
    np.testing.assert_allclose(cp, np.clip(given[0], *CP_RANGE), atol=CP_STEP / 2 + 1e-6)
    assert size < alone / 4


def test_cars_keep_the_reference_that_was_made_first(tmp_path):
    first = reference_for(tmp_path, "box", [fields(40)])
    content = first.read_bytes()
    assert reference_for(tmp_path, "box", [fields(40), fields(40)]) == first
    assert first.read_bytes() == content


def test_cars_whose_name_begins_with_another_name_have_a_reference_of_their_own(tmp_path):
    longer = reference_for(tmp_path, "box-long", [fields(50)])
    assert reference_for(tmp_path, "box", [fields(40)]) != longer
    assert reference_for(tmp_path, "box-long", [fields(50)]) == longer
