"""The numbers of a prediction without its mesh and fields: what a study keeps, saves and compares."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from data.parts import CarPart
from drivaer_app.conditions import Conditions, area_warning
from drivaer_app.predict import COEFFICIENTS, TOLD, real_or_rans
from gnn.difference import DifferenceLaw

if TYPE_CHECKING:
    from drivaer_app.predict import Prediction

COUNT = 0.001
"""One drag count."""
OUTSIDE = "▲"
"""Marks a car outside of what the model learnt from, wherever its number stands: no interval holds."""


@dataclass(frozen=True)
class Result:
    """One car as predicted, small enough to keep for every variant of a study.

    cd with cd_low..cd_high, cd_rans with its own bounds, cl, cd_pressure, cd_friction: as of a Prediction, on
    ``frontal_area`` (m²). What a model does not give is None.
    novelty: > 1 is outside of the training designs; novelty_reason says how, in words, or is empty.
    difference_law: how certain a difference in Cd between two such results is; None where the model was not
        calibrated for differences.
    unit, to_metres, up, forward, mirrored, confidence: how the file was read (data.frame.Frame).
    parts: the file's bodies and what is no part of the car (data.parts), left out or not.
    length, width, height: of the car, m. checksum: SHA-256 of the file. seconds: wall time by stage.
    """

    cd: float
    cd_low: float | None
    cd_high: float | None
    cl: float | None
    cd_pressure: float | None
    cd_friction: float | None
    frontal_area: float
    novelty: float | None
    in_distribution: bool | None
    novelty_reason: str
    unit: str
    to_metres: float
    up: str
    forward: str
    mirrored: bool
    confidence: float
    length: float
    width: float
    height: float
    n_faces: int
    n_points: int
    watertight: bool
    warnings: tuple[str, ...]
    model: str
    device: str
    checksum: str
    seconds: dict[str, float]
    difference_law: DifferenceLaw | None = None
    cd_rans: float | None = None
    cd_rans_low: float | None = None
    cd_rans_high: float | None = None
    parts: tuple[CarPart, ...] = ()

    @classmethod
    def of(cls, prediction: Prediction, checksum: str) -> Result:
        """prediction: with the default conditions, so that the coefficients are on the measured area."""
        p, frame = prediction, prediction.car.frame
        n = p.car.n_file_vertices
        used = p.car.vertices[p.car.faces.ravel()] if len(p.car.faces) else p.car.vertices
        length, width, height = (float(v) for v in used.max(axis=0) - used.min(axis=0))
        reason = p.warnings[0] if p.in_distribution is False and p.warnings else ""
        return cls(
            **{name: getattr(p, name) for name in _SAME},
            frontal_area=float(p.frontal_area),
            novelty_reason=reason,
            difference_law=p.difference_law,
            unit=frame.unit,
            to_metres=float(frame.to_metres),
            up=frame.up,
            forward=frame.forward,
            mirrored=bool(frame.mirrored),
            confidence=float(frame.confidence),
            length=length,
            width=width,
            height=height,
            n_points=n,
            watertight=bool(p.car.health.watertight),
            warnings=tuple(w for w in p.warnings if w != reason),
            checksum=checksum,
            seconds=dict(p.seconds),
            parts=p.car.of_file,
        )

    def on(self, conditions: Conditions) -> Result:
        """The same with coefficients on the conditions' reference area, where they name one."""
        if conditions.area is None:
            return self
        scale = self.frontal_area / conditions.area
        scaled = {name: None if getattr(self, name) is None else getattr(self, name) * scale for name in COEFFICIENTS}
        law = self.difference_law and self.difference_law.scaled(scale)
        return replace(self, **scaled, frontal_area=conditions.area, difference_law=law)

    @property
    def compared(self) -> float:
        """Cd that our own CFD should give."""
        return self.cd if self.cd_rans is None else self.cd_rans

    @property
    def real_or_rans(self) -> str:
        """What Cd is of, and what our own CFD would give instead; empty for a model that does not tell them apart."""
        return real_or_rans(self.cd_rans)

    @property
    def compared_interval(self) -> tuple[float, float] | None:
        """Within which our own CFD lies on nine of ten designs; None where the model has no interval."""
        low, high = (self.cd_low, self.cd_high) if self.cd_rans is None else (self.cd_rans_low, self.cd_rans_high)
        return None if low is None or high is None else (low, high)

    @property
    def cda(self) -> float:
        """Drag area Cd·A, m²."""
        return self.cd * self.frontal_area

    def drag(self, conditions: Conditions) -> float:
        """Drag force, N."""
        return conditions.dynamic_pressure * self.cda

    def power(self, conditions: Conditions) -> float:
        """What the drag takes at the conditions' speed, W."""
        return self.drag(conditions) * conditions.speed

    @property
    def is_outside(self) -> bool:
        """Whether the model does not know such a shape: to be marked, and never called the best."""
        return self.in_distribution is False

    @property
    def mark(self) -> str:
        """What stands behind its number: `` ▲``, or nothing."""
        return f" {OUTSIDE}" if self.is_outside else ""

    @property
    def drag_order(self) -> tuple[bool, float]:
        """For sorting by drag: a guess never comes before a car that the model knows."""
        return self.is_outside, self.cd

    @property
    def novelty_in_words(self) -> str:
        """One plain phrase for the number."""
        if self.novelty is None:
            return "not judged by this model"
        for limit, words in ((0.7, "typical"), (1.0, "near the edge of what is known"), (1.5, "slightly outside")):
            if self.novelty <= limit:
                return words
        return "outside" if self.novelty < 3 else "far outside"

    def record(self, conditions: Conditions) -> dict[str, Any]:
        """The JSON object of the prediction contract, as Prediction.record, of a result on the measured area."""
        on_area = self.on(conditions)
        warnings = ((self.novelty_reason,) if self.novelty_reason else ()) + self.warnings
        if conditions.area is not None:
            warnings += (area_warning(conditions.area, self.frontal_area),)
        coefficients = {name: _round(getattr(on_area, name), 5) for name in TOLD}
        return {
            **coefficients,
            "frontal_area_m2": _round(on_area.frontal_area, 5),
            "cda_m2": _round(on_area.cda, 5),
            "drag_n": _round(on_area.drag(conditions), 3),
            "speed_ms": conditions.speed,
            "density_kgm3": conditions.density,
            "novelty": _round(self.novelty, 3),
            "in_distribution": self.in_distribution,
            "import": {
                "unit": self.unit,
                "to_metres": float(f"{self.to_metres:.9g}"),
                "up": self.up,
                "forward": self.forward,
                "mirrored": self.mirrored,
                "confidence": _round(self.confidence, 3),
            },
            "n_faces": self.n_faces,
            "watertight": self.watertight,
            "warnings": list(warnings),
            "model": self.model,
            "device": self.device,
            "seconds": {name: round(v, 4) for name, v in {**self.seconds, "total": sum(self.seconds.values())}.items()},
        }

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Result:
        """Raises TypeError or KeyError for what is no stored result."""
        known = {f.name for f in fields(cls)}
        values = {name: value for name, value in stored.items() if name in known}
        law = values.get("difference_law")
        values["difference_law"] = DifferenceLaw(**law) if law else None
        parts = tuple(CarPart.from_json(part) for part in values.get("parts") or ())
        return cls(**{**values, "warnings": tuple(values["warnings"]), "parts": parts})


def _round(value: float | None, digits: int) -> float | None:
    return None if value is None or not math.isfinite(value) else round(float(value), digits)


_SAME = (*COEFFICIENTS, "novelty", "in_distribution", "n_faces", "model", "device")
