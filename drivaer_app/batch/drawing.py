"""Pictures of a batch's cars, drawn later where the batch kept none."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from drivaer_app.batch import local
from drivaer_app.batch.run import BatchPlan, Tally, run
from drivaer_app.batch.store import Batch, Store, StoredCar
from drivaer_app.batch.work import PICTURE, VIEW, CarOutcome
from drivaer_app.files import checksum_of
from drivaer_app.prediction_settings import ModelIdentity


def draw_missing(
    store: Store, batch: Batch, files: Iterable[Path], on_done: Callable[[Tally, CarOutcome], None] = lambda *_: None
) -> Batch:
    """The batch with pictures and thinned cars of these files, as far as they are still there and the same.

    A mesh that is gone, or a model that is another one by now, leaves the store as it is: its results stand.
    """
    asked = set(files)
    cars = [car for car in batch.cars if car.file in asked and car.result is not None]
    wanting = [car for car in cars if not _is_drawn(car) and _is_same(car)]
    if not wanting or ModelIdentity.of(batch.settings.model).digest != batch.model.digest:
        return batch
    plan = BatchPlan.of([car.file for car in wanting], batch.settings, batch.model, wants=(PICTURE, VIEW))
    plan = plan.with_parameters({car.file: car.parameters for car in wanting})
    n_workers = min(local.available_cores(), len(wanting))
    run(plan, store, lambda tasks: local.outcomes(tasks, n_workers), on_done, note=False)
    return store.batch(batch.settings)


def _is_drawn(car: StoredCar) -> bool:
    return all(name in car.kept and car.kept[name].is_file() for name in (PICTURE, VIEW))


def _is_same(car: StoredCar) -> bool:
    return car.file.is_file() and car.drag_along is not None and checksum_of(car.file) == car.checksum
