"""CFD results that a study keeps: they come back without a run, and say when mesh or case are others by now."""

from __future__ import annotations

import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data.errors import DrivAerError
from drivaer_app.conditions import Conditions
from drivaer_app.desk.cfd_kept import CASE, CfdNumbers, KeptCfd
from drivaer_app.desk.desk import Desk
from drivaer_app.desk.layers import CFD
from drivaer_app.desk.study_file import SavedStudy, SavedVariant, read_study, write_study
from drivaer_app.desk.verification import DONE
from drivaer_app.files import checksum_of

PATIENCE = 300.0
NUMBERS = CfdNumbers(
    0.3, 0.002, 0.05, -0.02, 0.07, 0.27, 0.03, 2.1, True, 400, 134_000, "coarse", ("the underbody is smooth",)
)


@pytest.fixture(scope="module")
def case(sample_file, tmp_path_factory) -> Path:
    """A case file of the sample car, its nose under pressure."""
    import trimesh

    mesh = trimesh.load(sample_file)
    centres, normals = mesh.triangles_center, mesh.face_normals
    offset = centres.min(axis=0)
    places = np.round((centres - offset) / 1e-4).astype(np.uint16)
    sides = np.round(127 * normals).astype(np.int8)
    coefficients = {"Cd": NUMBERS.cd, "Cl": 0.0, "Cd_pressure": NUMBERS.cd - 0.02, "Cd_friction": 0.02}
    path = tmp_path_factory.mktemp("case") / CASE
    np.savez_compressed(
        path,
        points=places,
        normals=sides,
        point_face=np.arange(len(centres)).astype(np.uint16),
        face_centers=places,
        face_normals=sides,
        face_area=(1e4 * mesh.area_faces).astype(np.float16),
        face_cf=np.zeros((len(centres), 3), np.float16),
        face_cp=np.maximum(-normals[:, 0], -0.2).astype(np.float16),
        offset=offset,
        meta=json.dumps({"half": False, "frontal_area": NUMBERS.frontal_area} | coefficients),
    )
    return path


@pytest.fixture
def study_file(sample_file, case, tmp_path, engine) -> Path:
    """A study of one car in a folder with its case, its result and its CFD."""
    folder = tmp_path / "cars"
    (folder / "car_cfd").mkdir(parents=True)
    shutil.copy(sample_file, folder / "car.stl")
    shutil.copy(case, folder / "car_cfd" / CASE)
    desk = Desk(engine=engine)
    (key,) = desk.open([folder / "car.stl"])
    assert desk.wait(PATIENCE)
    result = desk.prediction(key).result
    kept = KeptCfd(NUMBERS, folder / "car_cfd", checksum_of(case), result.checksum, Conditions(40.0, 1.2))
    write_study(folder / "work.drivaer", SavedStudy(desk.study.state, {key: SavedVariant(result, cfd=kept)}))
    desk.close()
    return folder / "work.drivaer"


@pytest.fixture
def opened(engine):
    """Opens a study on a desk; gives the desk and the variant's key."""
    desks = []

    def opened(path: Path) -> tuple[Desk, str]:
        desk = Desk(engine=engine)
        desks.append(desk)
        (key,) = desk.open([path])
        desk.focus([key])
        assert desk.wait(PATIENCE)
        return desk, key

    yield opened
    for desk in desks:
        desk.close()


def shows_cfd(desk: Desk, key: str) -> bool:
    """Whether what the desk says of the variant's CFD is NUMBERS, on whichever area."""
    shown = desk.cfd(key)
    return shown.source == "coarse" and shown.cd * shown.area == pytest.approx(NUMBERS.cd * NUMBERS.frontal_area)


def test_it_comes_back_beside_the_prediction_and_nothing_runs(study_file, opened):
    desk, key = opened(study_file)
    run = desk.verifications.of(key)
    assert run.status == DONE and run.lacking == "" and run.finished.wind == Conditions(40.0, 1.2)
    assert shows_cfd(desk, key) and not desk.cfd_is_outdated(key)
    assert not desk.study.is_changed
    desk.layers.want(CFD, key)
    assert desk.wait(PATIENCE)
    assert np.isfinite(desk.layers.get(CFD, key)).mean() > 0.5
    assert sorted(path.name for path in study_file.parent.iterdir()) == ["car.stl", "car_cfd", "work.drivaer"]


