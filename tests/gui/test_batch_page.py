"""A batch in the window: chosen, watched, cancelled, gone on with, and its results opened as a study."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog

from drivaer_app.batch.store import Store
from drivaer_app.predict import Reading

PATIENCE = 240_000


@pytest.fixture
def cars(sample_file, tmp_path) -> Path:
    """A folder of three small cars and a broken one."""
    import fast_simplification
    import trimesh

    mesh = trimesh.load(sample_file)
    vertices, faces = fast_simplification.simplify(mesh.vertices, mesh.faces, target_count=6000)
    folder = tmp_path / "cars"
    folder.mkdir()
    for i in range(3):
        trimesh.Trimesh(vertices * [1, 1 + 0.002 * i, 1], faces, process=False).export(folder / f"car_{i}.stl")
    (folder / "bad.stl").write_text("solid nothing")
    return folder


@pytest.fixture
def page(window, cars, monkeypatch):
    """The page as after Report > Batch of a folder…, that folder chosen."""
    monkeypatch.setattr("drivaer_app.batch.local.available_cores", lambda: 1)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(cars))
    window.actions_.named["batch"].trigger()
    page = window.page("batch")
    page.form.baseline.text.clear()
    page.form.pictures.setChecked(True)
    return page


def stored(folder: Path) -> list[str]:
    with Store.open(folder) as store:
        return [car.file.name for car in store.batch().cars]


def test_a_folder_is_predicted_watched_cancelled_gone_on_with_and_opened(qtbot, window, settle, page, cars):
    form, results = page.form, cars / "drivaer results"
    assert window.pages.currentWidget() is page and form.cars.text() == str(cars)
    assert form.results.file == results and not form.study.isEnabled()
    qtbot.mouseClick(form.start, Qt.MouseButton.LeftButton)
    assert form.stop.isVisible() and form.progress.isVisible() and not form.cars.isEnabled()
    qtbot.waitUntil(lambda: "of 4 cars" in form.note.text() and "a second" in form.note.text(), timeout=PATIENCE)
    qtbot.mouseClick(form.stop, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.job is None, timeout=PATIENCE)
    n = page.work.tally.n_done
    assert f"Cancelled after {n} of 4 cars, which are kept" in form.note.text() and len(stored(results)) == n

    qtbot.mouseClick(form.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.job is None, timeout=PATIENCE)
    assert "1 failed, see below" in form.note.text() and "bad.stl" in form.failures.toPlainText()
    assert form.failures.isVisible() and len(stored(results)) == 4
    qtbot.mouseClick(form.study, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.is_at_desk, timeout=PATIENCE)
    settle(window)
    variants = window.desk.study.state.variants
    assert {v.file.name for v in variants} == {"car_0.stl", "car_1.stl", "car_2.stl"}
    with Store.open(results) as store:
        known = {car.file: car.result.cd for car in store.batch().predicted}
    assert {v.file: window.desk.result(v.key).cd for v in variants} == pytest.approx(known)
    assert all(window.desk.prediction(v.key).thumbnail is not None for v in variants)


def test_some_files_and_a_baseline(qtbot, window, page, cars, monkeypatch):
    chosen = [str(cars / f"car_{i}.stl") for i in range(2)]
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: (chosen, ""))
    qtbot.mouseClick(page.form.some, Qt.MouseButton.LeftButton)
    assert page.form.cars.text().startswith("2 files")
    page.form.baseline.text.setText(chosen[1])
    page.form.pictures.setChecked(False)
    page.form.reading.show(Reading(unit="m", up="z", forward="-x"))
    qtbot.mouseClick(page.form.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.job is None, timeout=PATIENCE)
    assert page.form.note.text() == "Done: 2 predicted"
    with Store.open(page.form.results.file) as store:
        assert store.batch().settings.reading == Reading("m", "z", "-x")
    page.open_study()
    qtbot.waitUntil(lambda: window.is_at_desk, timeout=PATIENCE)
    state = window.desk.study.state
    assert len(state.variants) == 2 and state.variant(state.baseline).file == Path(chosen[1])


def test_what_is_wrong_is_reported_in_place(qtbot, page, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    page.choose([empty])
    qtbot.mouseClick(page.form.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.job is None, timeout=PATIENCE)
    assert "no meshes" in page.form.note.text() and page.form.note.property("role") == "bad"
    page.form.cars.clear()
    qtbot.keyClicks(page.form.cars, str(tmp_path / "none*.stl"))
    qtbot.mouseClick(page.form.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.job is None, timeout=PATIENCE)
    assert "no file matches" in page.form.note.text()
    page.form.results.text.clear()
    assert not page.form.start.isEnabled()
