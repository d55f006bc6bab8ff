"""Which mesh, schemes and patience bring coarse RANS nearest to the outside per core-minute.

`python benchmarks/cfd_setups.py [WORK]` runs what is not done yet, one core each, behind all other work, and keeps
what came out in cfd_setups.json beside this script; several may run at once. Stop it whenever you like: the same
command goes on from the last iteration that the solver wrote. `--list` says what there is, `--only SETUP[/CASE]` runs
some, `--tables` writes the tables of docs/cfd.md.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import signal
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

import ahmed  # noqa: E402
import drivaer_cars  # noqa: E402
from cfd_verification import AHMED_SPEED, Run, ahmed_mesh, ahmed_parts, figures_of  # noqa: E402
from filelock import FileLock, Timeout  # noqa: E402

from data.errors import DrivAerError  # noqa: E402
from data.replacing import replacing  # noqa: E402
from drivaer_app.cfd.presets import PRESETS, Layers, Preset, Schemes  # noqa: E402
from drivaer_app.cfd.result import CaseResult  # noqa: E402
from drivaer_app.cfd.run import Cancelled, Progress  # noqa: E402
from drivaer_app.conditions import Conditions  # noqa: E402
from drivaer_app.corpus.families import Family, FamilySource, open_family, solve_family  # noqa: E402
from drivaer_app.corpus.modes import make_modes  # noqa: E402
from drivaer_app.corpus.runs import ReadyFamily, claim, empty, solve_bent  # noqa: E402
from drivaer_app.corpus.settings import GrowthSettings  # noqa: E402
from drivaer_app.priority import step_back  # noqa: E402

FIGURES = ROOT / "benchmarks" / "cfd_setups.json"
BLOCK = 100
"""Iterations: Cd is kept as means over so many, so that any window can be looked at later."""

_OPEN = Schemes(convection="linearUpwindV", gradient_limit=0.0, non_orthogonal=0.8)
_SIX = Layers(6, expansion=1.3)


def _setups() -> dict[str, Preset]:
    """In the order in which they were tried; lengths are of a car of 4.6 m."""
    before = replace(PRESETS["coarse"], name="one-layer", iterations=800, window=400)
    layers = replace(before, name="layers", layers=_SIX)
    opened = replace(layers, name="layers-open", schemes=_OPEN)
    wheels = replace(opened, name="wheels-open", layers=replace(_SIX, wheels=4, slip_angle=30.0))
    curved = replace(opened, name="curved-open", curved=1)
    wake = replace(opened, name="wake-open", wake=1)
    return {setup.name: setup for setup in (before, layers, opened, wheels, curved, wake)}


SETUPS = _setups()
PRESETS.update(SETUPS)  # families know their preset by its name


@dataclass(frozen=True)
class Ahmed:
    """The tunnel's Ahmed body on its stilts, over a fixed floor."""

    slant: int

    @property
    def name(self) -> str:
        return f"ahmed_{self.slant}"

    def solve(self, preset: Preset, work: Path) -> dict[str, Any]:
        conditions = Conditions(speed=AHMED_SPEED, area=ahmed.AREA)
        options = {"moving_ground": False, "half": True, "conditions": conditions}
        run = Run(self.name, ahmed_mesh(self.slant), preset, options, lambda r: _measured(r) | ahmed_parts(r))
        figures = run.figures(work)
        shutil.rmtree(work / self.name)
        return figures


@dataclass(frozen=True)
class Car:
    """A DrivAer, over a moving road. shift: of the mesh's grid along the car, in undisturbed cells."""

    body: str
    floor: str
    shift: float = 0.0

    @property
    def name(self) -> str:
        return f"{self.body}_{self.floor}" + ("_shifted" if self.shift else "")

    def family(self, preset: Preset, work: Path) -> Family:
        file = work / f"drivaer_{self.body}_{self.floor}.obj"
        if not file.exists():
            drivaer_cars.write_obj(file, drivaer_cars.car(self.body, self.floor))
        settings = GrowthSettings(
            preset=preset.name,
            family_iterations=preset.iterations,
            family_window=preset.window,
            design_iterations=preset.iterations // 2,
            window=preset.iterations // 4,
        )
        return open_family(work, FamilySource(self.name, None, file=file), settings, self.shift)

    def solve(self, preset: Preset, work: Path) -> dict[str, Any]:
        family = self.family(preset, work)
        solve_family(family, _say)
        return figures_of(family.result()) | _measured(family.result())


