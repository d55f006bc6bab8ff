"""Cars that do not stand true, and those of a doubtful size: what is said of them, and turning them level."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from data.formats import read_mesh
from data.frame import find_frame
from data.load import place_car
from data.mesh import RawMesh

SAMPLES = Path(__file__).resolve().parents[2] / "resources" / "samples"
NOT_TRUE = ("not level", "not aligned", "sticks out", "two sides differ", "size is doubtful", "looks the same")


@cache
def sample(name: str) -> RawMesh:
    return read_mesh(SAMPLES / f"{name}.stl")


def turned(raw: RawMesh, roll: float = 0.0, pitch: float = 0.0, yaw: float = 0.0) -> RawMesh:
    """Angles in degrees, in the samples' own axes, which are the car's."""
    return replace(raw, vertices=Rotation.from_euler("xyz", [roll, -pitch, yaw], degrees=True).apply(raw.vertices))


@pytest.mark.parametrize("name", ["estate", "fastback", "notchback"])
def test_a_car_that_stands_true_has_none_of_the_warnings(name):
    assert not [w for w in find_frame(sample(name)).warnings if any(words in w for words in NOT_TRUE)]


@pytest.mark.parametrize(("angles", "said"), [
    ({"roll": 3.0}, "rolled by 3.0 degrees"),
    ({"roll": -1.0}, "rolled by 1.0 degrees"),
    ({"roll": 8.0, "yaw": 3.0}, "rolled by 8.0 degrees"),
    ({"pitch": 2.5}, "pitched by 2.5 degrees"),
    ({"yaw": -2.0}, "turned by 2.0 degrees"),
])  # fmt: skip
def test_a_tilt_is_said_in_degrees_and_nothing_untrue_beside_it(angles, said):
    warnings = find_frame(turned(sample("fastback"), **angles)).warnings
    assert any(said in w for w in warnings)
    assert not any("sticks out" in w or "sides differ" in w for w in warnings)


@pytest.mark.parametrize("angles", [{"roll": 3.0}, {"roll": -2.0, "pitch": 1.5, "yaw": 4.0}])
def test_a_tilted_car_is_turned_level_on_request(angles):
    level = find_frame(sample("fastback"), level=True)
    tilted = turned(sample("fastback"), **angles)
    frame = find_frame(tilted, level=True)
    straight = level.to_car(sample("fastback").vertices)
    np.testing.assert_allclose(frame.to_car(tilted.vertices), straight, atol=4e-3)
    assert any("turned level" in w for w in frame.warnings)
    np.testing.assert_allclose(frame.to_file(frame.to_car(tilted.vertices)), tilted.vertices, atol=1e-9)
    vectors = np.eye(3)
    np.testing.assert_allclose(frame.vectors_to_file(frame.vectors_to_car(vectors)), vectors, atol=1e-12)


@pytest.mark.parametrize("scale", [1.0 / 18.0, 1.0 / 24.0])
def test_a_toy_in_millimetres_without_a_unit_is_a_doubt(scale):
    toy = replace(sample("estate"), vertices=sample("estate").vertices * 1000.0 * scale)
    frame = find_frame(toy)
    assert frame.confidence < 0.7 and any("--units" in w for w in frame.warnings)
    assert not any("--units" in w for w in find_frame(toy, unit="mm", up="z", forward="-x").warnings if "looks" in w)


def test_a_car_too_large_in_everything_is_doubted_though_no_measure_alone_is():
    large = replace(sample("estate"), vertices=sample("estate").vertices * 1.39)
    frame = find_frame(large)
    assert frame.confidence < 0.6 and any("size is doubtful" in w and "wheels" in w for w in frame.warnings)


def test_a_levelled_car_has_the_area_of_the_straight_one():
    straight, level = (place_car(raw, level=wanted) for raw, wanted in (
        (sample("notchback"), False), (turned(sample("notchback"), roll=3.0), True)))  # fmt: skip
    assert level.frontal_area == pytest.approx(straight.frontal_area, rel=2e-3)
