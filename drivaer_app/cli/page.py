"""How outcomes look on stdout: JSON lines for programs, a readable page for people."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from drivaer_app.cli.terminal import say

if TYPE_CHECKING:
    from drivaer_app.cli.file_outcome import FileOutcome
    from drivaer_app.predict import Prediction

_UNITS = {"m": "metres", "cm": "centimetres", "mm": "millimetres", "in": "inches", "ft": "feet"}


class JsonReport:
    """One object a line on stdout, flushed at once; warnings and errors also go to stderr for a person to see."""

    def __init__(self, stdout: TextIO):
        self._stdout = stdout

    def show(self, outcome: FileOutcome) -> None:
        print(json.dumps(outcome.record(), ensure_ascii=False, allow_nan=False), file=self._stdout, flush=True)
        if outcome.prediction is None:
            say(outcome.error)
        else:
            for warning in outcome.prediction.warnings:
                say(f"{outcome.file}: {warning}")

    def close(self) -> None:
        pass


class TextReport:
    """A page for one file; for several, a line each with its warnings under it."""

    def __init__(self, stdout: TextIO, n_files: int):
        self._console = Console(file=stdout, highlight=False, soft_wrap=not stdout.isatty())
        self._n_files = n_files
        self._n_shown = 0
        self._n_failed = 0

    def show(self, outcome: FileOutcome) -> None:
        self._n_shown += 1
        if outcome.prediction is None:
            self._n_failed += 1
            say(outcome.error)
        elif self._n_files == 1:
            self._page(outcome)
        else:
            self._row(outcome)
        self._console.file.flush()

    def close(self) -> None:
        if self._n_failed and self._n_files > 1:
            say(f"{self._n_failed} of {self._n_files} files failed")

    def _page(self, outcome: FileOutcome) -> None:
        prediction = outcome.prediction
        self._console.print(Text(outcome.file.name, style="bold"))
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="dim", no_wrap=True)
        grid.add_column(no_wrap=True)
        grid.add_column()
        for label, value, remark in _facts(prediction, sum({**prediction.seconds, **outcome.seconds}.values())):
            grid.add_row(label, Text(value, style="bold"), remark)
        self._console.print(Padding(grid, (0, 0, 0, 2)))
        self._warnings(prediction)

    def _row(self, outcome: FileOutcome) -> None:
        if self._n_shown - self._n_failed == 1:
            head = f"{'Cd':>6}  {'90 % interval':<15} {'drag':>8}  {'area':>8}  {'novelty':>7}  file"
            self._console.print(Text(head, style="dim"))
        p = outcome.prediction
        interval = f"{p.cd_low:.3f} – {p.cd_high:.3f}" if p.cd_low is not None else "none"
        novelty = f"{p.novelty:.2f}" if p.novelty is not None else "-"
        row = Text(f"{p.cd:6.3f}", style="bold")
        row.append(
            f"  {interval:<15} {p.drag:6.1f} N  {p.frontal_area:5.2f} m²  {novelty:>7}  {outcome.file}", style="none"
        )
        self._console.print(row)
        self._console.print(Text(f"        {_reading(p)}", style="dim"))
        self._warnings(p, indent=8)

    def _warnings(self, prediction: Prediction, indent: int = 2) -> None:
        for warning in prediction.warnings:
            line = Table.grid(padding=(0, 1))
            line.add_row(Text("!", style="bold yellow"), Text(warning, style="yellow"))
            self._console.print(Padding(line, (0, 0, 0, indent)))


def _facts(p: Prediction, seconds: float) -> list[tuple[str, str, str]]:
    """Label, value and remark of each line of the page."""
    wind = f"at {p.conditions.speed:g} m/s ({p.conditions.speed * 3.6:.0f} km/h), air of {p.conditions.density:g} kg/m³"
    interval = f"90 % interval {p.cd_low:.3f} – {p.cd_high:.3f}" if p.cd_low is not None else "no interval"
    source = "given" if p.conditions.area is not None else "measured on the mesh"
    remark = "as our coarse CFD would give it; Cd is the real car's"
    by_cfd = [] if p.cd_rans is None else [("by CFD", f"{p.cd_rans:.3f}", remark)]
    facts = [
        ("Cd", f"{p.cd:.3f}", interval),
        *by_cfd,
        ("Drag", f"{p.drag:.1f} N", wind),
        ("Cd·A", f"{p.cda:.3f} m²", f"frontal area {p.frontal_area:.3f} m², {source}"),
    ]
    if p.cl is not None:
        split = f"drag from pressure {p.cd_pressure:.3f}, from friction {p.cd_friction:.3f}"
        facts.append(("Cl", f"{p.cl:.3f}", split))
    if p.novelty is not None:
        inside = f"{'like' if p.in_distribution else 'unlike'} the designs that the model learnt from"
        facts.append(("Novelty", f"{p.novelty:.2f}", inside))
    facts.append(("Read as", _unit(p), _axes(p)))
    shell = "watertight" if p.car.health.watertight else "not watertight"
    size = f"{p.n_faces:,} faces" if len(p.car.faces) else f"{p.car.n_file_vertices:,} points"
    facts.append(("Mesh", size, shell if len(p.car.faces) else "a point cloud"))
    facts.append(("Took", f"{seconds:.1f} s", f"model {p.model} on {p.device}"))
    return facts


def _unit(p: Prediction) -> str:
    frame = p.car.frame
    return _UNITS.get(frame.unit, f"units of {frame.to_metres:.4g} m")


def _axes(p: Prediction) -> str:
    frame = p.car.frame
    half = ", half a car mirrored" if frame.mirrored else ""
    sure = "as told" if frame.confidence == 1 else f"{min(frame.confidence, 0.99):.0%} sure"
    return f"nose along {frame.forward}, roof along {frame.up}{half} ({sure})"


def _reading(p: Prediction) -> str:
    return f"read as {_unit(p)}, {_axes(p)}"
