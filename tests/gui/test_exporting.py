"""Out of the window: the bent shape, its fields, numbers and rows for other programs."""

from __future__ import annotations

import numpy as np
import pytest
import pyvista
from looking import key_of, pixels
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QFileDialog, QInputDialog, QMenu

from data.formats import read_mesh

PATIENCE = 120_000


def export(window, monkeypatch, file, command: str) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(file), "STL (*.stl)"))
    window.actions_.named[command].trigger()


@pytest.mark.parametrize("suffix", [".stl", ".obj"])
def test_the_bent_shape_is_exported_as_its_file_is_and_reads_back_bent(
    qtbot, window, settle, tmp_path, monkeypatch, suffix
):
    key = key_of(window, "fastback")
    original = read_mesh(window.desk.study.state.variant(key).file)
    window.desk.edit(lambda study: study.add_morph(key, "long", {"boot_length": 0.1}))
    settle(window)
    window.desk_page.variants.select([key_of(window, "long")])
    settle(window)
    export(window, monkeypatch, tmp_path / f"long{suffix}", "export_mesh")
    settle(window)
    assert window.message.text.text() == f"Wrote long{suffix}"
    back = read_mesh(tmp_path / f"long{suffix}")
    assert len(back.faces) == len(original.faces)
    assert np.ptp(back.vertices[:, 0]) == pytest.approx(np.ptp(original.vertices[:, 0]) + 0.1, abs=0.01)
    window.desk.undo()


def test_a_suffix_that_is_left_away_is_the_kinds(window, settle, tmp_path, monkeypatch):
    export(window, monkeypatch, tmp_path / "plain", "export_mesh")
    settle(window)
    assert (tmp_path / "plain.stl").is_file()


def test_cp_and_cf_are_exported_on_the_files_own_vertices(window, settle, tmp_path, monkeypatch):
    export(window, monkeypatch, tmp_path / "fields.vtp", "export_fields")
    settle(window)
    surface = pyvista.read(tmp_path / "fields.vtp")
    assert {"Cp", "Cf"} <= set(surface.point_data)
    assert np.isfinite(surface["Cp"]).all() and surface["Cp"].max() > 0.8


def test_what_cannot_be_written_is_said(window, settle, tmp_path, monkeypatch):
    export(window, monkeypatch, tmp_path / "nowhere" / "car.stl", "export_mesh")
    settle(window)
    assert "car.stl" in window.message.text.text() and window.message.isVisible()


def test_number_rows_and_table_go_to_the_clipboard(qtbot, window):
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=PATIENCE)
    clipboard, view = QGuiApplication.clipboard(), window.desk_page.variants.view
    view.setFocus()
    qtbot.keyClick(view, "C", Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert clipboard.text() == window.desk_page.answer.cd.text()
    window.desk_page.variants.select([key_of(window, "fastback"), key_of(window, "estate")])
    qtbot.keyClick(view, "C", Qt.KeyboardModifier.ControlModifier)
    titles, *rows = (line.split("\t") for line in clipboard.text().splitlines())
    assert titles[:2] == ["Variant", "Cd"] and [row[0] for row in rows] == ["fastback", "estate"]
    result = window.desk.result(key_of(window, "fastback"))
    assert rows[0][titles.index("Cd")] == f"{result.cd:.4f}" and rows[1][titles.index("ΔCd, counts")] == ""
    window.actions_.named["copy_table"].trigger()
    assert len(clipboard.text().splitlines()) == 4


@pytest.fixture
def table(window, settle):
    window.desk.edit(lambda study: study.add_morph(key_of(window, "fastback"), "long", {"boot_length": 0.1}))
    window.desk_page.bottom.setCurrentWidget(window.desk_page.bottom.table)
    settle(window)
    return window.desk_page.bottom.table


def header_click(qtbot, view, title: str) -> None:
    model, header = view.model(), view.horizontalHeader()
    column = next(c for c in range(model.columnCount()) if model.headerData(c, Qt.Orientation.Horizontal) == title)
    view.scrollTo(model.index(0, column))
    at = header.sectionViewportPosition(column) + header.sectionSize(column) // 2
    qtbot.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(at, header.height() // 2))


def test_the_table_sorts_by_a_click_and_selected_rows_are_copied(qtbot, window, table):
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=PATIENCE)
    desk, view = window.desk, table.view
    header_click(qtbot, view, "Cd")
    cds = [desk.result(key).cd for key in table.listed()]
    assert cds == sorted(cds, reverse=True) or cds == sorted(cds)
    header_click(qtbot, view, "Cd")
    assert [desk.result(key).cd for key in table.listed()] == cds[::-1]
    keys = table.listed()
    view.setFocus()
    for row, modifier in ((0, Qt.KeyboardModifier.NoModifier), (2, Qt.KeyboardModifier.ControlModifier)):
        at = view.visualRect(view.model().index(row, 0)).center()
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, modifier, at)
    qtbot.keyClick(view, "C", Qt.KeyboardModifier.ControlModifier)
    copied = [line.split("\t")[0] for line in QGuiApplication.clipboard().text().splitlines()[1:]]
    assert copied == [desk.study.state.variant(keys[row]).name for row in (0, 2)]
    desk.undo()


