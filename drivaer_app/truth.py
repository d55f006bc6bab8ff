"""CFD beside the prediction of the same car: what a corpus publishes of a design, or what a run of one's own found.

with open_catalogue("corpus/") as catalogue:
    beside = beside_its_cfd(catalogue, "F_D_WM_WW_0001", Predictor())
print(beside.counts, beside.truth.error)
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from data.errors import DrivAerError
from data.nearest import NO_FACE, nearest_faces
from drivaer_app.compare import ALIKE, REACH, nearest_surface
from drivaer_app.drawn_car import DrawnCar, drawn_car
from drivaer_app.fields import vertex_normals
from drivaer_app.origin import CfdCoefficients, Origin, published_of
from drivaer_app.predict import Prediction, Predictor, Reading, load
from drivaer_app.results import COUNT

if TYPE_CHECKING:
    from data.catalogue import Catalogue
    from data.corpora.pressure import SurfacePressure

_AREAS_ALIKE = 0.02


@dataclass(frozen=True)
class CpError:
    """How far predicted Cp is from the CFD's over the area where both are known.

    relative_l2: |predicted - CFD| / |CFD|. mae: mean of |predicted - CFD|. share: of the area in the flow's sight.
    """

    relative_l2: float
    mae: float
    share: float

    @property
    def in_words(self) -> str:
        over = f" over {self.share:.0%} of the surface" if self.share < 0.995 else ""
        return f"Cp is off by {self.relative_l2:.1%} (relative L2), {self.mae:.3f} on average (MAE){over}"


@dataclass(frozen=True, eq=False)
class CarTruth:
    """The CFD's Cp on a car's drawn points, (P,) float32, NaN where the CFD has no such place or the flow sees none.

    source: where it comes from and how it became Cp. error: None for a model that gives no pressure.
    """

    cp: np.ndarray
    source: str
    warnings: tuple[str, ...]
    error: CpError | None


@dataclass(frozen=True, eq=False)
class BesideCfd:
    """A design's prediction beside its CFD. truth: None where no pressure of it is on disk. drawn: the predicted car.

    published: coefficients as they are given; warnings: plain sentences about the comparison.
    """

    prediction: Prediction
    drawn: DrawnCar
    published: CfdCoefficients
    truth: CarTruth | None
    warnings: tuple[str, ...]

    @property
    def on_same_area(self) -> CfdCoefficients:
        """The published coefficients on the prediction's reference area."""
        p = self.prediction
        return self.published.on(p.frontal_area, p.car.frontal_area)

    @property
    def counts(self) -> float | None:
        """Predicted Cd minus the CFD's, in counts of 0.001, on the same area."""
        cd = self.on_same_area.cd
        return None if cd is None else (self.prediction.cd - cd) / COUNT

    def record(self) -> dict[str, Any]:
        """For JSON: the prediction, and its error against the CFD."""
        cfd, p = self.on_same_area, self.prediction
        off = self.truth.error if self.truth else None
        return {
            "prediction": p.record(),
            "error": {
                "cd_counts": None if self.counts is None else round(self.counts, 3),
                "cl": None if None in (p.cl, cfd.cl) else round(p.cl - cfd.cl, 5),
                "cp_relative_l2": off and round(off.relative_l2, 5),
                "cp_mae": off and round(off.mae, 5),
                "cp_share_compared": off and round(off.share, 4),
                "cd_inside_interval": None if None in (p.cd_low, cfd.cd) else bool(p.cd_low <= cfd.cd <= p.cd_high),
                "cfd_cp": self.truth.source if self.truth else None,
                "warnings": list(self.warnings),
            },
        }


def beside_its_cfd(catalogue: Catalogue, design_id: str, predictor: Predictor) -> BesideCfd:
    """Predict a design and compare it with what its corpus publishes of it.

    Raises DrivAerError where there is no such design or no mesh of it on disk.
    """
    from data.catalogue.opening import open_design

    opened = open_design(catalogue, design_id)
    prediction = predictor.predict(opened.car)
    drawn = drawn_car(prediction)
    truth = None if opened.pressure is None else truth_on(drawn, opened.pressure)
    warnings = [*(truth.warnings if truth else [f"no CFD pressure of {design_id} is on disk"])]
    area = opened.design.area
    if area and abs(area / opened.car.frontal_area - 1) > _AREAS_ALIKE:
        areas = f"the catalogue's frontal area is {area:.3f} m², the mesh's {opened.car.frontal_area:.3f} m²"
        warnings.append(f"{areas}: equal Cd would not be equal drag")
    return BesideCfd(prediction, drawn, published_of(opened.design), truth, tuple(warnings))


