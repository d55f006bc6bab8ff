"""Asking a catalogue, its statistics, and what is exported of it."""

from __future__ import annotations

import csv

import pytest

from data.catalogue import CorpusFile, Design, open_catalogue
from data.catalogue.export import export
from data.catalogue.query import Sort, columns_of, condition_of, count, find_design, ids, named_columns, range_of, rows
from data.catalogue.stats import statistics
from data.errors import DrivAerError


@pytest.fixture
def catalogue(tmp_path):
    with open_catalogue(tmp_path) as opened:
        opened.upsert_designs(
            Design(f"F_D_WM_WW_{i:04d}", "drivaernet", "F_D_WM_WW", "fastback", cd=None if i == 7 else 0.2 + i / 1000,
                   area=2.0 + (i % 5) / 10, notes="=1+1" if i == 3 else "", parameters={"it's \\ long": float(i)})
            for i in range(1, 41)
        )  # fmt: skip
        opened.set_fact("parameters", '["it\'s \\\\ long"]')
        opened.upsert_files([
            CorpusFile("a.zip", "mesh", "F_D_WM_WW_0001", "x.stl", 5),
            CorpusFile("x.stl", "mesh", "F_D_WM_WW_0001", "", 5, state="missing"),
            CorpusFile("y.stl", "mesh", "F_D_WM_WW_0002", "", 5, state="remote"),
        ])  # fmt: skip
        opened.tag(["F_D_WM_WW_0003"], "odd")
        yield opened


def test_pages_follow_each_other_and_missing_values_come_last(catalogue):
    columns = named_columns(catalogue, ["id", "cd"])
    pages = [rows(catalogue, columns, sort=Sort("cd", True), limit=15, offset=o) for o in (0, 15, 30)]
    flat = [row for page in pages for row in page]
    assert [row[0][-4:] for row in flat] == [f"{i:04d}" for i in range(40, 0, -1) if i != 7] + ["0007"]


def test_a_condition_reaches_parameters_states_tags_and_products(catalogue):
    assert ids(catalogue, condition_of(catalogue, r"[it's \ long] between 39 and 99")) == [
        "F_D_WM_WW_0039",
        "F_D_WM_WW_0040",
    ]
    assert ids(catalogue, condition_of(catalogue, "mesh = 'zipped'")) == ["F_D_WM_WW_0001"]
    assert ids(catalogue, condition_of(catalogue, "mesh = 'remote'")) == ["F_D_WM_WW_0002"]
    assert ids(catalogue, condition_of(catalogue, "tags has 'odd'")) == ["F_D_WM_WW_0003"]
    assert count(catalogue, condition_of(catalogue, "cda > 0.4 and mesh is missing")) == 37


def test_a_range_tells_the_ends_and_how_many_are_missing(catalogue):
    (cd,) = named_columns(catalogue, ["CD"])
    assert range_of(catalogue, cd) == (pytest.approx(0.201), pytest.approx(0.24), 1)


def test_a_reader_cannot_change_a_catalogue(catalogue):
    import sqlite3

    with open_catalogue(catalogue.path, read_only=True) as reader, pytest.raises(sqlite3.OperationalError):
        reader.connection.execute("DELETE FROM designs")


def test_a_misspelled_design_gets_the_nearest(catalogue):
    assert find_design(catalogue, "drivaer_f_d_ww_wm_12.stl") == "F_D_WM_WW_0012"
    with pytest.raises(DrivAerError, match="did you mean"):
        find_design(catalogue, "F_D_WM_WW_0401")


def test_statistics_name_what_stands_out_and_what_is_missing(catalogue):
    catalogue.upsert_designs([Design("F_D_WM_WW_0099", "drivaernet", "F_D_WM_WW", cd=0.9, area=2.2)])
    found = statistics(catalogue)
    assert found.outliers[0].design == "F_D_WM_WW_0099"
    assert found.missing["cd"] == 1 and found.missing["mesh"] == 40
    (parameter,) = (c for c in found.correlations if c.column.startswith("it's"))
    assert parameter.spearman == pytest.approx(1.0)


def test_no_cell_of_a_csv_is_a_formula(catalogue, tmp_path):
    out = tmp_path / "out.csv"
    assert export(catalogue, out, named_columns(catalogue, ["id", "notes", "cd"])) == 40
    with out.open(newline="") as file:
        table = list(csv.DictReader(file))
    assert table[2]["notes"] == "'=1+1"
    assert float(table[2]["cd"]) == 0.203


def test_parquet_keeps_numbers_texts_and_what_is_missing(catalogue, tmp_path):
    from pyarrow import parquet

    out = tmp_path / "out.parquet"
    export(catalogue, out, columns_of(catalogue), condition_of(catalogue, "cd is missing or cd < 0.204"))
    table = parquet.read_table(out)
    assert table.column("cd").to_pylist() == [0.201, 0.202, 0.203, None]
    assert table.column("notes").to_pylist() == ["", "", "=1+1", ""]
    assert table.num_columns == len(columns_of(catalogue))
