"""What a report says, whatever its format: cars in order, comparisons, what stands out, where it all comes from."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from data.errors import DrivAerError
from drivaer_app.predict import Reading
from drivaer_app.prediction_settings import ModelIdentity, PredictionSettings
from drivaer_app.report.car import ReportCar
from drivaer_app.report.card import CardSection, sections_of
from drivaer_app.report.columns import COLUMNS, PARAMETER, row_of
from drivaer_app.report.difference import Judgement, judged
from drivaer_app.report.findings import answer_of, apart_of
from drivaer_app.report.options import N_DETAILS
from drivaer_app.version import __version__

if TYPE_CHECKING:
    from gnn.difference import DifferenceLaw

_MOST_OUTSIDE = 30  # cars that are listed one by one for nothing but lying outside


@dataclass(frozen=True, eq=False)
class Content:
    """cars: by Cd, failed ones last. details: those with a page of their own. parameters: names of the designs' own.

    answer: the report in a few sentences, the most important first. made: ISO 8601, UTC.
    source: what the cars come from, as label and text. started: when their batch was, ISO 8601; None without one.
    """

    title: str
    cars: tuple[ReportCar, ...]
    details: tuple[ReportCar, ...]
    baseline: ReportCar | None
    parameters: tuple[str, ...]
    settings: PredictionSettings
    model: ModelIdentity
    card: tuple[CardSection, ...]
    answer: tuple[str, ...]
    made: str
    source: tuple[tuple[str, str], ...]
    started: str | None = None
    version: str = __version__

    @property
    def predicted(self) -> tuple[ReportCar, ...]:
        return tuple(car for car in self.cars if car.result is not None)

    @property
    def failed(self) -> tuple[ReportCar, ...]:
        return tuple(car for car in self.cars if car.result is None)

    @property
    def outside(self) -> tuple[ReportCar, ...]:
        return tuple(car for car in self.cars if car.is_outside)

    @property
    def outlying(self) -> tuple[ReportCar, ...]:
        """Cars to list with what sets them apart; those that only lie outside are listed while they are few."""
        apart = [car for car in self.cars if car.apart]
        if len(self.outside) > _MOST_OUTSIDE:
            apart = [car for car in apart if len(car.apart) > car.is_outside]
        return tuple(apart)

    @property
    def apart_note(self) -> str:
        """One sentence before that list."""
        n = len(self.outside)
        if n > _MOST_OUTSIDE:
            others = f"{len(self.outlying) or 'none'} of all cars stand apart for other reasons"
            return f"{n} cars lie outside of what the model was trained on and are marked ▲ in the tables; {others}."
        return "These cars stand apart from the others." if self.outlying else "No car stands apart from the others."

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One for each car, by column name."""
        return [row_of(car, self.parameters) for car in self.cars]

    @property
    def column_names(self) -> list[str]:
        return [column.name for column in COLUMNS] + [PARAMETER + name for name in self.parameters]

    @property
    def provenance(self) -> list[tuple[str, str]]:
        """Where the numbers come from, as label and text."""
        c = self.settings.conditions
        area = f"given, {c.area:g} m²" if c.area is not None else "measured on each mesh"
        devices = sorted({car.record["device"] for car in self.predicted}) or ["none"]
        versions = sorted({car.version for car in self.predicted if car.version})
        program = f"drivaer {self.version}"
        return [
            ("Program", f"{program}; cars predicted with {', '.join(versions)}" if versions else program),
            ("Model", self.model.in_words),
            ("Wind", f"{c.speed:g} m/s ({c.speed * 3.6:.0f} km/h), air of {c.density:g} kg/m³"),
            ("Reference area", area),
            ("Device", ", ".join(devices)),
            *self.source,
            ("Report made", self.made),
            ("Cd interval", self.interval_note),
            ("Differences", self.difference_note),
        ]

    @property
    def interval_note(self) -> str:
        half, other = (self.model.half_width(on_template) for on_template in (True, False))
        if half is None:
            return "none: this model gives no interval"
        others = "" if other == half else f", or ± {other:.4f} for cars that are no morphed DrivAer,"
        return (
            f"± {half:.4f}{others} holds for 90 % of designs like those that the model was trained on "
            f"({self.model.trained_on}). It does not hold for cars marked as outside"
        )

    @property
    def difference_note(self) -> str:
        law, other = (self.model.difference_law(on_template) for on_template in (True, False))
        if self.model.half_width() is None:
            return "how certain they are is not known: this model gives no interval"
        if law is None:
            return "not calibrated for this model: both cars' half widths are added, which is cautious"
        others = "" if other == law else f"; for cars that are no morphed DrivAer {_in_words(other)}"
        return (
            f"{_in_words(law)} is the {100 * law.level:.0f} % interval of a difference in Cd between two such designs, "
            f"calibrated on pairs of {law.n} held-out ones{others}"
        )


