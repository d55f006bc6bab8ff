"""Pictures of designs, repair, and the download form's ids and split, in a real window with a real server."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from benchmarks.dataverse_server import Dataverse, Faults
from benchmarks.download_faults import DOI, files_of_corpus
from benchmarks.drivaernet_corpus import ids_of, write_large_corpus
from data.download.session import Download, DownloadRequest
from tests.gui.conftest import PATIENCE, end, new_window

N = 60


@pytest.fixture(scope="module")
def _window(qapp, engine, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME"):
            patch.setenv(name, str(tmp_path_factory.mktemp(name.lower())))
        window = new_window(tmp_path_factory.mktemp("window"), engine)
        window.remembers = False
        window.turn_to("data")
        yield window
        end(window)


@pytest.fixture
def page(qtbot, _window):
    return _window.page("data")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    """More designs than fit on the screen, whose meshes are links to a few."""
    folder = tmp_path_factory.mktemp("corpus")
    assert write_large_corpus(folder, N) == ids_of(N)
    return folder


def _open(qtbot, page, folder: Path) -> None:
    page.open_corpus(folder)
    qtbot.waitUntil(lambda: page.is_settled and page.there and page.there.root == folder, timeout=PATIENCE)


def _has_picture(table, row: int) -> bool:
    picture = table.rows.data(table.rows.index(row, 0), Qt.ItemDataRole.DecorationRole)
    return picture is not None and picture.toImage().pixelColor(2, 2).alpha() > 0


def test_pictures_come_for_the_rows_on_screen_and_for_no_others(qtbot, page, corpus):
    _open(qtbot, page, corpus)
    table, pictures = page.browser.table, page.pictures
    table.scrollToTop()
    seen = table.seen_ids()
    assert 0 < len(seen) < N
    qtbot.waitUntil(lambda: _has_picture(table, 0), timeout=PATIENCE)
    assert {*table.rows.pictures, *pictures._drawing} <= set(seen)
    table.scrollToBottom()
    last = table.seen_ids()
    assert not set(last) & set(seen)
    qtbot.waitUntil(lambda: last[0] in pictures._drawing or last[0] in table.rows.pictures, timeout=PATIENCE)
    waiting = [i for i, job in pictures._drawing.items() if job.state == "waiting" and not job.is_cancelled]
    assert set(waiting) <= set(last)  # nobody waits for what is out of sight


def test_pictures_are_kept_and_found_again_without_drawing(qtbot, page, corpus):
    _open(qtbot, page, corpus)
    table = page.browser.table
    table.scrollToTop()
    qtbot.waitUntil(lambda: _has_picture(table, 0), timeout=PATIENCE)
    titles = []
    page.pictures._draw = lambda path, design, place: titles.append(design)
    try:
        page.pictures.show_catalogue(page.there.path)
        assert not _has_picture(table, 0)
        qtbot.waitUntil(lambda: _has_picture(table, 0), timeout=PATIENCE)
        assert table.seen_ids()[0] not in titles
    finally:
        del page.pictures._draw


def test_without_pictures_rows_are_low_and_nothing_is_drawn(qtbot, page, corpus):
    _open(qtbot, page, corpus)
    table, box = page.browser.table, page.browser.pictures
    high = table.rowHeight(0)
    box.click()
    assert table.rowHeight(0) < high and not _has_picture(table, 0)
    qtbot.waitUntil(lambda: not page.pictures._looking.isActive() and not page.pictures._drawing, timeout=PATIENCE)
    box.click()
    assert table.rowHeight(0) == high


def test_repair_fetches_what_was_damaged_and_says_so(qtbot, page, tmp_path):
    folder = tmp_path / "fetched"
    with Dataverse({DOI: files_of_corpus(tmp_path / "published")}, Faults()).serving() as server:
        download = Download(DownloadRequest(DOI, folder, what="coefficients", server=server.url))
        assert download.run(download.plan(), accepted_by="flag").is_complete
        table = max(folder.rglob("*.csv"), key=lambda path: path.stat().st_size)
        whole = table.read_bytes()
        table.write_bytes(whole[: len(whole) // 2])
        _open(qtbot, page, folder)
        qtbot.mouseClick(page.browser.repair, Qt.MouseButton.LeftButton)
        assert not page.browser.verify.isEnabled()
        qtbot.waitUntil(lambda: page.is_settled, timeout=PATIENCE)
    assert "1 of 1 files are right again" in page.browser.note.text()
    assert table.read_bytes() == whole and page.browser.verify.isEnabled()


def test_repair_of_what_is_right_says_so(qtbot, page, corpus):
    _open(qtbot, page, corpus)
    qtbot.mouseClick(page.browser.repair, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.is_settled, timeout=PATIENCE)
    assert "Nothing is to be repaired" in page.browser.note.text()


def test_the_form_asks_for_ids_or_a_part_of_the_split(qtbot, page, tmp_path):
    form = page.form
    page.stack.setCurrentWidget(form)
    form.folder.setText(str(tmp_path))
    qtbot.keyClicks(form.ids, "E_S_WW_WM_1, F_D_WM_WW_0002")
    form.split.setCurrentText("test")
    assert form.request.ids == "E_S_WW_WM_1, F_D_WM_WW_0002" and form.request.split == "test"
    assert form.request.count is None and not form.count.isEnabled()
    form.ids.clear()
    assert form.request.ids is None and form.request.count == 50
    form.split.setCurrentText("all")
    assert form.request.split is None


def test_the_plan_is_of_the_ids_and_a_word_that_is_none_is_named(qtbot, page, tmp_path):
    form = page.form
    with Dataverse({DOI: files_of_corpus(tmp_path / "published")}, Faults()).serving() as server:
        page.stack.setCurrentWidget(form)
        form.dataset.setText(DOI)
        form.server.setText(server.url)
        form.folder.setText(str(tmp_path / "fetched"))
        for name, box in form.kinds.items():
            box.setChecked(name == "mesh")
        form.ids.setText("F_D_WM_WW_0002")
        qtbot.mouseClick(form.ask, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: page.is_settled, timeout=PATIENCE)
        assert [item.design for item in form.plan.items] == ["F_D_WM_WW_0002"]
    form.ids.setText("no_such_car")
    qtbot.mouseClick(form.ask, Qt.MouseButton.LeftButton)
    assert "no_such_car" in form.note.text()
