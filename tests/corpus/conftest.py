"""A corpus that is grown within seconds, on a mesh far too coarse to mean anything."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cfd.conftest import openfoam  # noqa: F401
from tests.conftest import ROOT

TINY = {
    "seed": 0,
    "preset": "trial",
    "family_iterations": 12,
    "family_window": 4,
    "design_iterations": 6,
    "window": 3,
    "spread": 0.85,
}


def start(work: Path, *options: str) -> subprocess.Popen:
    """``corpus grow`` of one style, in a process of its own: it takes signals."""
    command = [sys.executable, str(ROOT / "main.py"), "corpus", "grow", str(work), "--families", "hatchback"]
    command += ["--nice", "0", *options]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT)


def grow(work: Path, *options: str) -> tuple[int, str]:
    """Exit status and what it said."""
    process = start(work, *options)
    _, output = process.communicate(timeout=300)
    return process.returncode, output


@pytest.fixture(scope="session")
def corpus(openfoam, tmp_path_factory) -> Path:  # noqa: F811
    """Two designs of a hatchback, grown by two workers."""
    work = tmp_path_factory.mktemp("corpus")
    (work / "corpus.json").write_text(json.dumps(TINY))
    status, output = grow(work, "--count", "2", "--workers", "2")
    assert status == 0, output
    return work