def _in_words(law: DifferenceLaw) -> str:
    more = f" and {law.slope:.2f} of the difference more" if law.slope >= 0.005 else ""
    return f"± {1000 * law.base:.1f} counts{more}"


def compared(cars: Iterable[ReportCar], base: ReportCar | None) -> list[ReportCar]:
    """The cars with what may be said of each against the baseline. Raises DrivAerError for one without a result."""
    if base is not None and base.result is None:
        raise DrivAerError("the baseline could not be predicted", file=base.path, fix="choose another one")
    return [replace(car, is_baseline=car is base, judgement=_judged(car, base)) for car in cars]


def arranged(
    cars: Iterable[ReportCar],
    settings: PredictionSettings,
    model: ModelIdentity,
    source: tuple[tuple[str, str], ...],
    *,
    details: Sequence[str] | int = N_DETAILS,
    title: str = "",
    started: str | None = None,
) -> Content:
    """A report of cars that are compared, in their order by Cd; the other arguments as in Content.

    details: names of those with a page of their own, or how many from the top. Raises DrivAerError for a name that no
    car or more than one has.
    """
    cars = sorted(cars, key=lambda car: (car.result is None, car.result.cd if car.result else 0.0, car.name))
    apart = apart_of(cars)
    final = [
        replace(
            car,
            number=number,
            rank=number if car.result else None,
            apart=apart.get(car, ()),
        )
        for number, car in enumerate(cars, start=1)
    ]
    chosen = next((car for car in final if car.is_baseline), None)
    names = {name: None for car in final for name in car.parameters}
    return Content(
        title=title or f"Drag of {len(final)} car{'' if len(final) == 1 else 's'}",
        cars=tuple(final),
        details=_details(final, chosen, details),
        baseline=chosen,
        parameters=tuple(names),
        settings=settings,
        model=model,
        card=sections_of(model.card),
        answer=answer_of(final, chosen),
        made=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        source=source,
        started=started,
    )


def reading_in_words(reading: Reading) -> str:
    """How files were to be read, in words."""
    r = reading
    return f"unit {r.unit}, up {r.up}, forward {r.forward} (auto: worked out from the shape)"


def find_car(cars: Iterable[ReportCar], name: str) -> ReportCar:
    """By its name in the report, its file's name with or without suffix, or its path. Raises DrivAerError."""
    cars = list(cars)
    here = os.path.abspath(name)
    tests = (
        lambda car: car.name == name,
        lambda car: str(car.file) == here,
        lambda car: car.file.name == name,
        lambda car: car.file.stem == name,
    )
    for test in tests:
        found = [car for car in cars if test(car)]
        if len(found) == 1:
            return found[0]
        if found:
            raise DrivAerError(
                f"{len(found)} cars are called {name}", fix=f"say which: {found[0].name}, {found[1].name}"
            )
    import difflib

    near = difflib.get_close_matches(name, [car.name for car in cars], n=1, cutoff=0.5)
    raise DrivAerError(f"no car is called {name}", fix=f"did you mean {near[0]}?" if near else "see drivaer rank")


def _judged(car: ReportCar, base: ReportCar | None) -> Judgement | None:
    if base is None or car is base or car.result is None:
        return None
    return judged(car.result, base.result)


def _details(cars: Sequence[ReportCar], base: ReportCar | None, wanted: Sequence[str] | int) -> tuple[ReportCar, ...]:
    if isinstance(wanted, int):
        chosen = [car for car in cars if car.result is not None][:wanted]
        if base is not None and base not in chosen and wanted:
            chosen = [*chosen[: wanted - 1], base]
    else:
        chosen = list(dict.fromkeys(find_car(cars, name) for name in wanted))
    return tuple(sorted(chosen, key=lambda car: car.number))
