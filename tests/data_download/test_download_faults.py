"""Every fault of a server ends with the right bytes or with a line that says what is wrong."""

from __future__ import annotations

import pytest

from benchmarks.download_faults import CASES, Case, run, wanted_files

_RIGHT = [case for case in CASES if case.ends == "right"]
_WRONG = [case for case in CASES if case.ends != "right"]


def _unfinished(folder) -> list[str]:
    return [path.name for path in folder.rglob("*.part*")]


@pytest.mark.parametrize("case", _RIGHT, ids=lambda case: case.name)
def test_the_right_bytes_come_although_the_server(case: Case, files, tmp_path):
    done, dataverse = run(case, files, tmp_path / "corpus")
    assert done.error == "" and done.result.failed == []
    for path, content in wanted_files(dataverse, case.ids).items():
        assert (tmp_path / "corpus" / path).read_bytes() == content, path
    assert _unfinished(tmp_path) == []


@pytest.mark.parametrize("case", _WRONG, ids=lambda case: case.name)
def test_it_is_one_line_where_the_server(case: Case, files, tmp_path):
    done, dataverse = run(case, files, tmp_path / "corpus")
    lines = [done.error] if done.error else [outcome.error for outcome in done.result.failed]
    assert lines and all("\n" not in line for line in lines)
    assert any(case.ends in line for line in lines), lines
    wanted = wanted_files(dataverse, case.ids)
    for path in (tmp_path / "corpus").rglob("*") if (tmp_path / "corpus").exists() else ():
        known = wanted.get(path.relative_to(tmp_path / "corpus").as_posix())
        assert known is None or path.read_bytes() == known, f"{path.name} has its name and not its content"


def test_what_is_cut_is_not_fetched_twice(files, tmp_path):
    case = next(case for case in CASES if case.name == "cuts every connection after 200 kB")
    done, _ = run(case, files, tmp_path / "corpus")
    assert done.needed <= done.fetched < 1.05 * done.needed


def test_a_design_out_of_a_zip_costs_the_design_and_the_zips_directory(files, tmp_path):
    case = next(case for case in CASES if case.name == "nothing is wrong, one design")
    done, _ = run(case, files, tmp_path / "corpus")
    assert done.fetched < done.needed + 200_000


def test_a_token_never_reaches_the_store_on_another_host(files, tmp_path):
    case = next(case for case in CASES if "another host" in case.name)
    _, dataverse = run(case, files, tmp_path / "corpus")
    at_store = [headers for path, headers in dataverse.requests if path.startswith("/store/")]
    assert at_store and not any("X-Dataverse-key" in headers for headers in at_store)


def test_a_server_that_wants_a_guestbook_is_left_in_peace(files, tmp_path):
    case = next(case for case in CASES if case.name == "wants a guestbook (400)")
    many = [*files, *(type(files[0])(2000 + i, f"note_{i}.txt", b"x") for i in range(40))]
    done, dataverse = run(case, many, tmp_path / "corpus")
    assert len(done.result.failed) == len(many)
    assert len(dataverse.file_requests) < 20
    assert len(done.messages) == 1
