"""A report of a study: its results as they stand, with nothing predicted again.

A script makes one as the window does:

    report_on_study("report.pdf", StudySource.of_file("cars.drivaer"))

Only pictures need the fields, which no study keeps: those of cars whose mesh is in memory are drawn from there, the
others by reading the mesh once more, as far as it and the model are still the same.
"""

from __future__ import annotations

import io
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from data.errors import DrivAerError, MeshError
from data.replacing import replacing
from drivaer_app.batch.inputs import parameters_of
from drivaer_app.desk.model_of_study import model_of
from drivaer_app.desk.predictions import PredictionState
from drivaer_app.desk.study_source import StudySource
from drivaer_app.desk.study_state import ResultInputs, StudyState, Variant
from drivaer_app.drag_along import DragAlong
from drivaer_app.files import STUDY_SUFFIX
from drivaer_app.prediction_settings import ModelIdentity, PredictionSettings
from drivaer_app.report.brand import read_brand
from drivaer_app.report.car import ReportCar
from drivaer_app.report.content import Content, arranged, compared, find_car, reading_in_words
from drivaer_app.report.formats import format_of, write_report
from drivaer_app.report.options import ReportOptions
from drivaer_app.report.texts import printable
from drivaer_app.results import Result

if TYPE_CHECKING:
    from drivaer_app.drawn_car import DrawnCar

Call = Callable[..., Any]
"""Calls a function with arguments, here or in another process."""


@dataclass(frozen=True, eq=False)
class Drawing:
    """Of one car: the four views (PNG) and a ThinnedCar's bytes, None without fields, and its drag along x."""

    picture: bytes | None
    thinned: bytes | None
    drag: DragAlong | None


@dataclass(frozen=True, eq=False)
class DrawingFiles:
    """The same in files."""

    picture: Path | None = None
    thinned: Path | None = None
    drag: DragAlong | None = None


def report_on_study(
    path: str | Path,
    source: StudySource,
    options: ReportOptions = ReportOptions(),  # noqa: B008 - frozen
    *,
    call: Call = lambda function, *arguments: function(*arguments),
    on_progress: Callable[[float, str], None] = lambda *_: None,
) -> Content:
    """Write a report of a study in the format of the suffix. Returns what is in it. Raises DrivAerError.

    call: where drawing and writing are done; ``Engine.call`` does them in another process. on_progress: told the
    fraction done and the step; what it raises ends the work. A file of that name stays as it is until the new one is
    complete.
    """
    path = Path(path)
    if path.suffix.lower() == STUDY_SUFFIX:
        raise DrivAerError("is the study's own format", file=path, fix="save the study under that name")
    form = format_of(path, options.template)
    brand = read_brand(options.brand)
    on_progress(0.0, "collecting")
    model = _model(source)
    content = content_of_study(source, options, model)
    with tempfile.TemporaryDirectory(prefix="drivaer-") as folder:
        if form.has_pages and options.draw:
            drawings = _draw(content, source, call, on_progress)
            content = content_of_study(source, options, model, _stored(drawings, Path(folder)))
        on_progress(0.9, f"writing {path.name}")
        made = Path(folder, f"report{form.suffix}")
        call(write_report, made, content, brand, options.template)
        on_progress(0.99, f"writing {path.name}")
        with replacing(path) as unfinished:
            shutil.copyfile(made, unfinished)
    return content


def content_of_study(
    source: StudySource,
    options: ReportOptions = ReportOptions(),  # noqa: B008 - frozen
    model: ModelIdentity | None = None,
    drawings: Mapping[str, DrawingFiles] | None = None,
) -> Content:
    """What to report of a study. model: that its results are of, found where it is not given. drawings: by key.

    A variant without a result of that model is there with the reason. Raises DrivAerError where none is left.
    """
    model, drawings = model or _model(source), drawings or {}
    state = source.state
    wanted = set(_keys(state) if options.keys is None else options.keys)
    settings = PredictionSettings(state.model, model.digest, state.conditions)
    tables = parameters_of([variant.file for variant in state.variants])
    cars = {
        v.key: _car(v, source, model, tables.get(v.file, {}), drawings.get(v.key, DrawingFiles()))
        for v in state.variants
    }
    if options.baseline:
        base = find_car(cars.values(), options.baseline)
    else:
        own = cars.get(state.baseline)
        base = own if own is not None and own.result is not None else None
    chosen = [car for key, car in cars.items() if key in wanted or car is base]
    if not any(car.result is not None for car in chosen):
        why = f": {chosen[0].error}" if chosen else ""
        raise DrivAerError(f"no variant has a result to report{why}", fix="wait until one is predicted")
    file = [("Study", printable(str(source.file)))] if source.file else []
    readings = {variant.reading for variant in state.variants if variant.key in wanted}
    reading = reading_in_words(readings.pop()) if len(readings) == 1 else "as said for each car: see the list of meshes"
    where = (*file, ("How files were read", reading))
    return arranged(compared(chosen, base), settings, model, where, details=options.details, title=options.title)


