"""The API reference is made of the docstrings of all that ``import drivaer`` offers, without a warning."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import drivaer

ROOT = Path(__file__).resolve().parents[1]


def test_every_public_name_has_its_entry(tmp_path):
    pytest.importorskip("sphinx", reason="needs Sphinx (requirements-dev.txt)")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "docs", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "api.html").read_text("utf-8")
    assert [name for name in drivaer.__all__ if f'id="drivaer.{name}"' not in page] == ["__version__"]
