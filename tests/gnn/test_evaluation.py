import numpy as np
import pytest

from gnn.evaluation import coefficient_metrics, relative_l2


def test_metrics_of_a_known_error():
    true = np.array([0.28, 0.30, 0.32, 0.34])
    metrics = coefficient_metrics(true + [0.01, -0.01, 0.01, -0.01], true)
    assert metrics["mae"] == pytest.approx(0.01)
    assert metrics["mse"] == pytest.approx(1e-4)
    assert metrics["max_error"] == pytest.approx(0.01)
    assert metrics["r2"] == pytest.approx(1 - 4e-4 / 2e-3)
    assert metrics["rank_correlation"] == pytest.approx(0.8, abs=0.21)
    assert metrics["n"] == 4


def test_predicting_the_mean_has_no_r2():
    true = np.array([0.2, 0.3, 0.4])
    assert coefficient_metrics(np.full(3, 0.3), true)["r2"] == pytest.approx(0.0)


def test_relative_l2_weighs_by_area_and_sums_components():
    true = np.array([[3.0, 4.0, 0.0], [0.0, 0.0, 5.0]])
    wrong_twice = true + [[0.0, 0.0, 1.0], [0.0, 2.0, 0.0]]
    assert relative_l2(wrong_twice, true, np.array([1.0, 0.0])) == pytest.approx(0.2)
    assert relative_l2(wrong_twice, true, np.array([0.0, 1.0])) == pytest.approx(0.4)
