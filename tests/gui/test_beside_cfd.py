"""A catalogue's design on the desk: its CFD, its prediction and the error side by side, on one camera and one range."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt

from benchmarks.drivaernet_corpus import SyntheticDesign, write_corpus
from drivaer_app.desk.layers import CFD, TRUTH
from drivaer_app.ui.overlays import SIDES
from tests.gui.conftest import PATIENCE, end, new_window

DESIGN, BARE = "F_D_WM_WW_0001", "E_S_WWC_WM_005"


@pytest.fixture(scope="module")
def _corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    write_corpus(folder, [DESIGN], what=("pressure",), tables=False, splits=False)
    write_corpus(folder, [DESIGN, BARE], what=("mesh",))
    return folder


@pytest.fixture(scope="module")
def _beside_window(qapp, engine, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME"):
            patch.setenv(name, str(tmp_path_factory.mktemp(name.lower())))
        window = new_window(tmp_path_factory.mktemp("window"), engine)
        window.remembers = False
        yield window
        end(window)


@pytest.fixture
def desk_page(qtbot, _beside_window, _corpus, settle):
    """Both designs opened from the data page, as a user does it; the one with pressure is on screen."""
    window = _beside_window
    if not window.desk.study.state.variants:
        window.turn_to("data")
        page = window.page("data")
        page.open_corpus(_corpus)
        qtbot.waitUntil(lambda: page.is_settled and page.there is not None, timeout=PATIENCE)
        page.browser.table.select([DESIGN, BARE])
        qtbot.mouseClick(page.browser.open, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: window.is_at_desk, timeout=PATIENCE)
    keys = {v.name: v.key for v in window.desk.study.state.variants}
    window.desk_page.variants.select([keys[DESIGN]])
    window.desk_page.stage.set_overlay(SIDES)
    settle(window)
    return window.desk_page


def test_opening_a_design_shows_cfd_prediction_and_error_with_one_camera(desk_page):
    viewport = desk_page.stage.viewport
    assert desk_page.stage.overlay.name == SIDES
    assert [pane.overlay.name for pane in viewport.panes] == ["truth", "cp", "cfd"]
    assert len({id(pane.renderer.GetActiveCamera()) for pane in viewport.panes}) == 1
    assert len({id(pane.drawn) for pane in viewport.panes}) == 1
    titles = [pane._title.GetInput() for pane in viewport.panes]
    assert titles[0] == f"CFD   Cd {SyntheticDesign(DESIGN).cd:.3f}"
    assert titles[1].startswith("Prediction   Cd ") and "counts" in titles[2] and "relative L2" in titles[2]


def test_the_error_is_the_prediction_minus_the_cfd_and_grey_where_nothing_is_known(desk_page):
    left, middle, right = desk_page.stage.viewport.panes
    cfd, predicted, error = (pane._values(pane.overlay) for pane in (left, middle, right))
    both = np.isfinite(cfd) & np.isfinite(predicted)
    assert both.mean() > 0.5 and np.allclose(error[both], (predicted - cfd)[both])
    assert np.isnan(error[~np.isfinite(cfd)]).all()


def test_pressures_share_a_range_and_the_error_has_its_own(desk_page):
    stage = desk_page.stage
    stage.error_bar.span.setValue(0.2)
    stage.colour_bar.span.setValue(0.8)
    left, middle, right = stage.viewport.panes
    assert left._mapper.GetScalarRange() == middle._mapper.GetScalarRange() == (-0.8, 0.8)
    assert right._mapper.GetScalarRange() == (-0.2, 0.2)
    assert stage.error_bar.isVisible()
    stage.set_overlay("cp")
    assert not stage.error_bar.isVisible() and len(stage.viewport.panes) == 1
    assert stage.viewport.span == 0.8  # one range for Cp, whatever shows it


def test_the_panel_tells_the_cfds_coefficients_and_where_its_pressure_comes_from(desk_page):
    answer, cfd = desk_page.answer, SyntheticDesign(DESIGN)
    assert f"CFD {cfd.cd:.3f} (published, updated); predicted" in answer.checked.text()
    assert "Cp is off by" in answer.checked.text() and "(MAE)" in answer.checked.text()
    assert f"{DESIGN}.vtk, array p, Cp = p / 450 (kinematic, 30 m/s)" in answer.source.text()
    assert "(CFD" in answer._facts["cl"].text() and "(CFD)" in answer._facts["shares"].text()
    assert "Cp = p / 450" in desk_page.window().statusBar().currentMessage()


def test_a_design_without_pressure_is_shown_alone_and_why(desk_page, settle):
    keys = {v.name: v.key for v in desk_page.desk.study.state.variants}
    desk_page.variants.select([keys[BARE]])
    settle(desk_page.window())
    assert len(desk_page.stage.viewport.panes) == 1
    assert f"no CFD pressure of {BARE} is on disk" in desk_page.window().statusBar().currentMessage()
    assert f"CFD {SyntheticDesign(BARE).cd:.3f}" in desk_page.answer.checked.text()


def test_a_morph_of_a_design_has_no_cfd(desk_page):
    desk = desk_page.desk
    key = next(v.key for v in desk.study.state.variants if v.name == DESIGN)
    desk.edit(lambda study: study.add_morph(key, "bent", {"ride_height": -0.01}))
    bent = desk.study.state.variants[-1]
    assert desk.cfd(bent.key) is None
    assert "no CFD of this variant" in desk.layers.lacking(TRUTH, bent.key)
    assert "no CFD of this variant" in desk.layers.lacking(CFD, bent.key)
    desk.undo()
