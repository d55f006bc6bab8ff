"""A family: one car, meshed and solved once, whose mesh is bent to every design of it."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import threading
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from data.car import CarMesh
from data.errors import DrivAerError
from data.load import load_car
from data.replacing import replacing
from drivaer_app.cfd import logs
from drivaer_app.cfd.domain import Box, Domain
from drivaer_app.cfd.find import Installation, find_openfoam
from drivaer_app.cfd.presets import preset_of
from drivaer_app.cfd.read import read_surface
from drivaer_app.cfd.result import CaseResult, evaluate
from drivaer_app.cfd.run import SOLVE, CaseState, OnProgress, Runner, claimed
from drivaer_app.cfd.setup import CaseSetup, set_up, write_case
from drivaer_app.corpus.settings import GrowthSettings
from drivaer_app.shapes.parameters import STYLES, CarParameters, random_parameters

_SOURCE = "source.json"
_WHEELHOUSE_GAP = 0.07
"""m: wide enough for cells between tyre and wheelhouse, so that the body can be lifted over its wheels."""
_RANDOM = re.compile(r"([a-z]+):(\d+)")


@dataclass(frozen=True)
class FamilySource:
    """Where a family's car comes from.

    name: of the family, a file name. style, seed: of a procedural car, the style's default where seed is None.
    file: a car's mesh instead (style is None then).
    """

    name: str
    style: str | None
    seed: int | None = None
    file: Path | None = None

    @classmethod
    def parse(cls, text: str) -> FamilySource:
        """``estate``, ``estate:7`` (its seventh random car) or a mesh file. Raises DrivAerError for anything else."""
        if text in STYLES:
            return cls(text, text)
        random = _RANDOM.fullmatch(text)
        if random and random[1] in STYLES:
            return cls(f"{random[1]}-{int(random[2])}", random[1], int(random[2]))
        path = Path(text)
        if path.is_file():
            name = re.sub(r"[^\w-]+", "_", path.name.split(".")[0]) or "car"
            return cls(name, None, file=path.resolve())
        raise DrivAerError(
            f"{text} is neither a body style nor a file",
            fix=f"give {', '.join(STYLES)}, STYLE:SEED for a random car of a style, or a car's mesh",
        )

    @property
    def parameters(self) -> CarParameters | None:
        if self.style is None:
            return None
        fixed = {"wheelhouse_gap": _WHEELHOUSE_GAP}
        if self.seed is None:
            return CarParameters.for_style(self.style, **fixed)
        return random_parameters(self.style, self.seed, **fixed)


@dataclass(frozen=True, eq=False)
class Family:
    """A family's place on the disk, and its car.

    folder: holds ``car.*``, ``case/`` and what is made of them. shift: of the mesh's grid along x, in undisturbed
    cells: the same car on another mesh, for measuring what the mesh adds.
    """

    source: FamilySource
    folder: Path
    settings: GrowthSettings
    shift: float = 0.0

    @property
    def name(self) -> str:
        return self.source.name

    @property
    def case(self) -> Path:
        return self.folder / "case"

    @cached_property
    def car(self) -> CarMesh:
        return load_car(_car_file(self.folder))

    @cached_property
    def setup(self) -> CaseSetup:
        preset = preset_of(self.settings.preset)
        preset = replace(preset, iterations=self.settings.family_iterations, window=self.settings.family_window)
        # Half of it always: its mesh, its flow and its handles are symmetric.
        setup = set_up(self.car, preset, half=True)
        return replace(setup, domain=_shifted(setup.domain, self.shift)) if self.shift else setup

    @property
    def state(self) -> CaseState | None:
        return CaseState.load(self.case) if self.case.exists() else None

    @property
    def solved(self) -> bool:
        state = self.state
        return state is not None and "postProcess" in state.done

    @property
    def window(self) -> int:
        return min(self.settings.family_window, max(self.settings.family_iterations // 2, 1))

    def result(self) -> CaseResult:
        """The unmorphed car's own result. Raises DrivAerError where it is not solved."""
        mesh = logs.read_mesh_report((self.case / "log.checkMesh").read_text(errors="replace"))
        surface = read_surface(self.case, self.setup.conditions.speed)
        history = logs.read_coefficients(self.case)
        state = self.state
        assert state is not None
        return evaluate(
            self.setup, self.case, state.solver, history, surface, mesh, {}, dict(state.seconds), self.window
        )


