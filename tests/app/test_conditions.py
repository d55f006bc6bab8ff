import pytest

from data.errors import DrivAerError
from drivaer_app.conditions import Conditions


def test_force_is_dynamic_pressure_times_drag_area():
    assert Conditions(speed=40.0, density=1.2).force(0.3, 2.2) == pytest.approx(0.5 * 1.2 * 1600 * 0.3 * 2.2)


@pytest.mark.parametrize("wrong", [{"speed": 0.0}, {"density": -1.0}, {"area": float("nan")}, {"speed": float("inf")}])
def test_what_is_no_positive_number_is_refused_by_name(wrong):
    with pytest.raises(DrivAerError, match=next(iter(wrong))):
        Conditions(**wrong)
