"""One car of a batch, worked out in whichever process: everything that is kept of it, as plain data."""

from __future__ import annotations

import io
import logging
import tempfile
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import DrivAerError, MeshError, ModelError
from drivaer_app.conditions import Conditions
from drivaer_app.prediction_settings import ModelIdentity, PredictionSettings

if TYPE_CHECKING:
    from data.car import CarMesh
    from drivaer_app.predict import Prediction

_log = logging.getLogger(__name__)

FIELDS, PICTURE, VIEW = "fields", "picture", "view"
SUFFIXES = {FIELDS: ".vtp", PICTURE: ".png", VIEW: ".npz"}


@dataclass(frozen=True)
class Task:
    """file: absolute. known: checksum of a mesh that needs no work. wants: of FIELDS, PICTURE, VIEW.

    content: the file's bytes, for a worker that does not see the file.
    """

    file: str
    settings: PredictionSettings
    known: str | None = None
    wants: tuple[str, ...] = ()
    content: bytes | None = None


@dataclass(frozen=True, eq=False)
class CarOutcome:
    """What became of a task. record: the JSON of the prediction contract. result: drivaer_app.results.Result as JSON,
    on the measured area.

    drag_along: (3, S) float32, x and Cd from pressure and friction ahead of it, as bytes; None without fields.
    kept: content of the files that were wanted. error: one line, where there is no result.
    unchanged: the mesh is the one that was known, and nothing was worked out.
    """

    file: str
    checksum: str | None = None
    record: dict[str, Any] | None = None
    result: dict[str, Any] | None = None
    drag_along: bytes | None = None
    kept: dict[str, bytes] = field(default_factory=dict)
    error: str = ""
    unchanged: bool = False


@dataclass(frozen=True, eq=False)
class _Read:
    """A mesh that was read. car: None where it is the known one."""

    checksum: str
    car: CarMesh | None
    seconds: float


# The next mesh is read while the networks work on this one.
_reader = ThreadPoolExecutor(1)
_ahead: dict[Task, Future[_Read]] = {}


def work(task: Task, ahead: Task | None = None) -> CarOutcome:
    """Predict one car. ahead: what this process will be asked next, to be read meanwhile.

    A failure of the car is an outcome; raises ModelError where the model itself cannot be used.
    """
    waiting = _ahead.pop(task, None)
    _ahead.clear()
    if ahead is not None:
        _ahead[ahead] = _reader.submit(_read, ahead)
    try:
        read = waiting.result() if waiting else _read(task)
        if read.car is None:
            return CarOutcome(task.file, read.checksum, unchanged=True)
        return _predicted(task, read)
    except ModelError:
        raise
    except DrivAerError as error:
        return CarOutcome(task.file, error=error.line)
    except MemoryError:
        return CarOutcome(task.file, error=f"{task.file}: there is not enough memory for it; give a coarser mesh")
    except Exception as error:
        from drivaer_app.log import log_bug

        return CarOutcome(task.file, error=f"{task.file}: {log_bug(_log, error)}")


def _predictor(settings: PredictionSettings):
    from drivaer_app.predict import predictor_of

    return predictor_of(settings.model, settings.device)


def check_model(settings: PredictionSettings) -> None:
    """Raises ModelError where this machine's model is another than the batch is meant for."""
    identity = ModelIdentity.of(settings.model)
    if identity.digest != settings.model_digest:
        what = f"the model {identity.name} on this machine is another than the batch was started with"
        raise ModelError(what, fix="install the same version of drivaer on all machines")


def _read(task: Task) -> _Read:
    if task.content is None:
        return _read_file(task, Path(task.file))
    with tempfile.TemporaryDirectory() as folder:
        # The suffix tells the format. A name of another system's making, or 300 characters long, stays where it is.
        copy = Path(folder, "mesh" + "".join(Path(task.file).suffixes[-2:]))
        copy.write_bytes(task.content)
        try:
            return _read_file(task, copy)
        except MeshError as error:
            raise MeshError(error.what, file=task.file, fix=error.fix) from error


def _read_file(task: Task, file: Path) -> _Read:
    from drivaer_app.files import checksum_of
    from drivaer_app.predict import load

    started = time.perf_counter()
    checksum = checksum_of(file)
    car = None if checksum == task.known else load(file, task.settings.reading)
    return _Read(checksum, car, time.perf_counter() - started)


def _predicted(task: Task, read: _Read) -> CarOutcome:
    from drivaer_app.results import Result

    predictor = _predictor(task.settings)
    prediction = predictor.predict(read.car, task.settings.conditions)
    prediction = replace(prediction, seconds={**prediction.seconds, "load": read.seconds})
    started = time.perf_counter()
    along = _drag_along(prediction)
    kept = {name: _KEEPERS[name](prediction, Path(task.file).name) for name in task.wants if prediction.surface}
    spent = {"kept": time.perf_counter() - started} if kept else {}
    result = Result.of(prediction, read.checksum).on(Conditions(area=prediction.car.frontal_area))
    return CarOutcome(task.file, read.checksum, prediction.record(spent), result.to_json(), drag_along=along, kept=kept)


def _drag_along(prediction: Prediction) -> bytes | None:
    import numpy as np

    from drivaer_app.drag_along import drag_along

    along = drag_along(prediction)
    if along is None:
        return None
    return np.stack([along.x, along.pressure, along.friction]).astype("<f4").tobytes()


def _fields(prediction: Prediction, name: str) -> bytes:
    from drivaer_app.field_files import write_fields

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "fields" + SUFFIXES[FIELDS])
        write_fields(path, prediction.file_fields)
        return path.read_bytes()


def _picture(prediction: Prediction, name: str) -> bytes:
    from drivaer_app.pictures.picture import draw

    stream = io.BytesIO()
    draw(prediction, name).save(stream, format="PNG")
    return stream.getvalue()


def _view(prediction: Prediction, name: str) -> bytes:
    from drivaer_app.pictures.picture import drawn_surface
    from drivaer_app.pictures.thinned_car import thinned_car

    return thinned_car(drawn_surface(prediction)).to_bytes()


_KEEPERS = {FIELDS: _fields, PICTURE: _picture, VIEW: _view}
