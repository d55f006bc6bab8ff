"""The panel of handles as a designer uses it: a slider is dragged, the car bends, its drag follows, it is kept."""

from __future__ import annotations

import pytest
from looking import key_of
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QEnterEvent
from PySide6.QtWidgets import QApplication, QInputDialog, QStyle, QStyleOptionSlider

PATIENCE = 120_000


@pytest.fixture
def morphing(qtbot, window, settle):
    """The window with the fastback on the handles."""
    window.desk_page.variants.select([key_of(window, "fastback")])
    window.desk_page.docks.bring("Morph")
    settle(window)
    qtbot.waitUntil(lambda: bool(window.desk_page.morph.rows), timeout=PATIENCE)
    yield window
    window.desk_page.docks.bring("Prediction")


def press_knob(qtbot, slider) -> QPoint:
    """Take hold of a slider's knob; returns where."""
    option = QStyleOptionSlider()
    slider.initStyleOption(option)
    control, knob = QStyle.ComplexControl.CC_Slider, QStyle.SubControl.SC_SliderHandle
    at = slider.style().subControlRect(control, option, knob, slider).center()
    qtbot.mousePress(slider, Qt.MouseButton.LeftButton, pos=at)
    return at


def test_dragging_a_handle_bends_the_car_on_screen_and_its_drag_follows(qtbot, morphing, settle):
    window, row = morphing, morphing.desk_page.morph.rows["boot_length"]
    before, cd = window.desk_page.stage.viewport.panes[0].drawn, window.desk_page.morph.cd.text()
    at = press_knob(qtbot, row.slider)
    qtbot.mouseMove(row.slider, at + QPoint(60, 0))
    assert row.slider.isSliderDown() and row.value > 0.03
    qtbot.waitUntil(lambda: "quick" in window.desk_page.morph.state.text(), timeout=PATIENCE)
    on_screen = window.desk_page.stage.viewport.panes[0].drawn
    assert on_screen.points[:, 0].max() - before.points[:, 0].max() == pytest.approx(row.value, abs=0.003)
    assert on_screen.cp is before.cp
    assert window.desk_page.morph.cd.text() != cd and "counts" in window.desk_page.morph.change.text()
    qtbot.mouseRelease(row.slider, Qt.MouseButton.LeftButton, pos=at + QPoint(60, 0))
    qtbot.waitUntil(lambda: window.desk_page.morph.state.text().startswith("predicted"), timeout=PATIENCE)
    row.reset.click()
    settle(window)
    assert window.desk_page.stage.viewport.panes[0].drawn is before and window.desk_page.morph.cd.text() == cd


def test_keeping_it_makes_a_variant_that_undo_takes_back(qtbot, morphing, settle):
    window = morphing
    assert not window.desk_page.morph.keep.isEnabled()
    window.desk_page.morph.rows["boat_tail"].box.setValue(4.0)
    qtbot.mouseClick(window.desk_page.morph.keep, Qt.MouseButton.LeftButton)
    settle(window)
    assert window.desk_page.morph.name.text() == "fastback, boat tail +4°"
    assert window.desk_page.variants.selected() == [key_of(window, "fastback, boat tail +4°")]
    assert window.desk_page.morph.rows["boat_tail"].value == 4.0 and not window.desk_page.morph.keep.isEnabled()
    assert 0.2 < float(window.desk_page.answer.cd.text()) < 0.5
    window.desk.undo()
    assert len(window.desk_page.variants.shown()) == 3


def test_the_bent_car_is_on_screen_only_beside_its_handles_and_is_still_there_later(morphing, settle):
    window, key = morphing, key_of(morphing, "fastback")
    window.desk_page.morph.rows["roof_height"].box.setValue(40)
    settle(window)
    bent = window.desk_page.stage.viewport.panes[0].drawn
    window.desk_page.docks.bring("Prediction")
    settle(window)
    assert window.desk_page.stage.viewport.panes[0].drawn is window.desk.drawn(key)
    window.desk_page.docks.bring("Morph")
    window.desk_page.variants.select([key_of(window, "estate")])
    settle(window)
    assert window.desk_page.stage.viewport.panes[0].drawn is window.desk.drawn(key_of(window, "estate"))
    window.desk_page.variants.select([key])
    settle(window)
    assert window.desk_page.morph.rows["roof_height"].value == pytest.approx(0.04)
    assert window.desk_page.stage.viewport.panes[0].drawn.points.max() == pytest.approx(bent.points.max(), abs=1e-5)
    window.desk_page.morph.reset.click()
    settle(window)
    assert window.desk_page.stage.viewport.panes[0].drawn is window.desk.drawn(key)


def test_handles_stand_in_groups_with_what_they_make_of_the_car(morphing):
    from PySide6.QtWidgets import QLabel

    panel = morphing.desk_page.morph
    headings = [one.text() for one in panel._area.widget().findChildren(QLabel) if one.property("role") == "heading"]
    assert headings == ["Whole car", "Front", "Cabin", "Rear", "Floor"]
    assert set(panel.rows) == set(morphing.desk.morphing.now.handles)
    row = panel.rows["backlight_angle"]
    before = float(row.absolute.text().rstrip("°"))
    row.box.setValue(-2.0)
    assert 10 < before < 80 and float(row.absolute.text().rstrip("°")) == pytest.approx(before - 2.0, abs=0.11)
    row.reset.click()


