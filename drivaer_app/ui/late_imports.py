"""Loading VTK and pyqtgraph once the window is there: in the background, but for what touches Qt.

PySide6 makes its enumerations when they are first looked at. pyqtgraph looks at all of them while it is imported; in a
second thread, beside a window that draws itself, that ended in a segmentation fault in one of ten starts on a busy
machine.
"""

from __future__ import annotations

import threading

from PySide6.QtCore import QObject, Signal


class LateImports(QObject):
    ready = Signal()
    _loaded = Signal()

    def __init__(self, *, with_viewport: bool):
        super().__init__()
        self._with_viewport = with_viewport
        self._thread: threading.Thread | None = None
        self._loaded.connect(self._load_qt_parts)

    def start(self) -> None:
        """Once; later calls do nothing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._load, name="late imports", daemon=True)
            self._thread.start()

    def _load(self) -> None:
        if self._with_viewport:
            import pyvista.plotting  # noqa: F401
        self._loaded.emit()

    def _load_qt_parts(self) -> None:
        """In the window's own thread."""
        import pyqtgraph  # noqa: F401

        if self._with_viewport:
            from drivaer_app.ui import viewport  # noqa: F401
        self.ready.emit()
