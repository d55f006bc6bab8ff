"""``drivaer predict``: drag, interval, fields and pictures of mesh files."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import DrivAerError
from drivaer_app.cli.file_outcome import FileOutcome
from drivaer_app.cli.inputs import Input, expand
from drivaer_app.cli.options import (
    Area,
    AsJsonLines,
    Density,
    Forward,
    Level,
    ModelName,
    OnDevice,
    Speed,
    Units,
    Up,
    Without,
    conditions_of,
    predictor_of,
    reading_of,
)
from drivaer_app.cli.outputs import Outputs, plan_outputs
from drivaer_app.cli.terminal import Waiting, results_only

if TYPE_CHECKING:
    from drivaer_app.conditions import Conditions
    from drivaer_app.predict import Prediction, Predictor, Reading

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class PredictionTask:
    """What is the same for all files."""

    predictor: Predictor
    conditions: Conditions
    reading: Reading
    outputs: Outputs

    def run(self, given: Input) -> FileOutcome:
        """Predict one file and write what was asked for; a failure is an outcome too, so that the others still run."""
        if given.error:
            return FileOutcome(given.file, error=given.error)
        try:
            prediction = self.predictor.predict(given.file, self.conditions, self.reading)
            return FileOutcome(given.file, prediction, self._write(given.file, prediction))
        except DrivAerError as error:
            return FileOutcome(given.file, error=error.line)
        except MemoryError:
            return FileOutcome(
                given.file, error=f"{given.file}: there is not enough memory for it; give a coarser mesh"
            )
        except Exception as error:
            from drivaer_app.log import log_bug

            return FileOutcome(given.file, error=f"{given.file}: {log_bug(_log, error)}")

    def _write(self, file: Path, prediction: Prediction) -> dict[str, float]:
        seconds = {}
        if file in self.outputs.fields:
            from drivaer_app.field_files import write_fields

            started = time.perf_counter()
            write_fields(self.outputs.fields[file], prediction.file_fields)
            seconds["field"] = time.perf_counter() - started
        if file in self.outputs.pictures:
            from drivaer_app.pictures.picture import write_picture

            started = time.perf_counter()
            write_picture(self.outputs.pictures[file], prediction, name=file.name)
            seconds["picture"] = time.perf_counter() - started
        return seconds


def predict(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Meshes, or folders of meshes.")],
    as_json: AsJsonLines = False,
    field: Annotated[
        str | None,
        typer.Option(metavar="OUT", help="Write Cp and Cf on the mesh: .vtp .vtu .vtk .ply .csv .npz, or a folder."),
    ] = None,
    picture: Annotated[
        str | None, typer.Option(metavar="OUT", help="Draw the pressure from four sides: .png, or a folder.")
    ] = None,
    units: Units = "auto",
    up: Up = "auto",
    forward: Forward = "auto",
    level: Level = False,
    without: Without = None,
    speed: Speed = 30.0,
    density: Density = 1.184,
    area: Area = None,
    device: OnDevice = "auto",
    model: ModelName = None,
) -> int:
    """Predict drag, its uncertainty and the surface pressure of cars from their meshes.

    Reads STL, OBJ, PLY, OFF, glTF, COLLADA, 3MF, VTK, STEP, IGES and clouds, also as .gz; finds out unit and axes.
    Exit status: 0 all predicted, 1 some failed, 2 a mistake in the command.
    """
    conditions, reading = conditions_of(speed, density, area), reading_of(units, up, forward, level, without)
    inputs = expand(files)
    outputs = plan_outputs([given.file for given in inputs if not given.error], field, picture)
    with results_only() as stdout:
        from drivaer_app.cli.page import JsonReport, TextReport

        waiting = Waiting(len(inputs))
        with waiting.on("loading the models"):
            job = PredictionTask(predictor_of(model, device), conditions, reading, outputs)
        report = JsonReport(stdout) if as_json else TextReport(stdout, len(inputs))
        failed = 0
        for given in inputs:
            with waiting.on_file(given.file.name):
                outcome = job.run(given)
            report.show(outcome)
            failed += outcome.prediction is None
        report.close()
    return 1 if failed else 0
