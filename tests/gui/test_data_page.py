"""The data page with a real corpus in a real window: opened, filtered, sorted, brushed, put on the desk."""

from __future__ import annotations

import csv
import os
from collections import Counter
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt

from benchmarks.dataverse_server import Dataverse, Faults
from benchmarks.download_faults import DOI, files_of_corpus
from benchmarks.drivaernet_corpus import write_corpus
from tests.conftest import ROOT
from tests.gui.conftest import PATIENCE, end, new_window

IDS = ("F_D_WM_WW_0001", "F_D_WM_WW_0002", "E_S_WWC_WM_005", "N_S_WWS_WM_007")
BUILT_IN = ROOT / "resources" / "corpus"
SPLIT = Counter(row["split"] for index in BUILT_IN.glob("*/index.csv") for row in csv.DictReader(index.open()))
N_BUILT_IN = SPLIT.total()


@pytest.fixture(scope="module")
def _own_places(tmp_path_factory):
    """No catalogue is remembered from elsewhere, and none is written to the user's own folders."""
    kept = {name: os.environ.get(name) for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME")}
    for name in kept:
        os.environ[name] = str(tmp_path_factory.mktemp(name.lower()))
    yield
    for name, value in kept.items():
        os.environ.pop(name) if value is None else os.environ.update({name: value})


@pytest.fixture(scope="module")
def _data_window(qapp, engine, tmp_path_factory, _own_places):
    window = new_window(tmp_path_factory.mktemp("window"), engine)
    window.remembers = False
    yield window
    end(window)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    """Four designs with meshes that are in zips, as they are published."""
    folder = tmp_path_factory.mktemp("corpus")
    write_corpus(folder, IDS, what=("mesh",), zipped=True)
    return folder


@pytest.fixture
def page(qtbot, _data_window):
    """The page with the built-in corpus open and all of it shown."""
    _data_window.turn_to("data")
    page = _data_window.page("data")
    qtbot.waitUntil(lambda: page.is_settled, timeout=PATIENCE)
    if page.there is None or "built-in" not in page.there.path.name:
        page._show_start()
        qtbot.mouseClick(page.start.buttons["built_in"], Qt.MouseButton.LeftButton)
    else:
        qtbot.mouseClick(page.browser.filters.clear, Qt.MouseButton.LeftButton)
    _settle(qtbot, page)
    page.browser.table.clearSelection()
    return page


def _settle(qtbot, page) -> None:
    qtbot.waitUntil(lambda: page.is_settled, timeout=PATIENCE)


def _rows(page) -> list[tuple]:
    return page.browser.table.rows.listing.rows


def _click_heading(qtbot, table, name: str) -> None:
    head = table.horizontalHeader()
    section = table.rows.listing.names.index(name)
    table.scrollTo(table.rows.index(0, section))
    at = QPoint(head.sectionViewportPosition(section) + head.sectionSize(section) // 2, head.height() // 2)
    qtbot.mouseClick(head.viewport(), Qt.MouseButton.LeftButton, pos=at)


def test_the_built_in_corpus_opens_with_one_click_and_says_what_it_is(page):
    assert len(_rows(page)) == N_BUILT_IN
    assert f"{N_BUILT_IN} designs" in page.browser.facts.text()
    assert f"split: {SPLIT['train']} train, {SPLIT['test']} test" in page.browser.facts.text()
    assert "each on its own area" in page.browser.facts.text()
    assert "licence: the program's own" in page.browser.facts.text()


def test_a_choice_and_a_range_leave_the_designs_that_fulfil_both(qtbot, page):
    filters = page.browser.filters
    filters.choices["style"].setCurrentText("notchback")
    filters.ranges.all[0].column.setCurrentText("cd")
    filters.ranges.all[0].high.setValue(0.3)
    _settle(qtbot, page)
    names = page.browser.table.rows.listing.names
    assert 0 < len(_rows(page)) < N_BUILT_IN
    assert all(row[names.index("style")] == "notchback" and row[names.index("cd")] <= 0.3 for row in _rows(page))


def test_a_condition_is_applied_with_enter_and_a_bad_one_is_explained_in_place(qtbot, page):
    filters = page.browser.filters
    qtbot.keyClicks(filters.where, "cd < 0.29")
    qtbot.keyClick(filters.where, Qt.Key.Key_Return)
    _settle(qtbot, page)
    n = len(_rows(page))
    assert 0 < n < N_BUILT_IN
    filters.where.setText("colour = 3")
    qtbot.keyClick(filters.where, Qt.Key.Key_Return)
    _settle(qtbot, page)
    assert filters.error.isVisible() and "there is no column colour" in filters.error.text()
    assert "^^^^^^" in filters.error.text()
    assert len(_rows(page)) == n  # what was shown stays


def test_a_heading_sorts_and_sorts_the_other_way_when_clicked_again(qtbot, page):
    table = page.browser.table
    _click_heading(qtbot, table, "cl")
    _settle(qtbot, page)
    up = table.rows.listing.values("cl")
    assert up == sorted(up)
    _click_heading(qtbot, table, "cl")
    _settle(qtbot, page)
    assert table.rows.listing.values("cl") == up[::-1]


def test_a_box_drawn_in_the_plot_selects_rows_and_selected_rows_are_marked_in_it(qtbot, page):
    browser = page.browser
    assert all(browser.scatter.plot.getAxis(side).autoSIPrefixScale == 1.0 for side in ("bottom", "left"))
    view, plot = browser.scatter.view, browser.scatter.plot
    cd = dict(zip(*(browser.table.rows.listing.values(name) for name in ("id", "cd")), strict=True))
    middle = (min(cd.values()) + max(cd.values())) / 2
    (left, right), (bottom, top) = view.viewRange()

    def on_screen(x: float, y: float) -> QPoint:
        return plot.mapFromScene(view.mapViewToScene(QPointF(x, y)))

    start = on_screen(left + 0.01 * (right - left), middle)
    stop = on_screen(right - 0.01 * (right - left), top - 0.01 * (top - bottom))
    port = plot.viewport()
    qtbot.mousePress(port, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(port, start + (stop - start) / 2)
    qtbot.mouseMove(port, stop)
    qtbot.mouseRelease(port, Qt.MouseButton.LeftButton, pos=stop)
    selected = browser.table.selected_ids()
    assert 0 < len(selected) < N_BUILT_IN
    assert min(cd[i] for i in selected) > max(cd[i] for i in cd if i not in selected)
    browser.table.select(sorted(cd, key=cd.get)[:3])
    assert sorted(browser.scatter.chosen.getData()[1]) == sorted(cd.values())[:3]


def test_a_selection_stays_over_another_order(qtbot, page):
    table = page.browser.table
    chosen = [row[0] for row in _rows(page)[10:13]]
    table.select(chosen)
    _click_heading(qtbot, table, "cd")
    _settle(qtbot, page)
    assert sorted(table.selected_ids()) == sorted(chosen)


def test_designs_in_archives_are_opened_as_a_study(qtbot, page, corpus, settle, _data_window):
    page.open_corpus(corpus)
    _settle(qtbot, page)
    assert len(_rows(page)) == len(IDS) and "CC BY-NC 4.0" in page.browser.facts.text()
    if page.browser.sort.column != "id":
        _click_heading(qtbot, page.browser.table, "id")
        _settle(qtbot, page)
    page.browser.table.select(IDS[:2])
    qtbot.mouseClick(page.browser.open, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: _data_window.is_at_desk, timeout=PATIENCE)
    assert [v.name for v in _data_window.desk.study.state.variants] == list(IDS[:2])
    settle(_data_window)
    assert all(_data_window.desk.result(v.key) is not None for v in _data_window.desk.study.state.variants)


def test_selected_or_else_all_shown_designs_become_the_cars_of_a_batch(qtbot, page, _data_window, tmp_path):
    write_corpus(tmp_path, IDS[:3], what=("mesh",))
    page.open_corpus(tmp_path)
    _settle(qtbot, page)
    qtbot.mouseClick(page.browser.batch, Qt.MouseButton.LeftButton)
    _settle(qtbot, page)
    batch = _data_window.page("batch")
    assert _data_window.pages.currentWidget() is batch and batch.form.cars.text().startswith("3 files")
    assert batch.form.results.file.parent == tmp_path
    _data_window.turn_to("data")
    page.browser.table.select(IDS[1:2])
    qtbot.mouseClick(page.browser.batch, Qt.MouseButton.LeftButton)
    _settle(qtbot, page)
    (file,) = batch.form.given
    assert Path(file).is_file() and IDS[1] in str(file)
    assert batch._parameters[Path(file)]["cfd_cd"] > 0


def test_designs_that_are_not_unpacked_are_no_cars_of_a_batch(qtbot, page, corpus, _data_window):
    page.open_corpus(corpus)
    _settle(qtbot, page)
    qtbot.mouseClick(page.browser.batch, Qt.MouseButton.LeftButton)
    _settle(qtbot, page)
    assert "none of the 4 designs" in page.browser.note.text()
    assert _data_window.pages.currentWidget() is page


def test_a_design_without_geometry_says_so_in_place(qtbot, page):
    page.browser.table.select(["drivaer_morphs/0300"])
    qtbot.keyClick(page.browser.table, Qt.Key.Key_Return)
    _settle(qtbot, page)
    assert page.browser.note.isVisible() and "no geometry" in page.browser.note.text()


def test_verifying_tells_how_many_files_are_right(qtbot, page):
    qtbot.mouseClick(page.browser.verify, Qt.MouseButton.LeftButton)
    assert not page.browser.verify.isEnabled()
    _settle(qtbot, page)
    n_files = sum(path.suffix in (".npz", ".csv") for path in BUILT_IN.rglob("*"))
    assert f"{n_files} files, none of them wrong" in page.browser.note.text()


def test_a_folder_without_designs_says_so_where_it_was_chosen(qtbot, page, tmp_path):
    page.open_corpus(tmp_path)
    _settle(qtbot, page)
    assert page.start.isVisible() and "holds no designs" in page.start.note.text()
    qtbot.mouseClick(page.start.to_table, Qt.MouseButton.LeftButton)
    assert page.browser.isVisible()


def test_a_download_shows_its_plan_wants_the_licence_pauses_and_ends_in_the_table(qtbot, page, tmp_path):
    form = page.form
    with Dataverse({DOI: files_of_corpus(tmp_path / "published")}, Faults(block_s=0.05)).serving() as server:
        page._show_start()
        qtbot.mouseClick(page.start.buttons["download"], Qt.MouseButton.LeftButton)
        form.dataset.setText(DOI)
        form.server.setText(server.url)
        form.folder.setText(str(tmp_path / "fetched"))
        form.count.setValue(0)
        for box in form.kinds.values():
            box.setChecked(False)
        qtbot.mouseClick(form.ask, Qt.MouseButton.LeftButton)
        _settle(qtbot, page)
        assert "to fetch into" in form.words.toPlainText() and "Licence: CC BY-NC 4.0" in form.words.toPlainText()
        assert not form.fetch.isEnabled() and not (tmp_path / "fetched").exists()
        form.accepts.click()
        qtbot.mouseClick(form.fetch, Qt.MouseButton.LeftButton)
        row = _row_with_pause(qtbot, page)
        qtbot.mouseClick(row.pause, Qt.MouseButton.LeftButton)
        assert row.job.control.is_paused and row.pause.text() == "Go on"
        qtbot.mouseClick(row.pause, Qt.MouseButton.LeftButton)
        _settle(qtbot, page)
    assert page.there.root == tmp_path / "fetched" and page.browser.isVisible()
    assert len(_rows(page)) == page.there.n_designs > 0
    assert "CC BY-NC 4.0" in page.browser.facts.text()


def _row_with_pause(qtbot, page):
    """The running download's row in the list of jobs."""

    def found():
        return next((row for row in page.jobs._rows if row.pause.isVisible()), None)

    qtbot.waitUntil(lambda: found() is not None, timeout=PATIENCE)
    return found()


def test_what_is_wrong_with_a_download_is_reported_in_the_form(qtbot, page, tmp_path):
    form = page.form
    page.stack.setCurrentWidget(form)
    form.folder.setText("")
    qtbot.mouseClick(form.ask, Qt.MouseButton.LeftButton)
    assert "Choose the folder" in form.note.text()
    form.folder.setText(str(tmp_path))
    form.classes.setText("no such class")
    qtbot.mouseClick(form.ask, Qt.MouseButton.LeftButton)
    assert "there is no class" in form.note.text()


def test_a_sliders_handles_filter_by_mouse_and_by_key(qtbot, page):
    one = page.browser.filters.ranges.all[0]
    one.column.setCurrentText("cd")
    slider = one.slider
    start, end = (slider.place_of(value).toPoint() for value in (slider.values[1], sum(slider.bounds) / 2))
    qtbot.mousePress(slider, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(slider, end)
    qtbot.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=end)
    _settle(qtbot, page)
    cd = page.browser.table.rows.listing.values("cd")
    assert one.high.value() == pytest.approx(sum(slider.bounds) / 2, rel=0.02)
    assert 0 < len(cd) < N_BUILT_IN and max(cd) <= one.high.value()
    qtbot.keyClick(slider, Qt.Key.Key_End)
    _settle(qtbot, page)
    assert len(_rows(page)) == N_BUILT_IN and one.range == {}


def test_a_typed_end_moves_the_handle_and_handles_do_not_pass_each_other(qtbot, page):
    one = page.browser.filters.ranges.all[0]
    one.column.setCurrentText("cd")
    one.low.setValue(0.31)
    assert one.slider.values[0] == pytest.approx(0.31)
    slider = one.slider
    qtbot.mouseClick(slider, Qt.MouseButton.LeftButton, pos=slider.place_of(0.31).toPoint())
    qtbot.keyClick(slider, Qt.Key.Key_End)
    assert slider.values[0] == slider.values[1] == slider.bounds[1]
    _settle(qtbot, page)


def test_a_range_of_another_column_can_be_added(qtbot, page):
    ranges = page.browser.filters.ranges
    before = len(ranges.all)
    qtbot.mouseClick(ranges.more, Qt.MouseButton.LeftButton)
    assert len(ranges.all) == before + 1
    one = ranges.all[-1]
    assert one.column.currentText() not in ("", "cd", "area")
    one.column.setCurrentText("cl")
    one.low.setValue(0.1)
    _settle(qtbot, page)
    assert 0 < len(_rows(page)) < N_BUILT_IN
    assert min(page.browser.table.rows.listing.values("cl")) >= 0.1
