"""``drivaer data list``, ``info``, ``stats`` and ``export``: what a catalogue knows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TextIO

import typer

from drivaer_app.cli.data_options import AsJson, Columns, Folder, SortBy, Where, columns, condition, opened, sort_of
from drivaer_app.cli.options import ModelName, OnDevice
from drivaer_app.cli.terminal import results_only, say

if TYPE_CHECKING:
    from data.catalogue import Catalogue
    from data.catalogue.stats import Statistics

_SHOWN = ("id", "class", "style", "cd", "cl", "area", "split", "mesh", "pressure")
_EXPORTED = (
    *("id", "corpus", "class", "style", "underbody", "wheels", "cd", "cl", "clf", "clr", "area", "cda"),
    *("label_version", "split", "tags", "notes"),
)
_AT_MOST = 40


def list_designs(
    folder: Folder = None,
    where: Where = None,
    wanted: Columns = None,
    sort: SortBy = None,
    limit: Annotated[
        int | None,
        typer.Option(
            min=0, metavar="N", help="Rows at most, 0 for all; 40 unless given, as JSON all.", show_default=False
        ),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """List designs: those that fulfil a condition, in any columns, sorted. As JSON one object a line."""
    from data.catalogue.query import count, rows

    with opened(folder) as catalogue:
        chosen, only, order = columns(catalogue, wanted, _SHOWN), condition(catalogue, where), sort_of(catalogue, sort)
        most = (None if as_json else _AT_MOST) if limit is None else limit or None
        found = rows(catalogue, chosen, only, sort=order, limit=most)
        total = count(catalogue, only)
    names = [column.name for column in chosen]
    if as_json:
        for row in found:
            typer.echo(json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False))
        return 0
    _show_table(names, [column.kind for column in chosen], found)
    if len(found) < total and limit is None:
        say(f"{total - len(found)} more; all with --limit 0")
    else:
        say(f"{len(found)} of {total} designs" if len(found) < total else f"{total} designs")
    return 0


def info(
    design: Annotated[str, typer.Argument(metavar="ID", help="Of a design, in any case and padding.")],
    folder: Folder = None,
    predict: Annotated[
        bool, typer.Option("--predict", help="Predict it too, and tell how far off that is from its CFD.")
    ] = False,
    picture: Annotated[
        Path | None,
        typer.Option(metavar="OUT.png", help="Draw Cp of the CFD, as predicted, and the error; predicts."),
    ] = None,
    device: OnDevice = "auto",
    model: ModelName = None,
    as_json: AsJson = False,
) -> int:
    """Show all that is known of a design: coefficients and what they refer to, parameters, files and where they lie.

    With --predict also its prediction and the error: relative L2 and mean of Cp, Cd in counts.
    """
    from data.catalogue.query import find_design
    from drivaer_app.cli.data_beside import beside, check_picture, show_beside

    check_picture(picture)
    with results_only() as stdout, opened(folder) as catalogue:
        known = find_design(catalogue, design)
        record = _record(catalogue, known)
        compared = beside(catalogue, known, model, device, picture) if predict or picture else None
        if as_json:
            record |= compared.record() if compared else {}
            print(json.dumps(record, ensure_ascii=False), file=stdout)
        else:
            _show_record(record, stdout)
            if compared:
                show_beside(compared, stdout)
    return 0


def stats(
    folder: Folder = None,
    where: Where = None,
    target: Annotated[str, typer.Option(metavar="COLUMN", help="What correlations are with.")] = "cd",
    as_json: AsJson = False,
) -> int:
    """Show how the numbers are spread, what goes with drag, which designs stand out, and what is missing."""
    from dataclasses import asdict

    from data.catalogue.stats import statistics

    with opened(folder) as catalogue:
        (column,) = columns(catalogue, target, ())[:1]
        found = statistics(catalogue, condition(catalogue, where), target=column.name)
    if as_json:
        typer.echo(json.dumps(asdict(found), ensure_ascii=False))
    else:
        _show_statistics(found)
    return 0


def export(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="File to write: .csv or .parquet.")],
    folder: Folder = None,
    where: Where = None,
    wanted: Columns = None,
    sort: SortBy = None,
    form: Annotated[
        Literal["csv", "parquet"] | None,
        typer.Option("--format", help="By the name of OUT unless given.", show_default=False),
    ] = None,
) -> int:
    """Write designs into a file: all columns that say something unless --columns names some."""
    from data.catalogue.export import export as write
    from data.catalogue.query import parameter_names

    with opened(folder) as catalogue:
        default = (*_EXPORTED, *parameter_names(catalogue))
        chosen, only, order = columns(catalogue, wanted, default), condition(catalogue, where), sort_of(catalogue, sort)
        n = write(catalogue, out, chosen, only, sort=order, form=form)
    typer.echo(f"{n} designs, {len(chosen)} columns in {out}")
    return 0


def _record(catalogue: Catalogue, design_id: str) -> dict[str, Any]:
    from dataclasses import asdict

    from data.catalogue.opening import shown
    from data.corpora import licence_of

    design = catalogue.design(design_id)
    files = [
        {
            "kind": file.kind,
            "file": shown(file),
            "state": file.state,
            "bytes": file.size,
            "checksum": f"{file.checksum_type} {file.checksum}" if file.checksum else None,
            "checked": file.checked_ns is not None,
        }
        for file in catalogue.files(design=design_id)
    ]
    record = asdict(design) if design else {}
    record["class"] = record.pop("design_class")
    record["licence"] = licence_of(record["corpus"])
    return {**record, "tags": catalogue.tags(design_id), "folder": str(catalogue.root), "files": files}


def _show_record(record: dict[str, Any], to: TextIO) -> None:
    facts = [record[name] for name in ("corpus", "class", "style", "underbody", "wheels") if record[name]]
    print(f"{record['id']}  {', '.join(facts)}", file=to)
    numbers = [
        f"{label} {record[name]:.4f}{f' ± {record[std]:.4f}' if std and record[std] else ''}"
        for label, name, std in (
            *(("Cd", "cd", "cd_std"), ("Cl", "cl", "cl_std"), ("front", "clf", ""), ("rear", "clr", "")),
        )
        if record[name] is not None
    ]
    area = "" if record["area"] is None else f"   frontal area {record['area']:.4f} m²"
    print(f"  {'  '.join(numbers) or 'no coefficients are known'}{area}", file=to)
    if record["label_version"]:
        first = "" if record["cd_first"] is None else f" (Cd as first published {record['cd_first']:.4f}, on 2.154 m²)"
        print(f"  labels: {record['label_version']}{first}", file=to)
    for name in ("split", "notes", "licence"):
        if record[name]:
            print(f"  {name}: {record[name]}", file=to)
    if record["tags"]:
        print(f"  tags: {', '.join(record['tags'])}", file=to)
    for file in record["files"]:
        size = f"{file['bytes'] / 1e6:.1f} MB" if file["bytes"] else ""
        print(f"  {file['kind']:<11} {file['state']:<8} {size:>10}  {file['file']}", file=to)
    if not record["files"]:
        print("  no files: it is known from tables only", file=to)
    if record["parameters"]:
        width = max(map(len, record["parameters"]))
        for name, value in record["parameters"].items():
            print(f"  {name:<{width}} {value:g}", file=to)


def _show_table(names: Sequence[str], kinds: Sequence[str], found: Sequence[Sequence[Any]]) -> None:
    """Aligned columns, never cut: half a number is a wrong one."""
    cells = [list(names), *([_cell(value) for value in row] for row in found)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        aligned = (
            text.rjust(width) if kind == "number" else text.ljust(width)
            for text, width, kind in zip(row, widths, kinds, strict=True)
        )
        typer.echo("  ".join(aligned).rstrip())


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.4f}".rstrip("0").rstrip(".") if abs(value) < 1e4 else f"{value:.6g}"
    return str(value)


def _show_statistics(found: Statistics) -> None:
    typer.echo(f"{found.n_designs} designs")
    if found.groups:
        typer.echo("  " + ", ".join(f"{n} {name}" for name, n in found.groups.items()))
    if found.splits:
        typer.echo("  split: " + ", ".join(f"{n} {name}" for name, n in found.splits.items()))
    head = ("column", "n", "missing", "mean", "std", "min", "5 %", "median", "95 %", "max")
    rows = [
        (d.column, d.n, d.n_missing, d.mean, d.std, d.low, d.p05, d.median, d.p95, d.high) for d in found.distributions
    ]
    _show_table(head, ["text"] + ["number"] * 9, rows)
    if found.correlations:
        typer.echo(f"\ncorrelation with {found.target}, strongest first")
        rows = [(c.column, c.n, c.pearson, c.spearman) for c in found.correlations[:15]]
        _show_table(("column", "n", "Pearson", "rank"), ["text"] + ["number"] * 3, rows)
    if found.outliers:
        typer.echo(f"\n{len(found.outliers)} values far from their class")
        rows = [(o.design, o.column, o.value, o.class_median, round(o.distance, 1)) for o in found.outliers[:15]]
        _show_table(("design", "column", "value", "class median", "distance"), ["text"] * 2 + ["number"] * 3, rows)
    if found.missing:
        typer.echo("\nmissing: " + ", ".join(f"{name} of {n}" for name, n in found.missing.items()))
