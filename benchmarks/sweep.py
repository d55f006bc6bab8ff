"""Sweeps of a handle over the DrivAer fastback, predicted, and checked by CFD: `python benchmarks/sweep.py [WORK]`.

The car is meshed and solved once in WORK; each CFD run bends that mesh and goes on from its flow, as the corpus's
designs do, so that the runs of a sweep differ by shape alone. Writes the table and the picture of docs/cfd.md. What is
solved in WORK is not solved again.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

import numpy as np  # noqa: E402
import pyqtgraph as pg  # noqa: E402
from cfd_verification import DOCS, SHARED, _export, _rule  # noqa: E402
from marks import replace_between  # noqa: E402

from data.load import place_car, sample_car  # noqa: E402
from data.mesh import RawMesh  # noqa: E402
from data.replacing import replacing  # noqa: E402
from drivaer_app.corpus.families import FamilySource, open_family, solve_family  # noqa: E402
from drivaer_app.corpus.modes import SURFACE, make_modes  # noqa: E402
from drivaer_app.corpus.runs import ReadyFamily, claim, solve_bent  # noqa: E402
from drivaer_app.corpus.settings import settled_settings  # noqa: E402
from drivaer_app.models import find_model  # noqa: E402
from factory.morph_generator import MorphGenerator  # noqa: E402
from gnn.surrogate import Surrogate  # noqa: E402

# Chosen before any was run.
SWEEPS = {"boat_tail": (-4.0, 3.0, 10.0), "backlight_angle": (-4.0, 1.5, 7.0)}
N_PREDICTED = 9


@dataclass(frozen=True)
class Point:
    """One car of a sweep. cd_std: scatter of the CFD's window, or the model's half interval."""

    value: float
    cd: float
    cd_std: float


def ready_family(work: Path) -> ReadyFamily:
    work.mkdir(parents=True, exist_ok=True)
    generator = MorphGenerator(SHARED / "corpus", SHARED / "geometry" / "drivaer_fastback")
    file = _export(work / "drivaer.stl", *generator.mesh(generator.neutral("fastback"), "smooth"))
    family = open_family(work, FamilySource.parse(str(file)), settled_settings(work))
    solve_family(family)
    if not (family.folder / SURFACE).exists():
        make_modes(family)
    return ReadyFamily(family)


def solved(ready: ReadyFamily, work: Path, handle: str, value: float) -> Point:
    """The CFD run at one value; kept in WORK/points.json."""
    kept = work / "points.json"
    points = json.loads(kept.read_text("utf-8")) if kept.exists() else {}
    key = f"{handle}={value:g}"
    if key not in points:
        folder = work / "running" / f"{handle}_{value:g}"
        with claim(folder) as lock:
            result = solve_bent(ready, folder, ready.surface.handles.amounts_of({handle: value}), lock)
        points[key] = [result.cd, result.cd_std]
        with replacing(kept) as unfinished:
            unfinished.write_text(json.dumps(points) + "\n", encoding="utf-8")
    return Point(value, *points[key])


def predicted(ready: ReadyFamily, surrogate: Surrogate, handle: str, value: float) -> Point:
    vertices, faces = ready.surface.mesh_on(ready.surface.handles.amounts_of({handle: value}))
    car = place_car(RawMesh(vertices, faces), unit="m", up="z", forward="-x")
    answer = surrogate.predict(sample_car(car), car.frontal_area)
    return Point(value, answer.cd, answer.cd_high - answer.cd)


def table(curves: dict[str, tuple[list[Point], list[Point]]]) -> str:
    rows = ["| handle | value | Cd predicted | Cd by CFD | scatter | change predicted | change by CFD |", _rule(7)]
    for handle, (guessed, checked) in curves.items():
        near = [min(guessed, key=lambda p: abs(p.value - run.value)) for run in checked]
        for guess, run in zip(near, checked, strict=True):
            change, true = (1000 * (p.cd - first.cd) for p, first in ((guess, near[0]), (run, checked[0])))
            rows.append(
                f"| `{handle}` | {run.value:+g}° | {guess.cd:.4f} | {run.cd:.4f} | {run.cd_std:.4f} | "
                f"{change:+.0f} counts | {true:+.0f} counts |"
            )
    return "\n".join(rows)


def draw(curves: dict[str, tuple[list[Point], list[Point]]], path: Path) -> None:
    """The sweeps beside each other: the predicted curve with its interval, and the CFD's points with their scatter."""
    from pyqtgraph.exporters import ImageExporter

    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # it draws into a file and needs no screen
    pg.mkQApp()
    pg.setConfigOptions(background="w", foreground="#1c1e22", antialias=True)
    sheet = pg.GraphicsLayoutWidget(size=(1100, 420))
    for handle, (guessed, checked) in curves.items():
        plot = sheet.addPlot(title=handle)
        plot.addLegend()
        plot.setLabel("bottom", "degrees")
        plot.setLabel("left", "Cd")
        x, cd = [p.value for p in guessed], np.array([p.cd for p in guessed])
        half = np.array([p.cd_std for p in guessed])
        edges = [pg.PlotCurveItem(x, cd + sign * half, pen=None) for sign in (1, -1)]
        for edge in edges:
            plot.addItem(edge)
        plot.addItem(pg.FillBetweenItem(*edges, brush=(0, 114, 178, 40)))
        plot.plot(x, cd, pen=pg.mkPen("#0072b2", width=3), name="predicted, 90 % interval")
        runs = np.array([[p.value, p.cd, p.cd_std] for p in checked])
        plot.addItem(pg.ErrorBarItem(x=runs[:, 0], y=runs[:, 1], height=2 * runs[:, 2], beam=0.3, pen="#d55e00"))
        plot.plot(runs[:, 0], runs[:, 1], pen=None, symbol="o", symbolBrush="#d55e00", name="CFD, scatter")
    sheet.show()
    pg.QtWidgets.QApplication.processEvents()
    ImageExporter(sheet.scene()).export(str(path))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", nargs="?", type=Path, default=ROOT / "build" / "sweep", metavar="WORK")
    work = parser.parse_args().work
    ready, surrogate = ready_family(work), Surrogate.load(find_model(), "cpu")
    curves = {}
    for handle, values in SWEEPS.items():
        checked = [solved(ready, work, handle, value) for value in values]
        along = np.linspace(values[0], values[-1], N_PREDICTED)
        curves[handle] = [predicted(ready, surrogate, handle, float(value)) for value in along], checked
    replace_between("cfd-sweep", table(curves), DOCS)
    draw(curves, DOCS.with_name("sweep.png"))


if __name__ == "__main__":
    main()
