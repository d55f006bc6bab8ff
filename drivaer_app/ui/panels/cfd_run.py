"""The panel that checks a prediction with CFD: start, progress, stop, and both results beside each other."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSignalBlocker, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from data.errors import DrivAerError
from drivaer_app.cfd.presets import PRESETS
from drivaer_app.conditions import Conditions
from drivaer_app.desk.cfd_kept import CfdNumbers
from drivaer_app.desk.desk import Desk
from drivaer_app.desk.verification import DONE, FAILED_RUN, RUNNING, STOPPED, STOPPING, Run, fraction_of, why_not
from drivaer_app.results import COUNT, Result
from drivaer_app.ui.theme import Colours
from drivaer_app.ui.widgets import Elided, label, line, set_role, tall
from drivaer_app.ui.words import plain, signed

_SCALES = {"draft": "rough, minutes", "coarse": "as the model's own", "medium": "finer", "fine": "hours"}
_ROWS = ("Cd", "from pressure", "from friction", "Lift Cl", "front", "rear")


class VerifyPanel(QScrollArea):
    """Of one variant. Whether OpenFOAM is there is looked for when somebody first sees it."""

    refused = Signal(str)
    started = Signal()
    error_asked = Signal()
    """Show where the pressure differs."""
    _found_out = Signal(str)

    def __init__(self, desk: Desk):
        super().__init__()
        self.desk = desk
        self.key: str | None = None
        self._why_not: str | None = None
        self._is_in_front = False
        self._looked: set[str] = set()
        self._offered: Path | None = None
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(16, 6, 16, 16)
        column.setSpacing(8)
        self.name = Elided("heading")
        self.state = label("", "dim", wrap=True)
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(8)
        self.progress.setAccessibleName("Progress of the CFD run")
        column.addWidget(self.name)
        column.addLayout(self._controls())
        column.addWidget(self.state)
        column.addWidget(self.progress)
        column.addWidget(line())
        column.addLayout(self._table())
        self.verdict = label("", wrap=True)
        self.warnings = label("", "warn", wrap=True, selectable=True)
        self.where = QPushButton("Show where Cp differs")
        self.where.clicked.connect(self.error_asked)
        self.folder = QPushButton("Show the case's folder")
        self.folder.clicked.connect(self._show_folder)
        for widget in (self.verdict, self.warnings, self.where, self.folder):
            column.addWidget(widget)
        column.addStretch(1)
        self.setWidget(body)
        self._found_out.connect(self._know)
        self.refresh()

    def _controls(self) -> QHBoxLayout:
        self.preset = QComboBox()
        for name in PRESETS:
            self.preset.addItem(f"{name} ({_SCALES[name]})", name)
        self.preset.setAccessibleName("How fine the CFD mesh is")
        self.preset.setToolTip("How fine the CFD mesh is, and about how long it takes")
        tall(self.preset)
        self.begin = QPushButton("Start")
        self.begin.clicked.connect(self._begin_or_stop)
        self.anew = QPushButton("Start anew")
        self.anew.setToolTip("From the start, under the study's present conditions, in a folder of its own")
        self.anew.clicked.connect(lambda: self._start(anew=True))
        self.preset.currentIndexChanged.connect(lambda _: self.refresh())
        row = QHBoxLayout()
        row.addWidget(self.preset, 1)
        row.addWidget(self.begin)
        row.addWidget(self.anew)
        return row

    def _table(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(0, 1)
        self.cfd_title = label("CFD", "dim")
        for column, title in enumerate((label("predicted", "dim"), self.cfd_title), 1):
            grid.addWidget(title, 0, column)
        self.cells: dict[tuple[str, str], QLabel] = {}
        for row, name in enumerate(_ROWS, 1):
            grid.addWidget(label(name, "dim"), row, 0)
            for column, side in enumerate(("predicted", "CFD"), 1):
                cell = label("–", selectable=True)
                cell.setAccessibleName(f"{name}, {side}")
                grid.addWidget(cell, row, column)
                self.cells[name, side] = cell
        return grid

    # Showing

    def set_colours(self, colours: Colours) -> None:
        """All of its colours are the style sheet's."""

    def set_in_front(self, on: bool) -> None:
        self._is_in_front = on
        self._look_for_begun()
        if on and self._why_not is None:
            self._why_not = ""
            self.desk.jobs.submit("looking for OpenFOAM", lambda _: self._found_out.emit(why_not()), lane="files")

    def _know(self, why: str) -> None:
        self._why_not = why
        self.refresh()

    def show_variant(self, key: str | None) -> None:
        self.key = key
        self._look_for_begun()
        self.refresh()

    def _look_for_begun(self) -> None:
        """Once for each variant that somebody looks at."""
        if self._is_in_front and self.key and self.key not in self._looked and self.desk.result(self.key):
            self._looked.add(self.key)
            self.desk.look_for_begun(self.key)

    def refresh(self) -> None:
        variant = self.desk.study.state.variant(self.key)
        run = self.desk.verifications.of(self.key) if variant else None
        result = self.desk.result(self.key) if variant else None
        self.name.setText(variant.name if variant else "No variant is selected")
        outdated = variant is not None and self.desk.cfd_is_outdated(self.key)
        self._show_state(run, outdated)
        active = run is not None and run.is_active
        self._offer(run)
        goes_on = run is not None and result is not None and run.goes_on(self.preset.currentData(), result.checksum)
        self.begin.setText("Stop" if active else "Go on" if goes_on else "Start")
        self.anew.setVisible(goes_on)
        self.anew.setEnabled(not self._why_not)
        self.begin.setEnabled(result is not None and not self._why_not and (run is None or run.status != STOPPING))
        self.preset.setEnabled(not active)
        self.progress.setVisible(active)
        if active and run.progress:
            self.progress.setValue(round(1000 * fraction_of(run.progress)))
        kept = run.finished if run else None
        self._show_numbers(result, kept and kept.numbers.on(self.desk.study.state.conditions), outdated)
        self.where.setVisible(run is not None and run.status == DONE and not run.lacking and not outdated)
        self.folder.setVisible(run is not None and run.folder.is_dir())

    def _offer(self, run: Run | None) -> None:
        """A run that was broken off is offered with the fineness that it has."""
        if run is not None and run.status in (STOPPED, FAILED_RUN) and run.folder != self._offered:
            self._offered = run.folder
            with QSignalBlocker(self.preset):
                self.preset.setCurrentIndex(max(self.preset.findData(run.preset), 0))

    def _show_state(self, run: Run | None, outdated: bool) -> None:
        text, role = "Solve the flow around this car with OpenFOAM and see how far off the prediction is.", "dim"
        if run is not None and run.status == DONE:
            text, role = self._result_in_words(run), "warn" if outdated else "dim"
            if outdated:
                text = f"The mesh has changed since this run: these are the numbers of before ({text})"
        elif self._why_not:
            text, role = self._why_not, "warn"
        elif run is not None and run.status == FAILED_RUN:
            text, role = run.error, "bad"
        elif run is not None and run.status == RUNNING:
            text = _progress_in_words(run)
        elif run is not None and run.status == STOPPED:
            text = f"stopped; it goes on from there{_at_other_conditions(run, self.desk.study.state.conditions)}"
        elif run is not None:
            text = "stopping…"
        self.state.setText(text)
        set_role(self.state, role)

    def _result_in_words(self, run: Run) -> str:
        """``finished: coarse, 400 iterations, 134,000 cells``, and what is another way now."""
        kept, now = run.finished, self.desk.study.state.conditions
        n = kept.numbers
        text = f"finished: {n.preset}, {n.iterations} iterations, {n.cells:,} cells"
        text += _at_other_conditions(run, now)
        return f"{text}; {run.lacking}" if run.lacking else text

    def _show_numbers(self, result: Result | None, cfd: CfdNumbers | None, outdated: bool) -> None:
        cells = dict.fromkeys(self.cells, "–")
        if result is not None:
            cells["Cd", "predicted"] = f"{result.compared:.3f}"
            for name, value in (
                ("from pressure", result.cd_pressure),
                ("from friction", result.cd_friction),
                ("Lift Cl", result.cl),
            ):
                cells[name, "predicted"] = "–" if value is None else plain(value, 3)
        if cfd is not None:
            values = (cfd.cd, cfd.cd_pressure, cfd.cd_friction, cfd.cl, cfd.clf, cfd.clr)
            cells |= {(name, "CFD"): plain(value, 3) for name, value in zip(_ROWS, values, strict=True)}
        for place, text in cells.items():
            self.cells[place].setText(text)
        self.cfd_title.setText("CFD of before" if outdated else "CFD")
        verdict, role = _verdict(result, cfd) if result and cfd and not outdated else ("", "")
        self.verdict.setText(verdict)
        set_role(self.verdict, role)
        self.verdict.setVisible(bool(verdict))
        self.warnings.setText("\n".join(f"• {warning}" for warning in cfd.warnings) if cfd else "")
        self.warnings.setVisible(bool(self.warnings.text()))

    # Doing

    def _begin_or_stop(self) -> None:
        run = self.desk.verifications.of(self.key)
        if run is not None and run.status == RUNNING:
            self.desk.verifications.stop(self.key)
            return
        self._start(anew=False)

    def _start(self, *, anew: bool) -> None:
        try:
            self.desk.verify(self.key, self.preset.currentData(), anew=anew)
        except DrivAerError as error:
            self.refused.emit(error.line)
            return
        self.started.emit()

    def _show_folder(self) -> None:
        if run := self.desk.verifications.of(self.key):
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(run.folder)))


