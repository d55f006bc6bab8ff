"""A line in place where a box would be in the way."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolButton

from drivaer_app.ui.widgets import label, single_shot
from drivaer_app.ui.words import in_window

_PASSES_AFTER_MS = 6000


class Message(QFrame):
    """Hidden until there is something to say."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "message")
        self.text = label("", wrap=True, selectable=True)
        self.text.setAccessibleName("Message")
        away = QToolButton(text="✕")
        away.setAccessibleName("Close the message")
        away.clicked.connect(self.clear)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(14, 5, 8, 5)
        layout.addWidget(self.text, 1)
        layout.addWidget(away)
        self.hide()
        self._going = single_shot(self, _PASSES_AFTER_MS, self.clear)

    def say(self, text: str, *, passing: bool = False) -> None:
        """passing: it tells of something that is over soon, and goes by itself; a mistake stays until it is read."""
        self.text.setText(in_window(text))
        self.setVisible(bool(text))
        self._going.start() if passing else self._going.stop()

    def clear(self) -> None:
        self._going.stop()
        self.text.setText("")
        self.hide()
