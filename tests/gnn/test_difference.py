"""Intervals of differences: they hold for designs that were not in the fit, and are as wide as they have to be."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gnn.difference import DifferenceLaw, left_out_coverage
from gnn.model_config import ModelConfig

MODEL = Path(__file__).resolve().parents[2] / "resources" / "models" / "drivaer"


def designs(n: int, seed: int, spread: float = 0.005):
    """Predicted and true Cd of n designs; the network errs by ``spread`` and a part that all designs share."""
    rng = np.random.default_rng(seed)
    true = rng.normal(0.32, 0.02, n)
    return true + 0.01 + rng.normal(0, spread, n), true


def test_an_error_that_all_designs_share_leaves_the_difference():
    predicted, true = designs(400, 0, spread=1e-9)
    law = DifferenceLaw.fit(predicted, true)
    assert law.half_width(0.02) < 1e-6


def test_the_width_is_the_quantile_of_the_pairs_errors():
    predicted, true = designs(400, 1)
    law = DifferenceLaw.fit(predicted, true)
    assert law.half_width(0.02) == pytest.approx(1.645 * np.sqrt(2) * 0.005, rel=0.15)


def test_new_designs_are_covered_as_often_as_promised():
    fitted, new = designs(60, 2), designs(300, 3)
    assert DifferenceLaw.fit(*fitted).covered(*new).mean() == pytest.approx(0.9, abs=0.05)
    assert left_out_coverage(*fitted) == pytest.approx(0.9, abs=0.05)


def test_large_differences_are_less_certain_where_the_network_errs_by_a_share_of_them():
    rng = np.random.default_rng(4)
    true = rng.normal(0.32, 0.03, 200)
    predicted = 0.32 + (true - 0.32) * 0.6 + rng.normal(0, 0.002, 200)
    law = DifferenceLaw.fit(predicted, true)
    assert law.slope > 0.3 and law.half_width(0.1) > 2 * law.half_width(0.0)


def test_too_few_designs_calibrate_nothing():
    with pytest.raises(ValueError, match="8 designs cannot"):
        DifferenceLaw.fit(*designs(8, 5))


def test_a_model_that_was_not_calibrated_has_no_law():
    assert ModelConfig("m", "cars").difference_law() is None
    law = DifferenceLaw(0.9, 0.01, 0.2, 63)
    assert ModelConfig("m", "cars", difference=law).difference_law() == law


def test_cars_that_no_template_fits_have_a_law_of_their_own_where_there_is_one():
    law, other = DifferenceLaw(0.9, 0.01, 0.2, 63), DifferenceLaw(0.9, 0.02, 0.0, 42)
    config = ModelConfig("m", "cars", difference=law)
    assert config.difference_law(on_template=False) == law
    config = replace(config, difference_off_template=other)
    assert config.difference_law(on_template=False) == other and config.difference_law() == law


def test_the_bundled_models_law_is_the_one_that_its_held_out_designs_give():
    metrics = json.loads((MODEL / "metrics.json").read_text("utf-8"))
    predicted, true = (np.array([d[k] for d in metrics["designs"]]) for k in ("predicted", "cd"))
    law = ModelConfig.read(MODEL).difference_law()
    fitted = DifferenceLaw.fit(predicted, true)
    assert (law.base, law.slope) == pytest.approx((fitted.base, fitted.slope), rel=1e-6)
