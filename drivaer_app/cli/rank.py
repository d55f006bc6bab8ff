"""``drivaer rank``: a batch's cars in order, without computing anything again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from data.errors import DrivAerError
from drivaer_app.cli.terminal import BadUsage, results_only, say

if TYPE_CHECKING:
    from drivaer_app.report.car import ReportCar
    from drivaer_app.report.content import Content


def rank(
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="The folder that a batch wrote.")],
    where: Annotated[
        str | None, typer.Option(metavar="CONDITION", help="Such as \"cd < 0.28 and style = 'estate'\".")
    ] = None,
    sort: Annotated[str, typer.Option(metavar="COLUMN", help="Any column of docs/report_columns.md.")] = "cd",
    descending: Annotated[bool, typer.Option("--descending", help="The highest first.")] = False,
    top: Annotated[int | None, typer.Option(min=1, metavar="N", help="Only the first N.")] = None,
    baseline: Annotated[
        str | None, typer.Option(metavar="CAR", help="Compare to this car instead of the batch's own baseline.")
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only the cars that failed, and why.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, all columns.")] = False,
) -> int:
    """Sort and filter the cars of a batch. Nothing is computed again.

    Cars outside of what the model was trained on are marked ▲: no interval holds for them.
    """
    from drivaer_app.batch.store import Store
    from drivaer_app.report.of_batch import content_of_batch

    with results_only() as stdout:
        with Store.open(results) as store:
            batch = store.batch()
        content = content_of_batch(batch, baseline=baseline, details=0)
        if failed:
            _show_failed(content, stdout)
            return 0
        kept = _matching(content, where)
        cars = [car for car in _sorted(content, sort, descending) if car in kept][:top]
        if as_json:
            _show_json(content, cars, stdout)
        else:
            _show_table(content, cars, sort, stdout)
            if content.failed:
                say(f"{len(content.failed)} failed; --failed tells why")
    return 0


def _matching(content: Content, where: str | None) -> set[ReportCar]:
    from drivaer_app.report.where import matching

    try:
        return set(content.cars if where is None else matching(content, where))
    except DrivAerError as error:
        raise BadUsage(f"--where {error.line}") from error


def _sorted(content: Content, sort: str, descending: bool) -> list[ReportCar]:
    names = content.column_names
    column = next((name for name in (sort, f"parameter.{sort}") if name in names), None)
    if column is None:
        import difflib

        near = difflib.get_close_matches(sort, names, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names[:12])} …"
        raise BadUsage(f"--sort {sort}: no such column; {hint}")
    values = dict(zip(content.cars, (row[column] for row in content.rows), strict=True))
    have = [car for car in content.predicted if values[car] is not None]
    have.sort(key=lambda car: _key(values[car]), reverse=descending)
    return have + [car for car in content.predicted if values[car] is None]


def _key(value: Any) -> tuple[int, Any]:
    """Numbers and truths before texts, each kind in its own order."""
    return (1, value) if isinstance(value, str) else (0, value)


def _show_failed(content: Content, stdout) -> None:
    for car in content.failed:
        print(car.error, file=stdout)
    if not content.failed:
        say("no car failed")


def _show_json(content: Content, cars: list[ReportCar], stdout) -> None:
    rows = dict(zip(content.cars, content.rows, strict=True))
    for car in cars:
        print(json.dumps({**rows[car], "warnings": list(car.warnings)}, ensure_ascii=False), file=stdout)


def _show_table(content: Content, cars: list[ReportCar], sort: str, stdout) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    based = content.baseline is not None
    table = Table(box=None, padding=(0, 1), pad_edge=False)
    heads = ["#", "Cd", "90 % interval", *(["ΔCd", "against baseline"] if based else []), "Cl", "area, m²", "drag, N"]
    for head in (*heads, "novelty"):
        table.add_column(head, justify="right" if head != "against baseline" else "left", header_style="dim")
    own = sort not in ("cd", "cl", "frontal_area_m2", "drag_n", "novelty", "rank", "name", "delta_counts")
    if own:
        table.add_column(sort, justify="right", header_style="dim")
    table.add_column("car", header_style="dim", overflow="fold")
    rows = dict(zip(content.cars, content.rows, strict=True))
    for car in cars:
        row = rows[car]
        style = "yellow" if car.is_outside else ""
        cells = [str(car.rank), f"{row['cd']:.4f}{' ▲' if car.is_outside else '  '}", _interval(car)]
        if based:
            judged = car.judgement
            cells += [f"{judged.counts:+.1f}" if judged else "", judged.verdict if judged else "baseline"]
        cells += [_shown(row["cl"], 3), _shown(row["frontal_area_m2"], 3), _shown(row["drag_n"], 1)]
        cells.append(_shown(row["novelty"], 2))
        if own:
            value = row.get(sort, row.get(f"parameter.{sort}"))
            cells.append("" if value is None else f"{value:g}" if isinstance(value, float) else str(value))
        table.add_row(*(Text(cell, style=style) for cell in cells), Text(car.name))
    console = Console(file=stdout, highlight=False, soft_wrap=not stdout.isatty())
    if not stdout.isatty():
        console.width = 10_000  # a pipe has no edge
    console.print(table)
    if any(car.is_outside for car in cars):
        console.print("▲ outside of what the model was trained on: a guess, and no interval holds", style="yellow")
    if based:
        console.print(f"Differences: {content.difference_note}.", style="dim")


def _interval(car: ReportCar) -> str:
    if car.is_outside:
        return "none holds"
    r = car.result
    return f"{r.cd_low:.3f} – {r.cd_high:.3f}" if r.cd_low is not None else "none"


def _shown(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"
