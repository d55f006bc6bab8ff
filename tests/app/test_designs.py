"""Seeded designs: even over the space, the same whoever asks for them, and cars every one."""

from __future__ import annotations

import numpy as np
import pytest

from data.errors import DrivAerError
from drivaer_app.shapes.designs import SPAN, design, handle_values
from drivaer_app.shapes.handles import HANDLES
from drivaer_app.shapes.parameters import RANGES, STYLES, CarParameters


def test_styles_take_turns():
    assert [design(i).style for i in range(12)] == [*STYLES, *STYLES]


def test_a_design_is_the_same_whoever_asks_for_it_first():
    alone = design(700)
    assert [design(i) for i in (3, 700, 5)][1] == alone
    assert design(700, seed=1) != alone


def test_designs_lie_around_their_style_and_all_differ():
    designs = [design(i) for i in range(60)]
    assert len({car.length for car in designs}) == 60
    for car in designs:
        base = CarParameters.for_style(car.style)
        for name, (low, high) in RANGES.items():
            assert abs(getattr(car, name) - getattr(base, name)) <= SPAN * (high - low) + 1e-4


def test_designs_fill_both_sides_of_every_parameter():
    base = CarParameters.for_style("fastback")
    fastbacks = [design(6 * k) for k in range(32)]
    for name in ("length", "width", "height", "bonnet_length", "tumblehome_deg"):
        longer = np.mean([getattr(car, name) > getattr(base, name) for car in fastbacks])
        assert 0.3 < longer < 0.7, name


def test_handle_values_fill_their_ranges_evenly():
    drawn = [handle_values(i, HANDLES, share=1.0) for i in range(128)]
    for name, handle in HANDLES.items():
        values = np.array([values[name] for values in drawn])
        assert values.min() < handle.neutral + 0.9 * (handle.low - handle.neutral)
        assert values.max() > handle.neutral + 0.9 * (handle.high - handle.neutral)
        assert (values > handle.neutral).mean() == pytest.approx(0.5, abs=0.05)


def test_negative_design_is_refused():
    with pytest.raises(DrivAerError, match="-1"):
        design(-1)