def test_the_table_has_the_handles_values_and_a_double_click_shows_a_variant(qtbot, window, table):
    column = [c.title for c in table.model.table.columns].index("Boot length, mm")
    values = {key: row[column] for key, row in zip(table.model.table.keys, table.model.table.rows, strict=True)}
    assert values[key_of(window, "long")] == pytest.approx(100) and values[key_of(window, "estate")] is None
    row = table.listed().index(key_of(window, "notchback"))
    at = table.view.visualRect(table.view.model().index(row, 0)).center()
    qtbot.mouseClick(table.view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    qtbot.mouseDClick(table.view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert window.desk_page.answer.name.text() == "notchback"
    window.desk.undo()


def test_a_picture_for_a_meeting_has_title_numbers_scale_and_brand(qtbot, window, tmp_path, monkeypatch):
    (tmp_path / "brand.toml").write_text('name = "Example Motors"\naccent = "#ff00ff"\nfooter = "Internal"\n')
    monkeypatch.setattr(window.settings, "brand", str(tmp_path / "brand.toml"))
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "slide.png"), ""))
    window.desk_page.variants.select([key_of(window, "fastback")])
    window.actions_.named["meeting"].trigger()
    image = QImage(str(tmp_path / "slide.png"))
    assert image.width() >= 3840 and image.height() > window.desk_page.stage.picture_4k().height()
    shown = pixels(image)
    brand = (shown[..., 0] > 200) & (shown[..., 1] < 60) & (shown[..., 2] > 200)
    assert brand[: image.width() // 250].mean() > 0.9  # the bar at the top
    head, foot = shown[: round(0.09 * image.width())], shown[-round(0.05 * image.width()) :]
    assert (head.mean(axis=2) < 90).mean() > 0.005  # title and numbers
    assert ((foot[..., 0] - foot[..., 2] > 60) & (foot[..., 1] < 150)).mean() > 0.002  # the red end of the scale
    window.actions_.named["copy_picture"].trigger()
    assert QGuiApplication.clipboard().image().width() == image.width()


def test_a_brand_that_cannot_be_read_is_said(window, tmp_path, monkeypatch):
    monkeypatch.setattr(window.settings, "brand", str(tmp_path / "nowhere.toml"))
    window.actions_.named["copy_picture"].trigger()
    assert "nowhere.toml" in window.message.text.text()


def test_a_view_is_kept_by_its_name_in_the_study(window, settle, tmp_path, monkeypatch):
    stage = window.desk_page.stage
    monkeypatch.setattr(QInputDialog, "getText", lambda *_: ("low rear", True))
    stage.look_from("rear")
    stage.set_overlay("cf")
    was = stage.viewport.camera["position"]
    window.actions_.named["keep_view"].trigger()
    stage.look_from("top")
    stage.set_overlay("cp")
    window.files.save_to(tmp_path / "views")
    settle(window)
    window.files.open([tmp_path / "views.drivaer"])
    settle(window)
    menu = QMenu()
    window.actions_._fill_views(menu)
    (action,) = menu.actions()
    action.trigger()
    assert action.text() == "low rear" and stage.overlay.name == "cf"
    assert stage.viewport.camera["position"] == pytest.approx(was)