@dataclass(frozen=True)
class Bent:
    """A car bent by one handle, its mesh with it, from the car's own mean flow."""

    car: Car
    handle: str
    value: float

    @property
    def name(self) -> str:
        return f"{self.car.name}_{self.handle}{self.value:+g}"

    def solve(self, preset: Preset, work: Path) -> dict[str, Any]:
        family = self.car.family(preset, work)
        solve_family(family, _say)
        make_modes(family)
        ready = ReadyFamily(family)
        settings = family.settings
        with claim(work / "bent" / self.name) as lock:
            folder = work / "bent" / self.name
            empty(folder)
            amounts = ready.surface.handles.amounts_of({self.handle: self.value})
            result = solve_bent(ready, folder, amounts, lock, _say)
            figures = figures_of(result) | _measured(result, settings.window)
            shutil.rmtree(folder)
        return figures


Case = Ahmed | Car | Bent
_BASE = Car("fastback", "detailed")
_PAIRS = {"width": 0.05, "ride_height": 0.025, "roof_height": 0.05, "boot_length": 0.08}
CASES: dict[str, Case] = {
    case.name: case
    for case in (
        *(Ahmed(slant) for slant in (25, 35, 0, 30)),
        _BASE,
        Car("fastback", "smooth"),
        Car("estate", "detailed"),
        Car("notchback", "detailed"),
        *(Bent(_BASE, handle, sign * by) for handle, by in _PAIRS.items() for sign in (1, -1)),
        replace(_BASE, shift=1 / 3),
    )
}


def _measured(result: CaseResult, window: int | None = None) -> dict[str, Any]:
    cd = result.history.cd
    log = result.folder / "log.snappyHexMesh"
    return {
        "seconds": round(sum(result.seconds.values())),
        "iterations": result.iterations,
        "window": window or result.window,
        "cd_by_block": [round(float(cd[i : i + BLOCK].mean()), 4) for i in range(0, len(cd), BLOCK)],
        **({"grown": _grown(log.read_text(errors="replace"))} if log.exists() else {}),
    }


def _grown(log: str) -> dict[str, list[float]]:
    """Boundary layer cells by patch: how many grew in the mean, and the share of the wanted thickness, %."""
    rows = re.findall(r"^(\w+)\s+\d+\s+([\d.]+)\s+[\d.eE+-]+\s+([\d.]+)\s*$", log, re.MULTILINE)
    return {name: [float(layers), float(share)] for name, layers, share in rows}


class _Say:
    """A line for each step and every hundred iterations."""

    def __init__(self) -> None:
        self._last = None

    def __call__(self, progress: Progress) -> None:
        now = (progress.step, progress.iteration // 100)
        if now != self._last:
            self._last = now
            print(f"  {progress.step} {progress.iteration or ''} {progress.cd or ''}", flush=True)


_say = _Say()


def read_figures() -> dict[str, dict[str, Any]]:
    return json.loads(FIGURES.read_text("utf-8")) if FIGURES.exists() else {}


def keep(work: Path, key: str, figures: dict[str, Any]) -> None:
    with FileLock(work / "figures.lock"):
        known = read_figures() | {key: figures}
        with replacing(FIGURES) as unfinished:
            rows = [f" {json.dumps(name)}: {json.dumps(known[name])}" for name in sorted(known)]
            unfinished.write_text("{\n" + ",\n".join(rows) + "\n}\n", encoding="utf-8")


def run_all(work: Path, keys: list[str]) -> None:
    for key in keys:
        setup, name = key.split("/")
        folder = work / setup
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(folder / f"{name}.lock", timeout=0):
                if key in read_figures():
                    continue
                print(key, flush=True)
                try:
                    figures = CASES[name].solve(SETUPS[setup], folder)
                except Cancelled:
                    raise
                except DrivAerError as error:
                    figures = {"failed": error.what[:300]}
                keep(work, key, figures)
                print(f"  {key}: {figures.get('cd')} {figures.get('failed', '')}", flush=True)
        except Timeout:
            continue


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", nargs="?", type=Path, default=ROOT / "build" / "cfd_setups", metavar="WORK")
    parser.add_argument("--only", nargs="+", metavar="SETUP[/CASE]", help="these, in this order")
    parser.add_argument("--list", action="store_true", help="what there is, and what is done")
    options = parser.parse_args()
    keys = [f"{setup}/{case}" for setup in SETUPS for case in CASES]
    if options.only:
        keys = [key for only in options.only for key in keys if only in (key, key.split("/")[0])]
    if options.list:
        done = read_figures()
        for key in keys:
            print(f"{'done' if key in done else 'to do':6s} {key}")
        return
    step_back(19)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a polite kill ends the solver too
    run_all(options.work.resolve(), keys)


if __name__ == "__main__":
    main()
