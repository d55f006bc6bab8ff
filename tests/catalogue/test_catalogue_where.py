"""The language of ``--where``."""

from __future__ import annotations

import sqlite3

import pytest

from data.catalogue.where import Column, WhereError, parse_where

COLUMNS = [Column("cd", "number"), Column("area", "number"), Column("style", "text"), Column("tags", "text")]
COLUMNS.append(Column("A Car's Length", "number"))
ROWS = [
    {"cd": 0.22, "area": 2.2, "style": "fastback", "tags": "good,new", "A Car's Length": 1.0},
    {"cd": 0.26, "area": 2.4, "style": "Estate", "tags": None, "A Car's Length": -1.0},
    {"cd": 0.3, "area": None, "style": "it's", "tags": "goodish", "A Car's Length": 0.0},
    {"cd": None, "area": 2.0, "style": None, "tags": "", "A Car's Length": None},
]


@pytest.fixture(scope="module")
def database():
    connection = sqlite3.connect(":memory:")
    connection.execute('CREATE TABLE t (cd REAL, area REAL, style TEXT, tags TEXT, "A Car\'s Length" REAL)')
    connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?)", [tuple(row.values()) for row in ROWS])
    return connection


CONDITIONS = [
    ("style='fastback' and cd<0.24", [0]),
    ('STYLE = "FASTBACK"', [0]),
    ("style in ('estate', 'van') or cd >= .3", [1, 2]),
    ("style not in ('estate', 'van')", [0, 2]),
    ("0.2 < cd <= 0.26", [0, 1]),
    ("cd between 0.25 and 0.35", [1, 2]),
    ("cd not between 0.25 and 0.35", [0]),
    ("not cd > 0.25", [0]),
    ("cd*area < 0.5 and area/2 > 1", [0]),
    ("cd + 0.1 - -0.1 > 0.45", [1, 2]),
    ("style like '%back'", [0]),
    ("style = 'it''s'", [2]),
    ("tags has 'good'", [0]),
    ("not tags has 'good'", [1, 2, 3]),
    ("cd is missing or area is null", [2, 3]),
    ("cd is not missing && area is not missing", [0, 1]),
    ("cd = 1/0", []),
    ("[A Car's Length] < 0", [1]),
    ("((cd)) == 0.22 || cd <> 0.22 and area = 2.4", [0, 1]),
    ("cd in (" + "0.1, " * 1500 + "0.22)", [0]),
    (" or ".join(["cd = 0.3"] * 700), [2]),
]


@pytest.mark.parametrize(("text", "rows"), CONDITIONS, ids=[text[:40] for text, _ in CONDITIONS])
def test_a_condition_finds_its_rows(database, text, rows):
    condition = parse_where(text, COLUMNS)
    found = database.execute(f"SELECT rowid - 1 FROM t WHERE {condition.sql} ORDER BY 1", condition.parameters)
    assert [row for (row,) in found] == rows


@pytest.mark.parametrize(
    ("text", "blamed", "message"),
    [
        ("stlye = 'a'", "stlye", "did you mean style?"),
        ("style = fastback", "fastback", "in quotes: 'fastback'"),
        ("cd < '0.2'", "'0.2'", "without quotes"),
        ("style < 3", "3", "put texts in quotes"),
        ("cd < 0,24", ",", "decimals have a point"),
        ("cd", "cd", "not a condition"),
        ("cd < 0.2 area > 2", "area", "join conditions"),
        ("cd < 1.2.3", "1.2.3", "is no number"),
        ("style = 'fast", "'fast", "no closing quote"),
        ("style like 3", "3", "wants a text"),
        ("cd like 'a%'", "cd", "is for texts"),
        ("style + 1 > 2", "style", "no number to calculate with"),
        ("cd not 3", "3", "after not"),
        ("cd is 3", "3", "after is"),
        ("style = 'a'; DROP TABLE t", ";", "no meaning"),
    ],
)
def test_an_error_points_at_the_word(text, blamed, message):
    with pytest.raises(WhereError) as caught:
        parse_where(text, COLUMNS)
    assert text[caught.value.start : caught.value.stop] == blamed
    assert message in caught.value.line


def test_the_carets_stand_under_the_word():
    with pytest.raises(WhereError) as caught:
        parse_where("cd<1 and cdd<2", COLUMNS)
    above, below = caught.value.picture.splitlines()
    assert above[below.index("^") : below.rindex("^") + 1] == "cdd"


@pytest.mark.parametrize("text", ["", "  ", "cd <", "(cd < 1", "cd < 1)", "and", "not", "cd in ()", "cd in (1"])
def test_half_a_condition_is_an_error_not_a_crash(text):
    with pytest.raises(WhereError):
        parse_where(text, COLUMNS)


@pytest.mark.parametrize(
    "text", ["(" * 500 + "cd=1" + ")" * 500, "not " * 500 + "cd=1", "-" * 500 + "1=cd", "x" * 20000]
)
def test_a_hostile_length_or_depth_is_an_error(text):
    with pytest.raises(WhereError):
        parse_where(text, COLUMNS)


def test_no_value_of_a_condition_gets_into_the_sql():
    condition = parse_where("style = 'a'' OR 1=1 --' and cd < 0.777", COLUMNS)
    assert "OR 1=1" not in condition.sql and "0.777" not in condition.sql
    assert condition.parameters == ("a' OR 1=1 --", 0.777)
