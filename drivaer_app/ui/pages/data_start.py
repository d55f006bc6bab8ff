"""What there is before a dataset is open: three ways to one."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from drivaer_app.ui.widgets import label, page_title

_WAYS = (
    ("folder", "Look through a folder…", "DrivAerNet and its kin, or your own meshes with a CSV, unpacked or zipped"),
    ("built_in", "Open the built-in corpus", "The CFD cases that the model learnt from and is judged on"),
    ("download", "Download DrivAerNet++…", "All of it, or some designs; the plan and the licence come first"),
)


class DataStart(QWidget):
    folder = Signal()
    built_in = Signal()
    download = Signal()
    back = Signal()

    def __init__(self) -> None:
        super().__init__()
        outer = QHBoxLayout(self)
        outer.addStretch(1)
        box = QVBoxLayout()
        box.setSpacing(8)
        outer.addLayout(box)
        outer.addStretch(1)
        box.addStretch(2)
        box.addWidget(page_title("Which dataset?"))
        box.addSpacing(10)
        self.buttons: dict[str, QPushButton] = {}
        for name, text, what in _WAYS:
            row = QHBoxLayout()
            button = QPushButton(text)
            button.setMinimumHeight(34)
            button.setMinimumWidth(210)
            button.setAccessibleDescription(what)
            button.clicked.connect(lambda _=False, name=name: getattr(self, name).emit())
            self.buttons[name] = button
            row.addWidget(button)
            row.addSpacing(8)
            row.addWidget(label(what, "dim"))
            row.addStretch(1)
            box.addLayout(row)
        self.note = label("", "dim", wrap=True, selectable=True)
        self.note.setAccessibleName("What came of it")
        box.addSpacing(10)
        box.addWidget(self.note)
        self.to_table = QPushButton("Back to the table")
        self.to_table.setFlat(True)
        self.to_table.clicked.connect(self.back)
        self.to_table.hide()
        row = QHBoxLayout()
        row.addWidget(self.to_table)
        row.addStretch(1)
        box.addLayout(row)
        box.addStretch(3)
