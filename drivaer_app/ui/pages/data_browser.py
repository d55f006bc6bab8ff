"""A dataset that is open: what it is, filters, the table and the plot beside each other."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QPushButton, QSplitter, QVBoxLayout, QWidget

from data.catalogue.listing import Listing, Overview, Question
from data.catalogue.query import Sort
from drivaer_app.ui.pages.data_filters import Filters
from drivaer_app.ui.pages.data_scatter import ScatterPanel
from drivaer_app.ui.pages.data_table import DesignTable
from drivaer_app.ui.theme import Colours
from drivaer_app.ui.widgets import label, line, set_role

_VERSIONS = {
    "updated": "updated, each on its own area",
    "first": "as first published, on 2.154 m²",
    "own area": "each on its own area",
    "fixed area": "all on one area",
    "as given": "as given in a table",
}


class DataBrowser(QWidget):
    asked = Signal()
    """Another question than before."""
    verify_asked = Signal()
    repair_asked = Signal()
    other_asked = Signal()
    study_asked = Signal(list)
    batch_asked = Signal(list)
    """Ids of what is selected, or else of all that is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.sort = Sort()
        self.title, self.facts = label("", selectable=True), label("", "dim", wrap=True, selectable=True)
        font = self.title.font()
        font.setBold(True)
        self.title.setFont(font)
        self.facts.setAccessibleName("Designs, split, label version and licence")
        self.other = self._button("Another dataset…", self.other_asked)
        self.verify = self._button("Check files", self.verify_asked)
        self.verify.setToolTip("Hash every file again and compare it with its checksum")
        self.open = QPushButton("Open as a study")
        self.open.setToolTip("The selected designs on the desk, with their predictions")
        self.open.clicked.connect(self._open)
        self.batch = QPushButton("Batch…")
        self.batch.setToolTip("Predict the selected designs, or else all that are shown, and keep the results")
        self.batch.clicked.connect(lambda: self.batch_asked.emit(self.table.selected_ids() or self._shown_ids()))
        self.filters, self.table, self.scatter = Filters(), DesignTable(), ScatterPanel()
        self.pictures = QCheckBox("Pictures")
        self.pictures.setToolTip("Small pictures of the designs on screen, made in the background and kept")
        self.pictures.setChecked(True)
        self.pictures.toggled.connect(self.table.show_pictures)
        self.repair = self._button("Repair", self.repair_asked)
        self.repair.setToolTip("Fetch again what is bad, missing or cut short")
        self.status = label("", "dim", wrap=True, selectable=True)
        self.status.setAccessibleName("Designs shown and selected")
        self.note = label("", "dim", wrap=True, selectable=True)
        self.note.setAccessibleName("Message of the dataset")
        self.note.setContentsMargins(12, 2, 12, 4)
        self.note.hide()
        self._build()
        self.filters.changed.connect(self.asked)
        self.scatter.columns_changed.connect(self.asked)
        self.table.sort_asked.connect(self._sort)
        self.table.selected.connect(self._selected)
        self.table.open_asked.connect(self._open)
        self.scatter.selected.connect(self.table.select)
        self._selected([])

    def _button(self, text: str, signal) -> QPushButton:
        made = QPushButton(text)
        made.clicked.connect(lambda: signal.emit())
        return made

    def _build(self) -> None:
        words = QVBoxLayout()
        words.setSpacing(1)
        words.addWidget(self.title)
        words.addWidget(self.facts)
        top = QHBoxLayout()
        top.setContentsMargins(12, 8, 12, 6)
        top.setSpacing(8)
        top.addLayout(words, 1)
        for button in (self.other, self.verify, self.repair):
            top.addWidget(button)
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        foot = QHBoxLayout()
        foot.setContentsMargins(12, 4, 12, 6)
        foot.addWidget(self.status, 1)
        foot.addWidget(self.pictures)
        foot.addWidget(self.batch)
        foot.addWidget(self.open)
        column.addWidget(self.filters)
        column.addWidget(self.table, 1)
        column.addLayout(foot)
        self.halves = QSplitter(Qt.Orientation.Horizontal)
        self.halves.setChildrenCollapsible(False)
        self.halves.addWidget(left)
        self.halves.addWidget(self.scatter)
        self.halves.setSizes([900, 640])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(top)
        layout.addWidget(self.note)
        layout.addWidget(line())
        layout.addWidget(self.halves, 1)

    def set_colours(self, colours: Colours) -> None:
        self.scatter.set_colours(colours)

    @property
    def question(self) -> Question:
        filters = self.filters
        also = tuple(dict.fromkeys(self.scatter.columns))
        return Question(filters.where.text(), filters.equal, filters.within, self.sort, also)

    def show_overview(self, there: Overview, name: str, *, is_ours: bool = False) -> None:
        self.title.setText(name)
        self.facts.setText("  ·  ".join(facts(there, is_ours=is_ours)))
        if self.sort.column not in {column.name for column in there.columns}:
            self.sort = Sort()
        self.filters.offer(there)
        self.scatter.offer(there.numbers)

    def show_listing(self, found: Listing) -> None:
        self.filters.show_error(None)
        self.table.show_listing(found)
        self.scatter.show_listing(found)
        self._selected(self.table.selected_ids())

    def say(self, text: str, *, bad: bool = False) -> None:
        set_role(self.note, "bad" if bad else "dim")
        self.note.setText(text)
        self.note.setVisible(bool(text))

    def _sort(self, sort: Sort) -> None:
        self.sort = sort
        self.asked.emit()

    def _selected(self, ids: list[str]) -> None:
        listing = self.table.rows.listing
        n = len(listing.rows)
        there = f"{n} of {listing.n_designs} designs" if n != listing.n_designs else f"{n} designs"
        self.status.setText(f"{there}, {len(ids)} selected" if ids else there)
        self.open.setEnabled(bool(ids))
        self.batch.setEnabled(n > 0)
        self.scatter.show_selected(ids)

    def _shown_ids(self) -> list[str]:
        return [row[0] for row in self.table.rows.listing.rows]

    def _open(self) -> None:
        if ids := self.table.selected_ids():
            self.study_asked.emit(ids)


def facts(there: Overview, *, is_ours: bool = False) -> list[str]:
    """What is to be known of a dataset before its numbers are used. is_ours: it comes with the program."""
    found = [f"{there.n_designs} designs ({', '.join(f'{name} {n}' for name, n in there.corpora.items())})"]
    parts = ", ".join(f"{n} {name}" for name, n in there.splits.items())
    from_where = f" ({there.split})" if there.split and there.splits else ""
    found.append(f"split: {parts}{from_where}" if parts else "no split yet")
    versions = [f"{_VERSIONS.get(name, name)} ({n})" for name, n in there.label_versions.items()]
    found.append(f"coefficients: {', '.join(versions)}" if versions else "no coefficients")
    if there.licences:
        found.append(f"licence: {'; '.join(there.licences)}" + (", accepted" if there.accepted else ""))
    elif is_ours:
        found.append("licence: the program's own, Apache-2.0")
    else:
        found.append("no published licence known")
    return found
