"""A shape is looked at in a size that the model knows, so its drag does not depend on its scale."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from data.load import load_car, sample_car
from data.mesh import SurfaceSample
from gnn.surrogate import Surrogate

ROOT = Path(__file__).resolve().parents[2] / "resources"


@cache
def surrogate() -> Surrogate:
    return Surrogate.load(ROOT / "models" / "drivaer", "cpu")


@cache
def car() -> SurfaceSample:
    return sample_car(load_car(ROOT / "samples" / "estate.stl"))


def at(scale: float) -> SurfaceSample:
    return replace(car(), points=(car().points * scale).astype(np.float32), areas=car().areas * np.float32(scale**2))


def test_a_car_of_a_size_that_was_learnt_from_stays_as_it_is():
    assert surrogate().frame_of(car()).scale == 1.0


@pytest.mark.parametrize("scale", [0.75, 1.36])
def test_scales_far_from_what_was_learnt_have_one_drag_near_the_cars_own_and_say_what_is_not_modelled(scale):
    frame = surrogate().frame_of(at(scale))
    assert frame.scale * scale == pytest.approx(surrogate().frame_of(at(0.9)).scale * 0.9, rel=1e-3)
    assert surrogate().cd(at(scale)) == pytest.approx(surrogate().cd(at(0.9)), abs=1e-3)
    assert surrogate().cd(at(scale)) == pytest.approx(surrogate().cd(car()), abs=7e-3)
    assert "Reynolds" in frame.warnings[0]
