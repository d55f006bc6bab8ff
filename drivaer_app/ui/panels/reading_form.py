"""How a variant's file was read: unit and axes, each to be changed in place, and what came of it."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFormLayout, QPushButton, QVBoxLayout, QWidget

from data.errors import DrivAerError
from drivaer_app.desk.desk import Desk
from drivaer_app.desk.study_state import Variant
from drivaer_app.predict import Reading
from drivaer_app.results import Result
from drivaer_app.ui.panels.parts_list import PartsList
from drivaer_app.ui.reading_boxes import UNITS, ReadingBoxes
from drivaer_app.ui.widgets import label, tall


class ReadingForm(QWidget):
    """Unit, roof and nose of the current variant's file."""

    refused = Signal(str)
    part_hovered = Signal(object)
    """The part (data.parts.CarPart) under the mouse, or None."""

    def __init__(self, desk: Desk):
        super().__init__()
        self.desk = desk
        self._key: str | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        self.read_as = label("", "dim", wrap=True)
        self._boxes = ReadingBoxes()
        self.unit, self.up, self.forward = self._boxes.boxes
        tall(*self._boxes.boxes)
        form = QFormLayout()
        form.setVerticalSpacing(5)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for title, box, _ in self._boxes.rows:
            box.activated.connect(self._reading_edited)
            caption = label(title, "dim")
            caption.setBuddy(box)
            form.addRow(caption, box)
        self.level = QPushButton("Turn level")
        self.level.setCheckable(True)
        self.level.setToolTip("Turn a tilted car level, by its symmetry and its wheels, and set it on these")
        self.level.clicked.connect(self._reading_edited)
        self.parts = PartsList()
        self.parts.ticked.connect(self._reading_edited)
        self.parts.hovered.connect(self.part_hovered)
        column.addWidget(label("Read as", "heading"))
        column.addLayout(form)
        column.addWidget(self.level, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.read_as)
        column.addWidget(self.parts)

    def show_variant(self, variant: Variant | None, result: Result | None) -> None:
        is_same, self._key = variant is not None and variant.key == self._key, variant.key if variant else None
        reading = variant.reading if variant else Reading()
        detected = ("", "", "")
        if result is not None:
            unit = UNITS.get(result.unit, f"units of {result.to_metres:.4g} m")
            detected = (unit, result.up, result.forward)
        self._boxes.show(reading, detected)
        for box in (*self._boxes.boxes, self.level):
            box.setEnabled(variant is not None)
        self.level.setChecked(reading.level)
        if result is not None or not is_same:  # while it is predicted anew, its parts stay
            self.parts.show_parts(result.parts if result is not None else ())
        text = ""
        if result is not None:
            sure = "as you said" if result.confidence == 1 else f"{min(result.confidence, 0.99):.0%} sure"
            half = ", half a car completed by its mirror image" if result.mirrored else ""
            size = f"{result.length:.2f} × {result.width:.2f} × {result.height:.2f} m"
            mesh = f"{result.n_faces:,} faces" if result.n_faces else f"{result.n_points:,} points"
            shell = "" if not result.n_faces else ", watertight" if result.watertight else ", not watertight"
            text = f"{size} ({sure}){half}\n{mesh}{shell}"
        self.read_as.setText(text)
        self.read_as.setVisible(bool(text))

    def _reading_edited(self, *_) -> None:
        if self._key is None:
            return
        try:
            variant = self.desk.study.state.variant(self._key)
            without = self.parts.left_out if self.parts.count() or variant is None else variant.reading.without
            chosen = replace(self._boxes.chosen, level=self.level.isChecked(), without=without)
            self.desk.edit(lambda study: study.set_reading(self._key, chosen))
        except DrivAerError as error:
            self.refused.emit(error.line)
            self.show_variant(self.desk.study.state.variant(self._key), self.desk.result(self._key))
