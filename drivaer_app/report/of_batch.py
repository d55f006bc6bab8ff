"""A report of a batch: what its store holds, with nothing predicted again."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from drivaer_app.batch.store import Batch, StoredCar
from drivaer_app.batch.work import PICTURE, VIEW
from drivaer_app.report.car import ReportCar
from drivaer_app.report.content import Content, arranged, compared, find_car, reading_in_words
from drivaer_app.report.options import N_DETAILS
from drivaer_app.report.texts import printable


def content_of_batch(
    batch: Batch, *, baseline: str | None = None, details: Sequence[str] | int = N_DETAILS, title: str = ""
) -> Content:
    """What to report of a batch. Raises DrivAerError for a name that no car or more than one has.

    baseline: a car's name or file, instead of the batch's own. details: names, or how many from the top.
    """
    cars = [_car(name, car, batch.model.digest) for name, car in zip(_names(batch), batch.cars, strict=True)]
    base = find_car(cars, baseline) if baseline else _baseline_of(cars, batch.baseline)
    source = (("How files were read", reading_in_words(batch.settings.reading)), ("Batch started", batch.started))
    return arranged(
        compared(cars, base),
        batch.settings,
        batch.model,
        source,
        details=details,
        title=title,
        started=batch.started,
    )


def _car(name: str, car: StoredCar, model_digest: str) -> ReportCar:
    return ReportCar(
        name=name,
        file=car.file,
        checksum=car.checksum,
        result=car.result,
        record=car.record,
        error=printable(car.error),
        drag=car.drag_along,
        picture=_there(car, PICTURE),
        thinned=_there(car, VIEW),
        parameters=car.parameters,
        predicted=car.predicted,
        version=car.version,
        model_digest=model_digest,
    )


def _there(car: StoredCar, name: str) -> Path | None:
    file = car.kept.get(name)
    return file if file is not None and file.is_file() else None


def _names(batch: Batch) -> list[str]:
    """Of each car its path below the folder that all have in common, or the whole one where two would be alike."""
    files = [str(car.file) for car in batch.cars]
    common = _common_folder(files)
    names = [printable(os.path.relpath(file, common) if common else file) for file in files]
    taken = Counter(names)
    return [printable(file) if taken[name] > 1 else name for file, name in zip(files, names, strict=True)]


def _common_folder(files: Sequence[str]) -> str:
    try:
        return os.path.commonpath([os.path.dirname(file) for file in files]) if files else ""
    except ValueError:  # on different drives
        return ""


def _baseline_of(cars: Sequence[ReportCar], file: Path | None) -> ReportCar | None:
    return next((car for car in cars if file is not None and car.file == file), None)
