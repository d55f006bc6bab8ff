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
from cfd_verification import AHMED_SPEED, PrintedSteps, Run, ahmed_mesh, ahmed_parts, figures_of  # noqa: E402
from filelock import FileLock, Timeout  # noqa: E402
from marks import replace_between  # noqa: E402

from data.corpora import wind_tunnel  # noqa: E402
from data.errors import DrivAerError  # noqa: E402
from data.replacing import replacing  # noqa: E402
from drivaer_app.cfd.presets import PRESETS, Layers, Preset, Schemes  # noqa: E402
from drivaer_app.cfd.result import CaseResult  # noqa: E402
from drivaer_app.cfd.run import RunStopped  # noqa: E402
from drivaer_app.conditions import Conditions  # noqa: E402
from drivaer_app.corpus.families import Family, FamilySource, open_family, solve_family  # noqa: E402
from drivaer_app.corpus.modes import make_modes  # noqa: E402
from drivaer_app.corpus.runs import ReadyFamily, claim, empty, solve_bent  # noqa: E402
from drivaer_app.corpus.settings import GrowthSettings  # noqa: E402
from drivaer_app.priority import step_back  # noqa: E402
from factory.published_effects import drivaerml_effects  # noqa: E402

DOCS = ROOT / "docs" / "cfd.md"
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
    roomy = replace(opened, name="roomy-open", room=2.0)
    floor = replace(roomy, name="floor-open", wake=1)
    limited = replace(roomy, name="roomy-limited", schemes=replace(_OPEN, gradient_limit=0.5))
    closures = {"SpalartAllmaras": "sa-open", "realizableKE": "rke-open"}
    others = [replace(roomy, name=name, schemes=replace(_OPEN, model=model)) for model, name in closures.items()]
    tried = (before, layers, opened, wheels, curved, wake, roomy, floor, limited, *others)
    return {setup.name: setup for setup in tried}


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
        "core_seconds": round(sum(map(_core_seconds, result.folder.glob("log.*")))),
        "iterations": result.iterations,
        "window": window or result.window,
        "cd_by_block": [round(float(cd[i : i + BLOCK].mean()), 4) for i in range(0, len(cd), BLOCK)],
        **({"grown": _grown(log.read_text(errors="replace"))} if log.exists() else {}),
    }


def _core_seconds(log: Path) -> float:
    """What a program took of a core, however often it was stopped: its own clock begins anew each time."""
    text = log.read_text(errors="replace")
    clock = [float(t) for t in re.findall(r"(?:ExecutionTime|Finished meshing.* in) = ([\d.]+) s", text)]
    return sum(now for now, then in zip(clock, [*clock[1:], 0.0], strict=False) if then < now)


def _grown(log: str) -> dict[str, list[float]]:
    """Boundary layer cells by patch: how many grew in the mean, and the share of the wanted thickness, %."""
    rows = re.findall(r"^(\w+)\s+\d+\s+([\d.]+)\s+[\d.eE+-]+\s+([\d.]+)\s*$", log, re.MULTILINE)
    return {name: [float(layers), float(share)] for name, layers, share in rows}


_say = PrintedSteps()


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
                except RunStopped:
                    raise
                except DrivAerError as error:
                    figures = {"failed": error.what[:300]}
                keep(work, key, figures)
                print(f"  {key}: {figures.get('cd')} {figures.get('failed', '')}", flush=True)
        except Timeout:
            continue


# Tables of docs/cfd.md. A count is 0.001 of Cd.

_TUNNEL = {"fastback_detailed": 0.275, "notchback_detailed": 0.277, "estate_detailed": 0.319}
_APART = {  # more drag, less drag: lowest and highest difference, counts; see ../shared/outside
    ("fastback_smooth", "fastback_detailed"): (-32, -21),
    ("estate_detailed", "fastback_detailed"): (43, 45),
    ("notchback_detailed", "fastback_detailed"): (2, 4),
}
_PARAMETERS = {
    "width": "Vehicle_Width",
    "ride_height": "Vehicle_Ride_Height",
    "roof_height": "Vehicle_Height",
    "boot_length": "Rear_Overhang",
}
_DRIVAERML_AREA = 2.17


