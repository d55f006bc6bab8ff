"""CSV, JSON, Markdown and workbooks: what a program or a spreadsheet reads out of them is what was put in."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import shutil
import subprocess
import warnings
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import markdown_it  # comes with rich
import pytest

from data.errors import DrivAerError
from drivaer_app.report.as_csv import csv_of, restored
from drivaer_app.report.as_json import json_of
from drivaer_app.report.as_markdown import markdown_of
from drivaer_app.report.brand import Brand
from drivaer_app.report.columns import COLUMNS
from drivaer_app.report.difference import judged
from drivaer_app.report.formats import write_report
from drivaer_app.report.of_batch import content_of_batch
from drivaer_app.report.where import matching

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def content(batch):
    return content_of_batch(batch)


def test_csv_comes_back_exactly(content):
    text = csv_of(content)
    assert text.count("\r\n") >= len(content.cars) + 1
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert [restored(name) for name in rows[0]] == content.column_names
    for cells, row in zip(rows[1:], content.rows, strict=True):
        for cell, (name, value) in zip(cells, row.items(), strict=True):
            if value is None:
                assert cell == "", name
            elif isinstance(value, bool):
                assert cell == str(value).lower(), name
            elif isinstance(value, (int, float)):
                assert float(cell) == value, name
            else:
                assert restored(cell) == value, name


def test_no_text_in_csv_starts_a_formula(content):
    for cells in csv.reader(io.StringIO(csv_of(content), newline="")):
        for cell in cells:
            assert not cell.startswith(("=", "@", "\t", "\r"))
            if cell.startswith(("+", "-")):
                assert math.isfinite(float(cell))


def test_json_has_every_column_and_where_it_comes_from(content):
    written = json.loads(json_of(content))
    assert written["format"] == 1 and len(written["cars"]) == len(content.cars)
    assert list(written["cars"][0]) == content.column_names
    for row, car in zip(content.rows, written["cars"], strict=True):
        assert {**car, "warnings": " | ".join(car["warnings"])} == row
    assert written["model"]["sha256"] == content.model.digest and "held-out" in written["model"]["card"]
    assert all(datetime.fromisoformat(car["predicted_at"]).tzinfo for car in written["cars"])


def test_the_columns_are_those_that_are_documented():
    written = (ROOT / "docs" / "report_columns.md").read_text("utf-8")
    documented = [line.split("`")[1] for line in written.splitlines() if line.startswith("| `")]
    assert documented == [column.name for column in COLUMNS]


def test_a_workbook_holds_numbers_and_texts_and_not_one_formula(content, tmp_path):
    book = _opened(content, tmp_path)
    assert {"Cars", "Provenance"} <= set(book.sheetnames)
    assert not [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
    sheet = book["Cars"]
    assert sheet.freeze_panes == "C2" and sheet.auto_filter.ref and sheet.conditional_formatting
    heads = [cell.value for cell in sheet[1]]
    assert "Drag, N" in heads and "Frontal area, m²" in heads
    for values, row in zip(sheet.iter_rows(min_row=2, values_only=True), content.rows, strict=True):
        assert values[3] == row["cd"] and values[1] == row["name"]
    assert book["Chart"]._charts
    provenance = [cell for row in book["Provenance"].iter_rows(values_only=True) for cell in row if cell]
    assert any(content.model.digest in text for text in provenance)


def test_in_a_workbook_the_mark_of_an_outside_car_is_part_of_its_number(content, tmp_path):
    sheet = _opened(content, tmp_path)["Cars"]
    for row, car in enumerate(content.cars, start=2):
        assert ("▲" in sheet.cell(row, 4).number_format) == car.is_outside


def _opened(content, folder: Path):
    import openpyxl

    write_report(folder / "report.xlsx", content)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*extension is not supported", module="openpyxl")  # bars of 2010
        return openpyxl.load_workbook(folder / "report.xlsx")


@pytest.mark.skipif(shutil.which("soffice") is None, reason="needs LibreOffice")
def test_libreoffice_reads_the_workbook(content, tmp_path):
    write_report(tmp_path / "report.xlsx", content)
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    command = ["soffice", profile, "--headless", "--convert-to", "csv:Text - txt - csv (StarCalc):44,34,76"]
    subprocess.run([*command, "--outdir", tmp_path, tmp_path / "report.xlsx"], check=True, capture_output=True)
    rows = list(csv.reader((tmp_path / "report.csv").open(encoding="utf-8", newline="")))
    assert rows[0][3] == "Cd" and len(rows) == len(content.cars) + 1
    assert [row[1] for row in rows[1:]] == [car.name for car in content.cars]


def test_markdown_marks_outside_cars_and_shows_names_as_letters(content):
    text = markdown_of(content, Brand())
    table = [line for line in text.splitlines() if line.startswith("| ") and "0." in line][: len(content.predicted)]
    for line, car in zip(table, content.predicted, strict=True):
        assert ("▲" in line) == car.is_outside
    html = markdown_it.MarkdownIt("commonmark").enable("table").render(text)
    assert html.count("<table>") >= 4  # one each of ranking and meshes, and the card's own
    assert not {"<script", "<img", "<a ", "<em>", "<strong>"} & set(re.findall(r"<\w+[ >]?", html))
    assert "*star*" in html and "| pipe |" in html


def test_a_difference_is_certain_only_beyond_its_own_uncertainty(content):
    inside = [car for car in content.predicted if not car.is_outside and not car.is_baseline]
    for car in inside:
        judged, law = car.judgement, car.result.difference_law
        assert judged.calibrated and judged.half_width == pytest.approx(1000 * law.half_width(judged.counts / 1000))
        assert judged.verdict == ("unclear" if abs(judged.counts) <= judged.half_width else "higher")
    assert {"unclear", "higher"} == {car.judgement.verdict for car in inside}
    outside = [car for car in content.predicted if car.is_outside]
    assert outside and all(car.judgement.verdict == "unknown" for car in outside)


def test_without_a_calibration_both_intervals_are_added(content):
    one, other = [replace(car.result, difference_law=None) for car in content.predicted if not car.is_outside][:2]
    judged_so = judged(one, other)
    assert not judged_so.calibrated
    halves = [0.5 * (result.cd_high - result.cd_low) for result in (one, other)]
    assert judged_so.half_width == pytest.approx(1000 * sum(halves), abs=0.1)


def test_conditions_pick_cars_in_their_order(content):
    picked = matching(content, "boat_tail >= 3 and [parameter.=style] = '=estate' and in_distribution = 'true'")
    expected = [
        car
        for car in content.predicted
        if car.parameters["boat_tail"] >= 3 and car.parameters["=style"] == "=estate" and not car.is_outside
    ]
    assert picked == expected and picked
    assert matching(content, "status = 'error' and cd is missing") == list(content.failed)
    assert matching(content, "rank <= 2") == list(content.cars[:2])
    with pytest.raises(DrivAerError, match="did you mean"):
        matching(content, "cdd < 1")


def test_names_are_found_and_near_misses_are_reported(batch):
    assert content_of_batch(batch, baseline="plain_2").baseline.name == "plain_2.stl"
    with pytest.raises(DrivAerError, match="did you mean plain_2"):
        content_of_batch(batch, baseline="plan_2.stl")


@pytest.mark.parametrize(
    ("text", "why_not"),
    [
        ('accent = "red"', "no colour"),
        ('logo = "none.png"', "not there"),
        ('colour = "#ffffff"', "nothing that a brand has"),
        ('accent = "#fff"; }', "TOML"),
    ],
)
def test_a_brand_that_makes_no_sense_is_refused(tmp_path, text, why_not):
    from drivaer_app.report.brand import read_brand

    (tmp_path / "brand.toml").write_text(text, encoding="utf-8")
    with pytest.raises(DrivAerError, match=why_not):
        read_brand(tmp_path / "brand.toml")
