"""The prediction core: a mesh file or a car in, one Prediction out. Knows no terminal and no window."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from data.car import CarMesh
from data.errors import DrivAerError, ModelError
from data.in_memory import MeshLike
from data.load import load_car, sample_car
from data.mesh import SurfaceSample
from drivaer_app.conditions import Conditions, area_warning
from drivaer_app.fields import CarFields, SurfaceFields, car_fields, faces_of_file, file_fields
from drivaer_app.plausible import check_car, check_drag, drag_doubts

if TYPE_CHECKING:
    from gnn.difference import DifferenceLaw
    from gnn.prediction import SurfacePrediction
    from gnn.sensitivity import Sensitivity


TOLD = ("cd", "cd_low", "cd_high", "cd_rans", "cl", "cd_pressure", "cd_friction")
COEFFICIENTS = (*TOLD, "cd_rans_low", "cd_rans_high")
"""Of a prediction, all on one reference area; the first are part of its JSON."""


@dataclass(frozen=True)
class Reading:
    """How the user wants files read; ``auto`` is worked out from the geometry (see data.frame).

    level: turn a tilted car level. without: names of parts to leave out (see data.parts).
    """

    unit: str = "auto"
    up: str = "auto"
    forward: str = "auto"
    level: bool = False
    without: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "without", tuple(self.without))  # JSON gives a list

    def chosen(self) -> dict[str, Any]:
        """What differs from reading a file as it is, besides unit and axes: empty for most files."""
        return {name: value for name, value in (("level", self.level), ("without", self.without)) if value}


@dataclass(frozen=True, eq=False)
class Prediction:
    """What the models say about one car under given conditions.

    cd, cd_low, cd_high: drag coefficient of the real car with its 90 % interval. cd_rans, cd_rans_low, cd_rans_high:
    the same as our own coarse CFD would give it, where the model tells the two apart; ``compared`` is what stands
    beside that CFD. cl: lift. cd_pressure, cd_friction: from integrating the surface fields. All refer to
    ``frontal_area`` (m²): the measured one, or the one that was given.
    novelty: distance from the training designs, > 1 is outside. What a model does not give is None.
    difference_law: how certain a difference in Cd from another such car is.
    surface: the fields on the network's own points, car frame. warnings: plain sentences, most telling first.
    seconds: wall time of ``load`` (file to car frame) and ``predict`` (sampling and networks).
    """

    car: CarMesh
    conditions: Conditions
    model: str
    device: str
    frontal_area: float
    cd: float
    cd_low: float | None
    cd_high: float | None
    cd_rans: float | None
    cd_rans_low: float | None
    cd_rans_high: float | None
    cl: float | None
    cd_pressure: float | None
    cd_friction: float | None
    novelty: float | None
    in_distribution: bool | None
    difference_law: DifferenceLaw | None
    surface: SurfacePrediction | None
    warnings: tuple[str, ...]
    seconds: dict[str, float]

    @property
    def compared(self) -> float:
        """Cd that our own CFD should give."""
        return self.cd if self.cd_rans is None else self.cd_rans

    @property
    def compared_interval(self) -> tuple[float, float] | None:
        """Within which our own CFD lies on nine of ten designs; None where the model has no interval."""
        low, high = (self.cd_low, self.cd_high) if self.cd_rans is None else (self.cd_rans_low, self.cd_rans_high)
        return None if low is None or high is None else (low, high)

    @property
    def cda(self) -> float:
        """Drag area Cd·A, m²: does not depend on the reference area."""
        return self.cd * self.frontal_area

    @property
    def drag(self) -> float:
        """Drag force at the given speed and density, N."""
        return self.conditions.force(self.cd, self.frontal_area)

    @property
    def n_faces(self) -> int:
        """Faces of the file itself, without a completed half car's other half."""
        return int(faces_of_file(self.car).sum())

    @cached_property
    def car_fields(self) -> CarFields:
        """Cp, Cf and exposure on all of the car's vertices, in the car frame; worked out when first asked for."""
        if self.surface is None:
            raise DrivAerError(
                f"model {self.model} gives drag only, no pressure field",
                fix="leave --field and --picture out, or choose a model folder with both networks",
            )
        return car_fields(self.surface, self.car)

    @cached_property
    def file_fields(self) -> SurfaceFields:
        """Cp, Cf and exposure on the file's own vertices, in the file's own frame."""
        return file_fields(self.car_fields, self.car)

    @property
    def cp(self) -> np.ndarray:
        """(V,) float32: pressure coefficient on the given mesh's vertices, in their order.

        Raises DrivAerError for a model that gives drag only, as ``cf`` and ``exposed`` do.
        """
        return self.file_fields.cp

    @property
    def cf(self) -> np.ndarray:
        """(V, 3) float32: skin friction, the wall shear stress over q, along the given mesh's axes."""
        return self.file_fields.cf

    @property
    def exposed(self) -> np.ndarray:
        """(V,) bool: whether the flow sees the vertex; else cp and cf are those of the nearest that it sees."""
        return self.file_fields.exposed

    def record(self, seconds: dict[str, float] | None = None) -> dict[str, Any]:
        """The JSON object of the prediction contract, without ``file`` and ``status``.

        seconds: what else was done for this file (``fields``, ``picture``); counts into the total.
        """
        frame = self.car.frame
        seconds = {**self.seconds, **(seconds or {})}
        return {
            "cd": _round(self.cd, 5),
            "cd_low": _round(self.cd_low, 5),
            "cd_high": _round(self.cd_high, 5),
            "cd_rans": _round(self.cd_rans, 5),
            "cl": _round(self.cl, 5),
            "cd_pressure": _round(self.cd_pressure, 5),
            "cd_friction": _round(self.cd_friction, 5),
            "frontal_area_m2": _round(self.frontal_area, 5),
            "cda_m2": _round(self.cda, 5),
            "drag_n": _round(self.drag, 3),
            "speed_ms": self.conditions.speed,
            "density_kgm3": self.conditions.density,
            "novelty": _round(self.novelty, 3),
            "in_distribution": self.in_distribution,
            "import": {
                "unit": frame.unit,
                "to_metres": float(f"{frame.to_metres:.9g}"),
                "up": frame.up,
                "forward": frame.forward,
                "mirrored": frame.mirrored,
                "confidence": _round(frame.confidence, 3),
            },
            "n_faces": self.n_faces,
            "watertight": bool(self.car.health.watertight),
            "warnings": list(self.warnings),
            "model": self.model,
            "device": self.device,
            "seconds": {name: round(value, 4) for name, value in {**seconds, "total": sum(seconds.values())}.items()},
        }


