"""From the desk's background threads to the interface's."""

from __future__ import annotations

import contextlib
import threading

from PySide6.QtCore import QObject, Signal

from drivaer_app.desk.events import Event


class Relay(QObject):
    """The desk calls ``post`` from any thread; ``arrived`` is emitted in the interface's."""

    arrived = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._home, self._turn = threading.get_ident(), threading.Lock()
        self._is_open = True

    def post(self, event: Event) -> None:
        # Only the interface's thread closes, so it needs no turn; and what hears it there may wait for other threads.
        with contextlib.nullcontext() if threading.get_ident() == self._home else self._turn:
            if self._is_open:
                self.arrived.emit(event)

    def close(self) -> None:
        """Hear no more. Qt goes when its window does, the last job's thread later: it must find nothing to touch."""
        with self._turn:
            self._is_open = False
