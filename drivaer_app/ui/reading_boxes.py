"""Unit, roof and nose of mesh files, each detected or chosen."""

from __future__ import annotations

from PySide6.QtWidgets import QComboBox

from drivaer_app.predict import Reading
from drivaer_app.ui.widgets import is_being_edited

UNITS = {"auto": "detect", "m": "metres", "cm": "centimetres", "mm": "millimetres", "in": "inches", "ft": "feet"}
AXES = ("auto", "x", "y", "z", "-x", "-y", "-z")


class ReadingBoxes:
    """Three boxes, which their owner lays out. rows: title, box and tooltip of each."""

    def __init__(self) -> None:
        self.unit, self.up, self.forward = QComboBox(), QComboBox(), QComboBox()
        self.rows = (
            ("Unit", self.unit, "Unit of the file"),
            ("Roof points along", self.up, "The file's own axis"),
            ("Nose points along", self.forward, "The file's own axis"),
        )
        for (title, box, tip), choices in zip(self.rows, (UNITS, AXES, AXES), strict=True):
            box.setToolTip(tip)
            box.setAccessibleName(title)
            for choice in choices:
                box.addItem("detect" if choice == "auto" else UNITS.get(choice, choice), choice)

    @property
    def boxes(self) -> tuple[QComboBox, QComboBox, QComboBox]:
        return self.unit, self.up, self.forward

    @property
    def chosen(self) -> Reading:
        return Reading(*(box.currentData() for box in self.boxes))

    def show(self, reading: Reading, detected: tuple[str, str, str] = ("", "", "")) -> None:
        """detected: what came of "detect", in words; empty where that is not known."""
        choices = (reading.unit, reading.up, reading.forward)
        for box, choice, found in zip(self.boxes, choices, detected, strict=True):
            if is_being_edited(box):
                continue
            box.setItemText(0, f"{found} (detected)" if found and choice == "auto" else "detect")
            box.setCurrentIndex(max(box.findData(choice), 0))
