"""Designs: which handle values a family's design number i has."""

from __future__ import annotations

import numpy as np
import pytest

from data.corpora.morphed_families import Handles
from drivaer_app.corpus.designs import _DIMENSIONS, design_values
from drivaer_app.shapes.handles import HANDLES


@pytest.fixture(scope="module")
def handles() -> Handles:
    """Those of a car of usual size."""
    every = [HANDLES[name] for name in HANDLES]
    values = np.array([[h.low, h.high] for h in every])
    neutral = np.array([h.neutral for h in every])
    names, units = tuple(HANDLES), tuple(h.unit for h in every)
    return Handles(names, units, neutral, values, values, np.zeros(len(every), int), np.arange(len(every)))


def test_a_design_is_the_same_for_ever(handles):
    values = design_values(0, "fastback", handles, 7, 0.85)
    assert (values["length"], values["backlight_angle"], values["mirror_scale"]) == (0.07027, 5.23783, 1.01099)


def test_every_handle_takes_part(handles):
    assert set(design_values(0, "fastback", handles, 0, 0.85)) == set(HANDLES) == set(_DIMENSIONS)


@pytest.mark.parametrize("other", [(1, "fastback", 7), (0, "estate", 7), (0, "fastback", 8)])
def test_another_seed_family_or_number_is_another_design(handles, other):
    seed, family, number = other
    assert design_values(seed, family, handles, number, 0.85) != design_values(0, "fastback", handles, 7, 0.85)


def test_designs_stay_within_their_share_of_the_ranges(handles):
    for number in range(64):
        for name, value in design_values(0, "suv", handles, number, 0.5).items():
            handle = HANDLES[name]
            low, high = (handle.neutral + 0.5 * (end - handle.neutral) for end in (handle.low, handle.high))
            assert low - 1e-5 <= value <= high + 1e-5, name


def test_designs_fill_the_space_evenly(handles):
    drawn = [design_values(0, "van", handles, number, 0.85) for number in range(64)]
    for name in HANDLES:
        values = np.array([values[name] for values in drawn])
        counts, _ = np.histogram(values, bins=8)
        assert counts.min() >= 6 and counts.max() <= 10, name
