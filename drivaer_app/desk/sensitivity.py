"""The sensitivity of a car's drag on its drawn points, for a viewport."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from drivaer_app.desk.morphing import Values
from drivaer_app.drawn_car import DrawnCar
from drivaer_app.fields import spread
from drivaer_app.predict import Reading, load, predictor_of
from drivaer_app.results import COUNT
from gnn.sensitivity import Sensitivity

UNIT = "counts / (cm · dm²)"
"""Counts of drag that a push outwards by 1 cm of a piece of surface of 1 dm² adds."""
_IN_UNIT = 0.01 * 0.01 / COUNT


def sensitivity_on(file: Path, reading: Reading, model: str | None, values: Values, drawn: DrawnCar) -> np.ndarray:
    """(P,) float32 in UNIT on a drawn car's points, NaN where the flow does not see them.

    file, reading, values: of the car that was drawn. Raises DrivAerError.
    """
    found = sensitivity_of(file, reading, model, values)
    density = (found.density * _IN_UNIT).astype(np.float32)[:, None]
    normals = found.normals.astype(np.float32)
    on_points, seen = spread(found.points, normals, density, drawn.points, drawn.normals)
    return np.where(seen & drawn.exposed, on_points[:, 0], np.float32(np.nan))


@lru_cache(maxsize=4)
def sensitivity_of(file: Path, reading: Reading, model: str | None, values: Values = ()) -> Sensitivity:
    """Of a mesh file, bent by handles' values. Raises DrivAerError."""
    car = load(file, reading)
    if values:
        from drivaer_app.shapes.morph import Morph

        car = Morph.of(car).apply(dict(values))
    predictor = predictor_of(model)
    return predictor.sensitivity(predictor.sample(car))
