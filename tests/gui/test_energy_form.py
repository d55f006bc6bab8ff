"""What drag costs on the road, beside the prediction."""

from __future__ import annotations

import pytest
from looking import key_of
from PySide6.QtCore import Qt

from drivaer_app.energy import over_wltc
from drivaer_app.settings import Settings

PATIENCE = 120_000


@pytest.fixture
def form(qtbot, window):
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=PATIENCE)
    window.desk_page.variants.select([key_of(window, "fastback")])
    yield window.desk_page.answer.energy
    window.settings.vehicle = {}


def type_into(qtbot, box, text: str) -> None:
    box.setFocus()
    box.selectAll()
    qtbot.keyClicks(box, text)
    qtbot.keyClick(box, Qt.Key.Key_Return)


def test_consumption_and_range_follow_the_typed_car_and_the_change_is_to_the_baseline(qtbot, window, form):
    type_into(qtbot, form.boxes["mass"], "2000")
    type_into(qtbot, form.boxes["battery"], "80")
    assert form.vehicle.mass == 2000 and form.vehicle.battery == 80
    used, its = (
        over_wltc(form.vehicle, window.desk.result(key_of(window, n)).cda)["all"] for n in ("fastback", "estate")
    )
    assert form.answer.text() == f"{used.kwh_per_100km:.2f} kWh/100 km, range {used.range_km:.0f} km"
    assert form.change.text().startswith(f"\N{MINUS SIGN}{its.kwh_per_100km - used.kwh_per_100km:.2f} kWh/100 km, +")
    window.desk_page.variants.select([key_of(window, "estate")])
    assert not form.change.isVisible() and form.answer.isVisible()


def test_a_fuel_says_litres_and_co2_and_it_is_kept_for_the_next_session(window, form, tmp_path):
    form.drive.setCurrentIndex(form.drive.findData("diesel"))
    form.drive.activated.emit(form.drive.currentIndex())
    assert "l/100 km" in form.answer.text() and "CO₂" in form.change.text()
    window.settings.save(tmp_path / "settings.json")
    assert Settings.load(tmp_path / "settings.json").vehicle["fuel"] == "diesel"
