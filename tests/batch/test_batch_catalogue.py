"""Batches of a catalogue's designs, chosen by a condition."""

from __future__ import annotations

import pytest

from benchmarks.drivaernet_corpus import write_corpus
from data.catalogue.scan import scan
from data.errors import DrivAerError
from drivaer_app.batch.from_catalogue import find_designs


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    write_corpus(folder, ("F_D_WM_WW_0001", "E_S_WWC_WM_005"), what=("mesh",))
    scan(folder)
    return folder


def test_a_condition_picks_meshes_and_brings_what_is_known_of_them(corpus):
    found = find_designs(corpus, "style = 'estate'")
    (file,) = found.files
    assert "005" in file.name and file.is_file()
    found_parameters = found.parameters[file]
    assert found_parameters["style"] == "estate" and found_parameters["cfd_cd"] > 0 and len(found_parameters) > 10
    assert len(find_designs(corpus, None).files) == 2


def test_designs_are_also_named(corpus):
    (file,) = find_designs(corpus, named=["F_D_WM_WW_0001"]).files
    assert "0001" in file.name
    with pytest.raises(DrivAerError):
        find_designs(corpus, named=[])


@pytest.mark.parametrize(
    ("where", "message"), [("cd < 0", "no design fulfils"), ("cdd < 1", "there is no column"), ("cd <", "missing")]
)
def test_a_condition_that_picks_nothing_or_is_wrong_is_refused(corpus, where, message):
    with pytest.raises(DrivAerError, match=message):
        find_designs(corpus, where)


def test_a_folder_without_a_catalogue_is_refused(tmp_path):
    with pytest.raises(DrivAerError, match="there is no catalogue"):
        find_designs(tmp_path, "cd < 1")