def published_truth(origin: Origin, file: Path, reading: Reading, drawn: DrawnCar) -> CarTruth:
    """The published Cp of a variant's design on its drawn points. file, reading: as the variant is read.

    Raises DrivAerError where there is none any more.
    """
    from data.catalogue import open_catalogue
    from data.catalogue.opening import pressure_of

    with open_catalogue(origin.catalogue, read_only=True) as catalogue:
        design = catalogue.design(origin.design)
        if design is None:
            raise DrivAerError(f"there is no design {origin.design} any more", file=origin.catalogue)
        pressure = pressure_of(catalogue, design)
    if pressure is None:
        fix = "fetch it with 'data get --what pressure', or put it into the folder and scan again"
        raise DrivAerError(f"no CFD pressure of {origin.design} is on disk", file=origin.catalogue, fix=fix)
    return truth_on(drawn, pressure.placed(load(file, reading).frame))


def truth_on(drawn: DrawnCar, pressure: SurfacePressure) -> CarTruth:
    """A CFD's Cp on a car's drawn points. pressure: in the car frame, on points of its own."""
    cp, known = _on_points(drawn, pressure)
    cp = np.where(known & drawn.exposed, cp, np.nan).astype(np.float32)
    return CarTruth(cp, pressure.source, pressure.warnings, error_of(drawn, cp) if drawn.has_fields else None)


def error_of(drawn: DrawnCar, cp: np.ndarray) -> CpError | None:
    """cp: (P,) the CFD's on the drawn points, NaN where it is not known. None where it is known nowhere."""
    area = _areas(drawn)
    both = np.isfinite(cp) & drawn.exposed & (area > 0)
    if not both.any():
        return None
    weight, off, true = area[both], (drawn.cp[both] - cp[both]).astype(float), cp[both].astype(float)
    size = max(float(weight @ true**2), 1e-30)
    return CpError(
        relative_l2=float(np.sqrt(weight @ off**2 / size)),
        mae=float(weight @ np.abs(off) / weight.sum()),
        share=float(weight.sum() / area[drawn.exposed].sum()),
    )


def _on_points(drawn: DrawnCar, pressure: SurfacePressure) -> tuple[np.ndarray, np.ndarray]:
    """Cp (P,), and (P,) whether the CFD has the same place."""
    if len(pressure.faces):
        near = nearest_surface(drawn, pressure.points, pressure.faces)
        normals = vertex_normals(pressure.points, pressure.faces)
        if np.median(near.facing(normals)) < 0:  # solvers also write surfaces that look into the car
            normals = -normals
        return near.of(pressure.cp), near.is_there(normals)
    if pressure.normals is not None:
        return _of_nearest_faces(drawn, pressure)
    cp = pressure.at(drawn.places)
    return cp, np.isfinite(cp)


def _of_nearest_faces(drawn: DrawnCar, pressure: SurfacePressure) -> tuple[np.ndarray, np.ndarray]:
    """The same from a CFD's face centres with normals: of the nearest one that is turned alike, and no mean of several.

    A mean would round off suction peaks at edges, which are where predictions err most.
    """
    face = nearest_faces(
        pressure.points, pressure.normals, drawn.places, drawn.normals, max_distance=REACH, min_cosine=ALIKE
    )
    return pressure.cp[face], face != NO_FACE


def _areas(drawn: DrawnCar) -> np.ndarray:
    """(P,) m²: a third of each of a drawn point's faces."""
    a, b, c = (drawn.points[drawn.faces[:, k]].astype(float) for k in range(3))
    third = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 6
    return np.bincount(drawn.faces.ravel(), np.repeat(third, 3), minlength=len(drawn.points))
