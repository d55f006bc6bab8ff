"""The four views of a car in the sizes that reports need, and their making where a batch kept none."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from pathlib import Path

from drivaer_app.batch import local
from drivaer_app.batch.run import Plan, Tally, run
from drivaer_app.batch.store import Batch, Store, StoredCar
from drivaer_app.batch.work import PICTURE, VIEW, Outcome
from drivaer_app.pictures.picture import HEADER
from drivaer_app.prediction_settings import ModelIdentity

_WIDTH = 1100  # pixels: sharp at half a page's width, and 60 kB


def draw_missing(
    store: Store, batch: Batch, cars: Sequence[StoredCar], on_done: Callable[[Tally, Outcome], None] = lambda *_: None
) -> Batch:
    """The batch with pictures and views of these cars, as far as their meshes are still there and the same.

    A mesh that is gone, or a model that is another one by now, leaves the store as it is: its results stand.
    """
    wanting = [car for car in cars if car.result is not None and not _is_drawn(car) and _is_same(car)]
    if not wanting or ModelIdentity.of(batch.settings.model).digest != batch.model.digest:
        return batch
    plan = Plan.of([car.file for car in wanting], batch.settings, batch.model, wants=(PICTURE, VIEW))
    plan = plan.with_parameters({car.file: car.parameters for car in wanting})
    n_workers = min(local.available_cores(), len(wanting))
    run(plan, store, lambda tasks: local.outcomes(tasks, n_workers), on_done, note=False)
    return store.batch(batch.settings)


def _is_drawn(car: StoredCar) -> bool:
    return all(name in car.kept and car.kept[name].is_file() for name in (PICTURE, VIEW))


def _is_same(car: StoredCar) -> bool:
    from drivaer_app.files import checksum_of

    return car.file.is_file() and car.drag_along is not None and checksum_of(car.file) == car.checksum


def as_webp(picture: Path) -> str:
    """The views without their title, which the report sets itself, as a data URI."""
    stream = io.BytesIO()
    _views(picture).save(stream, format="WEBP", quality=82)
    return f"data:image/webp;base64,{base64.b64encode(stream.getvalue()).decode()}"


def as_jpeg(picture: Path) -> io.BytesIO:
    """The same for PDF."""
    stream = io.BytesIO()
    _views(picture).save(stream, format="JPEG", quality=88)
    stream.seek(0)
    return stream


def _views(picture: Path):
    from PIL import Image

    image = Image.open(picture).convert("RGB")
    image = image.crop((0, HEADER, image.width, image.height))
    return image.resize((_WIDTH, round(image.height * _WIDTH / image.width)))