def test_it_refers_to_the_studys_area_and_does_not_depend_on_the_model(study_file, opened):
    desk, key = opened(study_file)
    desk.edit(lambda study: study.set_conditions(Conditions(area=4.2)))
    assert desk.cfd(key).cd == pytest.approx(0.15) and desk.cfd(key).area == 4.2
    desk.edit(lambda study: study.set_model("another"))
    assert desk.verifications.of(key).finished.numbers == NUMBERS


def test_saved_again_it_is_still_there_and_moves_with_the_folder(study_file, opened, tmp_path):
    desk, _ = opened(study_file)
    desk.save(study_file)
    with zipfile.ZipFile(study_file) as archive:
        assert json.loads(archive.read("study.json"))["variants"][0]["cfd"]["folder"] == "car_cfd"
    study_file.parent.rename(tmp_path / "elsewhere")
    desk, key = opened(tmp_path / "elsewhere" / study_file.name)
    run = desk.verifications.of(key)
    assert run.folder == tmp_path / "elsewhere" / "car_cfd" and run.lacking == ""
    assert shows_cfd(desk, key)


def test_found_with_its_mesh_in_another_place(study_file, opened, tmp_path):
    study = shutil.copy(study_file, tmp_path)
    study_file.parent.rename(tmp_path / "archive")
    desk, key = opened(Path(study))
    assert "not there any more" in desk.verifications.of(key).lacking
    assert desk.find_moved(tmp_path / "archive") == [key]
    assert desk.verifications.of(key).folder == tmp_path / "archive" / "car_cfd"
    assert desk.verifications.of(key).lacking == "" and shows_cfd(desk, key)


def test_a_mesh_that_changed_since_shows_cfd_and_not_compared(study_file, opened, sample_file):
    shutil.copy(sample_file.with_name("estate.stl"), study_file.with_name("car.stl"))
    desk, key = opened(study_file)
    assert desk.cfd_is_outdated(key) and desk.cfd(key) is None
    assert desk.verifications.of(key).finished.numbers == NUMBERS  # not lost
    assert "no CFD of this variant" in desk.layers.lacking(CFD, key)


def gone(folder: Path) -> str:
    shutil.rmtree(folder)
    return "not there any more"


def emptied(folder: Path) -> str:
    (folder / CASE).unlink()
    return "has no case.npz"


def solved_again(folder: Path) -> str:
    (folder / CASE).write_bytes(b"another one")
    return "another one by now"


@pytest.mark.parametrize("spoil", [gone, emptied, solved_again])
def test_without_its_case_the_numbers_stay_and_the_picture_does_not(study_file, opened, spoil):
    why = spoil(study_file.with_name("car_cfd"))
    desk, key = opened(study_file)
    assert why in desk.verifications.of(key).lacking and shows_cfd(desk, key)
    assert "no CFD of this variant" in desk.layers.lacking(CFD, key)


def rewritten(path: Path, change) -> None:
    """The study with its first variant's entry changed."""
    with zipfile.ZipFile(path) as archive:
        document = json.loads(archive.read("study.json"))
    change(document["variants"][0])
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("study.json", json.dumps(document))


def test_a_study_of_before_opens(study_file):
    rewritten(study_file, lambda variant: variant.pop("cfd"))
    (kept,) = read_study(study_file).kept.values()
    assert kept.result is not None and kept.cfd is None


@pytest.mark.parametrize("name, value", [("numbers", 3), ("speed_ms", -1), ("folder", 7), ("mesh_sha256", None)])
def test_a_damaged_entry_is_one_line(study_file, name, value):
    def change(variant):
        variant["cfd"][name] = value
        if value is None:
            del variant["cfd"][name]

    rewritten(study_file, change)
    with pytest.raises(DrivAerError) as caught:
        read_study(study_file)
    assert "work.drivaer" in caught.value.line or "speed" in caught.value.line


def test_a_result_that_came_is_a_change_to_save_and_nothing_to_undo(study_file, opened):
    desk, _ = opened(study_file)
    desk._found()
    assert desk.study.is_changed and desk.study.is_worth_asking and desk.study.undoes is None
    desk.save(study_file)
    assert not desk.study.is_changed


def test_coefficients_of_a_given_area_keep_the_force():
    scaled = NUMBERS.on(Conditions(area=1.0))
    assert scaled.cd * scaled.frontal_area == pytest.approx(NUMBERS.cd * NUMBERS.frontal_area)
    assert replace(scaled, frontal_area=2.1).on(Conditions()).cd == scaled.cd
