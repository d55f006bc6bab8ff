"""The columns of every table that a report writes: one list, in a fixed order, told in docs/report_columns.md.

Columns are added at the end of their group and never change their name or unit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from drivaer_app.report.car import ReportCar

PARAMETER = "parameter."
"""What the names of the designs' own parameters start with."""


@dataclass(frozen=True)
class ReportColumn:
    """name: in files. title: for people. unit: "" for none. about: one sentence. kind: of its values; truth: bool."""

    name: str
    title: str
    unit: str
    about: str
    value: Callable[[ReportCar], Any]
    kind: Literal["number", "text", "truth"] = "number"

    @property
    def heading(self) -> str:
        return f"{self.title}, {self.unit}" if self.unit else self.title


def _record(name: str) -> Callable[[ReportCar], Any]:
    return lambda car: None if car.record is None else car.record.get(name)


def _imported(name: str) -> Callable[[ReportCar], Any]:
    return lambda car: None if car.record is None else car.record["import"].get(name)


def _result(name: str) -> Callable[[ReportCar], Any]:
    return lambda car: None if car.result is None else round(getattr(car.result, name), 4)


def _judged(name: str, digits: int | None = None) -> Callable[[ReportCar], Any]:
    def value(car: ReportCar) -> Any:
        found = None if car.judgement is None else getattr(car.judgement, name)
        return round(found, digits) if digits is not None and found is not None else found

    return value


COLUMNS: tuple[ReportColumn, ...] = (
    ReportColumn("rank", "Rank", "", "1 for the lowest Cd of all cars that were predicted.", lambda car: car.rank),
    ReportColumn(
        "name",
        "Car",
        "",
        "The mesh's path below the folder that all have in common; of a study the variant's name.",
        lambda car: car.name,
        kind="text",
    ),
    ReportColumn(
        "status", "Status", "", "ok, or error.", lambda car: "error" if car.result is None else "ok", kind="text"
    ),
    ReportColumn("cd", "Cd", "", "Drag coefficient of the real car, the drag network's best estimate.", _record("cd")),
    ReportColumn("cd_low", "Cd low", "", "Lower end of the 90 % interval.", _record("cd_low")),
    ReportColumn("cd_high", "Cd high", "", "Upper end of the 90 % interval.", _record("cd_high")),
    ReportColumn("cd_rans", "Cd by our CFD", "", "What our own coarse CFD would give for it.", _record("cd_rans")),
    ReportColumn(
        "in_distribution",
        "Inside",
        "",
        "false: the shape lies outside of what the model was trained on, and the interval does not hold.",
        _record("in_distribution"),
        kind="truth",
    ),
    ReportColumn(
        "novelty", "Novelty", "", "Distance from the training designs; above 1 is outside.", _record("novelty")
    ),
    ReportColumn("delta_counts", "ΔCd", "counts", "Cd minus the baseline's, in counts of 0.001.", _judged("counts", 2)),
    ReportColumn(
        "delta_half_width_counts",
        "ΔCd ±",
        "counts",
        "Half width of the difference's 90 % interval; see delta_calibrated.",
        _judged("half_width", 2),
    ),
    ReportColumn(
        "delta_calibrated",
        "ΔCd calibrated",
        "",
        "true: measured on differences. false: both cars' half widths added, which is cautious.",
        _judged("calibrated"),
        kind="truth",
    ),
    ReportColumn(
        "delta_verdict",
        "Against baseline",
        "",
        "lower or higher: by more than the uncertainty. unclear: within it. unknown: outside, or no interval.",
        _judged("verdict"),
        kind="text",
    ),
    ReportColumn("cl", "Cl", "", "Lift coefficient.", _record("cl")),
    ReportColumn("cd_pressure", "Cd pressure", "", "From integrating the predicted Cp.", _record("cd_pressure")),
    ReportColumn("cd_friction", "Cd friction", "", "From integrating the predicted Cf.", _record("cd_friction")),
    ReportColumn("frontal_area_m2", "Frontal area", "m²", "Reference of all coefficients.", _record("frontal_area_m2")),
    ReportColumn("cda_m2", "Cd·A", "m²", "Drag area.", _record("cda_m2")),
    ReportColumn("drag_n", "Drag", "N", "At the speed and density of this row.", _record("drag_n")),
    ReportColumn("speed_ms", "Speed", "m/s", "Of the wind.", _record("speed_ms")),
    ReportColumn("density_kgm3", "Density", "kg/m³", "Of the air.", _record("density_kgm3")),
    ReportColumn("length_m", "Length", "m", "Of the car as it was read.", _result("length")),
    ReportColumn("width_m", "Width", "m", "Of the car as it was read.", _result("width")),
    ReportColumn("height_m", "Height", "m", "Of the car as it was read.", _result("height")),
    ReportColumn("n_faces", "Faces", "", "Triangles of the file.", _record("n_faces")),
    ReportColumn(
        "watertight", "Watertight", "", "Whether the surface has no holes.", _record("watertight"), kind="truth"
    ),
    ReportColumn("unit", "Unit", "", "In which the file was read.", _imported("unit"), kind="text"),
    ReportColumn("to_metres", "To metres", "m", "Length of the file's unit.", _imported("to_metres")),
    ReportColumn("up", "Up", "", "The file's axis along which the roof points.", _imported("up"), kind="text"),
    ReportColumn(
        "forward", "Forward", "", "The file's axis along which the nose points.", _imported("forward"), kind="text"
    ),
    ReportColumn("mirrored", "Mirrored", "", "Whether half a car was completed.", _imported("mirrored"), kind="truth"),
    ReportColumn("import_confidence", "Import confidence", "", "0 to 1, of unit and axes.", _imported("confidence")),
    ReportColumn(
        "warnings",
        "Warnings",
        "",
        "Sentences, with ' | ' between them.",
        lambda car: " | ".join(car.warnings),
        kind="text",
    ),
    ReportColumn("error", "Error", "", "Why there is no result.", lambda car: car.error, kind="text"),
    ReportColumn("file", "File", "", "Where the mesh was found.", lambda car: car.path, kind="text"),
    ReportColumn(
        "mesh_sha256",
        "Mesh SHA-256",
        "",
        "Checksum of the mesh that was predicted.",
        lambda car: car.checksum,
        kind="text",
    ),
    ReportColumn(
        "model", "Model", "", "Name and first digits of its weights' checksum.", _record("model"), kind="text"
    ),
    ReportColumn(
        "model_sha256",
        "Model SHA-256",
        "",
        "Checksum of weights and configuration.",
        lambda car: car.model_digest or None,
        kind="text",
    ),
    ReportColumn("device", "Device", "", "Where the networks ran.", _record("device"), kind="text"),
    ReportColumn(
        "predicted_at",
        "Predicted at",
        "",
        "ISO 8601, UTC; a study does not know.",
        lambda car: car.predicted or None,
        kind="text",
    ),
    ReportColumn(
        "program_version",
        "drivaer",
        "",
        "Version that predicted; a study does not know.",
        lambda car: car.version or None,
        kind="text",
    ),
)


def row_of(car: ReportCar, parameters: tuple[str, ...]) -> dict[str, Any]:
    """Name of the column -> value, parameters last; None where there is none."""
    row = {column.name: column.value(car) for column in COLUMNS}
    return {**row, **{PARAMETER + name: car.parameters.get(name) for name in parameters}}
