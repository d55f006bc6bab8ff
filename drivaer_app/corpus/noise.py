"""How uncertain the corpus's own labels are: the same shape solved in other ways, and what changes.

Two ways, for a family's own car and for some of its designs: on a mesh whose grid is shifted by a third of a cell, and
with twice as many iterations. What the mesh adds alike to all of a family's designs is no noise within it; so what
counts is how differences between designs change.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

from data.corpora.case_files import CASES, named_in_files, read_case
from data.replacing import replacing
from drivaer_app.cfd.run import OnProgress
from drivaer_app.corpus.families import Family, open_family, solve_family
from drivaer_app.corpus.modes import make_modes
from drivaer_app.corpus.runs import FamilyDesign, ReadyFamily, claim, empty, solve_bent

NOISE = "noise"
OWN = "own car"
_SHIFT = 1.0 / 3.0  # of an undisturbed cell
_PLAIN, _TWICE, _SHIFTED = "as labelled", "twice the iterations", "shifted mesh"
WAYS = (_PLAIN, _TWICE, _SHIFTED)

Tell = Callable[[str], None]


def measure_noise(
    family: Family,
    work: Path,
    n_designs: int,
    tell: Tell,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
) -> None:
    """Solve a ready family's own car and its first designs in each way, and keep the coefficients.

    What is measured already is not measured again. Raises Busy where another process is at it, Cancelled,
    and DrivAerError for a solution that fails.
    """
    folder = work / NOISE / family.name
    with claim(folder) as lock:
        ready = ReadyFamily(family)
        designs = [None, *(FamilyDesign.of(ready, index) for index in range(n_designs))]
        for way in WAYS:
            for design in designs:
                name = design.name if design else OWN
                known = read_noise(work).get(family.name, {})
                if way in known.get(name, {}):
                    continue
                numbers = _labelled(work, name) if way == _PLAIN and design else None
                if numbers is None:
                    of = _on_shifted_mesh(family, work, on_progress, cancel) if way == _SHIFTED else ready
                    numbers = _solve(of, design, way, folder / "case", lock, on_progress, cancel)
                _keep(work, family.name, name, way, numbers)
                tell(f"noise of {name}, {way}: Cd {numbers['Cd']:.4f}")


def read_noise(work: Path) -> dict[str, dict[str, dict[str, dict[str, float]]]]:
    """Coefficients by family, car (`OWN` or a design's name) and way."""
    measured = {}
    for path in sorted((work / NOISE).glob("*.json")):
        measured[path.stem] = json.loads(path.read_text("utf-8"))
    return measured


def _labelled(work: Path, name: str) -> dict[str, float] | None:
    path = work / CASES / f"{name}.npz"
    if not path.exists():
        return None
    coefficients = read_case(path).coefficients
    return named_in_files({name: coefficients[name] for name in ("cd", "cl", "cd_std")})


def _on_shifted_mesh(
    family: Family, work: Path, on_progress: OnProgress | None, cancel: threading.Event | None
) -> ReadyFamily:
    other = open_family(work / NOISE / "shifted", family.source, family.settings, _SHIFT)
    solve_family(other, on_progress, cancel)
    make_modes(other)
    return ReadyFamily(other)


def _solve(
    ready: ReadyFamily,
    design: FamilyDesign | None,
    way: str,
    folder: Path,
    lock: int | None,
    on_progress: OnProgress | None,
    cancel: threading.Event | None,
) -> dict[str, float]:
    folder.mkdir(exist_ok=True)
    empty(folder)
    settings = ready.family.settings
    amounts = ready.surface.handles.amounts_of(design.values if design else {})
    iterations = settings.design_iterations * (2 if way == _TWICE else 1)
    result = solve_bent(ready, folder, amounts, lock, on_progress, cancel, iterations=iterations)
    shutil.rmtree(folder, ignore_errors=True)
    return {"Cd": round(result.cd, 5), "Cl": round(result.cl, 5), "Cd_std": round(result.cd_std, 5)}


def _keep(work: Path, family: str, name: str, way: str, numbers: dict[str, float]) -> None:
    path = work / NOISE / f"{family}.json"
    measured = json.loads(path.read_text("utf-8")) if path.exists() else {}
    measured.setdefault(name, {})[way] = numbers
    with replacing(path) as unfinished:
        unfinished.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
