"""A study's edits, undone and redone, and its file: the same study on another machine."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data.errors import DrivAerError
from drivaer_app.compare import Difference
from drivaer_app.conditions import Conditions
from drivaer_app.desk.study import Study
from drivaer_app.desk.study_file import SavedStudy, SavedVariant, find_moved, read_study, write_study
from drivaer_app.files import checksum_of
from drivaer_app.origin import Origin
from drivaer_app.predict import Reading
from drivaer_app.results import Result
from gnn.difference import DifferenceLaw

RESULT = Result(
    cd=0.3,
    cd_low=0.29,
    cd_high=0.31,
    cl=0.05,
    cd_pressure=0.27,
    cd_friction=0.02,
    frontal_area=2.0,
    novelty=0.5,
    in_distribution=True,
    novelty_reason="",
    unit="mm",
    to_metres=0.001,
    up="z",
    forward="-x",
    mirrored=False,
    confidence=0.9,
    length=4.6,
    width=1.9,
    height=1.4,
    n_faces=100,
    n_points=52,
    watertight=True,
    warnings=("a hole",),
    model="m@1",
    device="cpu",
    checksum="c0ffee",
    seconds={"load": 0.1, "predict": 0.2},
    difference_law=DifferenceLaw(0.9, 0.004, 0.1, 60),
)


@pytest.fixture
def study() -> Study:
    study = Study()
    study.add(["a/one.stl", "a/two.stl"])
    return study


def names(study: Study) -> list[str]:
    return [v.name for v in study.state.variants]


def test_the_first_variant_opened_is_the_baseline(study):
    assert study.state.variant(study.state.baseline).name == "one"


def test_a_file_that_is_open_is_not_opened_twice(study):
    keys = study.add(["a/two.stl", "a/three.stl"])
    assert names(study) == ["one", "two", "three"]
    assert keys[0] == study.state.variants[1].key


def test_files_of_one_name_get_names_apart(study):
    study.add(["b/one.stl"])
    assert names(study) == ["one", "two", "one (2)"]


EDITS = {
    "remove": lambda s, key: s.remove([key]),
    "rename": lambda s, key: s.rename(key, "low nose"),
    "baseline": lambda s, key: s.set_baseline(key),
    "reading": lambda s, key: s.set_reading(key, Reading(unit="mm")),
    "conditions": lambda s, key: s.set_conditions(Conditions(speed=40)),
    "model": lambda s, key: s.set_model("other"),
    "morph": lambda s, key: s.add_morph(key, "longer", {"length": 0.1}),
    "pin": lambda s, key: s.pin((1.0, 0.0, 1.2)),
    "bend": lambda s, key: s.bend(key, {"length": 0.1}, "length +100 mm"),
    "file": lambda s, key: s.set_file(key, "elsewhere/two.stl"),
    "open": lambda s, key: s.add(["c.stl"]),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_every_edit_is_undone_and_redone(study, edit):
    before = study.state
    edit(study, before.variants[1].key)
    after = study.state
    assert after != before
    study.undo()
    assert study.state == before
    study.redo()
    assert study.state == after


def test_a_models_path_is_kept_from_the_root_and_a_name_as_it_is(study, tmp_path, monkeypatch):
    (tmp_path / "models" / "mine").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    study.set_model("models/mine")
    assert study.state.model == str(tmp_path / "models" / "mine")
    study.set_model("drivaer")
    assert study.state.model == "drivaer"


def test_a_new_edit_forgets_what_was_undone(study):
    study.rename(study.state.variants[0].key, "x")
    study.undo()
    study.rename(study.state.variants[0].key, "y")
    assert study.redoes is None


def test_removing_the_baseline_makes_the_first_one_left_the_baseline(study):
    study.remove([study.state.baseline])
    assert study.state.variant(study.state.baseline).name == "two"


@pytest.mark.parametrize("name", ["two", "  ", ""])
def test_a_name_that_is_taken_or_empty_is_refused(study, name):
    with pytest.raises(DrivAerError):
        study.rename(study.state.variants[0].key, name)


def test_browsing_is_not_worth_asking_about_but_work_is(study):
    assert study.is_changed and not study.is_worth_asking
    study.rename(study.state.variants[0].key, "x")
    assert study.is_worth_asking
    study.mark_saved()
    assert not study.is_worth_asking


def test_a_reference_area_scales_coefficients_and_leaves_the_force():
    conditions = Conditions(area=1.0)
    scaled = RESULT.on(conditions)
    assert scaled.cd == pytest.approx(0.6) and scaled.cd_high == pytest.approx(0.62)
    assert scaled.drag(conditions) == pytest.approx(RESULT.drag(Conditions()))


@pytest.mark.parametrize(("cd", "certain"), [(0.305, True), (0.304, False), (0.295, True)])
def test_a_difference_says_whether_it_is_larger_than_its_uncertainty(cd, certain):
    difference = Difference.of(replace(RESULT, cd=cd), RESULT)
    assert difference.counts == pytest.approx(1000 * (cd - 0.3))
    assert difference.half_width == pytest.approx(4 + 0.1 * abs(difference.counts))
    assert difference.is_certain is certain


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"difference_law": None}, "not calibrated"),
        ({"model": "another@2"}, "two models"),
        ({"in_distribution": False}, "outside of what the model learnt"),
    ],
)
def test_where_nothing_is_known_of_its_certainty_a_difference_says_why(changes, why):
    difference = Difference.of(replace(RESULT, cd=0.305, **changes), RESULT)
    assert difference.is_certain is None and why in difference.in_words


def test_the_uncertainty_of_a_difference_follows_the_reference_area():
    mine, base = (replace(RESULT, cd=cd).on(Conditions(area=1.0)) for cd in (0.305, 0.3))
    difference = Difference.of(mine, base)
    assert difference.counts == pytest.approx(10.0) and difference.half_width == pytest.approx(9.0)


@pytest.fixture
def saved(tmp_path) -> tuple[Path, SavedStudy]:
    """A study of two files, one of them morphed, saved beside them."""
    folder = tmp_path / "here"
    (folder / "meshes").mkdir(parents=True)
    study = Study()
    for name in ("one", "two"):
        (folder / "meshes" / f"{name}.stl").write_text(name)
    keys = study.add([folder / "meshes" / "one.stl", folder / "meshes" / "two.stl"], Reading(unit="mm"))
    study.add_morph(keys[0], "longer", {"length": 0.1})
    study.set_conditions(Conditions(speed=40, area=2.1))
    result = replace(RESULT, checksum=checksum_of(folder / "meshes" / "one.stl"))
    picture = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    kept = {keys[0]: SavedVariant(result, RESULT, picture)}
    content = SavedStudy(study.state, kept, {"overlay": "cf", "camera": {"focus": [1, 2, 3]}})
    write_study(folder / "work.drivaer", content)
    return folder / "work.drivaer", content


def test_a_study_comes_back_as_it_was_saved(saved):
    path, content = saved
    back = read_study(path)
    assert back.state == content.state and back.view == content.view
    key = content.state.variants[0].key
    assert back.kept[key].result == content.kept[key].result
    assert back.kept[key].previous == content.kept[key].previous
    assert np.array_equal(back.kept[key].thumbnail, content.kept[key].thumbnail)


def test_a_study_that_moved_with_its_meshes_finds_them(saved, tmp_path):
    path, _ = saved
    path.parent.rename(tmp_path / "there")
    back = read_study(tmp_path / "there" / path.name)
    assert [v.file.exists() for v in back.state.variants] == [True] * 3


def test_meshes_that_moved_elsewhere_are_found_by_name_and_content(saved, tmp_path):
    path, content = saved
    one, two = (v for v in content.state.variants if v.morph is None)
    other = tmp_path / "archive" / "deep"
    other.mkdir(parents=True)
    (tmp_path / "archive" / "one.stl").write_text("another car of the same name")
    one.file.rename(other / "one.stl")
    two.file.rename(other / "two.stl")
    sums = {one.key: content.kept[one.key].result.checksum}
    found = find_moved({v.key: v.file for v in (one, two)}, sums, tmp_path / "archive")
    assert found == {one.key: other / "one.stl", two.key: other / "two.stl"}


def test_an_origin_of_an_earlier_file_is_read():
    published = {"cd": 0.3, "cd_std": None, "cl": None, "clf": None, "clr": None, "area": None}
    stored = {"catalogue": "c.sqlite", "design": "car", "published": {**published, "told_by": "published"}}
    assert Origin.from_json(stored).published.source == "published"


def damaged(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:200])


def not_a_zip(path: Path) -> None:
    path.write_text("solid car")


def without_document(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("other.json", "{}")


def of_another_shape(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("study.json", json.dumps({"format": 1, "variants": [3]}))


def from_the_future(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("study.json", json.dumps({"format": 99}))


SPOILERS = [damaged, not_a_zip, without_document, of_another_shape, from_the_future, Path.unlink]


@pytest.mark.parametrize("spoil", SPOILERS)
def test_a_file_that_is_no_study_is_one_line_that_names_it(saved, spoil):
    path, _ = saved
    spoil(path)
    with pytest.raises(DrivAerError) as caught:
        read_study(path)
    assert path.name in caught.value.line and "\n" not in caught.value.line


def test_a_study_that_cannot_be_written_leaves_the_old_one(saved):
    path, content = saved
    before = path.read_bytes()
    broken = SavedStudy(content.state, content.kept, {"view": object()})
    with pytest.raises(TypeError):
        write_study(path, broken)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir() if p.is_file()] == [path.name]
