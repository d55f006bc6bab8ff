"""A line for the name of a file or folder, to type or to choose."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QToolButton, QWidget


class FileField(QWidget):
    """kinds: of files, as Qt's dialogs take them; empty for a folder. nothing: what an empty line stands for."""

    changed = Signal()

    def __init__(self, title: str, kinds: str, nothing: str):
        super().__init__()
        self._title, self._kinds = title, kinds
        self.text = QLineEdit()
        self.text.setPlaceholderText(nothing)
        self.text.setClearButtonEnabled(True)
        self.text.setAccessibleName(title)
        self.text.textChanged.connect(lambda _: self.changed.emit())
        choose = QToolButton(text="…")
        choose.setFixedHeight(self.text.sizeHint().height())
        choose.setAccessibleName(f"Choose: {title}")
        choose.clicked.connect(self._choose)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.text, 1)
        row.addWidget(choose)
        self.setFocusProxy(self.text)

    @property
    def file(self) -> Path | None:
        text = self.text.text().strip()
        return Path(text).expanduser() if text else None

    def _choose(self) -> None:
        start = self.text.text() or str(Path.home())
        if self._kinds:
            file, _ = QFileDialog.getOpenFileName(self, self._title, start, f"{self._kinds};;All files (*)")
        else:
            file = QFileDialog.getExistingDirectory(self, self._title, start)
        if file:
            self.text.setText(file)
