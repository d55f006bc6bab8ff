"""A batch opened as a study: its cars as variants that need not be predicted again."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from drivaer_app.batch.work import PICTURE
from drivaer_app.desk.study import StudyState, Variant
from drivaer_app.desk.study_file import SavedStudy, SavedVariant
from drivaer_app.report.content import Content, ReportCar


def write_study_of(path: Path, content: Content) -> None:
    """Write it as a ``.drivaer`` file. Raises DrivAerError where it cannot be written."""
    from drivaer_app.desk.study_file import write_study

    write_study(path, study_of(content))


def study_of(content: Content, most: int | None = None) -> SavedStudy:
    """The predicted cars in the order of their Cd, with results, baseline and conditions.

    most: how many, besides the baseline.

    Thumbnails are those of the batch's pictures. Without a baseline the first car is it, as in any study.
    """
    settings = content.settings
    cars = [car for number, car in enumerate(content.predicted) if most is None or number < most or car.is_baseline]
    variants = {car: Variant.of_file(car.stored.file, car.name, settings.reading) for car in cars}
    baseline = next((variant.key for car, variant in variants.items() if car.is_baseline), None)
    first = next((variant.key for variant in variants.values()), None)
    state = StudyState(tuple(variants.values()), baseline or first, settings.conditions, settings.model)
    kept = {variant.key: SavedVariant(car.stored.measured, None, _thumbnail(car)) for car, variant in variants.items()}
    return SavedStudy(state, kept)


def _thumbnail(car: ReportCar) -> np.ndarray | None:
    """The first of the four views, small."""
    from PIL import Image

    from drivaer_app.desk.examine import THUMBNAIL_SIZE
    from drivaer_app.pictures.picture import HEADER, PANEL

    file = car.stored.kept.get(PICTURE)
    if file is None or not file.is_file():
        return None
    view = Image.open(file).convert("RGB").crop((0, HEADER, PANEL[0], HEADER + PANEL[1]))
    return np.asarray(view.resize(THUMBNAIL_SIZE))
