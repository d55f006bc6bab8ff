"""One PNG of a comparison: the CFD's Cp, predicted Cp and their difference, seen from three sides."""

from __future__ import annotations

from pathlib import Path

from data.corpora.pressure import SurfacePressure
from drivaer_app.cfd.comparison import CfdComparison
from drivaer_app.drawn_car import drawn_car
from drivaer_app.pictures.sides_picture import write_sides
from drivaer_app.truth import truth_on


def write_comparison(path: Path, comparison: CfdComparison, name: str) -> None:
    """Draw and write the PNG. Raises DrivAerError where it cannot be written."""
    p, r = comparison.prediction, comparison.result
    car = drawn_car(p)
    facts = f"{name}, Cp differs by {100 * comparison.cp_error:.0f} % (relative L2), {r.setup.preset.name} mesh"
    of, half = r.surface, r.setup.domain.half
    pressure = SurfacePressure.on_faces(of.centres, of.normals, of.believable_cp, half=half, source="the CFD run")
    cfd_cp = truth_on(car, pressure).cp
    write_sides(path, car, cfd_cp, f"Cd {p.compared:.3f} predicted, {r.cd:.3f} by CFD", facts)
