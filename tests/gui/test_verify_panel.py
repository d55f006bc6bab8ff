"""CFD of a variant as a designer runs it: start, look on, stop, go on, compare. And where shape matters."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest
from looking import key_of, pixels
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QMessageBox

from data.errors import DrivAerError
from data.formats import CASE_STATE
from drivaer_app.cfd.find import find_openfoam
from drivaer_app.conditions import Conditions
from drivaer_app.desk.cfd_kept import CfdNumbers, KeptCfd
from drivaer_app.desk.study_file import write_study
from drivaer_app.desk.verification import DONE, FAILED_RUN, RUNNING, STOPPED, Run, _write_begun, case_folder

# OpenFOAM itself meshes and solves here, twice where a run is stopped and gone on with: no stand-in writes logs,
# residuals and fields as the versions do that the panel has to read. The trial preset has the coarsest mesh.
PATIENCE = 240_000


@pytest.fixture
def openfoam():
    try:
        find_openfoam()
    except DrivAerError as error:
        pytest.skip(f"needs OpenFOAM: {error.what}")


@pytest.fixture
def verifying(qtbot, make_window, settle, samples, tmp_path):
    """A window on a car in a folder of the test's own, the Verify panel in front."""
    shutil.copy(samples[1], tmp_path)
    window = make_window([tmp_path / samples[1].name])
    settle(window)
    window.desk_page.docks.bring("Verify")
    settle(window)
    return window


