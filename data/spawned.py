"""Worker processes that import our packages, whatever is called ``data.py`` in the folder that they start in."""

from __future__ import annotations

import sys
from multiprocessing.context import SpawnContext, SpawnProcess
from pathlib import Path
from typing import Any

_ROOT = str(Path(__file__).resolve().parents[1])


class _OwnProcess(SpawnProcess):
    """A spawned process takes this one's sys.path; in a checkout ours comes first on it."""

    @staticmethod
    def _Popen(process_obj: Any) -> Any:
        if __package__ != "data":  # installed, where our packages are within one whose name is its own
            return SpawnProcess._Popen(process_obj)
        sys.path.insert(0, _ROOT)
        try:
            return SpawnProcess._Popen(process_obj)
        finally:
            sys.path.remove(_ROOT)


class _OwnContext(SpawnContext):
    Process = _OwnProcess


def spawning() -> SpawnContext:
    """The multiprocessing context for workers of ours: spawn, as forking a process with threads may hang it."""
    return _OwnContext()
