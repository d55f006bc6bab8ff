"""What drag costs on the road: energy, range, fuel and CO2."""

from __future__ import annotations

import numpy as np
import pytest

from data.errors import DrivAerError
from drivaer_app.energy import GRAVITY, PHASES, Vehicle, at_speed, over_wltc, wltc


def test_the_cycle_is_the_regulations():
    time, speed = wltc()
    assert len(time) == 1801
    assert round(3.6 * speed.sum(), 1) == 83758.6  # the check sum of UN GTR No. 15


@pytest.mark.parametrize(
    ("phase", "metres"), [("low", 3095), ("medium", 4756), ("high", 7162), ("extra-high", 8254), ("all", 23266)]
)
def test_phases_are_as_long_as_the_regulation_says(phase, metres):
    assert over_wltc(Vehicle(), 0.6)[phase].distance == pytest.approx(metres, abs=2)


def test_at_a_steady_speed_the_force_is_drag_and_rolling():
    vehicle = Vehicle(mass=1500, rolling_resistance=0.01, efficiency=0.8, auxiliaries=0)
    force = 0.5 * 1.2 * 0.6 * 30**2 + 1500 * GRAVITY * 0.01
    found = at_speed(vehicle, 0.6, 30.0, density=1.2)
    assert found.kwh_per_100km == pytest.approx(force / 0.8 * 1e5 / 3.6e6)
    assert found.aerodynamic / found.distance == pytest.approx(0.5 * 1.2 * 0.6 * 30**2)


def test_the_phases_add_up_to_the_cycle():
    found = over_wltc(Vehicle(), 0.6)
    for name in ("distance", "energy", "aerodynamic"):
        assert sum(getattr(found[phase], name) for phase in PHASES) == pytest.approx(getattr(found["all"], name))


def test_without_recuperation_ten_counts_cost_what_their_drag_does_while_the_car_is_driven():
    vehicle = Vehicle(recuperation=0.0, efficiency=1.0, auxiliaries=0)
    one, other = (over_wltc(vehicle, cda)["all"] for cda in (0.60, 0.62))
    drag = other.aerodynamic - one.aerodynamic
    assert 0.8 * drag < other.energy - one.energy < drag  # while braking, drag is free


def test_what_comes_back_from_braking_makes_drag_dearer():
    savings = []
    for share in (0.0, 0.6):
        vehicle = Vehicle(recuperation=share)
        savings.append(over_wltc(vehicle, 0.62)["all"].energy - over_wltc(vehicle, 0.60)["all"].energy)
    assert savings[1] > savings[0]


def test_an_electric_car_of_today_is_of_the_size_that_is_known():
    found = over_wltc(Vehicle(mass=1850, battery=57.5), 0.51)["all"]
    assert 11 < found.kwh_per_100km < 17
    assert found.range_km == pytest.approx(100 * 57.5 / found.kwh_per_100km)
    assert found.litres_per_100km is None and found.co2_g_per_km is None


def test_fuel_and_co2_of_a_petrol_car_agree_with_each_other():
    found = over_wltc(Vehicle(fuel="petrol", efficiency=0.25), 0.65)["all"]
    assert 4 < found.litres_per_100km < 9
    # 44.3 MJ/kg times 0.75 kg/l times 69.3 g/MJ: what burning a litre gives
    assert found.co2_g_per_km == pytest.approx(found.litres_per_100km / 100 * 44.3 * 0.75 * 69.3)


def test_drag_matters_most_where_it_is_fast():
    shares = {}
    for phase, found in over_wltc(Vehicle(), 0.6).items():
        shares[phase] = found.aerodynamic / found.energy
    assert list(shares.values())[:4] == sorted(list(shares.values())[:4])


@pytest.mark.parametrize(
    "wrong", [{"mass": -1}, {"efficiency": 0}, {"recuperation": 2}, {"fuel": "coal"}, {"battery": 0}, {"mass": np.nan}]
)
def test_what_no_car_has_is_one_line(wrong):
    with pytest.raises(DrivAerError):
        Vehicle(**wrong)