class Predictor:
    """One model, loaded once, for any number of cars.

    model: name of a bundled model, a model folder, or a published RegDGCNN ``.pth`` (drag only).
    device: auto, cpu or cuda. Raises ModelError where either cannot be had.
    """

    def __init__(self, model: str | Path | None = None, device: str = "auto"):
        from drivaer_app.models import find_model
        from gnn.surrogate import Surrogate

        self._surrogate = Surrogate.load(find_model(model), device)
        if not self._surrogate.gives_drag:
            fix = "name one with a drag network; 'drivaer evaluate' judges this one"
            raise ModelError("is a field network alone, which gives no drag", file=model, fix=fix)
        self.model: str = self._surrogate.name
        self.device: str = self._surrogate.device

    def predict(
        self, car: MeshLike | CarMesh, conditions: Conditions | None = None, reading: Reading | None = None
    ) -> Prediction:
        """Predict one car, given as a file or mesh (read as ``reading`` says) or ready in the car frame.

        Raises MeshError for a mesh that cannot be read or holds nothing to predict, DrivAerError where the answer, or
        the size of what was read, is none that a road vehicle can have.
        """
        conditions = conditions or Conditions()
        started = time.perf_counter()
        if not isinstance(car, CarMesh):
            car = load(car, reading or Reading())
        check_car(car, conditions)
        loaded = time.perf_counter()
        surface = self._surrogate.predict(self.sample(car), car.frontal_area)
        if surface.cd_low is not None:  # a model that says how certain it is was trained on cars
            check_drag(float(surface.cd), car)
        seconds = {"load": loaded - started, "predict": time.perf_counter() - loaded}
        return self._prediction(car, conditions, surface, seconds)

    def cd(self, sample: SurfaceSample, n_clouds: int | None = None) -> float:
        """Cd alone of a car's points, on its measured area; ``sample`` gives them.

        n_clouds: look at so many of the network's clouds only: quicker, and shifted by which points they have.
        """
        return float(self._surrogate.cd(sample, n_clouds))

    def sensitivity(self, sample: SurfaceSample) -> Sensitivity:
        """Where pushing the surface in or out changes Cd."""
        from gnn.sensitivity import drag_sensitivity

        return drag_sensitivity(self._surrogate, sample)

    def sample(self, car: CarMesh) -> SurfaceSample:
        """The points that the model looks at."""
        return sample_car(car, self._surrogate.n_points)

    def _prediction(
        self, car: CarMesh, conditions: Conditions, surface: SurfacePrediction, seconds: dict[str, float]
    ) -> Prediction:
        area = conditions.area or car.frontal_area
        law = None if surface.is_bluff else self._surrogate.config.difference_law(surface.on_template)
        scaled = {
            name: None if getattr(surface, name) is None else float(getattr(surface, name)) * car.frontal_area / area
            for name in COEFFICIENTS
        }
        return Prediction(
            car=car,
            conditions=conditions,
            model=self.model,
            device=self.device,
            frontal_area=float(area),
            novelty=None if surface.novelty is None else float(surface.novelty),
            in_distribution=None if surface.in_distribution is None else bool(surface.in_distribution),
            difference_law=law and law.scaled(car.frontal_area / area),
            surface=surface if surface.cp is not None else None,
            warnings=_warnings(car, conditions, surface),
            seconds=seconds,
            **scaled,
        )


