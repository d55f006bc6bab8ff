"""How a person steers long work from another thread: pause, go on, cancel."""

from __future__ import annotations

import threading


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
