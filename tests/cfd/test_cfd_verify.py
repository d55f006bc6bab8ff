"""A prediction beside its CFD."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from drivaer_app.cfd.comparison import relative_l2

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def record(openfoam, sample_file, tmp_path_factory):
    """What the command says, after it has meshed and solved."""
    folder = tmp_path_factory.mktemp("verify") / "case"
    command = [sys.executable, str(ROOT / "main.py"), "verify", str(sample_file), "-o", str(folder), "--json"]
    options = ["--preset", "trial", "--iterations", "4", "--processes", "1"]
    done = subprocess.run([*command, *options], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "[6/7] solving" in done.stderr
    return json.loads(done.stdout)


def test_the_difference_is_predicted_minus_simulated(record):
    difference = record["prediction"]["cd_rans"] - record["simulation"]["cd"]
    assert record["cd_difference"] == pytest.approx(difference, abs=2e-5)


def test_the_nose_is_under_pressure_in_both(record):
    nose = next(place for place in record["places"] if place["place"] == "nose")
    assert nose["cp_predicted"] > 0.1 and nose["cp_simulated"] > 0.1


def test_the_places_make_up_the_car(record):
    assert {place["place"] for place in record["places"]} >= {"nose", "windscreen", "roof", "base", "wheels"}
    assert sum(place["area_share"] for place in record["places"]) == pytest.approx(1.0, abs=1e-3)


def test_the_picture_is_beside_the_case(record):
    assert Image.open(record["picture"]).size == (1680, 1090)


def test_equal_pressures_have_no_error_and_none_has_all():
    cp = np.linspace(-1, 1, 50)
    assert relative_l2(cp, cp) == 0
    assert relative_l2(0 * cp, cp) == 1
