"""How a person steers a long transfer (pause, go on, cancel) and hears of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass


class Cancelled(Exception):
    """Somebody asked for it to stop; what is there already is kept and the same call goes on from it."""


class Control:
    """Shared by whoever steers and whoever works."""

    def __init__(self) -> None:
        self._running = threading.Event()
        self._running.set()
        self._cancelled = threading.Event()

    @property
    def is_paused(self) -> bool:
        return not self._running.is_set()

    @property
    def is_cancelled(self) -> bool:
        return self._cancelled.is_set()

    def pause(self) -> None:
        self._running.clear()

    def resume(self) -> None:
        self._running.set()

    def cancel(self) -> None:
        self._cancelled.set()
        self._running.set()

    def check(self) -> None:
        """Waits while paused. Raises Cancelled."""
        self._running.wait()
        if self._cancelled.is_set():
            raise Cancelled

    def sleep(self, seconds: float) -> None:
        """Raises Cancelled as soon as somebody cancels."""
        self._cancelled.wait(seconds)
        self.check()


@dataclass(frozen=True)
class Progress:
    """Where a transfer or a check stands.

    n_done, n_files: files. bytes_done, bytes_total: of what was asked for, what was there already included.
    bytes_fetched: that went over the network so far, what had to be sent twice included. doing: in words.
    """

    n_done: int
    n_files: int
    bytes_done: int
    bytes_total: int
    bytes_fetched: int
    doing: str


OnProgress = Callable[[Progress], None]
Say = Callable[[str], None]


def silent(_: object) -> None:
    """For those who do not want to hear."""
