"""How far the CFD behind `simulate` can be believed: `python benchmarks/cfd_verification.py [WORK]` fills docs/cfd.md.

Every run goes through `drivaer_app.cfd.simulate`, as a user's does, into a folder of WORK, and what is finished there
is not run again. Stop it whenever you like. `--list` says what there is, `--only NAME` runs one, `--tables` writes the
tables from what is finished.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

import ahmed  # noqa: E402
import numpy as np  # noqa: E402
from readme import replace_between  # noqa: E402

from data.corpora.cases import read_case  # noqa: E402
from data.corpora.morphs import MorphGenerator  # noqa: E402
from data.load import load_car  # noqa: E402
from drivaer_app.cfd.result import CaseResult  # noqa: E402
from drivaer_app.cfd.run import CaseState, Progress  # noqa: E402
from drivaer_app.cfd.simulate import CASE, simulate  # noqa: E402
from drivaer_app.conditions import Conditions  # noqa: E402

DOCS = ROOT / "docs" / "cfd.md"
SHARED = ROOT.parent / "shared"

# Chosen before any was run: two fastbacks' underbodies unmorphed, and a fastback, an estate and a notchback.
CORPUS_DESIGNS = ("baseline", "baseline_smooth", "0009", "1003", "2000")
# Drag coefficients measured in the TU Munich wind tunnel over a moving ground, with mirrors and wheels: Heft, Indinger
# & Adams, SAE 2012-01-0168. Re 4.87 million.
MEASURED_DRIVAER = {"baseline": 0.275, "baseline_smooth": 0.243}
# Ahmed, Ramm & Faltin, SAE 840300 (1984), 60 m/s, over a fixed plate.
MEASURED_AHMED = {25: 0.285, 35: 0.260}
AHMED_SPEED = 60.0


@dataclass(frozen=True)
class Run:
    """One simulation. make: writes its mesh and gives the file. options: of `simulate`."""

    name: str
    make: Callable[[Path], Path]
    preset: str = "coarse"
    options: dict = field(default_factory=dict)

    def solve(self, work: Path) -> CaseResult:
        work.mkdir(parents=True, exist_ok=True)
        car = load_car(self.make(work), unit="m", up="z", forward="-x")
        return simulate(car, work / self.name, preset=self.preset, processes=1, on_progress=_Say(), **self.options)

    def finished(self, work: Path) -> bool:
        return (work / self.name / CASE).exists() and CaseState.load(work / self.name) is not None


class _Say:
    """A line for each step and every hundred iterations."""

    def __init__(self) -> None:
        self._last = None

    def __call__(self, progress: Progress) -> None:
        now = (progress.step, progress.iteration // 100)
        if now != self._last:
            self._last = now
            print(f"  {progress.step} {progress.iteration or ''} {progress.cd or ''}", flush=True)


def _drivaer(name: str) -> Callable[[Path], Path]:
    def make(work: Path) -> Path:
        generator = MorphGenerator(SHARED / "corpus", SHARED / "geometry" / "drivaer_fastback")
        case = read_case(SHARED / "corpus" / "cases" / f"{name}.npz")
        return _export(work / f"drivaer_{name}.stl", *generator.mesh(case.parameters, case.underbody))

    return make


def _ahmed(slant: int) -> Callable[[Path], Path]:
    return lambda work: _export(work / f"ahmed_{slant}.stl", *ahmed.ahmed_body(slant))


def _export(path: Path, vertices: np.ndarray, faces: np.ndarray) -> Path:
    import trimesh

    if not path.exists():
        trimesh.Trimesh(vertices, faces, process=False).export(path)
    return path


def runs() -> list[Run]:
    """All of them, in the order in which they are most worth having."""
    half = {"half": True}
    fixed = {"moving_ground": False, "conditions": Conditions(speed=AHMED_SPEED, area=ahmed.AREA)}
    found = [Run(f"ahmed_{slant}", _ahmed(slant), options=fixed) for slant in MEASURED_AHMED]
    finer = fixed | {"iterations": 300}
    found += [Run(f"ahmed_{slant}_medium", _ahmed(slant), "medium", finer) for slant in MEASURED_AHMED]
    if SHARED.is_dir():
        found += [Run(f"drivaer_{name}", _drivaer(name), options=half) for name in CORPUS_DESIGNS]
        refined = {"half": True, "iterations": 300}
        found += [Run(f"drivaer_baseline_{p}", _drivaer("baseline"), p, refined) for p in ("draft", "medium")]
    return found


def corpus_table(results: dict[str, CaseResult]) -> str:
    rows = ["| design | underbody | Cd here | scatter | Cd in the corpus | scatter | difference |", _rule(7)]
    off = []
    for name in CORPUS_DESIGNS:
        result = results.get(f"drivaer_{name}")
        if result is None:
            continue
        case = read_case(SHARED / "corpus" / "cases" / f"{name}.npz")
        theirs, scatter = case.coefficients["Cd"], case.coefficients["Cd_std"]
        # Coefficients on the corpus's own frontal area: a comparison of forces.
        ours = result.cd * result.setup.frontal_area / case.frontal_area
        off.append(ours / theirs - 1)
        rows.append(
            f"| {name}, {case.style} | {case.underbody} | {ours:.4f} | {result.cd_std:.4f} | {theirs:.4f} | "
            f"{scatter:.4f} | {100 * off[-1]:+.1f} % |"
        )
    rows.append(f"\nMean difference {100 * np.mean(off):+.1f} %, largest {100 * np.abs(off).max():.1f} %.")
    return "\n".join(rows)


def tunnel_table(results: dict[str, CaseResult]) -> str:
    rows = ["| underbody | Cd measured | Cd coarse RANS | difference |", _rule(4)]
    for name, measured in MEASURED_DRIVAER.items():
        result = results.get(f"drivaer_{name}")
        if result is not None:
            underbody = "detailed" if name == "baseline" else "smooth (a plate, here)"
            rows.append(f"| {underbody} | {measured:.3f} | {result.cd:.3f} | {result.cd - measured:+.3f} |")
    return "\n".join(rows)


def ahmed_table(results: dict[str, CaseResult]) -> str:
    head = (
        "slant",
        "mesh",
        "cells",
        "Cd measured",
        "Cd here",
        "scatter",
        "stilts",
        "nose",
        "slant's",
        "base",
        "friction",
    )
    rows = [f"| {' | '.join(head)} |", _rule(len(head))]
    for slant, measured in MEASURED_AHMED.items():
        for mesh in ("", "_medium"):
            result = results.get(f"ahmed_{slant}{mesh}")
            if result is not None:
                parts = " | ".join(f"{value:.3f}" for value in (*_ahmed_parts(result), result.cd_friction))
                rows.append(
                    f"| {slant}° | {result.setup.preset.name} | {result.mesh.n_cells:,} | {measured:.3f} | "
                    f"{result.cd:.3f} | {result.cd_std:.4f} | {parts} |"
                )
    return "\n".join(rows)


def _ahmed_parts(result: CaseResult) -> list[float]:
    """Pressure drag of stilts, nose, slant and base."""
    surface = result.surface
    x = (surface.centres[:, 0] - surface.centres[:, 0].min()) / ahmed.LENGTH
    nx, _, nz = surface.normals.T
    drag = -2 * surface.believable_cp * surface.areas * nx / ahmed.AREA
    stilts = surface.centres[:, 2] < ahmed.CLEARANCE - 1e-3
    rear = ~stilts & (x > 0.7)
    slant = rear & (nz > 0.3) & (nx > 0.1)
    return [float(drag[part].sum()) for part in (stilts, ~stilts & (x < 0.2), slant, rear & ~slant)]


def refinement_table(results: dict[str, CaseResult]) -> str:
    rows = [
        "| mesh | cells | on the surface | Cd | scatter | from pressure | from friction | Cl | faces off |",
        _rule(9),
    ]
    for preset in ("_draft", "", "_medium"):
        result = results.get(f"drivaer_baseline{preset}")
        if result is not None:
            rows.append(
                f"| {result.setup.preset.name} | {result.mesh.n_cells:,} | {1000 * result.setup.surface_cell:.0f} mm | "
                f"{result.cd:.4f} | {result.cd_std:.4f} | {result.cd_pressure:.4f} | {result.cd_friction:.4f} | "
                f"{result.cl:.3f} | {result.n_bad_faces} |"
            )
    return "\n".join(rows)


def faces_table(results: dict[str, CaseResult]) -> str:
    rows = [
        "| case | faces | Cp below -3 or above 1.1 | share of the area | lowest Cp | what they add to Cd |",
        _rule(6),
    ]
    for name, result in results.items():
        rows.append(
            f"| {name} | {len(result.surface):,} | {result.n_bad_faces} | {100 * result.bad_area:.3f} % | "
            f"{result.surface.cp.min():.1f} | {result.cd_artefact:+.4f} |"
        )
    return "\n".join(rows)


TABLES = {
    "cfd-corpus": corpus_table,
    "cfd-tunnel": tunnel_table,
    "cfd-ahmed": ahmed_table,
    "cfd-refinement": refinement_table,
    "cfd-faces": faces_table,
}


def _rule(columns: int) -> str:
    return "|" + "---|" * columns


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", nargs="?", type=Path, default=ROOT / "build" / "cfd_verification", metavar="WORK")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these runs, and no tables")
    parser.add_argument("--list", action="store_true", help="the runs, and which are finished")
    parser.add_argument("--tables", action="store_true", help="write the tables from what is finished")
    options = parser.parse_args()
    if options.list:
        for run in runs():
            print(f"{'done' if run.finished(options.work) else 'to do':6s} {run.name}")
        return
    chosen = [run for run in runs() if not options.only or run.name in options.only]
    if options.tables:
        chosen = [run for run in chosen if run.finished(options.work)]
    results = {}
    for run in chosen:
        print(run.name, flush=True)
        results[run.name] = result = run.solve(options.work)
        print(f"  Cd {result.cd:.4f} +- {result.cd_std:.4f}, {result.mesh.n_cells:,} cells", flush=True)
    if not options.only:
        for name, table in TABLES.items():
            replace_between(name, table(results), DOCS)
        if "drivaer_baseline" in results:
            shutil.copyfile(results["drivaer_baseline"].files["plot"], DOCS.with_name("convergence.png"))


if __name__ == "__main__":
    main()
