"""The parts of a file in the window: ticks leave them out, the mouse shows where they are; a button levels cars."""

from __future__ import annotations

import numpy as np
import trimesh
from looking import pixels
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QApplication

from data.formats import read_mesh


def debris_file(folder, sample_file):
    raw = read_mesh(sample_file)
    box = trimesh.creation.box((0.3, 0.3, 0.3)).apply_translation([8.0, 1.5, 1.0])
    file = folder / "debris.stl"
    trimesh.Trimesh(
        np.vstack([raw.vertices, box.vertices]), np.vstack([raw.faces, box.faces + len(raw.vertices)]), process=False
    ).export(file)
    return file


def test_an_unticked_part_is_left_out_and_the_hovered_one_is_outlined(make_window, settle, tmp_path, sample_file):
    window = make_window([debris_file(tmp_path, sample_file)])
    settle(window)
    page = window.desk_page
    parts, key = page.answer.reading.parts, page.answer.key
    assert parts.isVisible() and parts.item(0).text().startswith("debris")
    with_debris = window.desk.result(key).cd

    plain = pixels(page.stage.viewport.picture())
    parts.itemEntered.emit(parts.item(0))
    outlined = pixels(page.stage.viewport.picture())
    assert (plain != outlined).any()
    QApplication.sendEvent(parts.viewport(), QEvent(QEvent.Type.Leave))
    np.testing.assert_array_equal(pixels(page.stage.viewport.picture()), plain)

    parts.item(0).setCheckState(Qt.CheckState.Unchecked)
    settle(window)
    assert window.desk.study.state.variant(key).reading.without == ("debris",)
    assert window.desk.result(key).cd != with_debris
    assert parts.item(0).checkState() == Qt.CheckState.Unchecked


def test_the_level_button_reads_the_file_anew(qtbot, make_window, settle, tmp_path, sample_file):
    from scipy.spatial.transform import Rotation

    raw = read_mesh(sample_file)
    file = tmp_path / "rolled.stl"
    trimesh.Trimesh(Rotation.from_euler("x", 3, degrees=True).apply(raw.vertices), raw.faces, process=False).export(
        file
    )
    window = make_window([file])
    settle(window)
    reading = window.desk_page.answer.reading
    assert "rolled by 3.0 degrees" in window.desk_page.answer.warnings.text()
    qtbot.mouseClick(reading.level, Qt.MouseButton.LeftButton)
    settle(window)
    assert "turned level" in window.desk_page.answer.warnings.text() and reading.level.isChecked()
