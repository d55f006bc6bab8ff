"""Several cars side by side: who stands where, what is said of them, and what is marked on all of them."""

from __future__ import annotations

import shutil

import pytest
from looking import key_of
from PySide6.QtCore import QPoint, Qt

from drivaer_app.desk.study_file import read_study

PATIENCE = 120_000


def ctrl_click(qtbot, window, name: str) -> None:
    view = window.desk_page.variants.view
    model = view.model()
    index = next(model.index(r, 0) for r in range(model.rowCount()) if model.index(r, 0).data() == name)
    at = view.visualRect(index).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier, at)


def titles(window) -> list[str]:
    return [pane.title.split()[0] for pane in window.desk_page.stage.viewport.panes]


def test_the_baseline_stands_left_and_a_click_reshuffles_nobody(qtbot, window):
    window.desk.edit(lambda study: study.set_baseline(key_of(window, "fastback")))
    window.desk_page.variants.select([key_of(window, "notchback")])
    ctrl_click(qtbot, window, "fastback")
    assert titles(window) == ["fastback", "notchback"]
    ctrl_click(qtbot, window, "estate")
    assert titles(window) == ["fastback", "estate", "notchback"]
    assert window.desk_page.answer.name.text() == "estate"  # the panels speak of the one that was clicked
    window.desk.undo()


def test_captions_say_the_difference_with_its_uncertainty(window):
    keys = [key_of(window, name) for name in ("fastback", "estate")]
    window.desk_page.variants.select(keys)
    left, right = (pane.title for pane in window.desk_page.stage.viewport.panes)
    difference = window.desk.difference(keys[0])
    assert "(baseline)" in left and "ΔCd" not in left
    assert f"± {difference.half_width:.1f} counts" in right


def test_of_five_four_are_shown_the_clicked_one_among_them_and_it_is_said(
    qtbot, make_window, settle, samples, tmp_path
):
    folder = tmp_path / "five"
    folder.mkdir()
    for number in range(5):
        shutil.copy(samples[0], folder / f"car{number}.stl")
    window = make_window([folder])
    settle(window)
    for number in range(1, 5):
        ctrl_click(qtbot, window, f"car{number}")
    assert titles(window) == ["car0", "car1", "car2", "car4"]
    assert window.desk_page.answer.name.text() == "car4"
    assert "4 of the 5" in window.statusBar().currentMessage()


def test_a_marked_point_keeps_its_value_and_is_marked_on_every_car(qtbot, window):
    stage = window.desk_page.stage
    window.desk_page.variants.select([key_of(window, name) for name in ("estate", "fastback")])
    stage.look_from("left")
    plotter = stage.viewport._plotter
    at = QPoint(plotter.width() // 4, plotter.height() // 2)
    qtbot.mouseClick(plotter, Qt.MouseButton.LeftButton, pos=at)
    texts = [pane.mark_texts for pane in stage.viewport.panes]
    assert [len(text) for text in texts] == [1, 1] and all(text[0].startswith("Cp ") for text in texts)
    kept = stage.colour_bar.probe.text()
    assert "Cp" in kept
    qtbot.mouseMove(plotter, QPoint(3, 3))
    qtbot.wait(150)
    assert stage.colour_bar.probe.text() == kept and stage.viewport.panes[0].mark_texts == texts[0]
    stage.set_overlay("cf")
    assert all(pane.mark_texts[0].startswith("|Cf| ") for pane in stage.viewport.panes)
    qtbot.mouseClick(plotter, Qt.MouseButton.LeftButton, pos=QPoint(3, 3))
    assert all(pane.mark_texts == [] for pane in stage.viewport.panes) and stage.colour_bar.probe.text() == ""


def test_a_broken_first_file_says_so_in_the_viewport_and_another_is_the_baseline(
    make_window, settle, samples, tmp_path
):
    bad = tmp_path / "a_bad.stl"
    bad.write_text("solid nothing")
    window = make_window([bad, *samples[:2]])
    settle(window)
    stage = window.desk_page.stage
    assert stage.empty.isVisible() and "a_bad.stl" in stage.empty.text()
    assert window.desk.study.state.variant(window.desk.study.state.baseline).name == "estate"
    window.desk_page.variants.select([key_of(window, "fastback")])
    settle(window)
    assert stage.viewport.isVisible() and "against estate" in window.desk_page.answer.certainty.text()


def test_a_long_name_widens_nothing(make_window, settle, samples, tmp_path):
    long = tmp_path / f"{'roof_rake_study_with_a_very_long_name_' * 4}.stl"
    shutil.copy(samples[0], long)
    window = make_window([samples[1]])
    settle(window)
    widths = [dock.width() for dock in window.desk_page.docks.all]
    window.files.open([long])
    settle(window)
    window.desk_page.variants.select([key_of(window, long.stem)])
    answer = window.desk_page.answer
    assert [dock.width() for dock in window.desk_page.docks.all] == widths
    assert answer.widget().width() <= answer.viewport().width()


@pytest.mark.parametrize("typed", ["1,2", "1.2"])
def test_a_comma_is_a_point_and_a_given_area_leaves_the_measured_one(qtbot, window, typed):
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=PATIENCE)
    answer = window.desk_page.answer
    measured = answer._facts["area"].text()
    for box, text in ((answer.density, typed), (answer.area, "2")):
        box.setFocus()
        box.selectAll()
        qtbot.keyClicks(box, text)
        qtbot.keyClick(box, Qt.Key.Key_Return)
    assert window.desk.study.state.conditions.density == pytest.approx(1.2)
    assert answer._facts["area"].text() == measured
    assert answer._facts["reference"].isVisible() and answer._facts["reference"].text() == "2.000 m²"
    for _ in range(2):
        window.desk.undo()


def test_a_point_is_pinned_on_every_car_noted_kept_and_undone(qtbot, window, settle, tmp_path):
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=PATIENCE)
    page, stage = window.desk_page, window.desk_page.stage
    page.variants.select([key_of(window, name) for name in ("estate", "fastback")])
    stage.look_from("left")
    plotter = stage.viewport._plotter
    qtbot.mouseClick(plotter, Qt.MouseButton.LeftButton, pos=QPoint(plotter.width() // 4, plotter.height() // 2))
    values = [pane.mark_texts[0] for pane in stage.viewport.panes]
    qtbot.keyClick(plotter, "N")
    assert [pane.mark_texts for pane in stage.viewport.panes] == [[f"1 {value}"] for value in values]
    table = page.bottom.points.table
    assert f"Cp {table.item(0, 2).text()}" in values
    table.item(0, 1).setText("A pillar")
    assert window.desk.study.state.pins[0].note == "A pillar"
    window.files.save_to(tmp_path / "pins")
    settle(window)
    assert read_study(tmp_path / "pins.drivaer").state.pins == window.desk.study.state.pins
    window.desk.undo()
    window.desk.undo()
    assert window.desk.study.state.pins == () and all(pane.mark_texts == [] for pane in stage.viewport.panes)
    window.desk.redo()
    table.selectRow(0)
    qtbot.keyClick(table, Qt.Key.Key_Delete)
    assert window.desk.study.state.pins == ()
