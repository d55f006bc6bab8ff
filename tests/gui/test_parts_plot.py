"""Drag by part of the car beside the baseline's, and the part shown on the car."""

from __future__ import annotations

import numpy as np
import pytest
from looking import key_of, pixels
from PySide6.QtCore import QPointF, Qt

PATIENCE = 240_000


@pytest.fixture
def parts(qtbot, window, settle):
    window.desk_page.variants.select([key_of(window, "notchback")])
    window.desk_page.bottom.setCurrentWidget(window.desk_page.bottom.parts)
    plot = window.desk_page.bottom.parts
    qtbot.waitUntil(lambda: bool(plot.shares) and bool(plot.baselines), timeout=PATIENCE)
    settle(window)
    return plot


def test_the_parts_add_up_to_what_the_fields_say_and_stand_beside_the_baselines(window, parts):
    result = window.desk.result(key_of(window, "notchback"))
    assert sum(parts.shares.values()) == pytest.approx(result.cd_pressure + result.cd_friction)
    assert {"wheels", "mirrors", "floor", "front", "roof", "rear", "base"} <= set(parts.shares)
    assert parts.shares["front"] > 0.02 and parts.shares["base"] > 0.02 and parts.shares["wheels"] > 0.01
    estate = window.desk.region_drag(key_of(window, "estate"))
    assert parts.baselines == estate and estate["base"] > parts.shares["base"]  # a steep tail has more of it


def test_a_click_on_a_bar_shows_the_part_on_the_car_and_the_mouse_reads_it(qtbot, window, parts):
    names = list(parts.shares)
    box = parts.item.getViewBox()
    at = box.mapViewToScene(QPointF(names.index("base") - 0.2, parts.shares["base"] / 2))
    assert parts.value_at(at).startswith("base: Cd ") and "counts to the baseline" in parts.value_at(at)
    window.desk_page.stage.look_from("rear")
    place = parts.plot.mapFromScene(at)
    qtbot.mouseMove(parts.plot.viewport(), place)
    qtbot.mouseClick(parts.plot.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert parts.shown == "base" and window.desk_page.stage.overlay.name == "parts"
    image = pixels(window.desk_page.stage.viewport.picture())
    pink = (image[..., 0] - image[..., 1] > 40) & (image[..., 2] - image[..., 1] > 15)
    assert pink.mean() > 0.02
    qtbot.mouseClick(parts.plot.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert parts.shown is None


def test_the_drag_along_the_car_lies_over_its_silhouette(window):
    along = window.desk_page.bottom.along
    window.desk_page.bottom.setCurrentWidget(along)
    box = along.silhouette.boundingRect()
    drawn = window.desk.drawn(window.desk_page.shown_keys[0])
    ends = drawn.box[0][0], drawn.box[1][0]
    assert (box.left(), box.right()) == pytest.approx(ends, abs=0.05)
    (_, _), (bottom, top) = along.item.getViewBox().viewRange()
    assert box.top() >= bottom - 1e-6 and np.isclose(box.height(), 0.45 * (top - bottom), rtol=0.05)
