"""What is there before anything is open: ways to begin."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from drivaer_app.desk.autosave import Leftover
from drivaer_app.ui.widgets import label, page_title

_MOST_RECENT = 6


class StartPage(QWidget):
    open_files = Signal()
    open_folder = Signal()
    open_samples = Signal()
    open_path = Signal(str)
    recover = Signal(object)
    discard = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        outer = QVBoxLayout(self)
        outer.addStretch(2)
        middle = QHBoxLayout()
        middle.addStretch(1)
        self._box = QVBoxLayout()
        self._box.setSpacing(10)
        middle.addLayout(self._box)
        middle.addStretch(1)
        outer.addLayout(middle)
        outer.addStretch(3)
        self._box.addWidget(page_title("How much drag does it have?"))
        text = "Drop car meshes or a folder of variants here. Unit and axes are detected."
        self._box.addWidget(label(text, "dim"))
        row = QHBoxLayout()
        self.files = self._button(row, "Open files…", self.open_files)
        self.folder = self._button(row, "Open a folder…", self.open_folder)
        self.samples = self._button(row, "Try the sample cars", self.open_samples)
        row.addStretch(1)
        self._box.addSpacing(8)
        self._box.addLayout(row)
        self._recovered = QVBoxLayout()
        self._recent = QVBoxLayout()
        self._recent.setSpacing(2)
        self._box.addLayout(self._recovered)
        self._box.addSpacing(12)
        self._box.addLayout(self._recent)

    def show_recent(self, recent: list[str]) -> None:
        _empty(self._recent)
        there = [path for path in recent if Path(path).exists()][:_MOST_RECENT]
        if there:
            self._recent.addWidget(label("Recent", "heading"))
        for path in there:
            button = QPushButton(_shortened(path))
            button.setFlat(True)
            button.setStyleSheet("text-align: left; padding: 3px 0;")
            button.setToolTip(path)
            button.setCursor(Qt.CursorShape.PointingHandCursor)
            button.clicked.connect(lambda _=False, path=path: self.open_path.emit(path))
            self._recent.addWidget(button)

    def show_leftovers(self, leftovers: list[Leftover]) -> None:
        """Studies of a session that ended in a crash."""
        _empty(self._recovered)
        if leftovers:
            self._recovered.addSpacing(14)
            self._recovered.addWidget(label("The last session did not end well. What was open then:", "warn"))
        for leftover in leftovers:
            from datetime import datetime

            when = datetime.fromtimestamp(leftover.saved_at).strftime("%d %B, %H:%M")
            row = QHBoxLayout()
            back = QPushButton(f"Bring back the study of {when}")
            back.clicked.connect(lambda _=False, one=leftover: self.recover.emit(one))
            away = QPushButton("Discard")
            away.setFlat(True)
            away.clicked.connect(lambda _=False, one=leftover: self.discard.emit(one))
            row.addWidget(back)
            row.addWidget(away)
            row.addStretch(1)
            self._recovered.addLayout(row)

    def _button(self, row: QHBoxLayout, text: str, signal) -> QPushButton:
        button = QPushButton(text)
        button.setMinimumHeight(34)
        button.setMinimumWidth(130)
        button.clicked.connect(lambda: signal.emit())
        row.addWidget(button)
        return button


def _shortened(path: str) -> str:
    home = str(Path.home())
    short = f"~{path[len(home) :]}" if path.startswith(home) else path
    return short if len(short) <= 70 else f"{short[:20]}…{short[-48:]}"


def _empty(layout) -> None:
    while item := layout.takeAt(0):
        if item.widget():
            item.widget().deleteLater()
        elif item.layout():
            _empty(item.layout())
