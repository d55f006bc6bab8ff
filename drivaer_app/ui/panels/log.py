"""The program's log as it is written."""

from __future__ import annotations

import logging

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QPlainTextEdit

_MOST_LINES = 2000


class _Handler(logging.Handler):
    class _Out(QObject):
        line = Signal(str)

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.out = self._Out()
        self.setFormatter(logging.Formatter("%(asctime)s  %(levelname)-7s  %(message)s", "%H:%M:%S"))

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self.out.line.emit(self.format(record))
        except RuntimeError:  # the window is gone
            logging.getLogger().removeHandler(self)


class LogPanel(QPlainTextEdit):
    """Lines of level INFO and above, newest last."""

    def __init__(self) -> None:
        super().__init__()
        self.setReadOnly(True)
        self.setPlaceholderText("What the program has done, and what went wrong, is written here")
        self.setMaximumBlockCount(_MOST_LINES)
        self.setAccessibleName("Log")
        self.setFrameShape(QPlainTextEdit.Shape.NoFrame)
        self._handler = _Handler()
        self._handler.out.line.connect(self.appendPlainText)
        logging.getLogger().addHandler(self._handler)

    def detach(self) -> None:
        logging.getLogger().removeHandler(self._handler)
