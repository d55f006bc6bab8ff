"""The form of a download: what, where to, the plan, the licence."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from data.corpora import drivaernet
from data.download.choice import SPLITS
from data.download.items import COEFFICIENTS, KINDS
from data.download.plan import DownloadPlan
from data.download.session import DownloadRequest
from data.download.words import plan_in_words
from drivaer_app.ui.widgets import label, set_role

_AT_FIRST = ("mesh", "pressure", COEFFICIENTS)


class DownloadForm(QWidget):
    plan_asked = Signal()
    fetch_asked = Signal()
    back = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.plan: DownloadPlan | None = None
        self.dataset = self._line("Dataset", drivaernet.NAME, "drivaernet, or the DOI of a dataset")
        self.folder = self._line("Folder that it goes into", "", "An empty folder, or one to go on in")
        self.classes = self._line("Classes of designs", "", f"All; or some of {', '.join(drivaernet.PUBLISHED[:4])} …")
        self.ids = self._line(
            "Ids of designs", "", "All; or F_D_WM_WW_0001, E_S_WW_WM_005 …, or a file with one a line"
        )
        self.split = QComboBox()
        self.split.addItem("all", None)
        for name in SPLITS:
            self.split.addItem(name, name)
        self.split.setAccessibleName("Part of the official split")
        self.split.setToolTip("By the official lists, which lie in the folder or come along with the tables")
        self.split.currentIndexChanged.connect(self._changed)
        self.server = self._line("Server", "", "Harvard Dataverse")
        self.count = QSpinBox()
        self.count.setRange(0, 100_000)
        self.count.setValue(50)
        self.count.setSpecialValueText("all")
        self.count.setAccessibleName("How many designs")
        self.count.valueChanged.connect(self._changed)
        self.ids.textChanged.connect(lambda text: self.count.setDisabled(bool(text.strip())))
        self.kinds = {name: QCheckBox(name.replace("_", " ")) for name in KINDS}
        self._build()
        self.show_plan(None)

    def _line(self, name: str, text: str, hint: str) -> QLineEdit:
        made = QLineEdit(text)
        made.setPlaceholderText(hint)
        made.setAccessibleName(name)
        made.textChanged.connect(self._changed)
        return made

    def _build(self) -> None:
        look = QPushButton("Choose…")
        look.setAccessibleName("Choose the folder")
        look.clicked.connect(self._ask_folder)
        where, kinds = QHBoxLayout(), QHBoxLayout()
        where.addWidget(self.folder, 1)
        where.addWidget(look)
        for name, box in self.kinds.items():
            box.setChecked(name in _AT_FIRST)
            box.toggled.connect(self._changed)
            kinds.addWidget(box)
        kinds.addStretch(1)
        form = QFormLayout()
        form.addRow("&Dataset", self.dataset)
        title = QLabel("&Folder")
        title.setBuddy(self.folder)
        form.addRow(title, where)
        form.addRow("What", kinds)
        form.addRow("&Classes", self.classes)
        form.addRow("&Ids", self.ids)
        form.addRow("S&plit", self.split)
        form.addRow("Co&unt", self.count)
        form.addRow("&Server", self.server)
        self.words = QPlainTextEdit(readOnly=True)
        self.words.setAccessibleName("DownloadPlan and licence")
        self.words.setPlaceholderText("The plan: how many files, how many bytes, and under which licence")
        self.words.setTabChangesFocus(True)
        self.note = label("", "dim", wrap=True, selectable=True)
        self.note.setAccessibleName("What came of it")
        self.accepts = QCheckBox("I have read the licence and accept it")
        self.accepts.toggled.connect(lambda _: self._refresh())
        self.ask = QPushButton("Show the plan")
        self.ask.clicked.connect(self.plan_asked)
        self.fetch = QPushButton("Download")
        self.fetch.clicked.connect(self.fetch_asked)
        leave = QPushButton("Back")
        leave.clicked.connect(self.back)
        row = QHBoxLayout()
        for button in (leave, self.ask):
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self.accepts)
        row.addWidget(self.fetch)
        middle = QVBoxLayout()
        middle.addWidget(label("Download a dataset", "heading"))
        middle.addLayout(form)
        middle.addWidget(self.words, 1)
        middle.addWidget(self.note)
        middle.addLayout(row)
        outer = QHBoxLayout(self)
        outer.setContentsMargins(24, 18, 24, 18)
        outer.addStretch(1)
        outer.addLayout(middle, 6)
        outer.addStretch(1)

    @property
    def request(self) -> DownloadRequest:
        kinds = [name for name, box in self.kinds.items() if box.isChecked()]
        ids = self.ids.text().strip() or None
        return DownloadRequest(
            dataset=self.dataset.text().strip(),
            folder=Path(self.folder.text().strip()).expanduser(),
            what=",".join(kinds) or None,
            classes=self.classes.text().strip() or None,
            ids=ids,
            count=None if ids else self.count.value() or None,  # all that are named are wanted
            split=self.split.currentData(),
            server=self.server.text().strip() or None,
        )

    def show_plan(self, plan: DownloadPlan | None) -> None:
        """The plan of what the form says; None where there is none yet, or any more."""
        self.plan = plan
        self.accepts.setChecked(False)
        lines = plan_in_words(plan) if plan else []
        for name, url in plan.licences if plan else ():
            lines += ["", f"Licence: {name}", url] if url else ["", f"Licence: {name}"]
        self.words.setPlainText("\n".join(lines))
        self._refresh()

    def say(self, text: str, *, bad: bool = False) -> None:
        set_role(self.note, "bad" if bad else "dim")
        self.note.setText(text)

    def set_busy(self, busy: bool) -> None:
        self.ask.setDisabled(busy)
        self._refresh()

    def _refresh(self) -> None:
        asks = self.plan is not None and any(name not in self.plan.accepted for name, _ in self.plan.licences)
        self.accepts.setVisible(asks)
        ready = self.plan is not None and bool(self.plan.to_fetch) and self.ask.isEnabled()
        self.fetch.setEnabled(ready and (self.accepts.isChecked() or not asks))
        self.ask.setDefault(self.plan is None)

    def _changed(self, *_: object) -> None:
        if self.plan is not None:
            self.show_plan(None)
            self.say("Something else is wanted: ask for its plan")

    def _ask_folder(self) -> None:
        if folder := QFileDialog.getExistingDirectory(self, "Where the dataset goes", self.folder.text()):
            self.folder.setText(folder)
