"""One PNG of a comparison: the CFD's Cp, predicted Cp and their difference, seen from three sides."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from data.corpora.pressure import SurfacePressure, with_image
from drivaer_app.cfd.result import CaseResult
from drivaer_app.cfd.verify import Comparison
from drivaer_app.drawn_car import drawn_car
from drivaer_app.pictures.sides_picture import write_sides
from drivaer_app.truth import truth_on


def write_comparison(path: Path, comparison: Comparison, name: str) -> None:
    """Draw and write the PNG. Raises DrivAerError where it cannot be written."""
    p, r = comparison.prediction, comparison.result
    car = drawn_car(p)
    facts = f"{name}, Cp differs by {100 * comparison.cp_error:.0f} % (relative L2), {r.setup.preset.name} mesh"
    cfd_cp = truth_on(car, _pressure(r)).cp
    write_sides(path, car, cfd_cp, f"Cd {p.cd:.3f} predicted, {r.cd:.3f} by CFD", facts)


def _pressure(result: CaseResult) -> SurfacePressure:
    surface = result.surface
    points, facing, cp = surface.centres, surface.normals.astype(np.float32), surface.believable_cp
    if result.setup.domain.half:
        points, facing, cp = with_image(points, facing, cp)
    return SurfacePressure(points, np.zeros((0, 3), np.int32), cp, "the CFD run", normals=facing)