@lru_cache(maxsize=2)
def predictor_of(model: str | None, device: str = "auto") -> Predictor:
    """The model, loaded once."""
    return Predictor(model, device)


def load(mesh: MeshLike, reading: Reading) -> CarMesh:
    """A mesh file, or a mesh in memory, as a car in the car frame. Raises MeshError."""
    return load_car(mesh, **asdict(reading))


def _warnings(car: CarMesh, conditions: Conditions, surface: SurfacePrediction) -> tuple[str, ...]:
    warnings = [] if surface.cd_low is not None else drag_doubts(float(surface.cd))
    if surface.in_distribution is False and surface.novelty_reason:
        warnings.append(surface.novelty_reason)
    warnings += [part.warning for part in car.of_file if part.kind and not part.left_out]  # why all below may be so
    warnings += [*_disagreement(surface), *surface.warnings, *car.warnings]
    if conditions.area is not None:
        warnings.append(area_warning(conditions.area, car.frontal_area))
    return tuple(dict.fromkeys(warnings))


def _disagreement(surface: SurfacePrediction) -> list[str]:
    """The drag network and the integrated fields are two answers to one question; they should be near each other."""
    if surface.cd_pressure is None or surface.answers_apart is None:
        return []
    integral = surface.cd_pressure + surface.cd_friction
    if abs(integral - surface.compared) <= surface.answers_apart:
        return []
    return [
        f"the drag network says Cd {surface.compared:.3f} but the predicted pressure and friction add up to "
        f"{integral:.3f}: further apart than on nine of ten held-out designs ({surface.answers_apart:.3f}), the two "
        "answers disagree"
    ]


def real_or_rans(cd_rans: float | None) -> str:
    return "" if cd_rans is None else f"of the real car on a moving road; our coarse CFD would give {cd_rans:.3f}"


def _round(value: float | None, digits: int) -> float | None:
    return None if value is None or not np.isfinite(value) else round(float(value), digits)
