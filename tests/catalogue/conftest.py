"""Small corpora for all tests of the catalogue: real cars of our own, laid out as DrivAerNet is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.drivaernet_corpus import SyntheticDesign, write_corpus, write_splits, write_tables
from data.catalogue import Catalogue, open_catalogue
from data.catalogue.scan import scan

IDS = ("F_D_WM_WW_0001", "F_D_WM_WW_0002", "E_S_WWC_WM_005")


@pytest.fixture(scope="session")
def real_corpus(tmp_path_factory) -> Path:
    """Three designs with meshes and pressures (binary, ASCII, OpenFOAM's ASCII); read it only."""
    folder = tmp_path_factory.mktemp("corpus")
    write_corpus(folder, IDS, what=("mesh", "pressure"))
    return folder


@pytest.fixture
def tables_of(tmp_path):
    """Makes a folder with the published tables and split lists of any ids, and no meshes."""

    def make(ids, folder: Path = tmp_path / "tables") -> Path:
        designs = [SyntheticDesign(i) for i in ids]
        write_tables(folder, designs)
        write_splits(folder / "train_val_test_splits", designs)
        return folder

    return make


@pytest.fixture
def scanned(real_corpus, tmp_path) -> Iterator[Catalogue]:
    """The catalogue of the real corpus, new for each test."""
    path = tmp_path / "catalogue.sqlite"
    scan(real_corpus, catalogue=path)
    with open_catalogue(path) as catalogue:
        yield catalogue
