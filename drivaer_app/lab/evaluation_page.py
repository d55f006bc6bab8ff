"""One HTML page of an evaluation, all in it: tables and plots as SVG, readable offline and in any browser."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from data.replacing import replacing
from drivaer_app.pictures.drawing import ticks

if TYPE_CHECKING:
    from gnn.evaluation import CarEvaluation

_SIZE, _MARGIN = 360, 52
_COLOURS = ("#1b6ca8", "#d1495b", "#2e8b57", "#8e5ea2", "#c98b1a", "#555555")
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; margin: 1rem 0; } th, td { padding: .25rem .7rem; text-align: right; }
th:first-child, td:first-child { text-align: left; } thead { border-bottom: 1px solid #999; }
figure { display: inline-block; margin: .5rem; vertical-align: top; } figcaption { max-width: 340px; color: #555; }
svg { font: 11px system-ui, sans-serif; } .warn { color: #a33; }
"""


def write_page(
    path: Path, evaluated: Sequence[CarEvaluation], found: dict[str, Any], curve: Sequence[dict[str, Any]] | None = None
) -> None:
    """Write the page, whole or not at all. found: `evaluate_model`'s figures; curve: learning curve."""
    from gnn.figures import figures_as_markdown

    parts = [f"<h1>{escape(str(found['model']))}</h1>", f"<p>{found['n']} cars, split {escape(found['split'])}.</p>"]
    parts.append(_tables(figures_as_markdown(found)))
    if evaluated[0].cd_predicted is not None:
        parts += [_legend(evaluated), _parity(evaluated), _residuals(evaluated)]
        if len(evaluated) >= 9:
            parts.append(_calibration(evaluated))
    if curve:
        parts.append(_learning_curve(curve))
    parts.append(_cars(evaluated))
    text = f"<!doctype html><meta charset='utf-8'><title>{escape(str(found['model']))}</title><style>{_STYLE}</style>"
    with replacing(path) as unfinished:
        unfinished.write_text(text + "\n".join(parts), "utf-8")


def _parity(evaluated: Sequence[CarEvaluation]) -> str:
    true, predicted = (np.array([getattr(j, name) for j in evaluated]) for name in ("cd", "cd_predicted"))
    both = np.concatenate([true, predicted])
    span = _span(both)
    frame = _Frame(span, span, "Cd, CFD", "Cd, predicted")
    frame.line([(span[0], span[0]), (span[1], span[1])], "#999")
    for colour, group in _by_kind(evaluated):
        frame.dots([(j.cd, j.cd_predicted, j.name) for j in group], colour)
    return frame.figure("Predicted against computed drag; on the line they agree.")


def _legend(evaluated: Sequence[CarEvaluation]) -> str:
    names = [(colour, group[0].style or group[0].kind) for colour, group in _by_kind(evaluated)]
    return "<p>" + " ".join(f"<span style='color:{colour}'>● {escape(name)}</span>" for colour, name in names) + "</p>"


def _residuals(evaluated: Sequence[CarEvaluation]) -> str:
    frame = _Frame(
        _span([j.cd for j in evaluated]),
        _span([1e3 * j.error for j in evaluated], 0.0),
        "Cd, CFD",
        "predicted less CFD, counts",
    )
    frame.line([(frame.x[0], 0.0), (frame.x[1], 0.0)], "#999")
    for colour, group in _by_kind(evaluated):
        frame.dots([(j.cd, 1e3 * j.error, j.name) for j in group], colour)
    return frame.figure("Errors in counts (0.001 of Cd).")


def _calibration(evaluated: Sequence[CarEvaluation]) -> str:
    from gnn.figures import calibration

    frame = _Frame((0.0, 1.0), (0.0, 1.0), "promised", "kept")
    frame.line([(0, 0), (1, 1)], "#999")
    curve = calibration(evaluated)
    frame.line(curve, _COLOURS[0])
    frame.dots([(x, y, f"{y:.0%} of {x:.0%}") for x, y in curve], _COLOURS[0])
    return frame.figure(
        "Intervals of every level, each made from all other cars' errors: the share of cars they hold for."
    )


def _learning_curve(curve: Sequence[dict[str, Any]]) -> str:
    points = [(p["cars"], 1e3 * p["test"]["cd"]["all"]["mae"]) for p in curve if "cd" in p["test"]]
    what = "MAE of Cd, counts"
    if not points:
        points = [(p["cars"], p["test"]["fields"]["cp_l2"]["value"]) for p in curve if "fields" in p["test"]]
        what = "relative L2 error of Cp"
    if not points:
        return ""
    frame = _Frame(_span([x for x, _ in points], 0.0), _span([y for _, y in points], 0.0), "training cars", what)
    frame.line(points, _COLOURS[0])
    frame.dots([(x, y, f"{x} cars: {y:.4g}") for x, y in points], _COLOURS[0])
    return frame.figure("What more training cars bring, on the same test cars.")


