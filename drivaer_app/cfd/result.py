"""What a simulation answers: coefficients with their scatter, and the flow on the surface."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from drivaer_app.cfd.logs import Coefficients, MeshReport
from drivaer_app.cfd.read import SurfaceFlow
from drivaer_app.cfd.setup import CaseSetup

_STEADY_DRIFT = 0.015  # of Cd: how far the window's halves may differ
_STEADY_SCATTER = 0.03  # of Cd


@dataclass(frozen=True)
class WindowMean:
    """A coefficient over the averaging window: mean, scatter (standard deviation), and second half minus first."""

    mean: float
    std: float
    drift: float

    @classmethod
    def of(cls, values: np.ndarray) -> WindowMean:
        half = len(values) // 2
        drift = values[half:].mean() - values[:half].mean() if half else 0.0
        return cls(float(values.mean()), float(values.std()), float(drift))


@dataclass(frozen=True, eq=False)
class CaseResult:
    """One simulated car. Coefficients refer to ``setup.frontal_area`` (m², the whole car).

    cd, cl, clf, clr: over the last ``window`` of ``iterations``, without what impossible faces add (``cd_artefact``).
    cd_std, cl_std: scatter in that window. cd_pressure, cd_friction: from integrating the surface.
    n_bad_faces, bad_area: faces with a Cp that no flow has, and their share of the car's area.
    settled: whether the window holds still. files: by kind (case, vtp, plot), in the case folder.
    seconds: wall time of each step. warnings: plain sentences.
    """

    folder: Path
    setup: CaseSetup
    solver: str
    cd: float
    cl: float
    clf: float
    clr: float
    cd_std: float
    cl_std: float
    cd_drift: float
    cd_pressure: float
    cd_friction: float
    cd_artefact: float
    n_bad_faces: int
    bad_area: float
    settled: bool
    iterations: int
    window: int
    mesh: MeshReport
    surface: SurfaceFlow
    history: Coefficients
    files: dict[str, Path]
    seconds: dict[str, float]
    warnings: tuple[str, ...]

    @property
    def drag(self) -> float:
        """N."""
        return self.setup.conditions.force(self.cd, self.setup.frontal_area)

    def record(self) -> dict[str, Any]:
        """The JSON object of ``simulate --json``, without ``file`` and ``status``; names as in the prediction's."""
        rounded = {
            name: round(float(getattr(self, name)), 5)
            for name in ("cd", "cd_std", "cd_drift", "cl", "cl_std", "clf", "clr", "cd_pressure", "cd_friction")
        }
        return {
            **rounded,
            "cd_artefact": round(self.cd_artefact, 5),
            "frontal_area_m2": round(self.setup.frontal_area, 5),
            "cda_m2": round(self.cd * self.setup.frontal_area, 5),
            "drag_n": round(self.drag, 3),
            "speed_ms": self.setup.conditions.speed,
            "density_kgm3": self.setup.conditions.density,
            "settled": self.settled,
            "iterations": self.iterations,
            "window": self.window,
            "preset": self.setup.preset.name,
            "cells": self.mesh.n_cells,
            "half": self.setup.domain.half,
            "wheels": [axle.name for axle in self.setup.axles],
            "bad_faces": self.n_bad_faces,
            "solver": self.solver,
            "case": str(self.files["case"]),
            "vtp": str(self.files["vtp"]),
            "plot": str(self.files["plot"]),
            "warnings": list(self.warnings),
            "seconds": {**self.seconds, "total": round(sum(self.seconds.values()), 1)},
        }


def evaluate(
    setup: CaseSetup,
    folder: Path,
    solver: str,
    history: Coefficients,
    surface: SurfaceFlow,
    mesh: MeshReport,
    files: dict[str, Path],
    seconds: dict[str, float],
    window: int,
) -> CaseResult:
    """Put a solved case's numbers together."""
    cd, cl, clf, clr = (WindowMean.of(v[-window:]) for v in (history.cd, history.cl, history.clf, history.clr))
    sides = 2.0 if setup.domain.half else 1.0
    per_area = sides / setup.frontal_area
    artefact = per_area * (surface.pressure_force(surface.cp) - surface.pressure_force(surface.believable_cp))
    split = artefact[2] / 2
    bad = ~surface.physical
    settled = abs(cd.drift) <= _STEADY_DRIFT * abs(cd.mean) and cd.std <= _STEADY_SCATTER * abs(cd.mean)
    result = CaseResult(
        folder=folder,
        setup=setup,
        solver=solver,
        cd=cd.mean - float(artefact[0]),
        cl=cl.mean - float(artefact[2]),
        clf=clf.mean - float(split),
        clr=clr.mean - float(split),
        cd_std=cd.std,
        cl_std=cl.std,
        cd_drift=cd.drift,
        cd_pressure=float(per_area * surface.pressure_force(surface.believable_cp)[0]),
        cd_friction=float(per_area * surface.friction_force()[0]),
        cd_artefact=float(artefact[0]),
        n_bad_faces=int(bad.sum()),
        bad_area=float(surface.areas[bad].sum() / surface.areas.sum()),
        settled=bool(settled),
        iterations=int(history.iteration[-1]),
        window=window,
        mesh=mesh,
        surface=surface,
        history=history,
        files=files,
        seconds=seconds,
        warnings=(),
    )
    return _with_warnings(result)


def _with_warnings(result: CaseResult) -> CaseResult:
    from dataclasses import replace

    warnings = list(result.setup.warnings)
    if not result.settled:
        warnings.insert(
            0,
            f"not settled: in the last {result.window} iterations Cd scatters by {result.cd_std:.4f} and moves by "
            f"{result.cd_drift:+.4f}; go on with --iterations {2 * result.iterations}",
        )
    if abs(result.cd_artefact) > 0.002 or result.bad_area > 1e-3:
        warnings.append(
            f"{result.n_bad_faces} faces ({100 * result.bad_area:.2g} % of the area) have a Cp that no flow has; what "
            f"they add to Cd ({result.cd_artefact:+.4f}) is left out"
        )
    if result.mesh.failed:
        warnings.append(f"checkMesh finds fault with the mesh: {result.mesh.failed[0]}")
    warnings += _leak(result)
    return replace(result, warnings=tuple(warnings))


def _leak(result: CaseResult) -> list[str]:
    """The flow saw much more surface than the outside has: it got in."""
    from data.load import sample_car

    wetted = float(sample_car(result.setup.car).areas.sum()) * (0.5 if result.setup.domain.half else 1.0)
    meshed = float(result.surface.areas.sum())
    if meshed > 1.35 * wetted:
        return [
            f"the mesh has {meshed:.1f} m² of car where {wetted:.1f} m² are seen from outside: the inside is flooded"
        ]
    if meshed < 0.7 * wetted:
        return [
            f"the mesh has {meshed:.1f} m² of car where {wetted:.1f} m² are seen: parts thinner than a cell are lost"
        ]
    return []
