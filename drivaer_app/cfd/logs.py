"""What OpenFOAM's programs say in their logs: residuals, coefficients, and why they stopped."""

from __future__ import annotations

import errno
import math
import re
import signal
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.errors import DrivAerError

_TIME = re.compile(r"^Time = (\d+)", re.MULTILINE)
_RESIDUAL = re.compile(r"Solving for (\w+), Initial residual = ([-+.\w]+)")
_FATAL = re.compile(r"--> FOAM FATAL (?:IO )?ERROR\s*:?\s*(.*?)(?=\n\s*\n\s*From|\n\s*From |\nFOAM |\Z)", re.DOTALL)
_FULL = ("No space left on device", "Disk quota exceeded", "error writing", "write failed")
_TAIL = 200_000  # bytes of a log that are looked at for its end
_IMPOSSIBLE_CD = 50.0


@dataclass(frozen=True)
class SolverState:
    """Where a solver is. iteration: the last one that its log has whole; residuals: initial, by field name."""

    iteration: int
    residuals: dict[str, float]

    @property
    def diverged(self) -> bool:
        return any(not math.isfinite(value) for value in self.residuals.values())


def read_residuals(text: str) -> list[SolverState]:
    """One state for each whole iteration in a solver's log; of a field that is solved for twice, the first."""
    starts = [*_TIME.finditer(text)]
    ends = [*(start.start() for start in starts[1:]), len(text)]
    states = []
    for start, end in zip(starts, ends, strict=False):
        residuals: dict[str, float] = {}
        for name, value in _RESIDUAL.findall(text, start.end(), end):
            residuals.setdefault(name, _float(value))
        if residuals and "ExecutionTime" in text[start.end() : end]:
            states.append(SolverState(int(start[1]), residuals))
    return states


@dataclass(frozen=True, eq=False)
class Coefficients:
    """Force coefficients by iteration, on the area that the case was solved with.

    iteration: (N,) int, rising. cd, cl, clf, clr: (N,) total, and lift at the front and rear axle.
    """

    iteration: np.ndarray
    cd: np.ndarray
    cl: np.ndarray
    clf: np.ndarray
    clr: np.ndarray

    def __len__(self) -> int:
        return len(self.iteration)

    @property
    def diverged(self) -> bool:
        return bool(len(self) and not abs(self.cd[-1]) < _IMPOSSIBLE_CD)


def read_coefficients(folder: Path) -> Coefficients:
    """All that a case's forceCoeffs wrote, without what a stopped run did that the next did again. None yet: length 0.

    The order of columns differs between versions, so they are found by the names in the file's head.
    """
    rows: dict[int, tuple[float, ...]] = {}
    files = [
        *folder.glob("postProcessing/forceCoeffs/*/coefficient*.dat"),
        *folder.glob("postProcessing/forceCoeffs/*/forceCoeffs*.dat"),
    ]
    for path in sorted(files, key=lambda path: (float(path.parent.name), path.name)):
        start = float(path.parent.name)
        before = {iteration: row for iteration, row in rows.items() if iteration <= start}
        rows = before | _rows(path.read_text("ascii", errors="replace"))
    table = np.array([[iteration, *rows[iteration]] for iteration in sorted(rows)]).reshape(-1, 5)
    return Coefficients(table[:, 0].astype(int), *table[:, 1:].T)


def _rows(text: str) -> dict[int, tuple[float, ...]]:
    names: list[str] = []
    rows = {}
    *lines, unfinished = text.split("\n")
    for line in lines:
        if line.startswith("#"):
            names = line[1:].split() if "Cd" in line.split() else names
            continue
        values = line.split()
        if len(values) == len(names) and names:
            row = dict(zip(names, values, strict=True))
            rows[round(float(row["Time"]))] = tuple(_float(row[name]) for name in ("Cd", "Cl", "Cl(f)", "Cl(r)"))
    return rows


