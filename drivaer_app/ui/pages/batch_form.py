"""The form of a batch, and below it how it goes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from drivaer_app.ui.file_field import FileField
from drivaer_app.ui.reading_boxes import ReadingBoxes
from drivaer_app.ui.widgets import label, set_role


class BatchForm(QWidget):
    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._files: tuple[Path, ...] = ()
        self.cars = QLineEdit()
        self.cars.setPlaceholderText("A folder with all meshes below it, or a pattern: variants/**/*.stl")
        self.cars.setAccessibleName("Cars")
        self.cars.textEdited.connect(self._typed)
        self.folder, self.some = QPushButton("Folder…"), QPushButton("Files…")
        self.results = FileField("Folder of the results", "", "Where they are kept, car by car")
        self.baseline = FileField("Baseline", "Car meshes (*)", "none: the lowest Cd")
        self.baseline.setToolTip("The car that the others are compared to")
        self.pictures = QCheckBox("Keep pictures of every car, for the list and for reports")
        self.pictures.setToolTip("Four views and a small 3D model: about a second a car")
        self.pictures.setChecked(True)
        self.fields = QCheckBox("Keep every car's surface with Cp and Cf (.vtp)")
        self.reading = ReadingBoxes()
        self.under = label("", "dim", wrap=True)
        self.start, self.stop = QPushButton("Start"), QPushButton("Cancel")
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(8)
        self.progress.setAccessibleName("Progress of the batch")
        self.note = label("", "dim", wrap=True, selectable=True)
        self.note.setAccessibleName("How the batch goes")
        self.failures = QPlainTextEdit(readOnly=True)
        self.failures.setAccessibleName("Cars that failed")
        self.failures.setTabChangesFocus(True)
        self.study = QPushButton("Open results as study")
        self.study.setToolTip("All that is there of the last run, with its numbers; nothing is predicted again")
        self.show_folder = QPushButton("Show the folder")
        self._build()

    def _build(self) -> None:
        cars = QHBoxLayout()
        for widget, stretch in ((self.cars, 1), (self.folder, 0), (self.some, 0)):
            cars.addWidget(widget, stretch)
        form = QFormLayout()
        form.setVerticalSpacing(8)
        rows = (("&Cars", cars, self.cars), ("&Results", self.results, None), ("&Baseline", self.baseline, None))
        for title, field, buddy in rows:
            caption = QLabel(title)
            caption.setBuddy(buddy or field)
            form.addRow(caption, field)
        read_as = QHBoxLayout()
        read_as.setSpacing(8)
        for title, box, _ in self.reading.rows:
            caption = label(title.lower(), "dim")
            caption.setBuddy(box)
            read_as.addWidget(caption)
            read_as.addWidget(box)
        read_as.addStretch(1)
        form.addRow("Read as", read_as)
        form.addRow("", self.pictures)
        form.addRow("", self.fields)
        form.addRow("", self.under)
        row = QHBoxLayout()
        for button in (self.start, self.stop):
            row.addWidget(button)
        row.addStretch(1)
        for button in (self.show_folder, self.study):
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setSpacing(10)
        column.addWidget(label("Predict many cars, on all cores", "heading"))
        column.addLayout(form)
        column.addLayout(row)
        column.addWidget(self.progress)
        column.addWidget(self.note)
        column.addWidget(self.failures, 1)
        column.addStretch(0)
        self.results.changed.connect(self.changed)
        self.show_failures([])
        self.note.hide()

    @property
    def given(self) -> tuple[str | Path, ...]:
        """The cars, as a batch takes them."""
        text = self.cars.text().strip()
        return self._files or ((text,) if text else ())

    def choose(self, cars: Sequence[Path]) -> None:
        """One folder, or some files."""
        one = len(cars) == 1
        self._files = () if one else tuple(cars)
        self.cars.setText(str(cars[0]) if one else f"{len(cars)} files, {cars[0].name} and others")

    def _typed(self) -> None:
        self._files = ()
        self.changed.emit()

    def set_busy(self, busy: bool, *, can_start: bool) -> None:
        fields = (self.cars, self.folder, self.some, self.results, self.baseline, self.pictures, self.fields)
        for field in (*fields, *self.reading.boxes):
            field.setEnabled(not busy)
        self.start.setEnabled(can_start and not busy)
        self.stop.setVisible(busy)
        self.progress.setVisible(busy)

    def show_progress(self, fraction: float, doing: str) -> None:
        self.progress.setValue(round(1000 * fraction))
        self.say(doing)

    def say(self, text: str, role: str = "dim") -> None:
        self.note.setText(text)
        self.note.setVisible(bool(text))
        set_role(self.note, role)

    def show_failures(self, lines: Sequence[str]) -> None:
        text = "\n".join(lines)
        if text != self.failures.toPlainText():
            self.failures.setPlainText(text)
        self.failures.setVisible(bool(lines))
        self.layout().setStretch(self.layout().count() - 1, 0 if lines else 1)
