"""Stepping back: long computations that leave the machine to whoever else works on it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def step_back(nice: int) -> None:
    """Lower this process's priority to a niceness of 0 to 19; one that is as low already stays."""
    if hasattr(os, "nice"):
        os.nice(max(0, nice - os.nice(0)))
        share_priority("self")


def share_priority(pid: int | str) -> None:
    """Give the session that a process leads this process's niceness.

    Linux shares a core among sessions first (sched(7), "The autogroup feature"): a program that leads one of its own
    competes with all other sessions as if nobody had stepped back, whatever its niceness.
    """
    if not hasattr(os, "nice") or os.nice(0) <= 0:
        return
    with contextlib.suppress(OSError):  # no such kernel feature, or the process has just ended
        Path(f"/proc/{pid}/autogroup").write_text(str(os.nice(0)), encoding="ascii")
