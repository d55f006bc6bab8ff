"""The window as a designer uses it: real widgets, real cars, keys and clicks."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest
from looking import key_of, pixels
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QToolButton

from drivaer_app.ui.panels.variants import KEY
from drivaer_app.version import __version__

PATIENCE = 120_000


def rows(window) -> list[str]:
    model = window.desk_page.variants.sorted
    return [model.index(row, 0).data() for row in range(model.rowCount())]


def test_variants_appear_at_once_and_fill_in(make_window, settle, samples):
    window = make_window(samples)
    assert rows(window) == ["estate", "fastback", "notchback"]
    assert window.desk_page.answer.name.text() == "estate"
    settle(window)
    for key in window.desk_page.variants.shown():
        cd, _ = window.desk_page.variants.model.lines(key)
        assert 0.2 < float(cd) < 0.5
        assert window.desk_page.variants.model.picture(key).width() > 100


def test_the_viewport_shows_the_car_in_its_pressure(window):
    image = pixels(window.desk_page.stage.viewport.picture())
    red = image[..., 0] - image[..., 2] > 60
    blue = image[..., 2] - image[..., 0] > 60
    assert red.mean() > 0.005 and blue.mean() > 0.02


def test_the_answer_stands_in_the_panel(window):
    result = window.desk.result(key_of(window, "estate"))
    answer = window.desk_page.answer
    assert answer.cd.text() == f"{result.cd:.3f}"
    assert f"{result.cd_low:.3f}" in answer.interval.text() and f"{result.cd_high:.3f}" in answer.interval.text()
    assert answer._facts["area"].text() == f"{result.frontal_area:.3f} m²"
    assert result.novelty_in_words in answer.novelty.text()
    assert "metres" in answer.reading.unit.currentText() and "faces" in answer.reading.read_as.text()


def test_arrow_keys_go_from_variant_to_variant_and_the_camera_stays(qtbot, window):
    window.desk_page.stage.look_from("left")
    camera = window.desk_page.stage.viewport.camera
    window.desk_page.variants.view.setFocus()
    qtbot.keyClick(window.desk_page.variants.view, Qt.Key.Key_Down)
    assert window.desk_page.answer.name.text() == "fastback"
    assert window.desk_page.stage.viewport.panes[0].drawn is window.desk.drawn(key_of(window, "fastback"))
    assert window.desk_page.stage.viewport.camera == camera


def test_arrow_keys_change_variants_after_a_click_on_the_car_and_on_the_tool_bar(qtbot, window):
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=PATIENCE)
    stage, name = window.desk_page.stage, window.desk_page.answer.name
    plotter = stage.viewport._plotter
    edges = next(button for button in stage.view_bar.findChildren(QToolButton) if button.text() == "Edges")
    for widget, expected in ((plotter, "fastback"), (edges, "notchback"), (stage.view_bar.overlay, "notchback")):
        qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)
        if widget is stage.view_bar.overlay:
            qtbot.keyClick(widget.view(), Qt.Key.Key_Escape)
            widget.setFocus()
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Down)
        assert name.text() == expected
    assert stage.overlay.name == "cp"
    qtbot.mouseClick(plotter, Qt.MouseButton.LeftButton)
    qtbot.keyClick(plotter, Qt.Key.Key_Up)
    assert name.text() == "fastback"


def test_arrow_keys_in_a_field_stay_there(qtbot, window):
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=PATIENCE)
    speed = window.desk_page.answer.speed
    speed.setFocus()
    before = speed.value()
    qtbot.keyClick(speed, Qt.Key.Key_Up)
    assert speed.value() > before and window.desk_page.answer.name.text() == "estate"


def test_from_the_filter_down_goes_into_the_list_and_escape_empties_it(qtbot, window):
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=PATIENCE)
    panel = window.desk_page.variants
    panel.filter.setFocus()
    qtbot.keyClicks(panel.filter, "back")
    qtbot.keyClick(panel.filter, Qt.Key.Key_Down)
    assert panel.view.hasFocus() and window.desk_page.answer.name.text() in ("fastback", "notchback")
    panel.filter.setFocus()
    qtbot.keyClick(panel.filter, Qt.Key.Key_Escape)
    assert panel.view.hasFocus() and panel.filter.text() == "" and len(rows(window)) == 3


def test_the_difference_to_the_baseline_is_reported_with_what_is_known_of_its_uncertainty(qtbot, window):
    window.desk_page.variants.select([key_of(window, "fastback")])
    assert "counts" in window.desk_page.answer.delta.text()
    shown_law = window.desk_page.answer.certainty.text()
    assert "against estate" in shown_law and window.desk.difference(key_of(window, "fastback")).in_words in shown_law
    window.desk_page.command("baseline")
    assert not window.desk_page.answer.delta.isVisible()
    window.desk_page.variants.select([key_of(window, "estate")])
    assert "fastback" in window.desk_page.answer.certainty.text()


def test_a_difference_within_its_uncertainty_is_grey_and_one_beyond_it_is_not(window):
    from gnn.difference import DifferenceLaw

    desk, key = window.desk, key_of(window, "fastback")
    for base, words, role in ((0.5, "within", "dim"), (0.001, "larger", "good")):
        for other in (key, key_of(window, "estate")):
            inputs, prediction = desk._inputs_of(other), desk.prediction(other)
            result = replace(prediction.result, in_distribution=True, difference_law=DifferenceLaw(0.9, base, 0.0))
            desk.predictions.put(inputs, replace(prediction, result=result))
        window.desk_page.variants.select([key])
        window.desk_page.answer.refresh()
        assert words in window.desk_page.answer.certainty.text()
        assert window.desk_page.answer.delta.property("role") == role


@pytest.fixture
def stranger(window):
    """The window whose notchback, of the lowest Cd of all, lies outside of what the model learnt from."""
    key = key_of(window, "notchback")
    prediction = window.desk.prediction(key)
    result = replace(prediction.result, cd=0.15, cd_low=0.14, cd_high=0.16, novelty=2.0, in_distribution=False)
    recipe = window.desk._inputs_of(key)
    window.desk.predictions.put(recipe, replace(prediction, result=result))
    window.desk_page._refresh_numbers()
    yield key
    window.desk.predictions.put(recipe, prediction)


def test_a_car_that_the_model_does_not_know_is_marked_wherever_its_number_stands_and_never_the_best(window, stranger):
    page = window.desk_page
    assert page.variants.model.lines(stranger)[0] == "0.150 ▲"
    page.variants.order.setCurrentText("By Cd")
    assert page.variants.shown()[-1] == stranger
    page.variants.select([stranger, key_of(window, "estate")])
    assert page.answer.cd.text() == "0.150 ▲" and "no interval holds" in page.answer.interval.text()
    titles = [pane.title for pane in page.stage.viewport.panes]
    assert sum("0.150 ▲" in title for title in titles) == 1 and sum("▲" in title for title in titles) == 1
    assert "▲ outside" in page.variants.hint.text()


def test_a_guess_is_drawn_as_one_in_the_plot(window, stranger):
    plot = window.desk_page.bottom.drag
    window.desk_page._refresh_plots()
    at = window.desk_page.variants.shown().index(stranger)
    assert list(plot._guesses.opts["x"]) == [at] and at not in plot._bars.opts["x"]
    assert [point.symbol() for point in plot._dots.points()].count("t1") == 1


def test_the_colours_of_the_differences_have_a_legend(window):
    hint = window.desk_page.variants.hint
    assert window.colours.good in hint.text() and "within&nbsp;the&nbsp;uncertainty" in hint.text()
    window.set_theme("dark")
    assert window.colours.good in hint.text()


def test_what_is_typed_while_a_prediction_runs_stays(qtbot, window, settle):
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=PATIENCE)
    speed = window.desk_page.answer.speed
    window.actions_.named["retry"].trigger()
    speed.setFocus()
    speed.selectAll()
    qtbot.keyClicks(speed, "20")
    settle(window)
    assert speed.text().startswith("20") and speed.value() == 108
    qtbot.keyClicks(speed, "0")
    qtbot.keyClick(speed, Qt.Key.Key_Return)
    assert window.desk.study.state.conditions.speed * 3.6 == pytest.approx(200)
    window.desk.undo()
    qtbot.waitUntil(lambda: speed.value() == 108, timeout=PATIENCE)


def test_a_name_that_is_being_typed_while_a_prediction_runs_stays(qtbot, window, settle):
    window.desk_page.variants.select([key_of(window, "fastback")])
    window.desk_page.command("rename")
    editor = window.desk_page.variants.view.findChild(QLineEdit)
    editor.selectAll()
    qtbot.keyClicks(editor, "low no")
    window.actions_.named["retry"].trigger()
    settle(window)
    assert editor.text() == "low no"
    qtbot.keyClicks(editor, "se")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "low nose" in rows(window), timeout=PATIENCE)


def test_filter_and_order(qtbot, window):
    qtbot.keyClicks(window.desk_page.variants.filter, "BACK")
    assert rows(window) == ["fastback", "notchback"]
    window.desk_page.variants.filter.clear()
    window.desk_page.variants.order.setCurrentText("By Cd")
    cds = [window.desk.result(key).cd for key in window.desk_page.variants.shown()]
    assert cds == sorted(cds)


def test_a_variant_is_renamed_in_place_and_undo_takes_it_back(qtbot, window):
    window.desk_page.variants.select([key_of(window, "fastback")])
    window.desk_page.command("rename")
    editor = window.desk_page.variants.view.findChild(QLineEdit)
    editor.setText("low nose")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: rows(window) == ["estate", "low nose", "notchback"], timeout=PATIENCE)
    window.actions_.named["undo"].trigger()
    assert rows(window) == ["estate", "fastback", "notchback"]
    window.actions_.named["redo"].trigger()
    assert rows(window) == ["estate", "low nose", "notchback"]


def test_removing_moves_on_to_another_variant_and_can_be_undone(window):
    window.desk_page.variants.select([key_of(window, "fastback")])
    window.actions_.named["remove"].trigger()
    assert rows(window) == ["estate", "notchback"]
    assert window.desk_page.answer.name.text() in ("estate", "notchback")
    window.desk.undo()
    assert rows(window) == ["estate", "fastback", "notchback"]


def test_two_to_four_variants_stand_side_by_side_with_one_camera(window):
    keys = [key_of(window, name) for name in ("estate", "fastback", "notchback")]
    window.desk_page.variants.select(keys[::-1])
    panes = window.desk_page.stage.viewport.panes
    assert [pane.drawn for pane in panes] == [window.desk.drawn(key) for key in keys]  # whatever was clicked first
    assert len({id(pane.renderer.GetActiveCamera()) for pane in panes}) == 1
    image = pixels(window.desk_page.stage.viewport.picture())
    third = image.shape[1] // 3
    for number in range(3):
        part = image[:, number * third : (number + 1) * third]
        assert (part[..., 2] - part[..., 0] > 60).mean() > 0.01
    window.desk_page.variants.select(keys[:1])
    assert len(window.desk_page.stage.viewport.panes) == 1


def test_compare_puts_the_baseline_beside_and_again_takes_it_away(window):
    window.desk_page.variants.select([key_of(window, "notchback")])
    window.actions_.named["compare"].trigger()
    assert window.desk_page.shown_keys == [key_of(window, "notchback"), key_of(window, "estate")]
    window.actions_.named["compare"].trigger()
    assert window.desk_page.shown_keys == [key_of(window, "notchback")]


def test_the_difference_view_shows_where_the_pressure_changed(window, settle):
    window.desk_page.variants.select([key_of(window, "notchback")])
    window.desk_page.stage.set_overlay("difference")
    settle(window)
    (pane,) = window.desk_page.stage.viewport.panes
    assert np.isfinite(pane.layers["difference"]).mean() > 0.8
    assert np.nanmax(np.abs(pane.layers["difference"])) > 0.1
    assert window.desk_page.stage.viewport.lacking == ""
    window.desk_page.variants.select([key_of(window, "estate")])
    assert "baseline itself" in window.statusBar().currentMessage()


def test_mesh_health_is_shown_and_reported(window):
    window.desk_page.stage.set_overlay("health")
    assert "closed" in window.statusBar().currentMessage()
    window.desk_page.stage.set_overlay("cp")
    assert window.statusBar().currentMessage() == ""


def test_drag_along_the_car_is_overlaid_for_those_on_screen_and_the_baseline(window):
    window.desk_page.bottom.setCurrentWidget(window.desk_page.bottom.along)
    window.desk_page.variants.select([key_of(window, "notchback")])
    assert [item.name() for item in window.desk_page.bottom.along.item.listDataItems()] == ["notchback", "estate"]


def test_the_section_follows_the_cut(window):
    window.desk_page.bottom.setCurrentWidget(window.desk_page.bottom.section)
    (curve,) = window.desk_page.bottom.section.item.listDataItems()
    before = curve.xData
    window.desk_page.stage.view_bar.cut.setChecked(True)
    window.desk_page.stage.view_bar.place.setValue(60)
    (curve,) = window.desk_page.bottom.section.item.listDataItems()
    assert len(curve.xData) != len(before)
    assert window.desk_page.stage.viewport.cut == pytest.approx(0.6)


def test_a_cut_takes_half_of_the_car_away(window):
    window.desk_page.stage.look_from("front")
    whole = pixels(window.desk_page.stage.viewport.picture())
    window.desk_page.stage.view_bar.cut.setChecked(True)
    cut = pixels(window.desk_page.stage.viewport.picture())
    changed = np.abs(whole - cut).max(axis=2) > 30
    half = whole.shape[1] // 2
    sides = changed[:, :half].mean(), changed[:, half:].mean()
    assert max(sides) > 0.05 and min(sides) < 0.5 * max(sides)


def test_clicking_on_the_car_reads_its_values(qtbot, window):
    window.desk_page.stage.look_from("front")
    plotter = window.desk_page.stage.viewport._plotter
    middle = QPoint(plotter.width() // 2, int(plotter.height() * 0.62))
    with qtbot.waitSignal(window.desk_page.stage.viewport.picked, timeout=PATIENCE) as picked:
        qtbot.mouseClick(plotter, Qt.MouseButton.LeftButton, pos=middle)
    (probe,) = picked.args
    assert probe.place[0] == pytest.approx(-0.7, abs=0.3) and abs(probe.place[1]) < 0.1
    assert probe.cp > 0.5  # the flow stops at the nose
    assert "Cp" in window.desk_page.stage.colour_bar.probe.text()
    with qtbot.waitSignal(window.desk_page.stage.viewport.picked, timeout=PATIENCE) as picked:
        qtbot.mouseClick(plotter, Qt.MouseButton.LeftButton, pos=QPoint(3, 3))
    assert picked.args == [None]


@pytest.mark.parametrize(("digit", "axis", "sign"), [("1", 0, -1), ("2", 0, 1), ("3", 1, -1), ("5", 2, 1)])
def test_number_keys_are_the_standard_views(qtbot, window, digit, axis, sign):
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=PATIENCE)
    qtbot.keyClick(window.desk_page.variants.view, digit)
    camera = window.desk_page.stage.viewport.camera
    towards = np.subtract(camera["position"], camera["focus"])
    assert np.abs(towards).argmax() == axis and np.sign(towards[axis]) == sign


def test_views_that_a_narrow_window_has_no_room_for_are_in_the_menu_at_the_bars_end(qtbot, window):
    bar = window.desk_page.stage.view_bar
    more = bar.findChild(QToolButton, "qt_toolbar_ext_button")
    assert more.isVisible()
    hidden = {action.text(): action for action in more.menu().actions()}
    assert {"Rear", "Corner"} <= set(hidden)
    QTimer.singleShot(0, lambda: qtbot.keyClick(more.menu(), Qt.Key.Key_Escape))
    qtbot.mouseClick(more, Qt.MouseButton.LeftButton)
    hidden["Rear"].trigger()
    camera = window.desk_page.stage.viewport.camera
    assert np.subtract(camera["position"], camera["focus"])[0] > 1


def test_the_colour_range_is_shared_and_stays(window):
    window.desk_page.stage.colour_bar.span.setValue(0.5)
    window.desk_page.variants.select([key_of(window, "fastback")])
    assert window.desk_page.stage.viewport.span == 0.5
    window.desk_page.stage.set_overlay("cf")
    window.desk_page.stage.set_overlay("cp")
    assert window.desk_page.stage.viewport.span == 0.5


def test_force_and_power_follow_the_speed(window):
    force, power = (
        float(window.desk_page.answer._facts[name].text().split()[0].replace(",", "")) for name in ("force", "power")
    )
    window.desk_page.answer.speed.setValue(216)
    again, more = (
        float(window.desk_page.answer._facts[name].text().split()[0].replace(",", "")) for name in ("force", "power")
    )
    assert again == pytest.approx(4 * force, rel=1e-3) and more == pytest.approx(8 * power, rel=1e-3)


def test_an_import_assumption_is_changed_in_place_and_the_car_read_again(qtbot, window, settle):
    window.desk_page.variants.select([key_of(window, "fastback")])
    before = window.desk.result(key_of(window, "fastback"))
    box = window.desk_page.answer.reading.unit
    box.setCurrentIndex(box.findData("ft"))
    box.activated.emit(box.currentIndex())
    settle(window)
    after = window.desk.result(key_of(window, "fastback"))
    assert after.length == pytest.approx(0.3048 * before.length)
    window.desk.undo()
    assert window.desk.result(key_of(window, "fastback")) == before


def test_axes_that_contradict_each_other_are_refused_in_a_line(window):
    for box, axis in ((window.desk_page.answer.reading.up, "x"), (window.desk_page.answer.reading.forward, "-x")):
        box.setCurrentIndex(box.findData(axis))
    window.desk_page.answer.reading.forward.activated.emit(window.desk_page.answer.reading.forward.currentIndex())
    assert "one axis" in window.message.text.text() and window.message.isVisible()


def test_files_are_dropped_onto_the_window(make_window, settle, samples):
    window = make_window()
    assert window.desk_page.currentWidget() is window.desk_page.start
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(samples[0]))])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(QPointF(10, 10), Qt.DropAction.CopyAction, mime, buttons, keys))
    assert rows(window) == ["estate"]
    settle(window)
    assert window.desk_page.stage.viewport.panes[0].drawn is not None


def test_the_samples_are_one_click_away(qtbot, make_window):
    window = make_window()
    qtbot.mouseClick(window.desk_page.start.samples, Qt.MouseButton.LeftButton)
    assert rows(window) == ["estate", "fastback", "notchback"]


def test_an_error_stands_on_its_variant_in_words_and_the_others_work(make_window, settle, samples, tmp_path):
    bad = tmp_path / "bad.stl"
    bad.write_text("solid nothing")
    window = make_window([bad, samples[0]])
    settle(window)
    assert "bad.stl" in window.desk_page.answer.state.text() and window.desk_page.answer.retry.isVisible()
    assert window.desk_page.variants.model.lines(key_of(window, "bad"))[0] == "cannot be read"
    shutil.copy(samples[0], bad)
    window.desk_page.answer.retry.click()
    settle(window)
    assert window.desk_page.answer.cd.text() == f"{window.desk.result(key_of(window, 'estate')).cd:.3f}"


def test_a_folder_without_meshes_is_a_line_in_place(make_window, tmp_path):
    (tmp_path / "bare").mkdir()
    window = make_window([tmp_path / "bare"])
    assert "holds no meshes" in window.message.text.text() and window.message.isVisible()


def test_both_themes_colour_everything(window):
    shades = []
    for theme in ("light", "dark"):
        window.set_theme(theme)
        picture = pixels(window.picture())
        shades.append(float(np.median(picture)))
    assert shades[0] > 200 and shades[1] < 80


def test_everything_that_is_clicked_has_a_name_for_screen_readers(window):
    from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QAbstractSpinBox, QComboBox

    nameless = []
    for kind in (QAbstractButton, QComboBox, QAbstractSpinBox, QAbstractItemView, QLineEdit):
        for widget in window.findChildren(kind):
            own = widget.accessibleName() or (widget.text() if hasattr(widget, "text") else "") or widget.toolTip()
            internal = widget.objectName().startswith("qt_") or "Private" in type(widget).__name__
            if widget.isVisible() and not own and not internal:
                nameless.append((type(widget).__name__, widget.parent().objectName()))
    assert nameless == []


def test_help_lists_the_keys_and_where_the_log_is(qtbot, window):
    from PySide6.QtWidgets import QDialog, QTextBrowser

    for name, words in (
        ("shortcuts", "Compare with the baseline"),
        ("about", f"drivaer {__version__}"),
        ("card", "Trained on"),
    ):
        window.actions_.named[name].trigger()
        dialog = window.findChildren(QDialog)[-1]
        assert words in dialog.findChild(QTextBrowser).toPlainText()
        dialog.close()


def test_the_list_reads_its_rows_aloud(window):
    index = window.desk_page.variants.sorted.index(1, 0)
    text = index.data(Qt.ItemDataRole.AccessibleTextRole)
    assert "fastback" in text and "counts" in text
    assert index.data(KEY) == key_of(window, "fastback")


def test_a_picture_is_4k_wide_and_its_background_can_be_clear(window, tmp_path):
    from PIL import Image

    for transparent in (False, True):
        window.save_picture(tmp_path / "car.png", transparent)
        image = Image.open(tmp_path / "car.png")
        assert image.width >= 3840
        alpha = np.asarray(image.convert("RGBA"))[..., 3]
        assert alpha[alpha.shape[0] // 2, alpha.shape[1] // 2] == 255
        assert (alpha[5, 5] == 0) == transparent


def test_the_turntable_turns_the_car_and_stops(qtbot, window):
    start = window.desk_page.stage.viewport.camera["position"]
    window.actions_.named["turntable"].trigger()
    qtbot.waitUntil(
        lambda: abs(window.desk_page.stage.viewport.camera["position"][0] - start[0]) > 0.05, timeout=PATIENCE
    )
    window.actions_.named["turntable"].trigger()
    stopped = window.desk_page.stage.viewport.camera
    qtbot.wait(60)
    assert window.desk_page.stage.viewport.camera == stopped


def test_the_flows_lines_are_drawn_on_the_car_and_taken_away_again(window, settle):
    stage = window.desk_page.stage
    bare = pixels(stage.viewport.picture())
    window.actions_.named["lines"].trigger()
    settle(window)
    drawn = pixels(stage.viewport.picture())
    darker = (bare.mean(axis=2) - drawn.mean(axis=2) > 25).mean()
    assert darker > 0.01
    assert stage.view["lines"]
    window.actions_.named["lines"].trigger()
    assert np.abs(pixels(stage.viewport.picture()) - bare).mean() < 0.5


def test_remarks_name_the_windows_fields_and_one_mistake_does_not_fill_the_panel(window):
    key, answer = key_of(window, "estate"), window.desk_page.answer
    recipe, prediction = window.desk._inputs_of(key), window.desk.prediction(key)
    warnings = ("the nose is a guess; say it with --forward", "two", "three", "four")
    window.desk.predictions.put(recipe, replace(prediction, result=replace(prediction.result, warnings=warnings)))
    answer.refresh()
    assert answer.warnings.text().count("•") == 2
    assert "--" not in answer.warnings.text() and "Nose points along" in answer.warnings.text()
    assert answer.more.text() == "2 more remarks"
    answer.more.click()
    assert answer.warnings.text().count("•") == 4
    answer.more.click()
    window.desk.predictions.put(recipe, prediction)


def test_a_message_that_is_over_goes_and_a_mistake_stays(qtbot, window, tmp_path, monkeypatch):
    window.message._going.setInterval(1)
    window.save_picture(tmp_path / "car.png")
    assert window.message.text.text() == "Saved car.png"
    qtbot.waitUntil(lambda: not window.message.isVisible(), timeout=PATIENCE)
    window.message.say("this went wrong: see --units")
    qtbot.wait(50)
    assert window.message.isVisible() and "Unit under Read as" in window.message.text.text()


def test_what_was_done_is_in_the_log(window, caplog):
    import logging

    caplog.set_level(logging.INFO)
    window.desk.jobs.submit("drawing a picture", lambda job: None).wait(PATIENCE / 1000)
    assert "drawing a picture: done" in caplog.text
    assert window.desk_page.bottom.log.placeholderText()
