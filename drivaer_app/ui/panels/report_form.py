"""What a report is to be like: which variants, which format, whose colours."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFormLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from drivaer_app.desk.desk import Desk
from drivaer_app.report.formats import FORMATS, Format
from drivaer_app.report.options import ReportOptions
from drivaer_app.ui.file_field import FileField
from drivaer_app.ui.widgets import label

ALL, SELECTED, TICKED = range(3)
_MOST_ROWS = 9  # that are seen at once
_KEY = Qt.ItemDataRole.UserRole


class ReportForm(QWidget):
    """selected: gives the keys that are selected in the list of variants."""

    changed = Signal()

    def __init__(self, desk: Desk, selected: Callable[[], list[str]]):
        super().__init__()
        self.desk, self._selected = desk, selected
        self.which = QComboBox()
        self.which.addItems(["", "", ""])
        self.ticks = QListWidget()
        self.ticks.setAccessibleName("Variants of the report")
        self.format = QComboBox()
        for form in FORMATS:
            self.format.addItem(form.title, form.suffix)
        self.title = QLineEdit()
        self.title.setPlaceholderText("by itself: Drag of … cars")
        self.pages = QSpinBox()
        self.pages.setRange(0, 500)
        self.pages.setValue(12)
        self.pages.setToolTip("Cars with pictures on a page of their own: so many from the lowest Cd, and the baseline")
        self.brand = FileField("Brand", "Brands (*.toml)", "none")
        self.brand.setToolTip("A company's name, logo and colours, a small TOML: see docs/reports.md")
        self.template = FileField("Template", "Templates (*.j2 *.html *.md)", "the program's own")
        takers = " and ".join(form.name for form in FORMATS if form.takes_template)
        self.template.setToolTip(f"A jinja2 template instead of the program's, for {takers}")
        self.note = label("", "dim", wrap=True)
        self._build()
        self.refresh()

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        form = self._form = QFormLayout()
        form.setVerticalSpacing(6)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        rows = (
            ("Cars", self.which),
            ("", self.ticks),
            ("Format", self.format),
            ("Title", self.title),
            ("Car pages", self.pages),
            ("Brand", self.brand),
            ("Template", self.template),
        )
        for title, field in rows:
            caption = label(title, "dim")
            caption.setBuddy(field)
            field.setAccessibleName(field.accessibleName() or title)
            form.addRow(caption, field)
        column.addLayout(form)
        column.addWidget(self.note)
        for signal in (self.which.currentIndexChanged, self.format.currentIndexChanged, self.ticks.itemChanged):
            signal.connect(self._edited)
        self.brand.changed.connect(self.changed)

    @property
    def chosen(self) -> Format:
        """The format that is chosen."""
        return FORMATS[self.format.currentIndex()]

    @property
    def keys(self) -> list[str]:
        """Of the variants that are wanted, in the study's order."""
        every = [variant.key for variant in self.desk.study.state.variants]
        if self.which.currentIndex() == SELECTED:
            selected = set(self._selected())
            return [key for key in every if key in selected]
        if self.which.currentIndex() == TICKED:
            return self._ticked()
        return every

    @property
    def options(self) -> ReportOptions:
        keys = None if self.which.currentIndex() == ALL else tuple(self.keys)
        template = self.template.file if self.chosen.takes_template else None
        return ReportOptions(
            keys,
            details=self.pages.value(),
            draw=self.pages.value() > 0,
            brand=self.brand.file,
            template=template,
            title=self.title.text().strip(),
        )

    def refresh(self) -> None:
        """After an edit of the study, another selection, or news of a variant."""
        variants = self.desk.study.state.variants
        counted = (f"All {len(variants)}", f"Selected in the list ({len(self._selected())})", "Ticked below")
        for number, text in enumerate(counted):
            if self.which.itemText(number) != text:
                self.which.setItemText(number, text)
        self._refresh_ticks()
        self.pages.setEnabled(self.chosen.has_pages)
        self.template.setEnabled(self.chosen.takes_template)
        self.note.setText(self._remarks())
        self.note.setVisible(bool(self.note.text()))

    def _refresh_ticks(self) -> None:
        self._form.setRowVisible(self.ticks, self.which.currentIndex() == TICKED)
        entries = [(v.key, v.name) for v in self.desk.study.state.variants]
        items = [self.ticks.item(row) for row in range(self.ticks.count())]
        if entries == [(item.data(_KEY), item.text()) for item in items]:
            return
        known = {item.data(_KEY): item.checkState() for item in items}
        self.ticks.blockSignals(True)
        self.ticks.clear()
        for key, name in entries:
            item = QListWidgetItem(name)
            item.setData(_KEY, key)
            item.setCheckState(known.get(key, Qt.CheckState.Checked))
            self.ticks.addItem(item)
        self.ticks.blockSignals(False)
        rows = min(max(len(entries), 2), _MOST_ROWS)
        self.ticks.setFixedHeight(rows * max(self.ticks.sizeHintForRow(0), 18) + 6)

    def _ticked(self) -> list[str]:
        items = [self.ticks.item(row) for row in range(self.ticks.count())]
        return [item.data(_KEY) for item in items if item.checkState() == Qt.CheckState.Checked]

    def _remarks(self) -> str:
        state, keys = self.desk.study.state, self.keys
        remarks = []
        baseline = state.variant(state.baseline)
        if baseline is not None and baseline.key not in keys and keys:
            remarks.append(f"{baseline.name}, the baseline, comes too.")
        lacking = sum(self.desk.prediction(key).result is None for key in keys)
        if lacking:
            remarks.append(f"{lacking} of {len(keys)} have no prediction: the report says so and gives no number.")
        return " ".join(remarks)

    def _edited(self, *_) -> None:
        self.refresh()
        self.changed.emit()
