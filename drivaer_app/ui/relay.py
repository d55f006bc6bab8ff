"""From the desk's background threads to the interface's."""

from __future__ import annotations

import contextlib

from PySide6.QtCore import QObject, Signal

from drivaer_app.desk.events import Event


class Relay(QObject):
    """The desk calls ``post`` from any thread; ``arrived`` is emitted in the interface's."""

    arrived = Signal(object)

    def post(self, event: Event) -> None:
        with contextlib.suppress(RuntimeError):  # the window is gone, the last job is not
            self.arrived.emit(event)
