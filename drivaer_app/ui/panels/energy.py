"""What drag costs on the road: consumption and range over the WLTC, and what the difference to the baseline changes."""

from __future__ import annotations

from dataclasses import asdict, fields

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QComboBox, QFormLayout, QVBoxLayout, QWidget

from data.errors import DrivAerError
from drivaer_app.desk.desk import Desk
from drivaer_app.energy import Consumption, Vehicle, over_wltc
from drivaer_app.settings import Settings
from drivaer_app.ui.widgets import NumberBox, label, show_value, tall
from drivaer_app.ui.words import signed

_DRIVES = {"electric": "Electric", "petrol": "Petrol", "diesel": "Diesel"}
_FIELDS = (
    ("mass", "Mass", " kg", 0, 1.0, (100.0, 60_000.0), 50.0, "With its load"),
    ("rolling_resistance", "Rolling resistance", "", 4, 1.0, (0.0, 0.1), 0.0005, "Force over weight"),
    ("efficiency", "Efficiency", " %", 0, 100.0, (1.0, 100.0), 1.0, "From battery or tank to the wheels"),
    ("battery", "Battery", " kWh", 1, 1.0, (0.0, 1999.0), 1.0, "What of it is used; 0 where no range is asked for"),
)


class EnergyForm(QWidget):
    """The car on the road is typed once and kept with the program's settings: variants differ by their drag alone."""

    remembered = Signal()
    refused = Signal(str)

    def __init__(self, desk: Desk, settings: Settings):
        super().__init__()
        self.desk, self.settings = desk, settings
        self.key: str | None = None
        self.drive = QComboBox()
        self.drive.setAccessibleName("Drive")
        for fuel, title in _DRIVES.items():
            self.drive.addItem(title, fuel)
        self.drive.activated.connect(lambda _: self._edited())
        self.boxes: dict[str, NumberBox] = {}
        form = QFormLayout()
        form.setVerticalSpacing(5)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow(label("Drive", "dim"), self.drive)
        for name, title, suffix, digits, _, (low, high), step, tip in _FIELDS:
            box = self.boxes[name] = NumberBox()
            box.setDecimals(digits)
            box.setRange(low, high)
            box.setSingleStep(step)
            box.setSuffix(suffix)
            box.setToolTip(tip)
            box.setAccessibleName(title)
            box.valueChanged.connect(lambda _: self._edited())
            form.addRow(label(title, "dim"), box)
        self.boxes["battery"].setSpecialValueText("not told")
        tall(self.drive, *self.boxes.values())
        self.answer = label("", wrap=True, selectable=True)
        self.answer.setAccessibleName("Consumption over the WLTC")
        self.change = label("", "dim", wrap=True, selectable=True)
        self.change.setAccessibleName("What the difference in drag changes on the road")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        heading = label("On the road (WLTC)", "heading")
        heading.setToolTip("Force at the wheels second by second, as docs/energy.md has it")
        for widget in (heading, self.answer, self.change):
            column.addWidget(widget)
        column.addLayout(form)

    @property
    def vehicle(self) -> Vehicle:
        """Of the settings; the usual one where they hold none that can be used."""
        known = {field.name for field in fields(Vehicle)}
        try:
            return Vehicle(**{name: value for name, value in self.settings.vehicle.items() if name in known})
        except (DrivAerError, TypeError):
            return Vehicle()

    def show_variant(self, key: str | None) -> None:
        self.key = key
        vehicle = self.vehicle
        with QSignalBlocker(self.drive):
            self.drive.setCurrentIndex(self.drive.findData(vehicle.fuel))
        for name, _, _, _, scale, *_ in _FIELDS:
            show_value(self.boxes[name], (getattr(vehicle, name) or 0.0) * scale)
        result, state = self.desk.result(key), self.desk.study.state
        base = self.desk.result(state.baseline)
        mine = None if result is None else over_wltc(vehicle, result.cda, state.conditions.density)["all"]
        self.answer.setText("" if mine is None else f"{in_words(mine)}{result.mark}")
        self.answer.setVisible(mine is not None)
        compared = mine is not None and base is not None and key != state.baseline
        if compared:
            its = over_wltc(vehicle, base.cda, state.conditions.density)["all"]
            self.change.setText(f"{change_in_words(mine, its)} against the baseline{result.mark}")
        self.change.setVisible(compared)

    def _edited(self) -> None:
        given = {name: self.boxes[name].value() / scale for name, _, _, _, scale, *_ in _FIELDS}
        kept = {**asdict(self.vehicle), **given, "battery": given["battery"] or None, "fuel": self.drive.currentData()}
        try:
            Vehicle(**kept)
        except DrivAerError as error:
            self.refused.emit(error.line)
            return
        self.settings.vehicle = kept
        self.remembered.emit()
        self.show_variant(self.key)


def in_words(used: Consumption) -> str:
    """``15.2 kWh/100 km, range 412 km``."""
    if used.litres_per_100km is None:
        far = "" if used.range_km is None else f", range {used.range_km:.0f} km"
        return f"{used.kwh_per_100km:.2f} kWh/100 km{far}"
    return f"{used.litres_per_100km:.2f} l/100 km, {used.co2_g_per_km:.1f} g CO₂/km"


def change_in_words(mine: Consumption, its: Consumption) -> str:
    """``−0.42 kWh/100 km, +12 km of range``."""
    if mine.litres_per_100km is None:
        far = "" if mine.range_km is None else f", {signed(mine.range_km - its.range_km, 0)} km of range"
        return f"{signed(mine.kwh_per_100km - its.kwh_per_100km, 2)} kWh/100 km{far}"
    litres, grams = mine.litres_per_100km - its.litres_per_100km, mine.co2_g_per_km - its.co2_g_per_km
    return f"{signed(litres, 2)} l/100 km, {signed(grams, 1)} g CO₂/km"
