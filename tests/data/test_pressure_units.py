"""The unit of a pressure, from what comes to rest at the nose."""

from __future__ import annotations

import numpy as np
import pytest

from data.corpora.pressure import COEFFICIENT, KINEMATIC, PASCAL, unit_of

DYNAMIC = {COEFFICIENT: 1.0, KINEMATIC: 800.0, PASCAL: 980.0}


@pytest.mark.parametrize(
    ("name", "highest", "unit"),
    [
        ("p", 1.0, COEFFICIENT),
        ("p", 810.0, KINEMATIC),
        ("p", 960.0, PASCAL),
        ("p", 900.0, PASCAL),
        ("p", 5000.0, None),
        ("Cp", 5000.0, COEFFICIENT),
    ],
)
def test_the_unit_is_the_one_in_which_the_flow_comes_to_rest(name, highest, unit):
    assert unit_of(name, np.array([highest, 0.0, -highest]), DYNAMIC) == unit


def test_a_few_wrong_cells_do_not_change_the_unit():
    values = np.append(np.linspace(-300.0, 800.0, 20_000), [9e5])
    assert unit_of("p", values, DYNAMIC) == KINEMATIC
