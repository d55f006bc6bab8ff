"""Which model predicts the study: the bundled ones, the user's own, and published weights, with what each gives."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QFileDialog, QVBoxLayout, QWidget

from drivaer_app.desk.desk import Desk
from drivaer_app.desk.jobs import DONE, Job
from drivaer_app.models import DEFAULT, PUBLISHED, known_models, summary
from drivaer_app.ui.widgets import is_being_edited, label, tall

_WEIGHTS, _FOLDER = "choose weights", "choose a folder"
_OF_WEIGHTS = "drag alone: no interval, no lift, no pressure on the surface"


class ModelChooser(QWidget):
    """A change is an edit of the study: every variant is predicted anew, and undo finds the results of before."""

    chosen = Signal(str)
    """What comes of the change, a sentence."""
    _summaries_read = Signal(dict)

    def __init__(self, desk: Desk):
        super().__init__()
        self.desk = desk
        self._gives: dict[str, str] = {}
        self.box = QComboBox()
        self.box.setAccessibleName("Model that predicts")
        self.box.setToolTip("The model of all variants; another one predicts them anew")
        self.box.activated.connect(self._activated)
        tall(self.box)
        self.gives = label("", "dim", wrap=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.box)
        layout.addWidget(self.gives)
        self._summaries_read.connect(self._take_summaries)
        self.refresh()

    def read_summaries(self) -> None:
        """Find out in the background what the models give; reading that takes libraries."""

        def work(job: Job) -> dict[str, str]:
            found = {model.name: summary(model.folder) for model in known_models()}
            return {name: f"{one['gives']}; trained on {one['trained_on']}" for name, one in found.items()}

        def done(job: Job) -> None:
            if job.state == DONE:
                self._summaries_read.emit(job.result)

        self.desk.jobs.submit("reading what the models give", work, lane="files", on_end=done)

    def refresh(self) -> None:
        """After an edit of the study."""
        if is_being_edited(self.box):
            return
        now = self.desk.study.state.model
        known = known_models()
        self.box.clear()
        for model in known:
            self.box.addItem(
                model.name if model.bundled else f"{model.name} (yours)", None if model.name == DEFAULT else model.name
            )
        if now is not None and now not in [model.name for model in known]:
            self.box.addItem(Path(now).name, now)
        self.box.insertSeparator(self.box.count())
        self.box.addItem("Published weights (.pth)…", _WEIGHTS)
        self.box.addItem("Model folder…", _FOLDER)
        row = next((i for i in range(self.box.count()) if self.box.itemData(i) == now), 0)
        self.box.setCurrentIndex(row)
        self._show_gives(now)

    def _show_gives(self, model: str | None) -> None:
        is_published = model is not None and Path(model).suffix in PUBLISHED
        text = _OF_WEIGHTS if is_published else self._gives.get(model or DEFAULT, "")
        self.gives.setText(f"Gives {text}" if text else "")
        self.gives.setVisible(bool(text))

    def _take_summaries(self, gives: dict[str, str]) -> None:
        self._gives = gives
        self._show_gives(self.desk.study.state.model)

    def _activated(self, row: int) -> None:
        asked = self.box.itemData(row)
        if asked == _WEIGHTS:
            kinds = "Published RegDGCNN weights (*.pth *.pt)"
            asked, _ = QFileDialog.getOpenFileName(self, "Weights of a published drag network", "", kinds)
        elif asked == _FOLDER:
            asked = QFileDialog.getExistingDirectory(self, "A model's folder")
        if asked == "" or asked == self.desk.study.state.model:
            self.refresh()
            return
        self.desk.edit(lambda study: study.set_model(asked))
        self.refresh()
        if self.desk.study.state.variants:
            self.chosen.emit(
                f"All variants are predicted anew with {self.box.currentText()}; undo brings the results of before back"
            )
