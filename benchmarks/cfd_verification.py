"""How far the CFD behind `simulate` can be believed: `python benchmarks/cfd_verification.py [WORK]` fills docs/cfd.md.

Every run goes through `drivaer_app.cfd.simulate`, as a user's does, into a folder of WORK. What the tables need of a
finished run is kept in cfd_verification.json beside this script, and such a run is not made again. Stop it whenever you
like. `--list` says what there is, `--only NAME` runs some, `--again` also those that are done, `--tables` only writes
the tables.
"""

from __future__ import annotations

import argparse
import itertools
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

import ahmed  # noqa: E402
import numpy as np  # noqa: E402
import plate  # noqa: E402
from marks import replace_between  # noqa: E402

from data.corpora import wind_tunnel  # noqa: E402
from data.corpora.case_files import read_case  # noqa: E402
from data.load import load_car  # noqa: E402
from data.replacing import replacing  # noqa: E402
from drivaer_app.cfd.result import CaseResult  # noqa: E402
from drivaer_app.cfd.run import RunProgress  # noqa: E402
from drivaer_app.cfd.setup import VISCOSITY  # noqa: E402
from drivaer_app.cfd.simulate import simulate  # noqa: E402
from drivaer_app.conditions import Conditions  # noqa: E402
from factory.morph_generator import MorphGenerator  # noqa: E402

DOCS = ROOT / "docs" / "cfd.md"
FIGURES = ROOT / "benchmarks" / "cfd_verification.json"
SHARED = ROOT.parent / "shared"

# Chosen before any of them was run: two fastbacks' underbodies unmorphed, and a fastback, an estate and a notchback;
# then one more of each with the other underbody.
CORPUS_DESIGNS = ("baseline", "baseline_smooth", "0009", "1003", "2000", "0004", "1006", "2005")
# Drag coefficients measured in the TU Munich wind tunnel over a moving ground, with mirrors and wheels: Heft, Indinger
# & Adams, SAE 2012-01-0168. Re 4.87 million.
MEASURED_DRIVAER = {"baseline": 0.275, "baseline_smooth": 0.243}
MEASURED_AHMED = {slant: wind_tunnel.AHMED[slant] for slant in (0, 25, 35)}
AHMED_SPEED = ahmed.SPEED
PLATE_MESHES = ("coarse", "medium", "fine")


@dataclass(frozen=True)
class Run:
    """One simulation. make: writes its mesh and gives the file. options: of `simulate`. measure: figures of its own."""

    name: str
    make: Callable[[Path], Path]
    preset: str = "coarse"
    options: dict = field(default_factory=dict)
    measure: Callable[[CaseResult], dict[str, Any]] | None = None

    def figures(self, work: Path, processes: int = 1) -> dict[str, Any]:
        """Solve it, and give what the tables need of it."""
        work.mkdir(parents=True, exist_ok=True)
        car = load_car(self.make(work), unit="m", up="z", forward="-x")
        how = {"preset": self.preset, "processes": processes, "on_progress": PrintedSteps(), **self.options}
        result = simulate(car, work / self.name, **how)
        return {**figures_of(result), **(self.measure(result) if self.measure else {})}


