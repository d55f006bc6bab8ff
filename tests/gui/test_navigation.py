"""The camera under a real mouse: wheel, drags with every button, double click."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication


@pytest.fixture
def viewport(window):
    window.desk_page.stage.look_from("left")
    return window.desk_page.stage.viewport


def on_the_car(viewport) -> QPoint:
    """Somewhere on the car's front half, away from the middle of the picture."""
    return QPoint(int(viewport.width() * 0.3), int(viewport.height() * 0.52))


def wheel(viewport, at: QPoint, steps: float) -> None:
    plotter, none = viewport._plotter, QPoint()
    delta, keys = QPoint(0, round(120 * steps)), Qt.KeyboardModifier.NoModifier
    place, phase = QPointF(at), Qt.ScrollPhase.NoScrollPhase
    event = QWheelEvent(place, plotter.mapToGlobal(place), none, delta, Qt.MouseButton.NoButton, keys, phase, False)
    QApplication.sendEvent(plotter, event)


def drag(viewport, start: QPoint, end: QPoint, button=Qt.MouseButton.LeftButton, keys=Qt.KeyboardModifier.NoModifier):
    plotter = viewport._plotter
    QTest.mousePress(plotter, button, keys, start)
    for part in (0.5, 1.0):
        step = start + QPoint(round((end - start).x() * part), round((end - start).y() * part))
        QApplication.sendEvent(plotter, _move(plotter, step, button, keys))
    QTest.mouseRelease(plotter, button, keys, end)


def _move(plotter, at: QPoint, button, keys):
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QMouseEvent

    place = QPointF(at)
    kind = QEvent.Type.MouseMove
    return QMouseEvent(kind, place, plotter.mapToGlobal(place), Qt.MouseButton.NoButton, button, keys)


def distance(viewport) -> float:
    camera = viewport.camera
    return float(np.linalg.norm(np.subtract(camera["position"], camera["focus"])))


@pytest.mark.parametrize("parallel", [False, True])
def test_the_wheel_zooms_to_what_is_under_the_cursor(window, viewport, parallel):
    window.actions_.named["parallel"].setChecked(parallel)
    at = on_the_car(viewport)
    before, size = viewport.probe_at(at)[1].place, viewport.camera["scale" if parallel else "position"]
    wheel(viewport, at, 1)
    wheel(viewport, at, 2.5)
    after = viewport.probe_at(at)[1].place
    assert np.linalg.norm(after - before) < 0.02
    if parallel:
        assert viewport.camera["scale"] == pytest.approx(size / 1.2**3.5)
    else:
        nearer = np.linalg.norm(np.subtract(viewport.camera["position"], before))
        assert nearer == pytest.approx(np.linalg.norm(np.subtract(size, before)) / 1.2**3.5, rel=0.01)


def test_the_wheel_turned_back_goes_back_and_never_through_the_car(viewport):
    at, start = on_the_car(viewport), viewport.camera["position"]
    for _ in range(80):
        wheel(viewport, at, 1)
    assert viewport.probe_at(at)[1] is not None
    for _ in range(200):
        wheel(viewport, at, -1)
    assert distance(viewport) < 600
    viewport.look_from("left")
    assert viewport.camera["position"] == pytest.approx(start)


@pytest.mark.parametrize(
    ("button", "keys"),
    [
        (Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier),
        (Qt.MouseButton.MiddleButton, Qt.KeyboardModifier.NoModifier),
    ],
)
def test_shift_drag_and_middle_drag_take_the_car_along_without_turning_it(viewport, button, keys):
    start = on_the_car(viewport)
    end = start + QPoint(90, -40)
    gripped, before = viewport.probe_at(start)[1].place, viewport.camera
    drag(viewport, start, end, button, keys)
    after = viewport.camera
    looks = [np.subtract(camera["position"], camera["focus"]) for camera in (before, after)]
    assert looks[1] == pytest.approx(looks[0])
    assert np.linalg.norm(viewport.probe_at(end)[1].place - gripped) < 0.03


def test_a_drag_turns_the_car_and_its_roof_stays_up(viewport):
    start, before = on_the_car(viewport), viewport.camera
    drag(viewport, start, start + QPoint(120, 60))
    after = viewport.camera
    assert distance(viewport) == pytest.approx(np.linalg.norm(np.subtract(before["position"], before["focus"])))
    assert after["up"] == [0, 0, 1] and after["position"][2] > before["position"][2] + 0.5
    drag(viewport, start, start + QPoint(0, 2000))
    towards = np.subtract(viewport.camera["position"], viewport.camera["focus"])
    assert 0.999 < towards[2] / np.linalg.norm(towards) < 1  # on top, not over it


def test_a_double_click_on_the_car_sets_what_is_turned_about(viewport):
    at = on_the_car(viewport)
    place, before = viewport.probe_at(at)[1].place, viewport.camera
    QTest.mouseDClick(viewport._plotter, Qt.MouseButton.LeftButton, pos=at)
    assert viewport.navigation.centre == pytest.approx(place, abs=0.02)
    assert viewport.camera["position"] == before["position"]
    drag(viewport, at + QPoint(5, 5), at + QPoint(65, 5))
    assert np.linalg.norm(viewport.probe_at(at)[1].place - place) < 0.15  # it stays where it was on screen


def test_a_double_click_beside_the_car_shows_all_of_it_again(viewport):
    before = viewport.camera
    wheel(viewport, on_the_car(viewport), 3)
    viewport.look_from("left")
    QTest.mouseDClick(viewport._plotter, Qt.MouseButton.LeftButton, pos=QPoint(4, 4))
    assert viewport.camera["position"] == pytest.approx(before["position"])


def test_the_right_button_zooms_by_a_drag(viewport):
    start, far = on_the_car(viewport), distance(viewport)
    drag(viewport, start, start + QPoint(0, -80), Qt.MouseButton.RightButton)
    assert distance(viewport) < 0.9 * far
