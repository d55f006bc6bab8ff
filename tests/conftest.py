"""What all tests share: where the data outside the repository lies, and a car of our own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"

# Several test processes at once: one thread each, or they take turns waiting for each other.
if os.environ.get("PYTEST_XDIST_WORKER"):
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real meshes and CFD results beside the repository; the test skips where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"needs the data in {SHARED.name} beside the repository")
    return SHARED


@pytest.fixture(scope="session")
def sample_file() -> Path:
    """A car mesh that comes with the repository: closed, in metres, in the car frame."""
    return ROOT / "resources" / "samples" / "fastback.stl"
