"""Cars bent by the program's own handles, as the drag network learns them."""

from __future__ import annotations

import numpy as np
import pytest

from data.load import load_car
from drivaer_app.paths import RESOURCES
from factory.handle_designs import BendableCar, HandleShape, random_handle_shapes
from factory.real_labels import parameters_of_handles


@pytest.fixture(scope="module")
def car() -> BendableCar:
    return BendableCar(load_car(RESOURCES / "samples" / "estate.stl"))


def top(shape: HandleShape) -> float:
    return float(np.quantile(shape.draw(8192, np.random.default_rng(0)).points[:, 2], 0.999))


def test_a_handle_moves_the_points_as_it_moves_the_mesh(car):
    assert top(HandleShape(car, {"roof_height": 0.05})) - top(HandleShape(car, {})) == pytest.approx(0.05, abs=0.01)


def test_the_unbent_car_comes_first_and_every_handle_is_moved_alone(car):
    shapes = random_handle_shapes(car, 5, seed=1)
    assert shapes[0].values == {}
    alone = [set(shape.values) for shape in shapes[1:-5]]
    assert all(len(names) == 1 for names in alone)
    assert set().union(*alone) == set(car.morph.handles)
    assert [s.values for s in shapes] == [s.values for s in random_handle_shapes(car, 5, seed=1)]


def test_handles_stand_for_drivaermls_parameters_in_mm(car):
    shape = HandleShape(car, {"width": 0.02, "boat_tail": 3.0})
    units = {name: handle.unit for name, handle in car.morph.handles.items()}
    names = ["Vehicle_Width", "Rearend_tapering", "Vehicle_Ride_Height"]
    width, tapering, ride = parameters_of_handles(shape.values, shape.values, units, shape.furthest, names)
    assert width == pytest.approx(20.0)
    assert -200 < tapering < -5
    assert ride == 0.0
