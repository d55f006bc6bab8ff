"""A report as a workbook: one sheet of cars with numbers that are numbers, one of where they come from.

XlsxWriter: it writes what Excel itself would write, and never makes a formula of a text unless asked to.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from data.replacing import replacing
from drivaer_app.report.brand import Brand
from drivaer_app.report.car import ReportCar
from drivaer_app.report.columns import COLUMNS, PARAMETER
from drivaer_app.report.content import Content
from drivaer_app.report.texts import printable

_LONGEST_CELL = 32_000  # characters: Excel's own limit is 32,767
_WIDTHS = {"name": 34, "warnings": 60, "error": 50, "file": 60, "mesh_sha256": 20, "model_sha256": 20, "model": 22}
_FORMATS = {
    "cd": "0.0000",
    "cd_low": "0.0000",
    "cd_rans": "0.0000",
    "cd_high": "0.0000",
    "cl": "0.000",
    "cd_pressure": "0.0000",
    "cd_friction": "0.0000",
    "novelty": "0.00",
    "delta_counts": "+0.0;-0.0;0.0",
    "delta_half_width_counts": "0.0",
    "frontal_area_m2": "0.000",
    "cda_m2": "0.000",
    "drag_n": "0.0",
    "n_faces": "#,##0",
}
_MARKED = ("cd", "cl", "cd_pressure", "cd_friction", "cda_m2", "drag_n", "delta_counts", "in_distribution", "novelty")
_TRUTHS = {column.name for column in COLUMNS if column.kind == "truth"}
_TRUE_OR_FALSE = '"true";"true";"false"'  # LibreOffice shows 1 and 0 where a cell has any format
_MOST_IN_CHART = 60


def write(path: Path, content: Content, brand: Brand, template: Path | None) -> None:
    import xlsxwriter

    with replacing(path) as unfinished:
        # The file is made in memory, so that no half of it lies in another folder after a kill.
        options = {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True}
        book = xlsxwriter.Workbook(str(unfinished), options)
        book.set_properties({"title": content.title, "company": brand.name, "comments": f"drivaer {content.version}"})
        _Cars(book, content, brand).write()
        _write_provenance(book, content)
        book.close()


class _Cars:
    """The sheet of cars, its bars and its chart."""

    def __init__(self, book, content: Content, brand: Brand):
        self.book, self.content, self.brand = book, content, brand
        self.sheet = book.add_worksheet("Cars")
        self.names = content.column_names
        self.last = len(content.cars)
        self._made: dict[tuple[str, bool], Any] = {}

    def write(self) -> None:
        self._heading()
        for row, (car, values) in enumerate(zip(self.content.cars, self.content.rows, strict=True), start=1):
            for column, (name, value) in enumerate(values.items()):
                self._cell(row, column, value, self._format(name, car.is_outside))
        self.sheet.freeze_panes(1, 2)
        self.sheet.autofilter(0, 0, self.last, len(self.names) - 1)
        self._bars()
        self._chart()
        self._print_setup()

    def _heading(self) -> None:
        bold = self.book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 2})
        titles = [column.heading for column in COLUMNS] + list(self.content.parameters)
        for column, (name, title) in enumerate(zip(self.names, titles, strict=True)):
            self.sheet.write_string(0, column, _text(title), bold)
            self.sheet.set_column(column, column, _WIDTHS.get(name, 11 if name in _FORMATS else 13))
        self.sheet.set_row(0, 32)

    def _format(self, name: str, outside: bool):
        marked = outside and name in _MARKED
        if (name, marked) not in self._made:
            properties = {"num_format": _FORMATS.get(name, "General")}
            if name in _TRUTHS:
                properties["num_format"] = _TRUE_OR_FALSE
            if marked:
                properties |= {"font_color": "#b05400", "bg_color": "#fdf3e7"}
                if name in _FORMATS:  # the number stays a number and carries its mark
                    positive, *others = _FORMATS[name].split(";")
                    properties["num_format"] = ";".join(f'{part}" ▲"' for part in (positive, *others))
            self._made[name, marked] = self.book.add_format(properties)
        return self._made[name, marked]

    def _cell(self, row: int, column: int, value: Any, style) -> None:
        if value is None:
            self.sheet.write_blank(row, column, None, style)
        elif isinstance(value, bool):
            self.sheet.write_boolean(row, column, value, style)
        elif isinstance(value, (int, float)):
            self.sheet.write_number(row, column, value, style)
        else:
            self.sheet.write_string(row, column, _text(value), style)

    def _column(self, name: str) -> int:
        return self.names.index(name)

    def _bars(self) -> None:
        """Bars behind Cd and ΔCd."""
        if not self.content.predicted:
            return
        lowest = min(car.result.cd for car in self.content.predicted)
        bar = {"type": "data_bar", "bar_color": _pale(self.brand.accent), "bar_solid": True, "min_type": "num"}
        cd, delta = self._column("cd"), self._column("delta_counts")
        self.sheet.conditional_format(1, cd, self.last, cd, {**bar, "min_value": 0.9 * lowest})
        if self.content.baseline is not None:
            both = {"type": "data_bar", "bar_color": "#f0b4ad", "bar_negative_color": "#a9d8b8", "bar_solid": True}
            self.sheet.conditional_format(1, delta, self.last, delta, both)

    def _chart(self) -> None:
        """Cd of the first cars with their intervals, on a sheet of its own; none for cars outside."""
        shown = self.content.predicted[:_MOST_IN_CHART]
        if not shown:
            return
        sheet, data = self.book.add_worksheet("Chart"), self.book.add_worksheet("Chart data")
        for column, title in enumerate(("Car", "Cd", "Interval half width")):
            data.write_string(0, column, title)
        for row, car in enumerate(shown, start=1):
            data.write_string(row, 0, _text(("▲ " if car.is_outside else "") + car.name))
            data.write_number(row, 1, car.record["cd"])
            data.write_number(row, 2, _half(car))
        n = len(shown)
        chart = self.book.add_chart({"type": "line"})
        half = f"='Chart data'!$C$2:$C${n + 1}"
        chart.add_series(
            {
                "name": "Cd with its 90 % interval",
                "categories": ["Chart data", 1, 0, n, 0],
                "values": ["Chart data", 1, 1, n, 1],
                "line": {"none": True},
                "marker": {"type": "circle", "size": 6, "fill": {"color": self.brand.accent}},
                "y_error_bars": {"type": "custom", "plus_values": half, "minus_values": half},
            }
        )
        chart.set_title({"name": "Cd with its 90 % interval", "overlay": False})
        chart.set_y_axis({"name": "Cd", "num_format": "0.000", "major_gridlines": {"visible": True}})
        chart.set_x_axis({"name": "▲ outside of the training designs: no interval holds"})
        chart.set_legend({"none": True})
        chart.set_size({"width": 1100, "height": 520})
        sheet.insert_chart("A1", chart)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 1)
        data.hide()

    def _print_setup(self) -> None:
        self.sheet.set_landscape()
        self.sheet.set_paper(9)
        self.sheet.fit_to_pages(1, 0)
        self.sheet.repeat_rows(0)
        self.sheet.print_area(0, 0, self.last, self._column("drag_n"))
        self.sheet.set_footer("&C&P of &N")


def _pale(colour: str) -> str:
    """The colour, light enough for numbers to be read on it."""
    parts = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{round(255 - 0.4 * (255 - part)):02x}" for part in parts)


def _half(car: ReportCar) -> float:
    if car.is_outside or car.result.cd_low is None:
        return 0.0
    return round((car.result.cd_high - car.result.cd_low) / 2, 5)


def _write_provenance(book, content: Content) -> None:
    sheet = book.add_worksheet("Provenance")
    bold = book.add_format({"bold": True})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 110)
    rows = [("", text) for text in content.answer] + [("", ""), *content.provenance, ("", "")]
    rows.append(("▲ or outside", "the shape lies outside of what the model was trained on: its interval does not hold"))
    rows.append(("", ""))
    for section in content.card:
        for block in section.blocks:
            rows += [(section.title, ", ".join(cells)) for cells in block.rows]
    rows += [("", ""), ("Columns", "")]
    rows += [(column.heading, f"{column.name}: {column.about}") for column in COLUMNS]
    rows += [
        (name, f"{PARAMETER}{name}: of the design, from the table beside the meshes") for name in content.parameters
    ]
    for row, (label, text) in enumerate(rows):
        sheet.write_string(row, 0, _text(label), bold)
        sheet.write_string(row, 1, _text(text), wrapped)


def _text(text: str) -> str:
    return printable(str(text))[:_LONGEST_CELL]
