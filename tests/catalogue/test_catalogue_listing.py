"""What a browser reads of a catalogue: the overview, and rows by typed and chosen conditions together."""

from __future__ import annotations

import pytest

from data.catalogue.listing import Question, listing, overview
from data.catalogue.query import Sort
from data.catalogue.where import WhereError


def test_an_overview_tells_choices_spans_split_and_licence(scanned):
    there = overview(scanned.path)
    assert there.n_designs == 3 and there.choices["style"] == ("fastback", "estate")
    low, high = there.spans["cd"]
    assert low < high and "cl" in there.numbers
    assert sum(there.splits.values()) == 3 and "CC BY-NC 4.0" in there.licences[0]


def test_typed_chosen_and_ranged_conditions_hold_together(scanned):
    cd = dict(zip(*(listing(scanned.path, Question()).values(name) for name in ("id", "cd")), strict=True))
    first, second = "F_D_WM_WW_0001", "F_D_WM_WW_0002"
    ranges = {"cd": (cd[first], cd[first])}
    found = listing(scanned.path, Question("cd > 0 or cd < 0", {"style": "FASTBACK"}, ranges))
    assert [row[0] for row in found.rows] == [i for i in (first, second) if cd[i] == cd[first]]
    assert found.n_designs == 3


def test_a_hostile_choice_is_a_value_and_nothing_else(scanned):
    assert listing(scanned.path, Question(equal={"class": "x' OR 1=1 --"})).rows == []


def test_columns_asked_for_come_with_the_rows_in_their_order(scanned):
    found = listing(scanned.path, Question(sort=Sort("cl", descending=True), also=("A_Car_Width",)))
    assert found.values("cl") == sorted(found.values("cl"), reverse=True)
    assert "A_Car_Width" in found.names


def test_a_condition_that_makes_no_sense_points_at_its_word(scanned):
    with pytest.raises(WhereError) as error:
        listing(scanned.path, Question("cd < 0.3 and colour = 3"))
    assert error.value.start == 13
