"""What ``import drivaer`` offers: one car or two in a call, with the command line's options as keywords.

The models are loaded once and kept. What comes back is what the commands say of the same mesh, to the last bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.car import CarMesh
from data.catalogue import Catalogue
from data.dataset import DesignDataset
from data.errors import DrivAerError
from data.in_memory import MeshLike, raw_mesh
from data.load import load_car, place_car
from data.mesh import RawMesh
from data.point_store import PointSettings
from drivaer_app.compare import pressure_difference_on_file
from drivaer_app.conditions import Conditions
from drivaer_app.desk.study import Study
from drivaer_app.predict import Prediction, Predictor, Reading, predictor_of
from drivaer_app.report.difference import Judgement, judged

if TYPE_CHECKING:
    import numpy as np

    from gnn.design_graphs import DesignGraphs

__all__ = [
    "CarMesh",
    "Catalogue",
    "Comparison",
    "Conditions",
    "DesignDataset",
    "DesignGraphs",
    "DrivAerError",
    "MeshLike",
    "PointSettings",
    "Prediction",
    "Predictor",
    "RawMesh",
    "Reading",
    "Study",
    "compare",
    "load",
    "morph",
    "predict",
]


def __getattr__(name: str) -> object:
    if name != "DesignGraphs":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from gnn.design_graphs import DesignGraphs  # needs torch_geometric, which not everybody has

    return DesignGraphs


@dataclass(frozen=True, eq=False)
class Comparison:
    """A car beside a baseline, both predicted by one model under the same conditions.

    judgement: by how much Cd differs, and whether that is more than its uncertainty.
    """

    prediction: Prediction
    baseline: Prediction
    judgement: Judgement

    @property
    def counts(self) -> float:
        """Cd minus the baseline's, in counts of 0.001."""
        return self.judgement.counts

    @property
    def half_width(self) -> float | None:
        """Counts, of the difference's 90 % interval; None where none is known."""
        return self.judgement.half_width

    @property
    def is_certain(self) -> bool | None:
        """Whether the difference is larger than its uncertainty; None where that is not known."""
        return self.judgement.is_certain

    @cached_property
    def _pressure(self) -> tuple[np.ndarray, np.ndarray]:
        found = pressure_difference_on_file(self.prediction, self.baseline)
        return found.delta, found.counterpart

    @property
    def delta_cp(self) -> np.ndarray:
        """(V,) float32: Cp minus the baseline's at the nearest place of its surface, on the car's given vertices.

        0 where the baseline has no such place (``counterpart``). Raises DrivAerError for a model without fields.
        """
        return self._pressure[0]

    @property
    def counterpart(self) -> np.ndarray:
        """(V,) bool: whether the baseline has the same place, in the flow's sight on both cars."""
        return self._pressure[1]

    def record(self) -> dict[str, Any]:
        """What ``drivaer compare --json`` says of the car, without ``file`` and ``status``."""
        return {**self.prediction.record(), "baseline": False, **self.judgement.record()}


def load(
    mesh: MeshLike,
    *,
    units: str = "auto",
    up: str = "auto",
    forward: str = "auto",
    level: bool = False,
    without: Sequence[str] = (),
    area: float | None = None,
) -> CarMesh:
    """Read a mesh as a car: placed in the car frame (m, +x nose to tail, +z up), examined, its frontal area measured.

    Args:
        mesh: a path, a ``trimesh.Trimesh``, a ``pyvista.PolyData`` or ``(vertices, faces)``.
        units: m, cm, mm, in or ft; worked out from the shape unless given.
        up: the mesh's own axis along which the roof points: x, y, z, -x, -y or -z; worked out unless given.
        forward: the axis along which the nose points.
        level: turn a tilted car level and set it on its wheels.
        without: names of parts to leave out: bodies that the file names, or what a warning calls one.
        area: m², instead of measuring the frontal area.

    Raises:
        DrivAerError: for what is no mesh, cannot be read or holds no car, and options that contradict each other.
    """
    return load_car(mesh, unit=units, up=up, forward=forward, level=level, without=without, frontal_area=area)


def predict(
    mesh: MeshLike | CarMesh,
    *,
    units: str = "auto",
    up: str = "auto",
    forward: str = "auto",
    level: bool = False,
    without: Sequence[str] = (),
    speed: float = 30.0,
    density: float = 1.184,
    area: float | None = None,
    device: str = "auto",
    model: str | Path | None = None,
) -> Prediction:
    """Predict a car's drag with its interval, and the pressure and friction on its surface.

    The same as ``drivaer predict`` says of the file.

    Args:
        mesh: as for :func:`load`, or what that returned.
        units: as for :func:`load`; so are ``up``, ``forward``, ``level`` and ``without``.
        speed: of the wind, m/s.
        density: of the air, kg/m³.
        area: m² that the coefficients refer to, instead of the measured frontal area. The force stays.
        device: auto, cpu or cuda.
        model: a bundled model's name, a model folder, or a published RegDGCNN ``.pth``; the bundled one unless given.

    Raises:
        DrivAerError: as for :func:`load`, and for a model or device that cannot be had.
    """
    predictor = _predictor(model, device)
    return predictor.predict(mesh, Conditions(speed, density, area), Reading(units, up, forward, level, tuple(without)))


def compare(
    mesh: MeshLike | CarMesh,
    baseline: MeshLike | CarMesh,
    *,
    units: str = "auto",
    up: str = "auto",
    forward: str = "auto",
    level: bool = False,
    without: Sequence[str] = (),
    speed: float = 30.0,
    density: float = 1.184,
    area: float | None = None,
    device: str = "auto",
    model: str | Path | None = None,
) -> Comparison:
    """Predict a car and a baseline: by how many counts Cd differs, whether that is certain, and where Cp differs.

    The same as ``drivaer compare BASELINE CAR`` says. Arguments and errors are those of :func:`predict`, for both cars.
    """
    predictor = _predictor(model, device)
    conditions, reading = Conditions(speed, density, area), Reading(units, up, forward, level, tuple(without))
    base = predictor.predict(baseline, conditions, reading)
    car = predictor.predict(mesh, conditions, reading)
    return Comparison(car, base, judged(car, base))


def morph(
    mesh: MeshLike, values: Mapping[str, float], *, units: str = "auto", up: str = "auto", forward: str = "auto"
) -> RawMesh:
    """Bend a car by its handles, as ``drivaer morph`` does.

    Args:
        mesh: as for :func:`load`.
        values: of handles, in metres, degrees or factors; ``drivaer morph CAR --list`` tells which there are.
        units: as for :func:`load`; so are ``up`` and ``forward``.

    Returns:
        The mesh with its vertices moved, in its own unit, axes and order; ``predict`` takes it.

    Raises:
        DrivAerError: as for :func:`load`, and for handles or values that the car does not take.
    """
    from drivaer_app.shapes.morph import Morph, reshaped_file

    raw = raw_mesh(mesh)
    handles = Morph.of(place_car(raw, unit=units, up=up, forward=forward))
    return reshaped_file(raw, handles.car, handles.vertices(values))


def _predictor(model: str | Path | None, device: str) -> Predictor:
    return predictor_of(None if model is None else str(model), device)
