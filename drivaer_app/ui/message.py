"""A line in place where a box would be in the way."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolButton

from drivaer_app.ui.widgets import label


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

    def say(self, text: str) -> None:
        self.text.setText(text)
        self.show()

    def clear(self) -> None:
        self.text.setText("")
        self.hide()
