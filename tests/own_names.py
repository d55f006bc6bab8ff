"""A working folder with files that are called as our own packages are, and what runs in it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_IMPORTED = 'raise SystemExit("the file of the working folder was imported: " + __file__)\n'


def folder_of_same_names(folder: Path) -> Path:
    """``data.py``, ``gnn.py``, ``main.py`` and ``resources/`` that end whoever imports them."""
    (folder / "resources").mkdir(parents=True)
    for name in ("data.py", "gnn.py", "main.py", "resources/__init__.py"):
        (folder / name).write_text(_IMPORTED)
    return folder


def run_in(folder: Path, *command: object, **environment: str) -> subprocess.CompletedProcess:
    """Run this interpreter in the folder, as a user there would."""
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    words = [sys.executable, *map(str, command)]
    return subprocess.run(words, cwd=folder, env={**variables, **environment}, capture_output=True, text=True)
