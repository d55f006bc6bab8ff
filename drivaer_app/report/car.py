"""One car of a report, wherever it comes from: a batch's store, a study, or a script's own predictions."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drivaer_app.drag_along import DragAlong
from drivaer_app.report.difference import Judgement
from drivaer_app.report.texts import printable
from drivaer_app.results import Result


@dataclass(frozen=True, eq=False)
class ReportCar:
    """A car to report. The second half of it is what ``content.compared`` and ``content.arranged`` find out.

    name: unique in the report, printable. file: where the mesh was. checksum: SHA-256 of it, where it is known.
    result: on the report's reference area, and record: the same as the prediction contract's JSON; both None after an
    error, a line that says why. drag: along the car, None where there are no fields.
    picture, thinned: files of the four views (PNG) and of a pictures.thinned_car.ThinnedCar; None where there are none.
    parameters: the design's. predicted: ISO 8601, UTC, and version: of the program; empty where they are not known.
    model_digest: SHA-256 of the model, empty where that is not at hand.

    number: its place in the report, from 1. rank: by Cd, None after an error. judgement: against the baseline, None for
    it itself and without one. apart: why it stands out of the fleet, plain sentences.
    """

    name: str
    file: Path
    checksum: str | None = None
    result: Result | None = None
    record: dict[str, Any] | None = None
    error: str = ""
    drag: DragAlong | None = None
    picture: Path | None = None
    thinned: Path | None = None
    parameters: dict[str, float | str] = field(default_factory=dict)
    predicted: str = ""
    version: str = ""
    model_digest: str = ""

    number: int = 0
    rank: int | None = None
    judgement: Judgement | None = None
    is_baseline: bool = False
    apart: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        return printable(str(self.file))

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(printable(text) for text in (self.record or {}).get("warnings", ()))

    @property
    def is_outside(self) -> bool:
        """Whether its interval does not hold: to be marked wherever its number stands."""
        return self.result is not None and self.result.is_outside
