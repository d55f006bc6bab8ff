"""CFD cases: coefficients and surface fields, read from the corpus's files, our compact ones, or `simulate`'s.

The corpus format (``../shared/corpus/README.md``) has points, normals and fields; ``drivaer simulate`` writes it too,
of any car. The compact one, written by `data.corpora.compact`, keeps only what the generator cannot give back:
parameters, coefficients and Cp, Cf per CFD face. On morphed DrivAers face i is the same place on every car with the
same underbody.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.corpora.references import fields_of
from data.errors import DrivAerError

COEFFICIENTS = ("Cd", "Cd_std", "Cl", "Clf", "Clr", "Cd_pressure", "Cd_friction")
"""Of a case and of a column in a corpus's table. Cd_std: the scatter of Cd inside the averaging window."""
TEST_EVERY, TEST_REMAINDER = 5, 2
"""Design i is held out of every training when ``i % 5 == 2``: a fifth, in all styles and with both underbodies."""


@dataclass(frozen=True, eq=False)
class Case:
    """One CFD run on one car.

    name: file stem. design: the generator's index, negative for the unmorphed cars; None for a car that is none of
        the generator's, as are style, underbody (detailed | smooth) and parameters (empty) then.
    style: fastback | estate | notchback.
    parameters: the generator's, m and degrees. coefficients: those of COEFFICIENTS.
    frontal_area: m². face_cp: (M,) float32, clipped to CP_RANGE. face_cf: (M, 3) float32.
    """

    name: str
    design: int | None
    style: str | None
    underbody: str | None
    parameters: dict[str, float]
    coefficients: dict[str, float]
    frontal_area: float
    face_cp: np.ndarray
    face_cf: np.ndarray

    @property
    def is_test(self) -> bool:
        return self.design is not None and is_test_design(self.design)


def is_test_design(design: int) -> bool:
    """True for the designs that no training ever sees; the unmorphed cars (negative) are not among them."""
    return design >= 0 and design % TEST_EVERY == TEST_REMAINDER


def style_of(parameters: dict[str, float]) -> str:
    if parameters.get("estate"):
        return "estate"
    return "notchback" if parameters.get("notch") else "fastback"


def read_case(path: str | Path) -> Case:
    """A case from a corpus-format or compact ``.npz``.

    Raises DrivAerError for a file that is neither.
    """
    path = Path(path)
    try:
        with np.load(path, allow_pickle=False) as arrays:
            meta = json.loads(str(arrays["meta"]))
            cp, cf = fields_of(arrays, path)
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DrivAerError(f"not a CFD case ({error})", file=path, fix="give a case .npz of a corpus") from error
    parameters, generated = meta.get("params", {}), "i" in meta
    return Case(
        name=meta["name"],
        design=int(meta["i"]) if generated else None,
        style=style_of(parameters) if generated else None,
        underbody=meta.get("underbody"),
        parameters=parameters,
        coefficients={key: float(meta[key]) for key in COEFFICIENTS},
        frontal_area=float(meta["frontal_area"]),
        face_cp=cp,
        face_cf=cf,
    )


def read_cases(*folders: str | Path) -> list[Case]:
    """Every case below the folders' ``cases/``, each design once (the first folder that has it), in design order.

    Cases of the generator's designs only: raises DrivAerError for another car's, which has no design.
    """
    cases: dict[int, Case] = {}
    for folder in folders:
        for path in sorted(Path(folder, "cases").glob("*.npz")):
            case = read_case(path)
            if case.design is None:
                raise DrivAerError("is no case of a morphed DrivAer", file=path, fix="move it to another folder")
            cases.setdefault(case.design, case)
    if not cases:
        raise DrivAerError("no CFD cases", file=folders[0] if folders else None, fix="give a folder with cases/*.npz")
    return [cases[design] for design in sorted(cases)]