def tail(log: Path) -> str:
    """The end of a log, or nothing where there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(file.seek(0, 2) - _TAIL, 0))
            return file.read().decode("utf-8", errors="replace")
    except OSError:
        return ""


def failure(program: str, status: int, log: Path) -> DrivAerError:
    """Why a program ended with a status other than 0: one line, with the place of its log."""
    text = tail(log)
    what, fix = _reason(program, status, text)
    return DrivAerError(what, file=log, fix=fix)


def _reason(program: str, status: int, text: str) -> tuple[str, str]:
    again = "give the same command again: it goes on from here"
    if any(sign in text for sign in _FULL):
        return f"{program} could not write: the disk is full", f"make room, then {again}"
    if "sigFpe::sigHandler" in text or status in (-signal.SIGFPE, 128 + signal.SIGFPE) or _has_nan(text):
        return diverged(program)
    fatal = _FATAL.search(text)
    if fatal:
        message = " ".join(fatal[1].split())[:300]
        return f"{program} stopped: {message or 'a fatal error'}", _fix(program)
    if status < 0 or status > 128:
        number = -status if status < 0 else status - 128
        name = signal.Signals(number).name if number in set(signal.Signals) else str(number)
        if name in ("SIGSEGV", "SIGABRT", "SIGBUS"):
            return f"{program} crashed ({name})", _fix(program)
        memory = " (out of memory, perhaps)" if number == getattr(signal, "SIGKILL", 9) else ""
        return f"{program} was killed by {name}{memory}", again
    last = next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "its log is empty")
    return f"{program} failed with status {status}: {last[:300]}", _fix(program)


def diverged(program: str) -> tuple[str, str]:
    """What and fix of a solution that ran away."""
    return (
        f"{program} diverged: the solution ran away to infinity",
        "look at the mesh's report in log.checkMesh; a finer preset or a cleaner surface helps",
    )


def _fix(program: str) -> str:
    if program in ("snappyHexMesh", "surfaceFeatureExtract", "checkMesh"):
        return "the mesh failed: check the car's surface for holes, or choose another preset"
    return "the whole story is in that file"


def _has_nan(text: str) -> bool:
    return bool(re.search(r"residual = -?nan", text))


@dataclass(frozen=True)
class MeshReport:
    """What checkMesh says. n_cells; worst non-orthogonality (degrees) and skewness; failed checks, its words.

    n_folded: faces turned inside out.
    """

    n_cells: int
    non_orthogonality: float
    skewness: float
    n_folded: int
    failed: tuple[str, ...]

    @property
    def unusable(self) -> str:
        """Why no solver can use the mesh, or nothing: skewed cells are bearable, cells inside out are not."""
        fatal = [
            line for line in self.failed if re.search(r"negative|open cells|wrong oriented|Boundary openness", line)
        ]
        return fatal[0] if fatal else ""


def read_mesh_report(text: str) -> MeshReport:
    """Parse checkMesh's log."""

    def number(pattern: str) -> float:
        found = re.search(pattern, text)
        return _float(found[1]) if found else math.nan

    def count(pattern: str) -> int:
        found = number(pattern)
        return 0 if math.isnan(found) else int(found)

    failed = tuple(" ".join(line.split())[:200] for line in re.findall(r"^\s*\*\*\*(.*)$", text, re.MULTILINE))
    return MeshReport(
        n_cells=count(r"\n\s+cells:\s+(\d+)"),
        non_orthogonality=number(r"non-orthogonality Max: (\S+)"),
        skewness=number(r"[Mm]ax skewness = ([\d.e+]+)"),
        n_folded=count(r"(\d+) faces are incorrectly oriented"),
        failed=failed,
    )


def faces_of_patches(boundary: Path) -> dict[str, int]:
    """How many faces each patch of a mesh has, from its constant/polyMesh/boundary; empty where that cannot be read."""
    try:
        text = boundary.read_text("ascii", errors="replace")
    except OSError:
        return {}
    return {name: int(n) for name, n in re.findall(r"(\w+)\s*\{[^}]*?nFaces\s+(\d+);", text)}


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def is_disk_full(error: OSError) -> bool:
    return error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", None))
