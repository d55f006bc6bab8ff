"""A batch opened as a study: its cars as variants that need not be predicted again."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from drivaer_app.batch.store import Batch, StoredCar
from drivaer_app.batch.work import PICTURE
from drivaer_app.desk.examine import THUMBNAIL_SIZE
from drivaer_app.desk.study_file import SavedStudy, SavedVariant
from drivaer_app.desk.study_state import StudyState, Variant
from drivaer_app.report.of_batch import content_of_batch


def study_of_batch(batch: Batch, baseline: str | None = None, most: int | None = None) -> SavedStudy:
    """The predicted cars in the order of their Cd, with results, baseline and conditions.

    baseline: a car's name or file, instead of the batch's own; without either the first car is it, as in any study.
    most: how many cars, besides the baseline. Thumbnails are those of the batch's pictures. Raises DrivAerError for a
    baseline that is not there.
    """
    settings, stored = batch.settings, {car.file: car for car in batch.cars}
    cars = content_of_batch(batch, baseline=baseline, details=0).predicted
    cars = [car for number, car in enumerate(cars) if most is None or number < most or car.is_baseline]
    variants = [Variant.of_file(car.file, car.name, settings.reading) for car in cars]
    chosen = next((v.key for v, car in zip(variants, cars, strict=True) if car.is_baseline), None)
    first = variants[0].key if variants else None
    state = StudyState(tuple(variants), chosen or first, settings.conditions, settings.model)
    kept = {v.key: _kept(stored[car.file]) for v, car in zip(variants, cars, strict=True)}
    return SavedStudy(state, kept)


def _kept(car: StoredCar) -> SavedVariant:
    return SavedVariant(car.measured, None, _thumbnail(car.kept.get(PICTURE)))


def _thumbnail(picture: Path | None) -> np.ndarray | None:
    """The first of the four views, small."""
    from PIL import Image

    from drivaer_app.pictures.picture import HEADER, PANEL

    if picture is None or not picture.is_file():
        return None
    view = Image.open(picture).convert("RGB").crop((0, HEADER, PANEL[0], HEADER + PANEL[1]))
    return np.asarray(view.resize(THUMBNAIL_SIZE))
