"""What pip builds of this checkout, installed into a folder of its own beside this environment's packages."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.own_names import ROOT


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    """Built as ``pip install .`` builds it, with the build tool of this environment."""
    pytest.importorskip("hatchling", reason="needs the build tool (requirements.txt)")
    folder = tmp_path_factory.mktemp("wheel")
    _pip("wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", folder, ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def site(tmp_path_factory, wheel) -> Path:
    """A folder with what the wheel installs, for PYTHONPATH."""
    folder = tmp_path_factory.mktemp("site")
    _pip("install", "--no-deps", "--no-index", "--no-compile", "--target", folder, wheel)
    return folder


def _pip(*words: object) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