def test_a_run_is_watched_stopped_and_gone_on_with_and_the_result_stands_beside_the_prediction(
    openfoam, qtbot, verifying, make_window, settle, monkeypatch
):
    window, panel, key = verifying, verifying.desk_page.verify, key_of(verifying, "fastback")
    panel.preset.addItem("trial", "trial")  # seconds instead of minutes; not offered, as its numbers mean nothing
    panel.preset.setCurrentIndex(panel.preset.count() - 1)
    verify = window.desk.verify
    monkeypatch.setattr(window.desk, "verify", lambda key, preset, anew: verify(key, preset, target[0], anew=anew))
    target = [400]
    assert panel.begin.text() == "Start"
    qtbot.mouseClick(panel.begin, Qt.MouseButton.LeftButton)
    assert window.desk_page.bottom.currentWidget() is window.desk_page.bottom.cfd
    qtbot.waitUntil(lambda: "of 400, Cd" in panel.state.text(), timeout=PATIENCE)
    qtbot.waitUntil(lambda: len(window.desk_page.bottom.cfd.residuals.item.listDataItems()) >= 5, timeout=PATIENCE)
    assert panel.progress.isVisible() and panel.begin.text() == "Stop"
    assert window.desk_page.bottom.cfd.drag.item.listDataItems()[0].getData()[1].min() > 0
    qtbot.mouseClick(panel.begin, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel.begin.text() == "Go on", timeout=PATIENCE)
    reached = window.desk.verifications.of(key).progress.iteration
    target[0] = 10 * (reached // 10 + 3)
    qtbot.mouseClick(panel.begin, Qt.MouseButton.LeftButton)
    over = (DONE, FAILED_RUN)
    qtbot.waitUntil(lambda: window.desk.verifications.of(key).status in over, timeout=PATIENCE)
    settle(window)
    assert panel.state.text().startswith("finished: trial"), panel.state.text()
    cfd = window.desk.cfd(key)
    assert panel.cells["Cd", "CFD"].text() == f"{cfd.cd:.3f}" and "counts off the CFD" in panel.verdict.text()
    assert f"CFD {cfd.cd:.3f}" in window.desk_page.answer.checked.text()
    qtbot.mouseClick(panel.where, Qt.MouseButton.LeftButton)
    settle(window)
    assert np.isfinite(window.desk_page.stage.viewport.panes[0].layers["cfd"]).mean() > 0.5
    assert window.desk_page.stage.viewport.lacking == ""
    assert window.isWindowModified()
    window.desk.save(window.desk.study.state.variants[0].file.with_name("work.drivaer"))

    again = make_window([window.desk.study.file])
    again.desk_page.docks.bring("Verify")
    settle(again)
    panel = again.desk_page.verify
    assert panel.state.text().startswith("finished: trial") and panel.begin.text() == "Start"
    assert panel.cells["Cd", "CFD"].text() == f"{cfd.cd:.3f}" and "counts off the CFD" in panel.verdict.text()
    qtbot.mouseClick(panel.where, Qt.MouseButton.LeftButton)
    settle(again)
    assert np.isfinite(again.desk_page.stage.viewport.panes[0].layers["cfd"]).mean() > 0.5
    assert not again.isWindowModified()
    again.desk_page.bottom.show_cfd()
    settle(again)
    assert len(again.desk_page.bottom.cfd.residuals.item.listDataItems()) >= 5
    assert again.desk_page.bottom.cfd.drag.item.listDataItems()[0].getData()[1].min() > 0


def test_a_kept_result_is_shown_without_a_run_and_says_when_the_mesh_has_changed(qtbot, verifying, settle, samples):
    window, panel, key = verifying, verifying.desk_page.verify, key_of(verifying, "fastback")
    desk, file = window.desk, window.desk.study.state.variant(key).file
    area = desk.prediction(key).result.frontal_area
    numbers = CfdNumbers(0.305, 0.002, 0.05, -0.02, 0.07, 0.275, 0.03, area, True, 400, 134_000, "coarse", ("smooth",))
    kept = KeptCfd(numbers, file.parent / "gone", "", desk.prediction(key).result.checksum, Conditions(40.0))
    saved = desk.saved()
    saved = replace(saved, kept={key: replace(saved.kept[key], cfd=kept)})
    write_study(file.with_name("work.drivaer"), saved)
    window.files.open([file.with_name("work.drivaer")])
    settle(window)
    assert panel.cells["Cd", "CFD"].text() == "0.305" and panel.cells["rear", "CFD"].text() == "0.070"
    assert "400 iterations, 134,000 cells, at 144 km/h" in panel.state.text()
    assert "not there any more" in panel.state.text() and not panel.where.isVisible() and not panel.folder.isVisible()
    assert "counts off the CFD" in panel.verdict.text() and "• smooth" in panel.warnings.text()
    assert "CFD 0.305 ± 0.002 (coarse)" in window.desk_page.answer.checked.text()
    desk.watch(interval=0.1)
    shutil.copy(samples[0], file)
    qtbot.waitUntil(lambda: "has changed since this run" in panel.state.text(), timeout=PATIENCE)
    assert panel.state.property("role") == "warn" and panel.cfd_title.text() == "CFD of before"
    assert panel.cells["Cd", "CFD"].text() == "0.305" and not panel.verdict.isVisible()
    assert "before it was saved again" in window.desk_page.answer.checked.text()


def test_without_openfoam_the_panel_says_how_to_get_it(qtbot, make_window, settle, samples, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("WM_PROJECT_DIR", raising=False)
    monkeypatch.setattr("drivaer_app.cfd.find._FOLDERS", ())
    window = make_window(samples[:1])
    settle(window)
    window.desk_page.docks.bring("Verify")
    qtbot.waitUntil(lambda: "not installed" in window.desk_page.verify.state.text(), timeout=PATIENCE)
    assert not window.desk_page.verify.begin.isEnabled()


def test_the_error_overlay_says_that_there_is_no_run_yet(window):
    window.desk_page.stage.set_overlay("cfd")
    assert "no CFD of this variant" in window.statusBar().currentMessage()


def test_the_sensitivity_colours_the_car_and_is_read_with_its_unit(qtbot, window, settle):
    stage = window.desk_page.stage
    stage.set_overlay("sensitivity")
    assert "worked out" in window.statusBar().currentMessage()
    settle(window)
    assert stage.viewport.lacking == ""
    image = pixels(stage.viewport.picture())
    redder = image[..., 0] - image[..., 2]
    assert (redder > 30).mean() > 8e-4 and (redder < -30).mean() > 8e-4  # most of a car matters little
    stage.look_from("front")
    plotter = stage.viewport._plotter
    middle = QPoint(plotter.width() // 2, int(plotter.height() * 0.62))
    with qtbot.waitSignal(stage.viewport.picked, timeout=PATIENCE):
        qtbot.mouseClick(plotter, Qt.MouseButton.LeftButton, pos=middle)
    assert "dCd/dn" in stage.colour_bar.probe.text() and "dm²" in stage.colour_bar.probe.text()
    window.desk_page.variants.select([key_of(window, "notchback")])
    settle(window)
    assert stage.viewport.lacking == ""


def a_stopped_run(window, key: str) -> Run:
    """As a session leaves it behind: a folder with what was begun, and the solver's place in it."""
    desk = window.desk
    recipe, checksum = desk._inputs_of(key), desk.prediction(key).result.checksum
    wind, variant = Conditions(speed=30.0), desk.study.state.variant(key)
    folder = case_folder(variant, recipe, "draft", wind, checksum)
    run = Run(folder, "draft", STOPPED, wind=wind, mesh=checksum)
    _write_begun(run, ())
    (folder / CASE_STATE).write_text("{}")
    return run


def test_a_run_of_another_session_is_offered_to_go_on_also_under_other_conditions(
    qtbot, make_window, settle, samples, tmp_path, monkeypatch
):
    shutil.copy(samples[1], tmp_path)
    window = make_window([tmp_path / samples[1].name])
    settle(window)
    key, panel = key_of(window, "fastback"), window.desk_page.verify
    run = a_stopped_run(window, key)
    window.desk.edit(lambda study: study.set_conditions(Conditions(speed=40.0)))
    window.desk_page.docks.bring("Verify")
    settle(window)
    monkeypatch.setattr(panel, "_why_not", "")
    panel.refresh()
    assert panel.begin.text() == "Go on" and panel.preset.currentData() == "draft"
    assert "108 km/h" in panel.state.text()
    asked = []
    monkeypatch.setattr(window.desk.verifications.engine, "call", lambda work, *what, **_: asked.append(what))
    qtbot.mouseClick(panel.begin, Qt.MouseButton.LeftButton)
    settle(window)
    assert (asked[0][3], asked[0][6].speed) == (run.folder, 30.0)  # its own folder and its own wind
    qtbot.mouseClick(panel.anew, Qt.MouseButton.LeftButton)
    settle(window)
    assert asked[1][3] != run.folder and asked[1][6].speed == 40.0


def test_what_is_said_of_the_unit_that_was_found_anyway_leaves_a_run_running_and_quitting_asks(
    qtbot, verifying, settle, monkeypatch
):
    window, key, panel = verifying, key_of(verifying, "fastback"), verifying.desk_page.verify
    shape = window.desk.verifications._shape(window.desk._inputs_of(key))
    run = Run(window.desk.study.state.variant(key).file.parent / "fastback_cfd_draft_0", "draft", RUNNING)
    window.desk.verifications._runs[shape] = run
    panel.refresh()
    assert panel.begin.text() == "Stop"
    box = window.desk_page.answer.reading.unit
    box.setCurrentIndex(box.findData("m"))
    box.activated.emit(box.currentIndex())
    settle(window)
    panel.refresh()
    assert window.desk._inputs_of(key).reading.unit == "m" and panel.begin.text() == "Stop"
    questions = []
    answers = iter([QMessageBox.StandardButton.Cancel, QMessageBox.StandardButton.Yes])
    monkeypatch.setattr(QMessageBox, "question", lambda *given: (questions.append(given[2]), next(answers))[1])
    monkeypatch.setattr(window.files, "may_leave", lambda: True)
    window.close()
    assert window.isVisible() and "CFD run is going on" in questions[0]
    window.close()
    assert not window.isVisible()
