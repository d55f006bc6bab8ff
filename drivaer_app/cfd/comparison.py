"""A prediction beside the CFD of the same car: how far apart, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from data.errors import DrivAerError
from data.nearest import NO_FACE, nearest_faces
from drivaer_app.cfd.places import PLACES, places_of
from drivaer_app.cfd.result import CaseResult

if TYPE_CHECKING:
    from drivaer_app.predict import Prediction


@dataclass(frozen=True)
class PlaceDifference:
    """How the prediction differs from the CFD on one part of the car.

    share: of the compared area. predicted, simulated: mean Cp there. rms: of the difference.
    cd: what the difference in pressure is worth in Cd, predicted minus simulated.
    """

    place: str
    share: float
    predicted: float
    simulated: float
    rms: float
    cd: float

    @property
    def words(self) -> str:
        """``base: Cp 0.06 too high, 0.011 too little Cd``."""
        off = self.predicted - self.simulated
        level = f"{abs(off):.2f} too {'high' if off > 0 else 'low'}" if abs(off) >= 0.005 else "right on average"
        worth = f"{abs(self.cd):.3f} too {'much' if self.cd > 0 else 'little'} Cd" if abs(self.cd) >= 5e-4 else "no Cd"
        return f"{self.place}: Cp {level} (rms {self.rms:.2f}), {worth}"


@dataclass(frozen=True, eq=False)
class CfdComparison:
    """Prediction and CFD of one car.

    points (N, 3) m and normals (N, 3): where both are known. predicted, simulated: (N,) Cp.
    cp_error, cf_error: relative L2 difference over those points. places: the largest differences first.
    """

    prediction: Prediction
    result: CaseResult
    points: np.ndarray
    normals: np.ndarray
    predicted: np.ndarray
    simulated: np.ndarray
    cp_error: float
    cf_error: float
    places: tuple[PlaceDifference, ...]

    @property
    def inside_interval(self) -> bool | None:
        """Whether the CFD's Cd lies within the interval of what it should be; None without one."""
        interval = self.prediction.compared_interval
        return None if interval is None else bool(interval[0] <= self.result.cd <= interval[1])

    def record(self) -> dict[str, Any]:
        """The JSON object of ``verify --json``, without ``file`` and ``status``."""
        return {
            "prediction": self.prediction.record(),
            "simulation": self.result.record(),
            "cd_difference": round(self.prediction.compared - self.result.cd, 5),
            "inside_interval": self.inside_interval,
            "cp_error": round(self.cp_error, 4),
            "cf_error": round(self.cf_error, 4),
            "places": [
                {
                    "place": p.place,
                    "area_share": round(p.share, 4),
                    "cp_predicted": round(p.predicted, 4),
                    "cp_simulated": round(p.simulated, 4),
                    "cp_rms": round(p.rms, 4),
                    "cd_difference": round(p.cd, 5),
                }
                for p in self.places
            ],
        }


def compare(prediction: Prediction, result: CaseResult) -> CfdComparison:
    """Compare at the points that the networks saw, as far as the CFD mesh has a face there.

    Raises DrivAerError for a model that predicts drag only.
    """
    seen = prediction.surface
    if seen is None:
        raise DrivAerError(
            f"model {prediction.model} gives drag only, no pressure to compare", fix="choose a model with both networks"
        )
    points, normals = seen.points.astype(np.float64), seen.normals.astype(np.float64)
    surface = result.surface
    half, reach = result.setup.domain.half, 1.5 * result.setup.surface_cell
    face = nearest_faces(surface.centres, surface.normals, points, normals, max_distance=reach, half=half)
    # A half domain's values hold for the mirror image too, where the flow's y turns over.
    turn = np.ones((len(points), 3))
    turn[:, 1] = np.where(points[:, 1] < 0, -1.0, 1.0) if half else 1.0
    known = face != NO_FACE
    points, normals, face = points[known], normals[known], face[known]
    predicted, simulated = seen.cp[known].astype(np.float64), surface.believable_cp[face]
    return CfdComparison(
        prediction=prediction,
        result=result,
        points=points,
        normals=normals,
        predicted=predicted,
        simulated=simulated,
        cp_error=relative_l2(predicted, simulated),
        cf_error=relative_l2(seen.cf[known], surface.cf[face] * turn[known]),
        places=_by_place(result, points, normals, predicted, simulated),
    )


def relative_l2(predicted: np.ndarray, true: np.ndarray) -> float:
    """``|predicted - true| / |true|`` over points that stand for equal areas."""
    return float(np.linalg.norm(predicted - true) / max(np.linalg.norm(true), 1e-12))


def _by_place(
    result: CaseResult, points: np.ndarray, normals: np.ndarray, predicted: np.ndarray, simulated: np.ndarray
) -> tuple[PlaceDifference, ...]:
    setup = result.setup
    place = places_of(setup.car, setup.axles, points, normals)
    # Points are even over the surface: each stands for the same area of the car.
    whole = float(result.surface.areas.sum()) * (2.0 if setup.domain.half else 1.0)
    worth = -(predicted - simulated) * normals[:, 0] * whole / len(points) / setup.frontal_area
    found = []
    for index, name in enumerate(PLACES):
        on = place == index
        if on.any():
            off = predicted[on] - simulated[on]
            found.append(
                PlaceDifference(
                    place=name,
                    share=float(on.mean()),
                    predicted=float(predicted[on].mean()),
                    simulated=float(simulated[on].mean()),
                    rms=float(np.sqrt((off**2).mean())),
                    cd=float(worth[on].sum()),
                )
            )
    # What matters most: a large difference over much of the surface.
    return tuple(sorted(found, key=lambda p: -p.rms * np.sqrt(p.share)))
