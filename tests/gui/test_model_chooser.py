"""Another model for the study, chosen where its answer stands."""

from __future__ import annotations

from pathlib import Path

import pytest
from looking import key_of
from PySide6.QtWidgets import QFileDialog

WEIGHTS = Path(__file__).resolve().parents[3] / "shared" / "reference" / "regdgcnn" / "drag.pth"


def choose(window, text: str) -> None:
    box = window.desk_page.answer.models.box
    row = next(i for i in range(box.count()) if box.itemText(i).startswith(text))
    box.setCurrentIndex(row)
    box.activated.emit(row)


def test_another_model_predicts_all_anew_and_undo_brings_the_first_back(window, settle, tiny_model, monkeypatch):
    answer, key = window.desk_page.answer, key_of(window, "estate")
    before = answer.cd.text()
    assert answer.models.box.currentText() == "drivaer" and "drag and fields" in answer.models.gives.text()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tiny_model))
    choose(window, "Model folder")
    assert "predicted anew with tiny" in window.message.text.text()
    settle(window)
    assert window.desk.result(key).model.startswith("tiny") and answer.models.box.currentText() == "tiny"
    window.desk.undo()
    settle(window)
    assert answer.cd.text() == before and answer.models.box.currentText() == "drivaer"


def test_a_dialog_that_is_cancelled_changes_nothing(window, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    choose(window, "Model folder")
    assert window.desk.study.state.model is None and window.desk_page.answer.models.box.currentText() == "drivaer"


@pytest.mark.skipif(not WEIGHTS.exists(), reason="the published weights are not at hand")
def test_published_weights_say_what_they_do_not_give(window, settle, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(WEIGHTS), ""))
    choose(window, "Published weights")
    settle(window)
    answer = window.desk_page.answer
    assert "drag alone" in answer.models.gives.text() and answer.interval.text() == "this model gives no interval"
    assert "no fields" in window.statusBar().currentMessage() or "no fields" in window.desk_page.stage.viewport.lacking
    window.desk.undo()