def _shifted(domain: Domain, cells: float) -> Domain:
    """The box of air moved along the car, with its grid; where it is refined stays."""
    by = cells * domain.cell
    low, high = ((end[0] + by, *end[1:]) for end in (domain.box.low, domain.box.high))
    return replace(domain, box=Box(low, high))


def open_family(work: Path, source: FamilySource, settings: GrowthSettings, shift: float = 0.0) -> Family:
    """The family's folder, made with its car where it is not there yet.

    Raises DrivAerError where the folder holds a family from somewhere else.
    """
    family = Family(source, work / "families" / source.name, settings, shift)
    origin = {"style": source.style, "seed": source.seed, "file": _digest(source.file)}
    path = family.folder / _SOURCE
    if path.exists():
        known = json.loads(path.read_text("utf-8"))
        if source.file and not source.file.exists():  # the family has a copy of it
            origin["file"] = known["file"]
        if known != origin:
            what = f"holds another family of the name {source.name}"
            raise DrivAerError(what, file=path, fix="rename the car's file")
        return family
    family.folder.mkdir(parents=True, exist_ok=True)
    _put_car(family)
    with replacing(path) as unfinished:
        unfinished.write_text(json.dumps(origin) + "\n", encoding="utf-8")
    return family


def known_families(work: Path, settings: GrowthSettings) -> list[Family]:
    """Every family that a corpus has, in the order of their names."""
    families = []
    for path in sorted((work / "families").glob(f"*/{_SOURCE}")):
        stored = json.loads(path.read_text("utf-8"))
        file = _car_file(path.parent) if stored["file"] else None
        source = FamilySource(path.parent.name, stored["style"], stored["seed"], file)
        families.append(Family(source, path.parent, settings))
    return families


def _car_file(folder: Path) -> Path:
    return next(path for path in sorted(folder.glob("car.*")) if path.is_file())


def _digest(path: Path | None) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path and path.exists() else None


def _put_car(family: Family) -> None:
    from drivaer_app.shapes.car import build_car

    source, parameters = family.source, family.source.parameters
    if parameters is not None:
        with replacing(family.folder / "car.obj") as unfinished:
            build_car(parameters).export(unfinished)
        return
    assert source.file is not None
    suffixes = "".join(source.file.suffixes[-2:] if source.file.suffix == ".gz" else source.file.suffixes[-1:])
    with replacing(family.folder / f"car{suffixes}") as unfinished:
        shutil.copyfile(source.file, unfinished)


def solve_family(family: Family, on_progress: OnProgress | None = None, cancel: threading.Event | None = None) -> None:
    """Mesh and solve the family's own car; goes on where it was stopped, does nothing where it is solved.

    Raises DrivAerError: no solver, a mesh that failed, a solution that ran away; Cancelled.
    """
    if family.solved:
        return
    installation = find_openfoam()
    family.case.mkdir(parents=True, exist_ok=True)
    with claimed(family.case) as lock:
        run_base(family.setup, family.case, family.settings.family_iterations, installation, on_progress, cancel, lock)


def run_base(
    setup: CaseSetup,
    folder: Path,
    iterations: int,
    installation: Installation,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
    lock: int | None = None,
) -> None:
    """Solve a case in a folder from a uniform start, with its mean flow kept."""
    state = CaseState.load(folder) or CaseState(setup.fingerprint(), installation.name, processes=1)
    runner = Runner(folder, installation, state, on_progress or (lambda p: None), cancel or threading.Event(), lock)
    runner.head_for(iterations)
    if SOLVE.name not in state.done:
        write_case(setup, folder, iterations, processes=1)
        keep_mean_flow(folder, setup.flow_fields)
    state.save(folder)
    runner.run()


def keep_mean_flow(folder: Path, fields: tuple[str, ...]) -> None:
    """Average every field that a design starts from, not only what the surface needs."""
    path = folder / "system" / "controlDict"
    text = path.read_text("ascii")
    entry = re.search(r"^( *)p( +)(\{ mean on;.*\})$", text, re.MULTILINE)
    if entry is None:
        raise DrivAerError("the case's controlDict has no mean of p to stand beside", file=path)
    lines = "\n".join(f"{entry[1]}{name:15s} {entry[3]}" for name in fields if name != "p")
    text = text[: entry.end()] + "\n" + lines + text[entry.end() :]
    with replacing(path) as unfinished:
        unfinished.write_text(text, encoding="ascii")
