"""A car that OpenFOAM solves within seconds, and whether OpenFOAM is there at all."""

from __future__ import annotations

import pytest

from data.errors import DrivAerError
from data.load import load_car
from drivaer_app.cfd.find import find_openfoam
from tests.cfd.cases import TINY


@pytest.fixture(scope="session")
def openfoam():
    """The install that simulations use; the test skips where there is none."""
    try:
        return find_openfoam()
    except DrivAerError as error:
        pytest.skip(f"needs OpenFOAM: {error.what}")


@pytest.fixture(scope="session")
def car(sample_file):
    return load_car(sample_file)


@pytest.fixture(scope="session")
def solved(openfoam, car, tmp_path_factory):
    """One simulated car on a mesh far too coarse to mean anything."""
    from drivaer_app.cfd.simulate import simulate

    return simulate(car, tmp_path_factory.mktemp("cfd") / "case", preset=TINY, processes=1)