class PrintedSteps:
    """A line for each step and every hundred iterations."""

    def __init__(self) -> None:
        self._last = None

    def __call__(self, progress: RunProgress) -> None:
        now = (progress.step, progress.iteration // 100)
        if now != self._last:
            self._last = now
            print(f"  {progress.step} {progress.iteration or ''} {progress.cd or ''}", flush=True)


def drivaer_mesh(name: str) -> Callable[[Path], Path]:
    def make(work: Path) -> Path:
        generator = MorphGenerator(SHARED / "corpus", SHARED / "geometry" / "drivaer_fastback")
        case = read_case(SHARED / "corpus" / "cases" / f"{name}.npz")
        return _export(work / f"drivaer_{name}.stl", *generator.mesh(case.parameters, case.underbody))

    return make


def ahmed_mesh(slant: int) -> Callable[[Path], Path]:
    return lambda work: _export(work / f"ahmed_{slant}.stl", *ahmed.ahmed_body(slant))


def _plate(work: Path) -> Path:
    return _export(work / "plate.stl", *plate.fin())


def _export(path: Path, vertices: np.ndarray, faces: np.ndarray) -> Path:
    import trimesh

    if not path.exists():
        trimesh.Trimesh(vertices, faces, process=False).export(path)
    return path


def runs() -> list[Run]:
    """All of them, in the order in which they are most worth having."""
    fixed = {"moving_ground": False, "conditions": Conditions(speed=AHMED_SPEED, area=ahmed.AREA)}
    found = [Run(f"ahmed_{slant}", ahmed_mesh(slant), options=fixed, measure=ahmed_parts) for slant in MEASURED_AHMED]
    for preset in PLATE_MESHES:
        found.append(Run(f"plate_{preset}", _plate, preset, {"half": True, "iterations": 300}, plate_friction))
    if SHARED.is_dir():
        found += [Run(f"drivaer_{name}", drivaer_mesh(name), options={"half": True}) for name in CORPUS_DESIGNS]
        refined = {"half": True, "iterations": 300}
        found += [
            Run(f"drivaer_baseline_{p}", drivaer_mesh("baseline"), p, refined) for p in ("draft", "medium", "fine")
        ]
        found += [Run(f"drivaer_{name}_medium", drivaer_mesh(name), "medium", refined) for name in CORPUS_DESIGNS[1:]]
    finer = fixed | {"iterations": 300}
    found += [Run(f"ahmed_{slant}_medium", ahmed_mesh(slant), "medium", finer, ahmed_parts) for slant in MEASURED_AHMED]
    return found


def figures_of(result: CaseResult) -> dict[str, Any]:
    """What the tables need of any run: numbers only."""
    return {
        "mesh": result.setup.preset.name,
        "cells": result.mesh.n_cells,
        "surface_mm": round(1000 * result.setup.surface_cell),
        "area": round(result.setup.frontal_area, 6),
        **{
            name: round(float(getattr(result, name)), 5)
            for name in ("cd", "cd_std", "cl", "cd_pressure", "cd_friction", "cd_artefact", "bad_area")
        },
        "faces": len(result.surface),
        "bad_faces": result.n_bad_faces,
        "lowest_cp": round(float(result.surface.cp.min()), 2),
        "solver": result.solver,
    }


def ahmed_parts(result: CaseResult) -> dict[str, Any]:
    """Pressure drag of stilts, nose, slant and base."""
    surface = result.surface
    x = (surface.centres[:, 0] - surface.centres[:, 0].min()) / ahmed.LENGTH
    nx, _, nz = surface.normals.T
    drag = -2 * surface.believable_cp * surface.areas * nx / ahmed.AREA
    stilts = surface.centres[:, 2] < ahmed.CLEARANCE - 1e-3
    rear = ~stilts & (x > 0.7)
    slant = rear & (nz > 0.3) & (nx > 0.1)
    parts = (stilts, ~stilts & (x < 0.2), slant, rear & ~slant)
    return {"parts": [round(float(drag[part].sum()), 4) for part in parts]}


def plate_friction(result: CaseResult) -> dict[str, Any]:
    """Mean local Cf on the fin's flat side in bands of its length, away from the road and its upper edge."""
    surface = result.surface
    x = surface.centres[:, 0] - surface.centres[:, 0].min()
    z = surface.centres[:, 2]
    side = (np.abs(surface.normals[:, 1]) > 0.99) & (z > 0.4 * plate.HEIGHT) & (z < 0.7 * plate.HEIGHT)
    bands = []
    for low, high in plate.BANDS:
        band = side & (x >= low) & (x < high)
        weights = surface.areas[band]
        bands.append(round(float((surface.cf[band, 0] * weights).sum() / weights.sum()), 6))
    return {"bands": bands}


def corpus_table(figures: dict[str, dict]) -> str:
    rows = ["| design | underbody | mesh | Cd here | scatter | Cd in the corpus | scatter | difference |", _rule(8)]
    off: dict[str, list[float]] = {}
    for name, mesh in itertools.product(CORPUS_DESIGNS, ("", "_medium")):
        run = figures.get(f"drivaer_{name}{mesh}")
        if run is None:
            continue
        case = read_case(SHARED / "corpus" / "cases" / f"{name}.npz")
        theirs, scatter = case.coefficients["cd"], case.coefficients["cd_std"]
        # Coefficients on the corpus's own frontal area: a comparison of forces.
        ours = run["cd"] * run["area"] / case.frontal_area
        off.setdefault(run["mesh"], []).append(ours / theirs - 1)
        rows.append(
            f"| {name}, {case.style} | {case.underbody} | {run['mesh']} | {ours:.4f} | {run['cd_std']:.4f} | "
            f"{theirs:.4f} | {scatter:.4f} | {100 * off[run['mesh']][-1]:+.1f} % |"
        )
    return "\n".join([*rows, "", *(_agreement(mesh, differences) for mesh, differences in off.items())])


def _agreement(mesh: str, differences: list[float]) -> str:
    within = sum(abs(d) <= 0.03 for d in np.round(differences, 3))
    return (
        f"On `{mesh}` meshes: mean difference {100 * np.mean(differences):+.1f} %, largest "
        f"{100 * np.abs(differences).max():.1f} %; {within} of {len(differences)} within 3 %.  "
    )


def tunnel_table(figures: dict[str, dict]) -> str:
    rows = ["| underbody | mesh | Cd measured | Cd here | difference |", _rule(5)]
    for name, measured in MEASURED_DRIVAER.items():
        for mesh in ("", "_medium", "_fine"):
            run = figures.get(f"drivaer_{name}{mesh}")
            if run is not None:
                underbody = "detailed" if name == "baseline" else "smooth (a plate, here)"
                rows.append(
                    f"| {underbody} | {run['mesh']} | {measured:.3f} | {run['cd']:.3f} | {run['cd'] - measured:+.3f} |"
                )
    return "\n".join(rows)


def ahmed_table(figures: dict[str, dict]) -> str:
    rows = [
        "| slant | mesh | cells | Cd measured | Cd here | scatter | stilts | nose | slant's | base | friction |",
        _rule(11),
    ]
    for slant, measured in MEASURED_AHMED.items():
        for mesh in ("", "_medium"):
            run = figures.get(f"ahmed_{slant}{mesh}")
            if run is not None:
                parts = " | ".join(f"{value:.3f}" for value in (*run["parts"], run["cd_friction"]))
                rows.append(
                    f"| {slant}° | {run['mesh']} | {run['cells']:,} | {measured:.3f} | {run['cd']:.3f} | "
                    f"{run['cd_std']:.4f} | {parts} |"
                )
    return "\n".join(rows)


def plate_table(figures: dict[str, dict]) -> str:
    runs = {mesh: figures[f"plate_{mesh}"]["bands"] for mesh in PLATE_MESHES if f"plate_{mesh}" in figures}
    rows = [f"| from the front edge | Re of the middle | Cf of a plate | {' | '.join(runs)} |", _rule(3 + len(runs))]
    for i, (low, high) in enumerate(plate.BANDS):
        reynolds = Conditions().speed * (low + high) / 2 / VISCOSITY
        known = plate.local_friction(reynolds)
        found = " | ".join(f"{bands[i]:.5f} ({100 * (bands[i] / known - 1):+.0f} %)" for bands in runs.values())
        rows.append(f"| {low:.1f} – {high:.1f} m | {reynolds / 1e6:.1f} million | {known:.5f} | {found} |")
    return "\n".join(rows)


def refinement_table(figures: dict[str, dict]) -> str:
    rows = [
        "| mesh | cells | on the surface | Cd | scatter | from pressure | from friction | Cl | faces off |",
        _rule(9),
    ]
    for preset in ("_draft", "", "_medium", "_fine"):
        run = figures.get(f"drivaer_baseline{preset}")
        if run is not None:
            rows.append(
                f"| {run['mesh']} | {run['cells']:,} | {run['surface_mm']} mm | {run['cd']:.4f} | "
                f"{run['cd_std']:.4f} | {run['cd_pressure']:.4f} | {run['cd_friction']:.4f} | "
                f"{run['cl']:.3f} | {run['bad_faces']} |"
            )
    return "\n".join(rows)


def faces_table(figures: dict[str, dict]) -> str:
    rows = [
        "| case | faces | Cp below -3 or above 1.1 | share of the area | lowest Cp | what they add to Cd |",
        _rule(6),
    ]
    for name, run in figures.items():
        rows.append(
            f"| {name} | {run['faces']:,} | {run['bad_faces']} | {100 * run['bad_area']:.3f} % | "
            f"{run['lowest_cp']:.1f} | {run['cd_artefact']:+.4f} |"
        )
    return "\n".join(rows)


TABLES = {
    "cfd-corpus": corpus_table,
    "cfd-tunnel": tunnel_table,
    "cfd-ahmed": ahmed_table,
    "cfd-plate": plate_table,
    "cfd-refinement": refinement_table,
    "cfd-faces": faces_table,
}


def _rule(columns: int) -> str:
    return "|" + "---|" * columns


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", nargs="?", type=Path, default=ROOT / "build" / "cfd_verification", metavar="WORK")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these runs")
    parser.add_argument("--again", action="store_true", help="also what is done")
    parser.add_argument("--processes", type=int, default=1, help="of the solver (1)")
    parser.add_argument("--list", action="store_true", help="the runs, and which are finished")
    parser.add_argument("--tables", action="store_true", help="write the tables from what is finished")
    options = parser.parse_args()
    chosen = [run for run in runs() if not options.only or run.name in options.only]
    if options.list:
        done = read_figures()
        for run in chosen:
            print(f"{'done' if run.name in done else 'to do':6s} {run.name}")
        return
    for run in () if options.tables else chosen:
        if options.again or run.name not in read_figures():
            _solve(run, options.work, options.processes)
    write_tables(read_figures())


def _solve(run: Run, work: Path, processes: int) -> None:
    print(run.name, flush=True)
    figures = run.figures(work, processes)
    print(f"  Cd {figures['cd']:.4f} +- {figures['cd_std']:.4f}, {figures['cells']:,} cells", flush=True)
    known = read_figures() | {run.name: figures}
    order = [other.name for other in runs()]
    with replacing(FIGURES) as unfinished:
        rows = [f" {json.dumps(name)}: {json.dumps(known[name])}" for name in sorted(known, key=order.index)]
        unfinished.write_text("{\n" + ",\n".join(rows) + "\n}\n", encoding="utf-8")
    if run.name == "drivaer_baseline":
        shutil.copyfile(work / run.name / "convergence.png", DOCS.with_name("convergence.png"))


def read_figures() -> dict[str, dict]:
    """What is known of finished runs, by name."""
    return json.loads(FIGURES.read_text("utf-8")) if FIGURES.exists() else {}


def write_tables(figures: dict[str, dict]) -> None:
    for name, table in TABLES.items():
        replace_between(name, table(figures), DOCS)


if __name__ == "__main__":
    main()
