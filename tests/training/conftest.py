"""Small models and small corpora: the shapes are those of our procedural corpus, the drag is made up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from data.corpora.case import CaseGeometry
from data.corpora.case_files import write_case
from data.corpora.morphed_families import read_families
from tests.conftest import ROOT

PROCEDURAL = ROOT / "resources" / "corpus" / "procedural_cars"


@pytest.fixture(scope="session")
def families():
    return read_families(PROCEDURAL)


@pytest.fixture(scope="session")
def make_cases(families):
    """Writes n case files of a family's designs to a corpus folder; the lower a car, the less drag it is given."""

    def make(corpus: Path, n: int) -> Path:
        (corpus / "cases").mkdir(parents=True)
        rng = np.random.default_rng(1)
        by_name, cases = families
        case, family = cases[0], by_name[cases[0].family]
        for i in range(n):
            height = float(rng.uniform(-0.015, 0.03))
            _write(corpus / "cases" / f"car{i:02d}.npz", family, case, {"ride_height": height}, 0.28 + 0.5 * height)
        return corpus

    return make


def _write(path: Path, family, case, values: dict[str, float], cd: float) -> None:
    centres, vectors = family.faces_on(family.handles.amounts_of(values))
    areas = np.linalg.norm(vectors, axis=1)
    normals = vectors / np.maximum(areas, 1e-12)[:, None]
    geometry = CaseGeometry.with_nearest_faces(
        centres[::4], normals[::4], centres, normals, areas, half=True, max_distance=0.02
    )
    numbers = {"name": path.stem, "Cd": cd, "Cl": 0.0, "Cd_std": 0.0, "Clf": 0.0, "Clr": 0.0}
    numbers |= {"Cd_pressure": cd - 0.02, "Cd_friction": 0.02, "frontal_area": case.frontal_area}
    write_case(path, numbers, case.face_cp, case.face_cf, geometry=geometry)
