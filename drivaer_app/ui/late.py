"""Loading VTK and pyqtgraph in the background once the window is there."""

from __future__ import annotations

import threading

from PySide6.QtCore import QObject, Signal


class Late(QObject):
    ready = Signal()

    def __init__(self, *, with_viewport: bool):
        super().__init__()
        self._with_viewport = with_viewport
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Once; later calls do nothing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._load, name="late imports", daemon=True)
            self._thread.start()

    def _load(self) -> None:
        import pyqtgraph  # noqa: F401

        if self._with_viewport:
            import drivaer_app.ui.viewport  # noqa: F401
        self.ready.emit()
