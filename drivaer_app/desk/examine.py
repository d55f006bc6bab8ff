"""All that a desk wants to know of one mesh file: its numbers, its fields ready to be drawn, and a thumbnail."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from drivaer_app.drag_along import DragAlong, drag_along
from drivaer_app.drawn_car import DrawnCar, drawn_car
from drivaer_app.files import checksum_of
from drivaer_app.predict import Prediction, Reading, load, predictor_of
from drivaer_app.results import Result

THUMBNAIL_SIZE = (192, 108)

Report = Callable[[float, str], None]
"""Called with the fraction done, 0..1, and what is being done."""


@dataclass(frozen=True, eq=False)
class Examined:
    """result: the numbers. drawn: the car with its fields. drag: along the car, None without fields.

    thumbnail: (height, width, 3) uint8 sRGB.
    """

    result: Result
    drawn: DrawnCar
    drag: DragAlong | None
    thumbnail: np.ndarray


def examine(
    file: Path,
    reading: Reading,
    model: str | None = None,
    values: tuple[tuple[str, float], ...] = (),
    device: str = "auto",
    report: Report = lambda *_: None,
) -> Examined:
    """Read, bend, predict and make ready to draw. values: of handles, none for the car of the file.

    Raises DrivAerError.
    """
    report(0.0, "reading")
    started = time.perf_counter()
    checksum = checksum_of(file)
    car = load(file, reading)
    if values:
        from drivaer_app.shapes.morph import Morph

        report(0.25, "bending")
        car = Morph.of(car).apply(dict(values))
    loaded = time.perf_counter() - started
    report(0.35, "predicting")
    predictor = predictor_of(model, device)
    prediction = predictor.predict(car)
    report(0.7, "fields")
    result = Result.of(prediction, checksum)
    result = replace(result, seconds={**result.seconds, "load": loaded})
    drawn = drawn_car(prediction)
    along = drag_along(prediction)
    report(0.9, "thumbnail")
    return Examined(result, drawn, along, _thumbnail(prediction, drawn))


def warm_up(model: str | None = None, device: str = "auto", report: Report = lambda *_: None) -> str:
    """Load the libraries and the model before the first car asks for them. Returns the model's name."""
    report(0.0, "loading the model")
    import open3d  # noqa: F401 - a second of loading that the first car need not wait for

    return predictor_of(model, device).model


def _thumbnail(prediction: Prediction, drawn: DrawnCar) -> np.ndarray:
    from drivaer_app.pictures.picture import drawn_surface
    from drivaer_app.pictures.raycast import Renderer, Surface, View

    if drawn.has_fields:
        surface = drawn_surface(prediction)
    else:
        surface = Surface(drawn.points, drawn.faces, np.zeros(len(drawn.points), np.float32), drawn.exposed)
    return Renderer(surface).render(View("thumbnail", 42.0, 16.0), *THUMBNAIL_SIZE)
