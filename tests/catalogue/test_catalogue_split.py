"""Splits: official ones to the id, drawn ones without leaks."""

from __future__ import annotations

from collections import Counter

import pytest

from data.catalogue import Design, open_catalogue
from data.catalogue.query import condition_of, ids
from data.catalogue.scan import scan
from data.catalogue.split import SPLITS, draw_split, near_identical, official_split, write_lists
from data.errors import DrivAerError


@pytest.fixture
def morphs(tmp_path):
    """120 morphs, each in three classes that differ by a hair, and a catalogue that holds them."""
    import random

    rng = random.Random(4)
    designs = []
    for number in range(120):
        base = [rng.gauss(0, 1) for _ in range(12)]
        for name in ("F_S_WWC_WM", "F_S_WWS_WM", "E_S_WW_WM"):
            parameters = {f"p{i}": x + rng.gauss(0, 0.02) for i, x in enumerate(base)}
            cd = 0.25 + 0.01 * base[0] + (0.02 if name == "E_S_WW_WM" else 0)
            designs.append(Design(f"{name}_{number:03d}", "drivaernet", name, cd=cd, parameters=parameters))
    with open_catalogue(tmp_path) as catalogue:
        catalogue.upsert_designs(designs)
        yield catalogue


def test_the_same_morph_in_several_classes_stays_on_one_side(morphs):
    split = draw_split(morphs, morphs.designs())
    assert split.n_groups == 120
    sides = {}
    for design, side in split.split_of.items():
        sides.setdefault(design[-3:], set()).add(side)
    assert all(len(side) == 1 for side in sides.values())


def test_a_drawn_split_keeps_the_fractions_in_every_class_and_its_drag(morphs):
    split = draw_split(morphs, morphs.designs(), fractions=(0.6, 0.2, 0.2))
    counts = Counter((d.design_class, split.split_of[d.id]) for d in morphs.designs())
    for name in ("F_S_WWC_WM", "F_S_WWS_WM", "E_S_WW_WM"):
        assert [abs(counts[name, s] - n) <= 6 for s, n in zip(SPLITS, (72, 24, 24), strict=True)] == [True] * 3
    means = [
        sum(cds) / len(cds) for s in SPLITS if (cds := [d.cd for d in morphs.designs() if split.split_of[d.id] == s])
    ]
    assert max(means) - min(means) < 0.004


def test_the_same_seed_draws_the_same_and_another_another(morphs):
    designs = morphs.designs()
    first = draw_split(morphs, designs, seed=1).split_of
    assert draw_split(morphs, list(reversed(designs)), seed=1).split_of == first
    assert draw_split(morphs, designs, seed=2).split_of != first


def test_evenly_scattered_designs_are_not_taken_for_the_same(tmp_path):
    grid = [
        Design(f"d{i}_{j}", "folder", parameters={"a": float(i), "b": float(j)}) for i in range(9) for j in range(9)
    ]
    assert len(near_identical(grid, {})) == 81


def test_meshes_with_the_same_checksum_are_the_same_car():
    designs = [Design(name, "folder") for name in ("a", "b", "c")]
    assert near_identical(designs, {"a": "x", "c": "x"}) == [["a", "c"], ["b"]]


def test_fractions_that_do_not_add_up_are_reported(morphs):
    with pytest.raises(DrivAerError, match="add up to 1"):
        draw_split(morphs, morphs.designs(), fractions=(0.5, 0.1, 0.1))


def test_lists_that_overlap_are_refused(morphs, tmp_path):
    folder = tmp_path / "lists"
    folder.mkdir()
    (folder / "train.txt").write_text("E_S_WW_WM_001\n")
    (folder / "test.txt").write_text("E_S_WW_WM_1\n")
    with pytest.raises(DrivAerError, match="E_S_WW_WM_001 is in test and in train"):
        official_split(morphs, folder)


def test_the_official_split_is_reproduced_to_the_id(shared, tmp_path):
    reference = shared / "reference" / "drivaernet"
    scan(reference, catalogue=tmp_path / "c.sqlite")
    with open_catalogue(tmp_path / "c.sqlite") as catalogue:
        split, _ = official_split(catalogue, reference)
        write_lists(split, tmp_path / "lists")
        for name in SPLITS:
            official = set((reference / f"{name}_design_ids.txt").read_text().split())
            assert set((tmp_path / "lists" / f"{name}_design_ids.txt").read_text().split()) == official
            assert set(ids(catalogue, condition_of(catalogue, f"split = '{name}'"))) == official


def test_the_official_split_tears_morphs_apart_and_a_drawn_one_does_not(shared, tmp_path):
    reference = shared / "reference" / "drivaernet"
    scan(reference, catalogue=tmp_path / "c.sqlite")
    with open_catalogue(tmp_path / "c.sqlite") as catalogue:
        split, _ = official_split(catalogue, reference)
        assert len(split.leaks) > 400
        drawn = draw_split(catalogue, catalogue.designs())
        assert all(len({drawn.split_of[i] for i in group}) == 1 for group in split.leaks)