def test_the_mouse_on_a_handle_shows_what_it_moves_and_keys_step_alike_to_both_sides(qtbot, morphing):
    panel, pane = morphing.desk_page.morph, morphing.desk_page.stage.viewport.panes[0]
    row = panel.rows["boot_length"]
    QApplication.sendEvent(row, QEnterEvent(QPointF(3, 3), QPointF(3, 3), QPointF(3, 3)))
    moved = pane.drawn.points[pane.moves > 0.9]
    assert len(moved) and moved[:, 0].min() > pane.drawn.points[:, 0].mean()  # the tail
    QApplication.sendEvent(row, QEvent(QEvent.Type.Leave))
    assert pane.moves is None
    for key, steps in ((Qt.Key.Key_Right, 1), (Qt.Key.Key_Left, 0), (Qt.Key.Key_Left, -1), (Qt.Key.Key_PageUp, 4)):
        qtbot.keyClick(row.slider, key)
        assert row.slider.value() == steps
    qtbot.keyClick(row.slider, Qt.Key.Key_PageDown)
    assert row.slider.value() == -1
    row.reset.click()


def test_after_release_the_bent_car_has_its_own_colours(qtbot, morphing, settle):
    window, row = morphing, morphing.desk_page.morph.rows["boot_height"]
    before = window.desk_page.stage.viewport.panes[0].drawn
    row.box.setValue(60)
    settle(window)
    shown = window.desk_page.stage.viewport.panes[0].drawn
    assert "in its own colours" in window.desk_page.morph.state.text()
    bending = window.desk.morphing.now
    assert shown is bending.repainted and shown is not before and len(shown.cp) == len(shown.points)
    places = [(1.0, 0.0, 1.2), (3.4, 0.0, 1.0)]
    values = [[float(car.cp[car.nearest_seen(place)]) for place in places] for car in (before, shown)]
    assert values[0] != values[1]
    window.desk_page.stage.set_overlay("sensitivity")  # on the unbent car's points
    settle(window)
    assert window.desk_page.stage.viewport.panes[0].drawn is bending.bent
    window.desk_page.stage.set_overlay("cp")
    row.reset.click()
    settle(window)


def test_values_are_saved_by_a_name_and_taken_on_another_car(morphing, settle, monkeypatch):
    window, panel = morphing, morphing.desk_page.morph
    monkeypatch.setattr(QInputDialog, "getText", lambda *_: ("tail kit", True))
    panel.rows["boat_tail"].box.setValue(4.0)
    panel.rows["boot_height"].box.setValue(30)
    menu = panel.presets.menu()
    panel._fill_presets(menu)
    menu.actions()[-1].trigger()
    panel.reset.click()
    window.desk_page.variants.select([key_of(window, "estate")])
    settle(window)
    panel._fill_presets(menu)
    menu.actions()[0].trigger()
    assert menu.actions()[0].text() == "tail kit" and panel.rows["boat_tail"].value == 4.0
    assert window.actions_.named["undo"].text() == "Undo 2 handles of estate"
    window.settings.presets.clear()
    panel.reset.click()
    settle(window)


def test_a_sliders_drag_is_undone_and_redone_by_its_name_before_older_changes(qtbot, morphing, settle):
    window, row = morphing, morphing.desk_page.morph.rows["boot_length"]
    window.desk.edit(lambda study: study.rename(key_of(window, "estate"), "long roof"))
    before = window.desk_page.stage.viewport.panes[0].drawn
    at = press_knob(qtbot, row.slider)
    qtbot.mouseMove(row.slider, at + QPoint(60, 0))
    qtbot.mouseRelease(row.slider, Qt.MouseButton.LeftButton, pos=at + QPoint(60, 0))
    settle(window)
    moved, undo, redo = row.value, window.actions_.named["undo"], window.actions_.named["redo"]
    assert moved > 0.03 and undo.text() == f"Undo boot length +{moved * 1000:.0f} mm of fastback"
    undo.trigger()
    settle(window)
    assert row.value == 0 and window.desk_page.stage.viewport.panes[0].drawn is before
    assert undo.text() == "Undo rename estate"
    redo.trigger()
    settle(window)
    assert row.value == moved and window.desk_page.stage.viewport.panes[0].drawn is not before
    undo.trigger()
    undo.trigger()
    assert key_of(window, "estate")


def test_keeping_a_bent_car_is_one_step_back_to_the_handles(qtbot, morphing, settle):
    window, panel = morphing, morphing.desk_page.morph
    panel.rows["boat_tail"].box.setValue(4.0)
    qtbot.mouseClick(panel.keep, Qt.MouseButton.LeftButton)
    settle(window)
    window.desk.undo()
    window.desk_page.variants.select([key_of(window, "fastback")])
    settle(window)
    assert panel.rows["boat_tail"].value == 4.0 and len(window.desk_page.variants.shown()) == 3
    window.desk.undo()
    settle(window)
    assert panel.rows["boat_tail"].value == 0.0