def setups_table(figures: dict[str, dict[str, Any]]) -> str:
    """What each set-up is, and what it costs on the DrivAer fastback with the detailed floor."""
    rows = [
        "| set-up | on the surface | boundary layer cells on body, on wheels | momentum, gradients | closure | cells | "
        "iterations | core-minutes |",
        "|---" * 8 + "|",
    ]
    for name, setup in SETUPS.items():
        run = figures.get(f"{name}/{_BASE.name}")
        if run is None or "failed" in run:
            continue
        grown, asked, schemes = run["grown"], setup.layers, setup.schemes
        limit = f"limited by {schemes.gradient_limit:g}" if schemes.gradient_limit else "unlimited"
        rows.append(
            f"| {name} | {run['surface_mm']} mm | {_of(grown, 'body', asked.body)}, "
            f"{_of(grown, 'frontWheels', asked.wheels)} | {schemes.convection}, {limit} | {schemes.model} | "
            f"{run['cells']:,} | {run['iterations']} | {run['core_seconds'] / 60:.0f} |"
        )
    return "\n".join(rows)


def _of(grown: dict[str, list[float]], patch: str, asked: int) -> str:
    return f"{grown[patch][0]:.1f} of {asked}" if asked and patch in grown else "none"


def levels_table(figures: dict[str, dict[str, Any]]) -> str:
    """Cd, and its scatter in the window; differences between cars."""
    levels = [(f"ahmed_{slant:g}", truth) for slant, truth in wind_tunnel.AHMED.items()] + list(_TUNNEL.items())
    levels = [(name, truth) for name, truth in levels if any(f"{setup}/{name}" in figures for setup in SETUPS)]
    heads = [f"{name.replace('_', ' ')} ({truth:.3f})" for name, truth in levels]
    heads += [
        f"{_short(more)} less {_short(less)} ({low:+d} to {high:+d})" for (more, less), (low, high) in _APART.items()
    ]
    heads.append("shifted mesh (within 3)")
    rows = [f"| set-up | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|"]
    for setup in SETUPS:
        cells = [_level(figures.get(f"{setup}/{name}")) for name, _ in levels]
        cells += [_apart(figures, setup, more, less) for more, less in _APART]
        cells.append(_apart(figures, setup, f"{_BASE.name}_shifted", _BASE.name))
        if any(cells):
            rows.append(f"| {setup} | {' | '.join(cells)} |")
    return "\n".join(rows)


def _short(name: str) -> str:
    return name.replace("_detailed", "").replace("_", " ")


def _level(run: dict[str, Any] | None) -> str:
    if run is None:
        return ""
    return f"failed: {run['failed']}" if "failed" in run else f"{run['cd']:.3f} ± {run['cd_std']:.3f}"


def _apart(figures: dict[str, dict[str, Any]], setup: str, more: str, less: str) -> str:
    pair = [figures.get(f"{setup}/{name}") for name in (more, less)]
    if any(run is None or "failed" in run for run in pair):
        return ""
    return f"{1000 * (pair[0]['cd'] - pair[1]['cd']):+.0f}"


def effects_table(figures: dict[str, dict[str, Any]]) -> str:
    """Counts of Cd on DrivAerML's area for each mm, by central differences on the fastback with the detailed floor."""
    effects, _, _ = drivaerml_effects(drivaer_cars.SHARED / "reference" / "drivaerml")
    heads = [f"{handle.replace('_', ' ')} ({effects[name].slope:+.2f})" for handle, name in _PARAMETERS.items()]
    rows = [f"| set-up | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|"]
    for setup in SETUPS:
        cells = [_slope(figures, setup, handle, by) for handle, by in _PAIRS.items()]
        if any(cells):
            rows.append(f"| {setup} | {' | '.join(cells)} |")
    return "\n".join(rows)


def _slope(figures: dict[str, dict[str, Any]], setup: str, handle: str, by: float) -> str:
    runs = [figures.get(f"{setup}/{Bent(_BASE, handle, sign * by).name}") for sign in (1, -1)]
    if any(run is None or "failed" in run for run in runs):
        return ""
    up, down = (1000 * run["cd"] * run["area"] / _DRIVAERML_AREA for run in runs)
    return f"{(up - down) / (2000 * by):+.2f}"


TABLES = {"cfd-setups": setups_table, "cfd-setup-levels": levels_table, "cfd-setup-effects": effects_table}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", nargs="?", type=Path, default=ROOT / "build" / "cfd_setups", metavar="WORK")
    parser.add_argument("--only", nargs="+", metavar="SETUP[/CASE]", help="these, in this order")
    parser.add_argument("--list", action="store_true", help="what there is, and what is done")
    parser.add_argument("--tables", action="store_true", help="write the tables from what is finished")
    options = parser.parse_args()
    if options.tables:
        for name, table in TABLES.items():
            replace_between(name, table(read_figures()), DOCS)
        return
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
