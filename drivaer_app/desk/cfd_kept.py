"""A finished CFD run of a variant as a study keeps it: numbers, where its case lies, and of which mesh it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from drivaer_app.conditions import Conditions
from drivaer_app.origin import CfdCoefficients, Origin
from drivaer_app.results import Result

CASE = "case.npz"
"""The file of a case folder that holds the flow on the surface."""
History = tuple[tuple[int, ...], tuple[float, ...]]
"""Iterations, and Cd at each."""
Residuals = tuple[tuple[int, dict[str, float]], ...]
"""Iterations, each with the residuals by field."""
_SCALED = ("cd", "cd_std", "cl", "clf", "clr", "cd_pressure", "cd_friction")


@dataclass(frozen=True)
class CfdNumbers:
    """What a CFD run says; coefficients on ``frontal_area`` (m²). As in drivaer_app.cfd.result.CaseResult."""

    cd: float
    cd_std: float
    cl: float
    clf: float
    clr: float
    cd_pressure: float
    cd_friction: float
    frontal_area: float
    settled: bool
    iterations: int
    cells: int
    preset: str
    warnings: tuple[str, ...]

    def on(self, conditions: Conditions) -> CfdNumbers:
        """With coefficients on the conditions' reference area, where they name one."""
        if conditions.area is None:
            return self
        scaled = {name: getattr(self, name) * self.frontal_area / conditions.area for name in _SCALED}
        return replace(self, **scaled, frontal_area=conditions.area)

    @property
    def coefficients(self) -> CfdCoefficients:
        """What any CFD says of a car."""
        source = self.preset if self.settled else f"{self.preset}, not settled"
        return CfdCoefficients(self.cd, self.cd_std, self.cl, self.clf, self.clr, self.frontal_area, source)


@dataclass(frozen=True)
class KeptCfd:
    """folder: absolute. case: SHA-256 of its case file, empty where there was none. wind: what was solved.

    mesh: SHA-256 of the variant's file as it was solved.
    """

    numbers: CfdNumbers
    folder: Path
    case: str
    mesh: str
    wind: Conditions

    def to_json(self) -> dict[str, Any]:
        """Without the folder, which is told as the study sees it."""
        checksums = {"case_sha256": self.case, "mesh_sha256": self.mesh}
        wind = {"speed_ms": self.wind.speed, "density_kgm3": self.wind.density}
        return {"numbers": asdict(self.numbers), **checksums, **wind}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any], folder: Path) -> KeptCfd:
        """Raises KeyError, TypeError, ValueError or DrivAerError for what is no stored run."""
        given = stored["numbers"]
        numbers = {name: float(given[name]) for name in (*_SCALED, "frontal_area")}
        counts = {name: int(given[name]) for name in ("iterations", "cells")}
        warnings = tuple(str(text) for text in given["warnings"])
        return cls(
            CfdNumbers(
                **numbers, **counts, settled=bool(given["settled"]), preset=str(given["preset"]), warnings=warnings
            ),
            folder,
            str(stored["case_sha256"]),
            str(stored["mesh_sha256"]),
            Conditions(float(stored["speed_ms"]), float(stored["density_kgm3"])),
        )

    def why_no_case(self) -> str:
        """Why the case cannot be looked at, a sentence; empty where it is there and the same. Reads its file."""
        from drivaer_app.files import checksum_of

        if not self.folder.is_dir():
            return f"the case's folder {self.folder.name} is not there any more: its numbers are kept"
        if not self.case or not (self.folder / CASE).is_file():
            return f"the case's folder has no {CASE}: its numbers are kept"
        if checksum_of(self.folder / CASE) != self.case:
            return "the case in its folder is another one by now: the numbers are those of then"
        return ""

    def curves(self) -> tuple[History, Residuals]:
        """Cd and residuals by iteration, as the case's logs tell them; empty where there are none."""
        from drivaer_app.cfd.logs import read_coefficients, read_residuals
        from drivaer_app.cfd.run import SOLVE

        try:
            found = read_coefficients(self.folder)
            states = read_residuals((self.folder / SOLVE.log).read_text(errors="replace"))
        except (OSError, ValueError):
            return ((), ()), ()
        history = tuple(found.iteration.tolist()), tuple(found.cd.tolist())
        return history, tuple((state.iteration, state.residuals) for state in states)


def cfd_of(
    result: Result | None, kept: KeptCfd | None, origin: Origin | None, conditions: Conditions
) -> CfdCoefficients | None:
    """What CFD says of a variant: a run of its mesh as it is, or what was published of the design that it is.

    On the conditions' reference area, or the car's own.
    """
    if result is None:
        return None
    own = kept is not None and kept.mesh == result.checksum
    found = kept.numbers.coefficients if own else origin and origin.published
    if found is None or found.cd is None:
        return None
    return found.on(conditions.area or result.frontal_area, result.frontal_area)
