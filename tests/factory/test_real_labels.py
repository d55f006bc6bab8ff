"""Labels of the real car: levels from the tunnel, effects from DrivAerML, a share of all else from our CFD."""

from __future__ import annotations

import numpy as np
import pytest

from data.corpora import wind_tunnel
from factory.published_effects import Effect
from factory.real_labels import SHARE_OF_IDLE, SHARE_OF_REST, WIDTH_SHARE, Variants, levels, measured, slopes
from factory.real_step import prediction_half_width

COUNT = 0.001


def variants(body: str, floor: str, cd: float, is_measured: bool = False) -> Variants:
    one = np.ones(1)
    return Variants(body, floor, np.zeros((1, 2)), np.zeros((1, 1)), 2.2 * one, cd * one, is_measured)


GROUPS = [
    variants("fastback", "detailed", 0.300, True),
    variants("fastback", "closed", 0.275, True),
    variants("estate", "detailed", 0.330, True),
    variants("notchback", "detailed", 0.298, True),
    variants("estate", "detailed", 0.315),
    variants("estate", "closed", 0.306),
    variants("suv", "own", 0.320),
]


def test_a_measured_car_has_what_was_measured():
    found = levels(GROUPS)
    assert found[0] == measured("fastback", "detailed") == 0.275
    assert (
        found[1] == measured("fastback", "closed") == pytest.approx(np.mean(wind_tunnel.DRIVAER["fastback", "smooth"]))
    )


def test_another_car_of_its_body_is_corrected_as_the_measured_one_is():
    assert levels(GROUPS)[4] == pytest.approx(0.315 + 0.319 - 0.330)


def test_a_body_that_no_tunnel_knows_is_corrected_as_they_are_on_average():
    typical = np.mean([0.275 - 0.300, 0.319 - 0.330, 0.277 - 0.298])
    assert levels(GROUPS)[6] == pytest.approx(0.320 + typical)


def test_closing_the_floor_of_an_unmeasured_car_does_what_it_did_in_the_tunnel():
    found = levels(GROUPS)
    change = measured("estate", "closed") - measured("estate", "detailed")
    assert found[5] == pytest.approx(found[4] + change)
    assert change < -0.02


def test_what_is_left_out_is_not_used():
    """Not its level, not its floor's effect, and not in the mean of all."""
    found = levels(GROUPS, left_out=frozenset({("fastback", "detailed"), ("fastback", "closed")}))
    typical = np.mean([0.319 - 0.330, 0.277 - 0.298])
    assert found[0] == pytest.approx(0.300 + typical)
    closing = np.mean([measured(b, "closed") - measured(b, "detailed") for b in ("estate", "notchback")])
    assert found[1] == pytest.approx(found[0] + closing)


def test_a_car_left_out_alone_is_told_from_its_other_floor():
    found = levels(GROUPS, left_out=frozenset({("fastback", "detailed")}))
    closing = np.mean([measured(b, "closed") - measured(b, "detailed") for b in ("estate", "notchback")])
    assert found[0] == pytest.approx(measured("fastback", "closed") - closing)
    assert found[1] == measured("fastback", "closed")


def test_secure_parameters_do_what_drivaerml_says_and_of_the_rest_a_share_is_kept():
    """Our CFD makes four times too much of a secure parameter, something of an idle one, and something of neither."""
    rng = np.random.default_rng(0)
    secure, idle, other = rng.uniform(-50, 50, 400), rng.uniform(-1, 1, 400), rng.uniform(-1, 1, 400)
    secure[0] = idle[0] = other[0] = 0.0
    areas = np.full(400, 2.2)
    cd_rans = 0.30 + (4e-4 * secure + 0.01 * idle + 0.02 * other) / 2.2
    group = Variants("suv", "own", secure[:, None], idle[:, None], areas, cd_rans)
    found = group.labels(0.28, np.array([1e-4]))
    kept = SHARE_OF_IDLE * 0.01 * idle + SHARE_OF_REST * 0.02 * other
    assert found == pytest.approx(0.28 + (1e-4 * secure + kept) / 2.2, abs=1e-3)


def test_width_lies_between_the_two_readings_of_its_table():
    effects = {"Vehicle_Width": Effect(0.38, 0.01, -100, 100), "Hood_Angle": Effect(0.001, 0.01, -50, 50)}
    assert slopes(effects) == pytest.approx([0.38 * WIDTH_SHARE * COUNT * 2.17])
    assert 0.5 < WIDTH_SHARE < 1


def test_few_errors_make_a_wider_interval_than_many_of_their_size():
    few, many = (prediction_half_width(np.tile([0.01, -0.01], n)) for n in (3, 500))
    assert few > 1.2 * many
    assert many == pytest.approx(0.01645, rel=0.01)
