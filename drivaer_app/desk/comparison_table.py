"""All variants of a study as a table: what is compared of them, in numbers that sort and that a spreadsheet takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drivaer_app.compare import Difference
from drivaer_app.conditions import Conditions
from drivaer_app.results import OUTSIDE, Result
from drivaer_app.shapes.handles import HANDLES

if TYPE_CHECKING:
    from drivaer_app.desk.desk import Desk

Cell = str | float | None


@dataclass(frozen=True)
class ComparedVariant:
    """What a row is made of. handles: values of a morph, in their own units."""

    name: str
    result: Result | None
    difference: Difference | None
    cfd: float | None
    handles: dict[str, float]
    conditions: Conditions


@dataclass(frozen=True)
class ComparedColumn:
    """title: with its unit. digits: behind the point; None for text. value: of a row, None where it is not known."""

    title: str
    digits: int | None
    value: Callable[[ComparedVariant], Cell]
    tip: str = ""

    def text(self, cell: Cell) -> str:
        """With a point, as spreadsheets of any language can be told to read it."""
        if cell is None:
            return ""
        return str(cell) if isinstance(cell, str) or self.digits is None else f"{cell:.{self.digits}f}"


def _of_result(value: Callable[[Result, Conditions], Cell]) -> Callable[[ComparedVariant], Cell]:
    return lambda known: None if known.result is None else value(known.result, known.conditions)


NAME = ComparedColumn("Variant", None, lambda known: known.name)
CD = ComparedColumn("Cd", 4, _of_result(lambda r, _: r.cd))
_COLUMNS = (
    NAME,
    CD,
    ComparedColumn("Outside", None, _of_result(lambda r, _: OUTSIDE if r.is_outside else None), "▲: no interval holds"),
    ComparedColumn("Cd low", 4, _of_result(lambda r, _: None if r.is_outside else r.cd_low), "Of the 90 % interval"),
    ComparedColumn("Cd high", 4, _of_result(lambda r, _: None if r.is_outside else r.cd_high), "Of the 90 % interval"),
    ComparedColumn("ΔCd, counts", 1, lambda known: known.difference and known.difference.counts, "To the baseline"),
    ComparedColumn("±, counts", 1, lambda known: known.difference and known.difference.half_width, "Of the difference"),
    ComparedColumn("Cl", 3, _of_result(lambda r, _: r.cl)),
    ComparedColumn("Area, m²", 3, _of_result(lambda r, _: r.frontal_area), "That the coefficients refer to"),
    ComparedColumn("Cd·A, m²", 4, _of_result(lambda r, _: r.cda)),
    ComparedColumn("Force, N", 1, _of_result(lambda r, conditions: r.drag(conditions)), "At the study's conditions"),
    ComparedColumn("Novelty", 2, _of_result(lambda r, _: r.novelty), "Above 1: outside of what the model learnt from"),
    ComparedColumn("CFD Cd", 4, lambda known: known.cfd),
)


@dataclass(frozen=True)
class ComparisonTable:
    """keys: of the rows. columns, and rows of their cells."""

    keys: tuple[str, ...]
    columns: tuple[ComparedColumn, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def as_text(self, keys: Iterable[str]) -> str:
        """The rows of these variants, in that order, under their titles: cells apart by tabs, as spreadsheets paste."""
        lines = [[column.title for column in self.columns]]
        for key in keys:
            cells = self.rows[self.keys.index(key)]
            lines.append([column.text(cell) for column, cell in zip(self.columns, cells, strict=True)])
        return "".join("\t".join(" ".join(cell.split()) for cell in line) + "\n" for line in lines)


def table_of(desk: Desk) -> ComparisonTable:
    """Of the desk's study as it is known now. Columns that nobody has a value for are left out."""
    state = desk.study.state
    known = []
    for variant in state.variants:
        result, cfd = desk.result(variant.key), desk.cfd(variant.key)
        handles = dict(variant.morph.values) if variant.morph else {}
        difference = desk.difference(variant.key)
        known.append(ComparedVariant(variant.name, result, difference, cfd and cfd.cd, handles, state.conditions))
    handles = dict.fromkeys(name for one in known for name in one.handles)
    columns = (*_COLUMNS, *(_of_handle(name) for name in handles))
    cells = [[column.value(one) for one in known] for column in columns]
    there = [i for i, column in enumerate(columns) if i < 2 or any(cell is not None for cell in cells[i])]
    rows = tuple(tuple(cells[i][row] for i in there) for row in range(len(known)))
    return ComparisonTable(tuple(v.key for v in state.variants), tuple(columns[i] for i in there), rows)


def _of_handle(name: str) -> ComparedColumn:
    unit = HANDLES[name].unit if name in HANDLES else ""
    scale, shown, digits = {"m": (1000.0, ", mm", 0), "deg": (1.0, ", °", 1)}.get(unit, (1.0, "", 2))

    def value(known: ComparedVariant) -> Cell:
        return known.handles[name] * scale if name in known.handles else None

    return ComparedColumn(f"{name.replace('_', ' ').capitalize()}{shown}", digits, value)
