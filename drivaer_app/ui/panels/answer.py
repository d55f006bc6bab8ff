"""The right panel: what the models say of the current variant, how its file was read, conditions, model."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import (
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from data.errors import DrivAerError
from drivaer_app.conditions import Conditions
from drivaer_app.desk.desk import Desk
from drivaer_app.desk.predictions import FAILED, MISSING, WORKING, PredictionState
from drivaer_app.desk.study_state import Variant
from drivaer_app.origin import CfdCoefficients
from drivaer_app.results import COUNT, Result
from drivaer_app.settings import Settings
from drivaer_app.ui.panels.energy import EnergyForm
from drivaer_app.ui.panels.model_chooser import ModelChooser
from drivaer_app.ui.panels.reading_form import ReadingForm
from drivaer_app.ui.theme import LIGHT, Colours
from drivaer_app.ui.widgets import Elided, IntervalBar, NumberBox, label, line, set_role, show_value, tall
from drivaer_app.ui.words import breakable, cd_of, counts, in_window, interval, plain, signed

_WARNINGS_AT_FIRST = 2


class AnswerPanel(QScrollArea):
    """Everything about one variant."""

    card_asked = Signal()
    retry_asked = Signal()
    find_asked = Signal()
    refused = Signal(str)
    """A line for the window's message."""

    def __init__(self, desk: Desk, settings: Settings):
        super().__init__()
        self.desk = desk
        self.settings = settings
        self.key: str | None = None
        self._model_shown: str | None = None
        self.colours: Colours = LIGHT
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        body = QWidget()
        self._layout = QVBoxLayout(body)
        self._layout.setContentsMargins(16, 6, 16, 16)
        self._layout.setSpacing(6)
        self._build_headline()
        self._build_facts()
        self._build_novelty()
        self._layout.addWidget(line())
        self.reading = ReadingForm(desk)
        self.reading.refused.connect(self.refused)
        self._layout.addWidget(self.reading)
        self._build_conditions()
        self._build_model()
        self._layout.addStretch(1)
        self.setWidget(body)
        self.show_variant(None)

    # Building

    def _build_headline(self) -> None:
        self.name = Elided("heading")
        self.cd = label("–", selectable=True)
        big = QFont(self.cd.font())
        big.setPointSizeF(big.pointSizeF() * 3.4)
        big.setWeight(QFont.Weight.DemiBold)
        self.cd.setFont(big)
        self.cd.setAccessibleName("Drag coefficient")
        symbol = label("Cd", "dim")
        row = QHBoxLayout()
        row.addWidget(self.cd)
        row.addWidget(symbol, 0, Qt.AlignmentFlag.AlignBottom)
        row.addStretch(1)
        symbol.setContentsMargins(0, 0, 0, 12)
        self.bar = IntervalBar()
        self.interval = label("", "dim", wrap=True, selectable=True)
        self.meaning = label("", "dim", wrap=True, selectable=True)
        self.delta = label("", wrap=True, selectable=True)
        strong = QFont(self.delta.font())
        strong.setPointSizeF(strong.pointSizeF() * 1.35)
        strong.setWeight(QFont.Weight.DemiBold)
        self.delta.setFont(strong)
        self.delta.setAccessibleName("Difference to the baseline")
        self.certainty = label("", "dim", wrap=True)
        self.previous = label("", "warn", wrap=True)
        self.checked = label("", "", wrap=True, selectable=True)
        self.checked.setAccessibleName("CFD beside the prediction")
        self.source = label("", "dim", wrap=True, selectable=True)
        self.state = label("", "dim", wrap=True)
        self.retry = QPushButton("Try again")
        self.retry.clicked.connect(self.retry_asked)
        self.find = QPushButton("Find missing files…")
        self.find.clicked.connect(self.find_asked)
        self._layout.addWidget(self.name)
        self._layout.addLayout(row)
        widgets = (
            self.bar,
            self.interval,
            self.meaning,
            self.delta,
            self.certainty,
            self.checked,
            self.source,
            self.previous,
            self.state,
            self.retry,
            self.find,
        )
        for widget in widgets:
            self._layout.addWidget(widget)

    def _build_facts(self) -> None:
        self._layout.addWidget(line())
        self.speed = NumberBox()
        self.speed.setRange(1, 500)
        self.speed.setDecimals(0)
        self.speed.setSingleStep(10)
        self.speed.setSuffix(" km/h")
        self.speed.setAccessibleName("Speed for force and power")
        self.speed.setToolTip("Force and power follow the speed; coefficients do not")
        self.speed.valueChanged.connect(self._conditions_edited)
        tall(self.speed)
        self._facts: dict[str, QLabel] = {}
        grid = QGridLayout()
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(5)
        grid.setColumnStretch(1, 1)
        names = (
            ("cl", "Lift Cl", "Lift coefficient of the whole car; front and rear shares are not predicted"),
            ("shares", "Lift front + rear", "Of the CFD run; the networks do not predict the two shares"),
            ("split", "Pressure + friction", "Cd from integrating the predicted surface fields: a second answer"),
            ("area", "Frontal area", "Silhouette seen from the front, inner voids filled, measured on the mesh"),
            ("reference", "Reference area", "What you gave below: all coefficients refer to it"),
            ("cda", "Drag area Cd·A", "Does not depend on the reference area"),
        )
        for row, (key, title, tip) in enumerate(names):
            self._facts[key] = self._fact(grid, row, title, tip)
        self._lift_shares = (self._facts["shares"], grid.itemAtPosition(1, 0).widget())
        self._reference = (self._facts["reference"], grid.itemAtPosition(4, 0).widget())
        at = label("Speed", "dim")
        at.setBuddy(self.speed)
        grid.addWidget(at, 6, 0)
        grid.addWidget(self.speed, 6, 1, Qt.AlignmentFlag.AlignRight)
        self._facts["force"] = self._fact(grid, 7, "Drag force", "½ ρ U² Cd A")
        self._facts["power"] = self._fact(grid, 8, "Power against drag", "Force times speed")
        self._layout.addLayout(grid)

    def _fact(self, grid: QGridLayout, row: int, title: str, tip: str) -> QLabel:
        name = label(title, "dim")
        value = label("–", selectable=True)
        value.setAlignment(Qt.AlignmentFlag.AlignRight)
        value.setAccessibleName(title)
        for widget in (name, value):
            widget.setToolTip(tip)
        grid.addWidget(name, row, 0)
        grid.addWidget(value, row, 1)
        return value

    def _build_novelty(self) -> None:
        self._novelty_line = line()
        self._layout.addWidget(self._novelty_line)
        self.novelty = label("", wrap=True)
        self.novelty.setToolTip("How far the shape lies from the training designs; above 1 the interval does not hold")
        self.novelty_reason = label("", "dim", wrap=True)
        self.warnings = label("", "warn", wrap=True, selectable=True)
        self.more = QToolButton(checkable=True)
        self.more.setToolTip("One mistake, such as a wrong axis, has many consequences; the gravest come first")
        self.more.toggled.connect(lambda _: self.refresh())
        for widget in (self.novelty, self.novelty_reason, self.warnings, self.more):
            self._layout.addWidget(widget)

    def _build_conditions(self) -> None:
        self._layout.addWidget(line())
        self._layout.addWidget(label("Conditions", "heading"))
        self.density = NumberBox()
        self.density.setRange(0.2, 3.0)
        self.density.setDecimals(3)
        self.density.setSingleStep(0.01)
        self.density.setSuffix(" kg/m³")
        self.area = NumberBox()
        self.area.setRange(0.0, 30.0)
        self.area.setDecimals(3)
        self.area.setSingleStep(0.01)
        self.area.setSuffix(" m²")
        self.area.setSpecialValueText("measured")
        self.area.setToolTip("What all coefficients refer to; 0 is each car's own measured frontal area")
        tall(self.density, self.area)
        form = QFormLayout()
        form.setVerticalSpacing(5)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for title, box in (("Air density", self.density), ("Reference area", self.area)):
            box.setAccessibleName(title)
            box.valueChanged.connect(self._conditions_edited)
            caption = label(title, "dim")
            caption.setBuddy(box)
            form.addRow(caption, box)
        self._layout.addLayout(form)

    def _build_model(self) -> None:
        self._layout.addWidget(line())
        self.energy = EnergyForm(self.desk, self.settings)
        self.energy.refused.connect(self.refused)
        self._layout.addWidget(self.energy)
        self._layout.addWidget(line())
        self._layout.addWidget(label("Model", "heading"))
        self.model = label("", "dim", wrap=True, selectable=True)
        self.card = QPushButton("What it was trained on")
        self.card.setToolTip("The model's card: data, accuracy on held-out designs, limits")
        self.card.clicked.connect(self.card_asked)
        self.models = ModelChooser(self.desk)
        self.models.chosen.connect(self.refused)
        self._layout.addWidget(self.models)
        self._layout.addWidget(self.model)
        self._layout.addWidget(self.card, 0, Qt.AlignmentFlag.AlignLeft)

    # Showing

    def set_colours(self, colours: Colours) -> None:
        self.colours = colours
        self.bar.colours = colours
        self.bar.update()

    def show_variant(self, key: str | None) -> None:
        self.key = key
        self.refresh()

    def refresh(self) -> None:
        variant = self.desk.study.state.variant(self.key)
        prediction = self.desk.prediction(self.key) if variant else PredictionState()
        result = self.desk.result(self.key) if variant else None
        self.name.setText(variant.name if variant else "No variant is selected")
        self._show_state(prediction, variant)
        self._show_headline(result, prediction)
        self._show_facts(result)
        self._show_novelty(result)
        self.reading.show_variant(variant, result)
        self.energy.show_variant(self.key)
        self._show_conditions()

    def _show_state(self, prediction: PredictionState, variant: Variant | None) -> None:
        failed = prediction.status in (FAILED, MISSING)
        text = in_window(prediction.error) if failed else ""
        if variant and prediction.result is None and not failed:
            text = f"{prediction.doing}…" if prediction.status == WORKING else "waiting for its turn…"
        self.state.setText(text)
        self.state.setVisible(bool(text))
        set_role(self.state, "bad" if failed else "dim")
        self.retry.setVisible(prediction.status == FAILED)
        self.find.setVisible(prediction.status == MISSING)

    def _show_headline(self, result: Result | None, prediction: PredictionState) -> None:
        pending = "" if prediction.error else "…"
        self.cd.setText(pending if result is None else cd_of(result))
        self.interval.setText("" if result is None else interval(result))
        self.meaning.setText("" if result is None else result.real_or_rans)
        self.meaning.setVisible(bool(self.meaning.text()))
        baseline = self.desk.study.state.baseline
        base = self.desk.result(baseline)
        show = (None,) * 3 if result is None else (result.cd, result.cd_low, result.cd_high)
        mark = base.cd if base and baseline != self.key else None
        holds = bool(result and not result.is_outside)
        cfd = self.desk.cfd(self.key)
        self.bar.show_values(*show, mark, self._scale(), holds, cfd.cd if cfd else None)
        self._show_cfd(result, cfd)
        difference = self.desk.difference(self.key) if self.key else None
        named = self.desk.study.state.variant(baseline)
        if difference is None:
            self.delta.setText("")
            self.certainty.setText("the baseline: others are compared to it" if result and baseline == self.key else "")
            set_role(self.delta, "")
        else:
            self.delta.setText(f"ΔCd {counts(difference)}")
            self.certainty.setText(f"against {breakable(named.name)}; {difference.in_words}")
            role = {None: "", False: "dim", True: "good" if difference.counts < 0 else "bad"}[difference.is_certain]
            set_role(self.delta, role)  # a colour says better or worse: only where that is certain
        self.delta.setVisible(difference is not None)
        self.certainty.setVisible(bool(self.certainty.text()))
        self._show_previous(result, prediction)

    def _show_cfd(self, result: Result | None, cfd: CfdCoefficients | None) -> None:
        truth = self.desk.layers.truth(self.key) if self.key else None
        lines = []
        if cfd is not None:
            off = "" if result is None else f"; predicted {signed((result.compared - cfd.cd) / COUNT, 1)} counts"
            scatter = "" if cfd.cd_std is None else f" ± {cfd.cd_std:.3f}"
            lines.append(f"◆ CFD {cfd.cd:.3f}{scatter} ({cfd.source}){off}")
        if self.key is not None and self.desk.cfd_is_outdated(self.key):
            lines.append("There is a CFD run of this mesh as it was before it was saved again")
        if truth and truth.error:
            lines.append(truth.error.in_words)
        self.checked.setText("\n".join(lines))
        self.checked.setVisible(bool(lines))
        self.source.setText(f"Cp of the CFD: {truth.source}" if truth else "")
        self.source.setVisible(truth is not None)
        for widget in self._lift_shares:
            widget.setVisible(cfd is not None and None not in (cfd.clf, cfd.clr))

    def _show_previous(self, result: Result | None, prediction: PredictionState) -> None:
        text = ""
        if result is not None and prediction.previous is not None:
            before = prediction.previous.on(self.desk.study.state.conditions)
            change = signed((result.cd - before.cd) / COUNT, 1)
            text = f"saved again: Cd was {before.cd:.3f}, {change} counts since"
        self.previous.setText(text)
        self.previous.setVisible(bool(text))

    def _scale(self) -> tuple[float, float]:
        """An axis that holds every variant's interval, so that the bar jumps only when the study grows."""
        ends = []
        for variant in self.desk.study.state.variants:
            if r := self.desk.result(variant.key):
                ends += [r.cd if r.cd_low is None else r.cd_low, r.cd if r.cd_high is None else r.cd_high]
            if cfd := self.desk.cfd(variant.key):
                ends.append(cfd.cd)
        if not ends:
            return 0.2, 0.4
        low, high = min(ends), max(ends)
        room = max(0.25 * (high - low), 0.01)
        return low - room, high + room

    def _show_facts(self, result: Result | None) -> None:
        conditions = self.desk.study.state.conditions
        facts = dict.fromkeys(self._facts, "–")
        if result is not None:
            facts["area"] = f"{self.desk.prediction(self.key).result.frontal_area:.3f} m²"
            facts["reference"] = f"{result.frontal_area:.3f} m²"
            facts["cda"] = f"{result.cda:.3f} m²"
            facts["force"] = f"{result.drag(conditions):,.1f} N"
            facts["power"] = f"{result.power(conditions) / 1000:,.2f} kW"
            if result.cl is not None:
                facts["cl"] = plain(result.cl, 3)
            if result.cd_pressure is not None:
                facts["split"] = f"{result.cd_pressure:.3f} + {result.cd_friction:.3f}"
        if cfd := self.desk.cfd(self.key):
            if None not in (cfd.clf, cfd.clr):
                facts["shares"] = f"{plain(cfd.clf, 3)} + {plain(cfd.clr, 3)} (CFD)"
            if cfd.cl is not None:
                facts["cl"] += f" (CFD {plain(cfd.cl, 3)})"
        for widget in self._reference:
            widget.setVisible(conditions.area is not None)
        for name, text in facts.items():
            self._facts[name].setText(text)

    def _show_novelty(self, result: Result | None) -> None:
        for widget in (self._novelty_line, self.novelty, self.novelty_reason, self.warnings, self.more):
            widget.setVisible(result is not None)
        if result is None:
            return
        number = "" if result.novelty is None else f" ({result.novelty:.2f})"
        self.novelty.setText(f"Novelty: {result.novelty_in_words}{number}")
        set_role(self.novelty, "warn" if result.is_outside else "")
        like = "like the designs that the model learnt from: the interval holds" if result.in_distribution else ""
        self.novelty_reason.setText(in_window(result.novelty_reason) or like)
        self.novelty_reason.setVisible(bool(self.novelty_reason.text()))
        warnings = [in_window(warning) for warning in result.warnings]
        kept = warnings if self.more.isChecked() else warnings[:_WARNINGS_AT_FIRST]
        self.warnings.setText("\n".join(f"• {warning}" for warning in kept))
        self.warnings.setVisible(bool(warnings))
        n_more = len(warnings) - _WARNINGS_AT_FIRST
        self.more.setVisible(n_more > 0)
        self.more.setText("Fewer remarks" if self.more.isChecked() else f"{n_more} more remarks")

    def _show_conditions(self) -> None:
        conditions = self.desk.study.state.conditions
        for box, value in (
            (self.speed, conditions.speed * 3.6),
            (self.density, conditions.density),
            (self.area, conditions.area or 0.0),
        ):
            show_value(box, value)
        result = self.desk.result(self.key) if self.key else None
        if self.desk.study.state.model != self._model_shown:
            self._model_shown = self.desk.study.state.model
            self.models.refresh()
        name = result.model if result else (self.desk.study.state.model or "the bundled model")
        self.model.setText(f"{name} on {result.device}" if result else name)

    # Editing

    def _conditions_edited(self) -> None:
        try:
            now = Conditions(self.speed.value() / 3.6, self.density.value(), self.area.value() or None)
            self.desk.edit(lambda study: study.set_conditions(now))
        except DrivAerError as error:
            self.refused.emit(error.line)