def draw_variant(inputs: ResultInputs, expected: Result) -> Drawing | None:
    """Read, bend and predict for the sake of the fields; None where mesh or model are others than they were."""
    from drivaer_app.desk.examine import examine
    from drivaer_app.desk.morphing import values_of

    try:
        found = examine(inputs.file, inputs.reading, inputs.model, values_of(inputs))
    except MeshError:
        return None
    if (found.result.checksum, found.result.model) != (expected.checksum, expected.model):
        return None
    return Drawing(*pictures_of(found.drawn), found.drag)


def pictures_of(drawn: DrawnCar) -> tuple[bytes | None, bytes | None]:
    """The four views (PNG) of a car and the bytes of it thinned; None and None without fields."""
    from drivaer_app.pictures.picture import CP_RANGE, draw_views
    from drivaer_app.pictures.raycast import Surface
    from drivaer_app.pictures.thinned_car import thinned_car

    if not drawn.has_fields:
        return None, None
    stream = io.BytesIO()
    values = drawn.cp / np.float32(CP_RANGE)
    draw_views(Surface(drawn.points, drawn.faces, values, drawn.exposed)).save(stream, format="PNG")
    # Points at creases are there twice; thinned like that, the car would fall apart along them.
    points, first, of_point = np.unique(drawn.points, axis=0, return_index=True, return_inverse=True)
    faces = of_point.reshape(-1)[drawn.faces].astype(np.int32)
    thinned = thinned_car(Surface(points, faces, values[first], drawn.exposed[first]))
    return stream.getvalue(), thinned.to_bytes()


def _model(source: StudySource) -> ModelIdentity:
    return model_of(source.state.model, [one.result for one in source.known.values() if one.result is not None])


def _keys(state: StudyState) -> list[str]:
    return [variant.key for variant in state.variants]


def _car(
    variant: Variant,
    source: StudySource,
    model: ModelIdentity,
    table: Mapping[str, float | str],
    drawing: DrawingFiles,
) -> ReportCar:
    prediction, conditions = source.prediction(variant), source.state.conditions
    measured, error = prediction.result, prediction.error or "it is not predicted yet"
    if measured is not None and measured.model != model.signature:
        error = f"predicted by {measured.model}, the others by {model.signature}: predict it again"
        measured = None
    drag, name = drawing.drag or prediction.drag, printable(variant.name)
    return ReportCar(
        name=name,
        file=variant.file,
        checksum=prediction.result and prediction.result.checksum,
        result=measured and measured.on(conditions),
        record=measured and _record(variant, prediction, source.state),
        error="" if measured else printable(f"{name}: {error}"),
        drag=_on_area(drag, measured, conditions.area) if measured and drag else None,
        picture=drawing.picture,
        thinned=drawing.thinned,
        parameters={**table, **(dict(variant.morph.values) if variant.morph else {}), **_simulated(source, variant)},
        model_digest=model.digest,
    )


def _simulated(source: StudySource, variant: Variant) -> dict[str, float]:
    found = source.cfd.get(variant.key)
    values = {f"cfd_{name}": getattr(found, name) for name in ("cd", "cd_std", "cl")} if found else {}
    return {name: round(value, 5) for name, value in values.items() if value is not None}


def _record(variant: Variant, prediction: PredictionState, state: StudyState) -> dict[str, Any]:
    record = prediction.result.record(state.conditions)
    own = [prediction.error] if prediction.error else []
    if variant.morph:
        base = state.variant(variant.morph.base)
        values = ", ".join(f"{name} {value:g}" for name, value in variant.morph.values)
        own.append(f"bent from {base.name if base else variant.file.name} ({values}); path and checksum are its mesh's")
    return {**record, "warnings": [*own, *record["warnings"]]}


def _on_area(drag: DragAlong, measured: Result, area: float | None) -> DragAlong:
    """On the reference area."""
    scale = measured.frontal_area / area if area else 1.0
    return DragAlong(drag.x, *((values * scale).astype(np.float32) for values in (drag.pressure, drag.friction)))


def _draw(
    content: Content, source: StudySource, call: Call, on_progress: Callable[[float, str], None]
) -> dict[str, Drawing]:
    """Drawings by key of the cars that have a page of their own."""
    by_name = {printable(variant.name): variant for variant in source.state.variants}
    cars = [car for car in content.details if car.result is not None]
    found = {}
    for number, car in enumerate(cars):
        on_progress(0.9 * number / len(cars), f"drawing {car.name}")
        variant = by_name[car.name]
        drawn, prediction = source.drawn(variant.key), source.prediction(variant)
        if drawn is not None:
            drawing = Drawing(*call(pictures_of, drawn), prediction.drag)
        elif not content.model.digest:
            continue  # the model is another one by now: it would not draw what it said then
        else:
            drawing = call(draw_variant, source.state.inputs_of(variant), prediction.result)
        if drawing is not None:
            found[variant.key] = drawing
    return found


def _stored(drawings: Mapping[str, Drawing], folder: Path) -> dict[str, DrawingFiles]:
    """The drawings' files in a folder."""
    return {
        key: DrawingFiles(
            _written(folder / f"{key}.png", drawing.picture),
            _written(folder / f"{key}.npz", drawing.thinned),
            drawing.drag,
        )
        for key, drawing in drawings.items()
    }


def _written(file: Path, content: bytes | None) -> Path | None:
    if content is None:
        return None
    file.write_bytes(content)
    return file
