"""Coefficients from tables as users find them."""

from __future__ import annotations

import pytest

from benchmarks.drivaernet_corpus import SyntheticDesign
from data.catalogue import open_catalogue
from data.catalogue.scan import scan
from data.corpora.drivaernet import FIRST_AREA
from data.corpora.drivaernet_labels import drivaernet_labels
from data.corpora.tables import read_table

FIRST, SECOND, ESTATE = "F_D_WM_WW_0001", "F_D_WM_WW_0002", "E_S_WWC_WM_005"


def written(folder, name, text, encoding="utf-8"):
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return read_table(path)


def labels(*tables, wanted=None):
    return drivaernet_labels(tables, wanted)


def test_all_published_tables_together_give_the_updated_labels(tables_of):
    folder = tables_of([FIRST, ESTATE])
    scan(folder)
    with open_catalogue(folder) as catalogue:
        design, made = catalogue.design(FIRST), SyntheticDesign(FIRST)
        assert design.label_version == "updated"
        assert design.cd == pytest.approx(made.cd) and design.area == pytest.approx(made.area)
        assert design.cd_first == pytest.approx(made.cd_first)
        assert catalogue.design(ESTATE).parameters == pytest.approx(SyntheticDesign(ESTATE).parameters)


def test_lift_that_only_the_first_labels_have_comes_onto_the_cars_own_area(tables_of):
    folder = tables_of([FIRST])
    scan(folder)
    with open_catalogue(folder) as catalogue:
        assert catalogue.design(FIRST).cl == pytest.approx(sum(SyntheticDesign(FIRST).lift))


def test_the_first_labels_are_used_where_they_are_asked_for(tables_of):
    folder = tables_of([FIRST, ESTATE])
    found = scan(folder, labels="first")
    assert found.label_versions == {"first": 1, "updated": 1}
    again = scan(folder)
    assert again.label_versions == found.label_versions


def test_a_byte_order_mark_and_a_column_cd_that_is_cda_do_no_harm(tmp_path):
    text = f"Design,Frontal Area (m²),Average Cd,Cd\n{FIRST},2.5,0.26,0.65\n"
    found = labels(written(tmp_path, "Cd_8k_Frontal_Area.csv", text, "utf-8-sig")).labels[FIRST]
    assert found.values == {"cd": 0.26, "area": 2.5}


def test_a_single_column_cd_that_holds_cda_is_recognised_by_its_size_and_reported(tmp_path):
    text = f"Design,Frontal Area (m²),Cd\n{FIRST},2.5,0.65\n{SECOND},2.4,0.60\n"
    found = labels(written(tmp_path, "t.csv", text))
    assert found.labels[FIRST].values["cd"] == pytest.approx(0.26)
    assert "Cd·A" in found.warnings[0]


def test_a_first_version_table_alone_is_known_by_its_lift(tmp_path):
    found = labels(written(tmp_path, "mine.csv", f"Design,Average Cd,Average Cl\n{FIRST},0.33,0.1\n"))
    assert (found.version, found.labels[FIRST].values["cd"]) == ("first", 0.33)


def test_a_version_that_cannot_be_recognised_is_left_out_and_reported(tmp_path):
    found = labels(written(tmp_path, "mine.csv", f"Design,Cd\n{FIRST},0.33\n"))
    assert "cd" not in found.labels[FIRST].values
    assert "cannot tell which label version" in found.warnings[0]


def test_tables_that_contradict_each_other_are_reported(tmp_path):
    one = written(tmp_path, "Updated.csv", f"Design,Average Cd,Frontal Area (m²)\n{FIRST},0.26,2.5\n")
    other = written(tmp_path, "FilteredCorrected.csv", f"Design,Average Cd\n{FIRST},{0.26 * 1.5 * 2.5 / FIRST_AREA}\n")
    assert any("not the same force" in warning for warning in labels(one, other).warnings)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (f"Design;Average Cd\n{FIRST};0,26\n", "utf-8"),
        (f"Design\tAverage Cd\r\n{FIRST}\t0.26\r\n", "utf-16"),
        (f"\n\nDesign, Average Cd, Frontal Area (m²)\n{FIRST}, 0.26, 2.5\n", "latin-1"),
        (f'"Design","Average Cd"\n"DrivAer_{FIRST}.stl","2.6e-1"\n', "utf-8"),
    ],
)
def test_separators_decimal_commas_and_encodings_are_found_out(tmp_path, text, encoding):
    found = labels(written(tmp_path, "Updated.csv", text, encoding))
    assert found.labels[FIRST].values["cd"] == 0.26


def test_an_export_of_a_catalogue_read_again_says_the_same(tables_of, tmp_path):
    from data.catalogue.export import export
    from data.catalogue.query import columns_of

    folder = tables_of([FIRST, SECOND, ESTATE])
    scan(folder)
    with open_catalogue(folder) as catalogue:
        before = catalogue.designs()
        (tmp_path / "alone").mkdir()
        for place in (folder / "all.csv", tmp_path / "alone" / "all.csv"):
            export(catalogue, place, columns_of(catalogue))
    scan(folder)
    scan(tmp_path / "alone")
    with open_catalogue(folder) as catalogue, open_catalogue(tmp_path / "alone") as alone:
        assert catalogue.designs() == before
        assert [(d.cd, d.clr, d.area, d.split) for d in alone.designs()] == [
            (d.cd, d.clr, d.area, d.split) for d in before
        ]


def test_a_cell_without_a_number_is_missing_not_zero(tmp_path):
    found = labels(written(tmp_path, "Updated.csv", f"Design,Average Cd\n{FIRST},NaN\n{SECOND},\n"))
    assert all("cd" not in label.values for label in found.labels.values())


def test_the_published_tables_give_8121_labels_of_one_version(shared):
    folder = shared / "reference" / "drivaernet"
    tables = [read_table(p) for p in sorted([*folder.glob("*.csv"), *folder.glob("tables/*.csv")])]
    found = drivaernet_labels(tables)
    have = [i for i, label in found.labels.items() if "cd" in label.values]
    assert len(have) == 8121 and found.version == "updated"
    assert found.labels["F_D_WM_WW_0001"].values["cd"] == 0.2758330686320894
    both = [v.values for v in found.labels.values() if {"cd", "cd_first", "area"} <= v.values.keys()]
    assert len(both) == 3956
    assert max(abs(v["cd_first"] * FIRST_AREA / (v["cd"] * v["area"]) - 1) for v in both) < 1e-6
