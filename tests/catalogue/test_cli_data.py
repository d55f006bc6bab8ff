"""``drivaer data`` as a user types it."""

from __future__ import annotations

import json

import pytest

from drivaer_app.cli.app import main


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    """No test sees, or leaves, what the user scanned last."""
    monkeypatch.setattr("drivaer_app.catalogues.own_catalogues", lambda: tmp_path / "own")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run(capfd):
    def call(*arguments: object) -> tuple[int, str, str]:
        capfd.readouterr()
        status = main(["data", *map(str, arguments)])
        return (status, *capfd.readouterr())

    return call


@pytest.fixture
def folder(tables_of, run):
    made = tables_of([*(f"F_D_WM_WW_{i:04d}" for i in range(1, 61)), "E_S_WWC_WM_005"])
    run("scan", made)
    return made


def test_scan_says_what_there_is_which_labels_and_the_licence(run, folder):
    status, out, _ = run("scan", folder)
    assert status == 0
    assert "61 designs" in out and "updated" in out and "CC BY-NC 4.0" in out and "split: " in out


def test_list_filters_sorts_and_writes_json_lines(run, folder):
    _, out, _ = run(
        "list", folder, "--where", "style='fastback' and cd<0.28", "--columns", "id,cd", "--sort", "-cd", "--json"
    )
    rows = [json.loads(line) for line in out.splitlines()]
    assert rows and all(row["cd"] < 0.28 for row in rows)
    assert [row["cd"] for row in rows] == sorted((row["cd"] for row in rows), reverse=True)


def test_without_a_folder_the_catalogue_around_or_the_last_one_is_meant(run, folder, monkeypatch):
    assert run("list", "--limit", "1")[0] == 0
    monkeypatch.chdir(folder / "train_val_test_splits")
    assert run("list", "--limit", "1")[0] == 0


def test_without_any_catalogue_the_way_to_one_is_reported(run):
    status, _, err = run("list")
    assert status == 1 and "drivaer data scan FOLDER" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("list", "--where", "cdd<0.2"), "did you mean cd"),
        (("list", "--columns", "id,Aera"), "did you mean area"),
        (("list", "--sort", "-ares"), "did you mean area"),
        (("stats", "--target", "cdx"), "did you mean cd"),
        (("split", "--seed", "1", "--fractions", "0.5,0.5"), "three numbers"),
        (("split", "--seed", "1", "--official", "x"), "either"),
        (("tag", "a,b", "F_D_WM_WW_0001"), "without commas"),
        (("tag", "a"), "either ids or --where"),
    ],
)
def test_a_mistake_is_status_2_and_says_the_nearest_right_thing(run, folder, arguments, message):
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert message in err and "data " + arguments[0] + " --help" in err


def test_a_wrong_word_of_a_condition_is_pointed_at(run, folder):
    _, _, err = run("list", "--where", "style='a' and cdd<0.2")
    text, carets = err.splitlines()[:2]
    assert text[carets.index("^") :].startswith("cdd")


def test_info_shows_both_label_versions_and_json_all_of_it(run, folder):
    assert "as first published" in run("info", "f_d_wm_ww_1")[1]
    record = json.loads(run("info", "F_D_WM_WW_0001", "--json")[1])
    assert record["label_version"] == "updated" and record["class"] == "F_D_WM_WW"
    assert run("info", "F_D_WM_WW_7777")[0] == 1


def test_a_split_is_drawn_kept_and_written(run, folder, tmp_path):
    status, out, _ = run("split", "--seed", "0", "-o", tmp_path / "lists", "--json")
    drawn = json.loads(out)
    assert status == 0 and drawn["train"] + drawn["val"] + drawn["test"] == 61
    written = (tmp_path / "lists" / "test_design_ids.txt").read_text().split()
    assert len(written) == drawn["test"]
    assert "chosen: seed 0" in run("split")[1]
    assert "61 designs" in run("scan", folder)[1] and "chosen: seed 0" in run("split")[1]


def test_tagged_designs_are_found_by_their_tag(run, folder):
    assert run("tag", "odd", "E_S_WWC_WM_5")[0] == 0
    assert run("tag", "odd", "--where", "id = 'F_D_WM_WW_0002'")[0] == 0
    found = run("list", "--where", "tags has 'odd'", "--columns", "id", "--json")[1]
    assert [json.loads(line)["id"] for line in found.splitlines()] == ["E_S_WWC_WM_005", "F_D_WM_WW_0002"]
    run("tag", "odd", "E_S_WWC_WM_005", "--remove")
    assert len(run("list", "--where", "tags has 'odd'", "--json")[1].splitlines()) == 1


def test_a_note_is_kept_over_a_scan(run, folder):
    assert run("note", "e_s_wwc_wm_5", "wheels look odd")[0] == 0
    (folder / "train_val_test_splits" / "test_design_ids.txt").unlink()
    run("scan", folder)
    assert "wheels look odd" in run("info", "E_S_WWC_WM_005")[1]


def test_stats_and_export_work_on_what_the_condition_leaves(run, folder, tmp_path):
    found = json.loads(run("stats", "--where", "style = 'fastback'", "--json")[1])
    assert found["n_designs"] == 60 and found["target"] == "cd"
    assert "60 designs" in run("export", tmp_path / "x.csv", "--where", "style = 'fastback'")[1]
    assert len((tmp_path / "x.csv").read_text().splitlines()) == 61
    status, _, err = run("export", tmp_path / "x.xls")
    assert status == 1 and ".parquet" in err


def test_prepare_fails_with_status_1_where_meshes_are_missing(run, folder):
    status, out, err = run("prepare", "--where", "id = 'F_D_WM_WW_0001'", "--points", "500", "--json")
    assert status == 1
    assert json.loads(out)["failed"] == {"F_D_WM_WW_0001": "there is no mesh of it on disk"}
    assert "F_D_WM_WW_0001" in err
