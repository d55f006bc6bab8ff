import numpy as np
import pytest

from gnn.calibration import conformal_half_width, leave_one_out_coverage


def test_interval_covers_new_designs_as_often_as_it_promises():
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(2000):
        errors = rng.standard_t(3, size=25)
        covered.append(abs(errors[-1]) <= conformal_half_width(errors[:-1], 0.9))
    assert 0.89 <= np.mean(covered) <= 0.94


def test_half_width_is_an_error_that_was_seen():
    assert conformal_half_width(np.array([0.1, -0.9, 0.2, 0.3, 0.4, -0.5, 0.6, 0.7, 0.8]), 0.9) == 0.9


def test_too_few_designs_are_refused():
    with pytest.raises(ValueError, match="8 designs cannot calibrate a 90% interval"):
        conformal_half_width(np.ones(8), 0.9)


def test_leave_one_out_coverage_does_not_flatter():
    errors = np.array([1.0] * 18 + [5.0, 6.0])
    assert leave_one_out_coverage(errors, 0.9) == pytest.approx(0.9)
    assert np.mean(errors <= conformal_half_width(errors, 0.9)) == pytest.approx(0.95)
