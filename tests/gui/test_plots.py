"""The plots below the viewport: readable with many variants, told under the mouse, and honest when empty."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from looking import key_of
from PySide6.QtCore import QPointF

PATIENCE = 120_000


@pytest.fixture
def many(make_window, settle, samples, tmp_path):
    """A window on twenty variants with names that share their beginnings."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(20):
        shutil.copy(samples[0], folder / f"sedan_roof_rake_study_{number:02}.stl")
    window = make_window([folder])
    settle(window)
    return window


def texts_of(axis) -> list:
    """(rectangle, text) of what an axis writes."""
    from PySide6.QtGui import QImage, QPainter

    image = QImage(10, 10, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    specs = axis.generateDrawSpecs(painter)
    painter.end()
    return [(box, text) for box, _, text in specs[2]]


def test_twenty_long_names_stand_upright_and_never_over_each_other(many):
    axis = many.desk_page.bottom.drag.names
    written = texts_of(axis)
    assert axis._is_upright and len(written) >= 10
    places = sorted(box.center().x() for box, _ in written)
    assert min(np.diff(places)) >= 14
    assert all("sedan" in text for _, text in written)


def test_three_names_lie_and_the_order_follows_the_list(window):
    page = window.desk_page
    page.variants.order.setCurrentText("By Cd")
    names = [window.desk.study.state.variant(key).name for key in page.variants.shown()]
    assert [text for _, text in texts_of(page.bottom.drag.names)] == names != ["estate", "fastback", "notchback"]
    assert not page.bottom.drag.names._is_upright
    page.variants.filter.setText("back")
    assert len(texts_of(page.bottom.drag.names)) == 2


def test_the_mouse_reads_a_variants_numbers_and_a_curves_values(window):
    bottom, key = window.desk_page.bottom, key_of(window, "fastback")
    result = window.desk.result(key)
    box = bottom.drag.item.getViewBox()
    told = bottom.drag.value_at(box.mapViewToScene(QPointF(1, result.cd)))
    assert f"fastback: Cd {result.cd:.3f}" in told and "90 % interval" in told and "counts" in told
    bottom.setCurrentWidget(bottom.along)
    (curve, *_) = bottom.along.item.listDataItems()
    x, y = (values[len(values) // 2] for values in curve.getData())
    place = bottom.along.item.getViewBox().mapViewToScene(QPointF(x, y))
    assert bottom.along.value_at(place).startswith(f"{curve.name()}: ")
    assert bottom.along.value_at(QPointF(place.x(), place.y() + 300)) == ""


def test_a_plot_without_data_says_why_and_draws_no_axes(window):
    bottom = window.desk_page.bottom
    bottom.setCurrentWidget(bottom.cfd)
    window.desk_page._refresh_plots()
    assert "no CFD run" in bottom.cfd.drag.nothing.text() and bottom.cfd.drag.nothing.isVisible()
    assert not bottom.cfd.drag.plot.isVisible() and not bottom.cfd.residuals.isVisible()
