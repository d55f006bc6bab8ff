"""No absurd number leaves the program as a result."""

from __future__ import annotations

from dataclasses import replace

import pytest

from data.errors import DrivAerError
from data.load import load_car
from drivaer_app.conditions import Conditions
from drivaer_app.plausible import check_car, check_drag, drag_doubts


@pytest.fixture(scope="module")
def car(sample_file):
    return load_car(sample_file)


@pytest.mark.parametrize("cd", [80.0, 1.6, 0.02, -0.3, float("nan"), float("inf")])
def test_a_drag_coefficient_that_no_vehicle_has_is_an_error(car, cd):
    with pytest.raises(DrivAerError, match="a road vehicle has 0.05 to 1.5"):
        check_drag(cd, car)


@pytest.mark.parametrize("cd", [0.15, 0.3, 0.8, 1.2])
def test_drag_from_a_record_car_to_a_lorry_passes(car, cd):
    check_drag(cd, car)


@pytest.mark.parametrize("area", [0.0005, 60.0, float("nan")])
def test_an_area_that_no_vehicle_has_is_an_error(car, area):
    with pytest.raises(DrivAerError, match="frontal area"):
        check_car(replace(car, frontal_area=area), Conditions())


def test_a_given_area_that_no_vehicle_has_is_an_error(car):
    with pytest.raises(DrivAerError, match="given area 2e\\+06 m²"):
        check_car(car, Conditions(area=2e6))


def test_a_reading_without_a_confidence_is_an_error(car):
    with pytest.raises(DrivAerError, match="cannot be worked out"):
        check_car(replace(car, frame=replace(car.frame, confidence=float("nan"))), Conditions())


def test_a_wind_beyond_all_numbers_is_an_error():
    with pytest.raises(DrivAerError, match="no force is a number"):
        Conditions(speed=1e200)


def test_weights_from_elsewhere_are_doubted_rather_than_refused():
    assert "trained?" in drag_doubts(-0.45)[0]
    assert drag_doubts(0.3) == []
    with pytest.raises(DrivAerError, match="no number"):
        drag_doubts(float("nan"))


def test_the_sample_car_passes(car):
    check_car(car, Conditions())
