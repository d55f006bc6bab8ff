"""What the tests of CFD share besides fixtures."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

from drivaer_app.cfd.presets import TRIAL
from drivaer_app.cfd.result import CaseResult
from drivaer_app.cfd.run import MESHING, CaseState

TINY = replace(TRIAL, base_cell=1.7, iterations=10, window=4)
"""Solved within seconds, settled never."""


def copy_of(solved: CaseResult, tmp_path: Path, *, with_solution: bool = False, processes: int = 1) -> Path:
    """A solved case in another folder; without its solution: meshed and no more."""
    folder = tmp_path / "case"
    shutil.copytree(solved.folder, folder)
    state = CaseState.load(folder)
    if not with_solution:
        for path in [*folder.glob("[1-9]*"), folder / "postProcessing", *solved.files.values()]:
            shutil.rmtree(folder / path.name, ignore_errors=True)
        (folder / "log.simpleFoam").unlink()
        state = replace(state, done=[step.name for step in MESHING], target=0, iterations=0, processes=processes)
    state.save(folder)
    return folder


def solver_processes(folder: Path) -> list[int]:
    """Processes that run simpleFoam in a folder (Linux)."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            name = (process / "comm").read_text().strip()
            if name == "simpleFoam" and os.readlink(process / "cwd") == str(folder):
                found.append(int(process.name))
        except OSError:
            continue
    return found
