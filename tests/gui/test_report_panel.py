"""Reports out of the window: chosen, looked at, exported, cancelled, and what is wrong said in place."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from looking import key_of
from PySide6.QtCore import QObject, Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog

from drivaer_app.engine import Engine
from drivaer_app.ui.panels.report_form import SELECTED, TICKED

PATIENCE = 240_000


@pytest.fixture
def panel(window):
    window.actions_.named["report"].trigger()
    panel = window.desk_page.report
    form = panel.form
    form.which.setCurrentIndex(0)
    form.format.setCurrentIndex(form.format.findData(".html"))
    form.pages.setValue(1)
    form.title.clear()
    form.brand.text.clear()
    form.template.text.clear()
    panel.refresh()
    return panel


@pytest.fixture
def opened():
    """What the window asks the system to open."""

    class System(QObject):
        def __init__(self) -> None:
            super().__init__()
            self.files: list[str] = []

        @Slot(QUrl)
        def take(self, url: QUrl) -> None:
            self.files.append(url.toLocalFile())

    system = System()
    QDesktopServices.setUrlHandler("file", system, "take")
    yield system.files
    QDesktopServices.unsetUrlHandler("file")


def choose(monkeypatch, file) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(file), ""))


def finished(qtbot, panel) -> str:
    qtbot.waitUntil(lambda: panel.job is None, timeout=PATIENCE)
    return panel.state.text()


def format_is(panel, suffix: str) -> None:
    panel.form.format.setCurrentIndex(panel.form.format.findData(suffix))


def test_the_menu_brings_the_panel_and_export_writes_what_is_chosen(qtbot, window, panel, monkeypatch, tmp_path):
    assert panel.isVisible() and panel.export.isEnabled()
    format_is(panel, ".json")
    assert not panel.form.pages.isEnabled() and not panel.form.template.isEnabled()
    panel.form.title.setText("For the meeting")
    choose(monkeypatch, tmp_path / "told")
    qtbot.mouseClick(panel.export, Qt.MouseButton.LeftButton)
    assert finished(qtbot, panel) == f"Wrote {tmp_path / 'told.json'}"
    content = json.loads((tmp_path / "told.json").read_text("utf-8"))
    assert content["title"] == "For the meeting" and content["baseline"] == "estate"
    desk = window.desk
    numbers = {v.name: round(desk.result(v.key).cd, 5) for v in desk.study.state.variants}
    assert {car["name"]: car["cd"] for car in content["cars"]} == numbers
    assert panel.open.isVisible() and panel.folder.isVisible()


def test_a_preview_is_drawn_from_memory_and_opened_by_the_system(qtbot, window, panel, opened, settle, monkeypatch):
    window.desk_page.variants.select([key_of(window, "fastback")])  # the lowest Cd: it has a page, as the baseline
    settle(window)
    asked = []
    call = Engine.call
    monkeypatch.setattr(Engine, "call", lambda self, f, *a, **k: asked.append(f.__name__) or call(self, f, *a, **k))
    panel.form.pages.setValue(2)
    qtbot.mouseClick(panel.preview, Qt.MouseButton.LeftButton)
    assert panel.progress.isVisible() and panel.stop.isVisible() and not panel.export.isEnabled()
    assert "Opened for a look" in finished(qtbot, panel)
    assert asked == ["pictures_of", "pictures_of", "write_report"]
    (page,) = opened
    text = Path(page).read_text("utf-8")
    assert text.count('alt="Cp of') == 2 and 'alt="Cp of fastback' in text and "preview" in page
    qtbot.mouseClick(panel.open, Qt.MouseButton.LeftButton)
    assert opened == [page, page]


@pytest.mark.parametrize("which", [SELECTED, TICKED])
def test_a_choice_of_variants_with_the_baseline(qtbot, window, panel, tmp_path, which):
    window.desk_page.variants.select([key_of(window, "fastback")])
    panel.form.which.setCurrentIndex(which)
    if which == TICKED:
        assert panel.form.ticks.isVisible() and panel.form.ticks.count() == 3
        for row in range(3):
            item = panel.form.ticks.item(row)
            item.setCheckState(Qt.CheckState.Checked if item.text() == "fastback" else Qt.CheckState.Unchecked)
    assert panel.form.note.text() == "estate, the baseline, comes too."
    format_is(panel, ".csv")
    panel.export_to(tmp_path / "some.csv")
    finished(qtbot, panel)
    with (tmp_path / "some.csv").open(newline="", encoding="utf-8-sig") as stream:
        assert {row["name"] for row in csv.DictReader(stream)} == {"fastback", "estate"}


def test_a_brand_is_used_and_remembered(qtbot, window, panel, tmp_path):
    (tmp_path / "brand.toml").write_text('name = "Example Motors"\naccent = "#0a7d4f"\n')
    panel.form.brand.text.setText(str(tmp_path / "brand.toml"))
    panel.form.pages.setValue(0)
    panel.export_to(tmp_path / "r.html")
    finished(qtbot, panel)
    assert "Example Motors" in (tmp_path / "r.html").read_text("utf-8")
    assert window.settings.brand == str(tmp_path / "brand.toml")


def test_cancel_writes_nothing(qtbot, panel, tmp_path):
    panel.form.pages.setValue(12)
    panel.export_to(tmp_path / "r.pdf")
    qtbot.waitUntil(lambda: panel.state.text().startswith("drawing"), timeout=PATIENCE)
    qtbot.mouseClick(panel.stop, Qt.MouseButton.LeftButton)
    assert finished(qtbot, panel) == "Cancelled: nothing was written"
    assert list(tmp_path.iterdir()) == [] and panel.export.isEnabled()


def test_what_is_wrong_is_reported_in_place(qtbot, panel, tmp_path):
    panel.form.brand.text.setText(str(tmp_path / "none.toml"))
    panel.export_to(tmp_path / "r.html")
    assert "none.toml" in finished(qtbot, panel) and panel.state.property("role") == "bad"
    panel.form.brand.text.clear()
    panel.form.pages.setValue(0)
    panel.export_to(tmp_path / "nowhere" / "r.html")
    assert "make the folder first" in finished(qtbot, panel)


def test_without_a_result_there_is_nothing_to_export(make_window, settle, tmp_path):
    (tmp_path / "bad.stl").write_text("solid nothing")
    window = make_window([tmp_path / "bad.stl"])
    settle(window)
    panel = window.desk_page.report
    assert not panel.export.isEnabled() and "1 of 1 have no prediction" in panel.form.note.text()