def _at_other_conditions(run: Run, now: Conditions) -> str:
    """``, at 108 km/h in air of 1.184 kg/m³``: what a run solves, where that is not what the study has now."""
    if (run.wind.speed, run.wind.density) == (now.speed, now.density):
        return ""
    return f", at {run.wind.speed * 3.6:.0f} km/h in air of {run.wind.density:g} kg/m³"


def _progress_in_words(run: Run) -> str:
    """``solving, 120 of 300, Cd 0.312, 3 min left``."""
    p = run.progress
    if p is None:
        return "waiting for its turn, or preparing the case"
    parts = [p.step]
    if p.iteration:
        parts.append(f"{p.iteration} of {p.n_iterations}")
    if p.cd is not None:
        parts.append(f"Cd {p.cd:.3f}")
    if p.seconds_left is not None:
        left = p.seconds_left
        parts.append(f"{left:.0f} s left" if left < 90 else f"{left / 60:.0f} min left")
    return ", ".join(parts)


def _verdict(result: Result, cfd: CfdNumbers) -> tuple[str, str]:
    """How the two stand to each other, and the colour of that."""
    off = signed((result.compared - cfd.cd) / COUNT, 1)
    text = f"The prediction is {off} counts off the CFD, whose own scatter is {cfd.cd_std / COUNT:.1f}"
    if not cfd.settled:
        return f"{text} (it has not settled).", "warn"
    if result.compared_interval is None:
        return f"{text}.", ""
    low, high = result.compared_interval
    inside = low <= cfd.cd <= high
    return (
        f"{text}: the CFD lies {'inside' if inside else 'outside'} the interval of what it should be.",
        "good" if inside else "warn",
    )
