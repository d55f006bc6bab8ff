"""Labels of a server's files as paths: inside of the folder, each its own, on every system."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from data.download.names import distinct, safe_path
from tests.data_download.fetching import fetched, text


@pytest.mark.parametrize(
    ("labels", "safe"),
    [
        (("a", "../../x.stl"), "a/x.stl"),
        (("", "/etc/passwd"), "etc/passwd"),
        (("..\\..", "C:\\Windows\\x.stl"), "C_/Windows/x.stl"),
        (("", "con.stl"), "_con.stl"),
        (("", "LPT1"), "_LPT1"),
        (("", "a<b>:c|d?.stl"), "a_b__c_d_.stl"),
        (("", "ends with dots..."), "ends with dots"),
        (("", "line\nbreak\x00.stl"), "line_break_.stl"),
        (("", "\u202etxt.exe"), "_txt.exe"),
        (("", "größe_模型.stl"), "größe_模型.stl"),
        (("", "catalogue.sqlite"), "catalogue.sqlite_"),
        (("", "x.stl.part"), "x.stl.part_"),
        (("..", "."), "_"),
    ],
)
def test_a_label_becomes_a_path_inside_of_the_folder(labels, safe):
    assert str(safe_path(*labels)) == safe


def test_a_label_that_is_too_long_for_a_file_system_keeps_its_suffix_and_stays_unlike_others():
    one, other = safe_path("", "模" * 200 + "1.stl"), safe_path("", "模" * 200 + "2.stl")
    assert one != other and one.suffix == ".stl" and len(one.name.encode()) <= 200


def test_names_that_differ_by_case_alone_become_different_files():
    taken: set[str] = set()
    paths = [distinct(PurePosixPath(name), taken, number) for number, name in enumerate(("A.stl", "a.stl", "A.stl"))]
    assert len({str(path).lower() for path in paths}) == 3


def test_hostile_and_equal_labels_arrive_each_as_a_file_of_its_own_inside_of_the_folder(tmp_path):
    stored = [
        text(1, "../../outside.txt", b"1"),
        text(2, "same.txt", b"2", folder="a"),
        text(3, "same.txt", b"3", folder="b"),
        text(4, "SAME.txt", b"4", folder="a"),
        text(5, "nul.txt", b"5", folder="../.."),
    ]
    names = fetched(stored, tmp_path / "deep" / "corpus")
    contents = {(tmp_path / "deep" / "corpus" / name).read_bytes() for name in names}
    assert contents == {b"1", b"2", b"3", b"4", b"5"}
    assert {path.name for path in tmp_path.iterdir()} == {"deep"}
    assert {path.name for path in (tmp_path / "deep").iterdir()} == {"corpus"}
