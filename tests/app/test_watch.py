"""Files that are saved again: reported once, and only when they lie still."""

from __future__ import annotations

import os

import pytest

from drivaer_app.desk.watch import Watch


@pytest.fixture
def mesh(tmp_path):
    file = tmp_path / "car.stl"
    file.write_bytes(b"one")
    return file


@pytest.fixture
def watch(mesh):
    watch = Watch(lambda files: None)
    watch.files([mesh], [mesh.parent])
    return watch


def save(file, content: bytes, at: int) -> None:
    file.write_bytes(content)
    os.utime(file, ns=(at, at))


def test_a_file_that_nobody_touched_is_not_reported(watch):
    assert watch.look() == [] and watch.look() == []


def test_a_change_is_reported_once_it_lay_still_for_a_look(watch, mesh):
    save(mesh, b"two!", 10**18)
    assert watch.look() == []
    assert watch.look() == [mesh]
    assert watch.look() == []


def test_a_file_that_still_grows_is_waited_for(watch, mesh):
    for size in (4, 5, 6):
        save(mesh, b"x" * size, 10**18 + size)
        assert watch.look() == []
    assert watch.look() == [mesh]


def test_a_file_that_vanishes_while_it_is_replaced_comes_back(watch, mesh):
    mesh.unlink()
    assert watch.look() == []
    save(mesh, b"new content", 2 * 10**18)
    watch.look()
    assert watch.look() == [mesh]


def test_a_new_mesh_in_a_watched_folder_is_reported_and_an_empty_or_other_file_is_not(watch, mesh):
    new = mesh.with_name("new.stl")
    new.write_bytes(b"mesh")
    mesh.with_name("notes.txt").write_bytes(b"text")
    mesh.with_name("empty.stl").touch()
    watch.look()
    assert watch.look() == [new]


def test_looking_at_more_files_forgets_no_change(watch, mesh):
    save(mesh, b"two!", 10**18)
    watch.look()
    watch.files([mesh, mesh.with_name("other.stl")], [mesh.parent])
    assert watch.look() == [mesh]