def _cars(evaluated: Sequence[CarEvaluation]) -> str:
    head = ("car", "kind", "style", "Cd, CFD", "predicted", "counts off", "Cp error", "novelty")
    rows = []
    for j in sorted(evaluated, key=lambda j: -abs(j.error) if j.cd_predicted is not None else -(j.cp_l2 or 0)):
        off = None if j.cd_predicted is None else 1e3 * j.error
        cells = (j.name, j.kind, j.style or "", _number(j.cd, 4), _number(j.cd_predicted, 4), _number(off, 1))
        rows.append((*cells, _number(j.cp_l2, 3), _number(j.novelty, 2)))
    return f"<h2>Every car, the worst first</h2>{_table(head, rows)}"


def _tables(markdown: str) -> str:
    """The Markdown that gnn.figures writes: tables and plain lines."""
    parts = []
    for block in markdown.split("\n\n"):
        lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in block.splitlines()]
        parts.append(_table(lines[0], lines[2:]) if block.startswith("|") else f"<p>{escape(block)}</p>")
    return "\n".join(parts)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    def row(cells: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(str(cell))}</{tag}>" for cell in cells) + "</tr>"

    body = "".join(row(cells, "td") for cells in rows)
    return f"<table><thead>{row(head, 'th')}</thead><tbody>{body}</tbody></table>"


class _Frame:
    """Axes of one plot, and what is drawn in them."""

    def __init__(self, x: tuple[float, float], y: tuple[float, float], x_name: str, y_name: str):
        self.x, self.y, self.names = x, y, (x_name, y_name)
        self._drawn: list[str] = []

    def dots(self, points: Sequence[tuple[float, float, str]], colour: str) -> None:
        for x, y, label in points:
            cx, cy = self._place(x, y)
            title = f"<title>{escape(label)}</title>"
            self._drawn.append(
                f"<circle cx='{cx:.1f}' cy='{cy:.1f}' r='3.5' fill='{colour}' opacity='.75'>{title}</circle>"
            )

    def line(self, points: Sequence[tuple[float, float]], colour: str) -> None:
        places = " ".join("{:.1f},{:.1f}".format(*self._place(x, y)) for x, y in points)
        self._drawn.append(f"<polyline points='{places}' fill='none' stroke='{colour}' stroke-width='1.5'/>")

    def figure(self, caption: str) -> str:
        low, high = _MARGIN, _SIZE - 12
        axes = [f"<path d='M{low} 12V{high - 30}H{high}' fill='none' stroke='#444'/>"]
        for value in ticks(*self.x, 5):
            x, _ = self._place(value, self.y[0])
            axes.append(f"<text x='{x:.1f}' y='{high - 14}' text-anchor='middle'>{value:g}</text>")
        for value in ticks(*self.y, 5):
            _, y = self._place(self.x[0], value)
            axes.append(f"<text x='{low - 5}' y='{y + 4:.1f}' text-anchor='end'>{value:g}</text>")
        axes.append(f"<text x='{(low + high) / 2}' y='{_SIZE - 2}' text-anchor='middle'>{escape(self.names[0])}</text>")
        turned = f"rotate(-90 12 {_SIZE / 2})"
        axes.append(
            f"<text x='12' y='{_SIZE / 2}' text-anchor='middle' transform='{turned}'>{escape(self.names[1])}</text>"
        )
        svg = f"<svg width='{_SIZE}' height='{_SIZE}' role='img' aria-label='{escape(caption)}'>"
        drawing = f"{svg}{''.join(axes)}{''.join(self._drawn)}</svg>"
        return f"<figure>{drawing}<figcaption>{escape(caption)}</figcaption></figure>"

    def _place(self, x: float, y: float) -> tuple[float, float]:
        left, right, top, bottom = _MARGIN, _SIZE - 12, 12, _SIZE - 42
        return (
            left + (x - self.x[0]) / (self.x[1] - self.x[0]) * (right - left),
            bottom - (y - self.y[0]) / (self.y[1] - self.y[0]) * (bottom - top),
        )


def _by_kind(evaluated: Sequence[CarEvaluation]) -> list[tuple[str, list[CarEvaluation]]]:
    kinds = list(dict.fromkeys(j.style or j.kind for j in evaluated))
    return [
        (_COLOURS[i % len(_COLOURS)], [j for j in evaluated if (j.style or j.kind) == kind])
        for i, kind in enumerate(kinds)
    ]


def _span(values: Sequence[float], also: float | None = None) -> tuple[float, float]:
    """The values' range with a little room; with ``also`` within it."""
    values = [*values, *([] if also is None else [also])]
    low, high = float(np.min(values)), float(np.max(values))
    room = 0.06 * (high - low) or 0.05 * abs(high) or 1.0
    return low - room, high + room


def _number(value: float | None, digits: int) -> str:
    return "" if value is None or not np.isfinite(value) else f"{value:.{digits}f}"
