"""A batch as a job of a desk's: the work, how it goes in words, and its results as a study."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from data.errors import DrivAerError
from drivaer_app.batch import local
from drivaer_app.batch.inputs import find_cars, parameters_of
from drivaer_app.batch.run import BatchPlan, Tally, run
from drivaer_app.batch.store import FILE, Store
from drivaer_app.batch.work import CarOutcome
from drivaer_app.conditions import Conditions
from drivaer_app.desk.jobs import Job
from drivaer_app.desk.study_file import SavedStudy
from drivaer_app.predict import Reading
from drivaer_app.prediction_settings import ModelIdentity, PredictionSettings

LANE = "batch"
MOST_OPENED = 500
"""Cars in one study; a report or 'drivaer rank' tells of any number."""


@dataclass(frozen=True)
class Order:
    """cars: meshes, folders with all below them, or patterns. output: the store's folder. n_workers: None: all cores.

    wants: of work.FIELDS, PICTURE, VIEW. parameters: by file, besides those of tables beside the meshes.
    """

    cars: tuple[str | Path, ...]
    output: Path
    wants: tuple[str, ...] = ()
    conditions: Conditions = Conditions()
    reading: Reading = Reading()
    model: str | None = None
    baseline: Path | None = None
    n_workers: int | None = None
    parameters: Mapping[Path, Mapping[str, float | str]] = field(default_factory=dict, hash=False)


@dataclass
class BatchWork:
    """What a job does. tally: how far it is; read it at any time. It is kill-safe at any point, as the store is."""

    order: Order
    tally: Tally = field(default_factory=lambda: Tally(0))
    _started: float = 0.0

    def __call__(self, job: Job) -> Tally:
        """Until all is done. Raises DrivAerError, and Cancelled within a moment of being cancelled."""
        order = self.order
        job.report(0.0, "looking for cars")
        identity = ModelIdentity.of(order.model)
        files = find_cars(order.cars, order.output)
        if order.baseline is not None and not order.baseline.is_file():
            raise DrivAerError("no such baseline", file=order.baseline, fix="check the name")
        settings = PredictionSettings(order.model, identity.digest, order.conditions, order.reading)
        plan = BatchPlan.of(files, settings, identity, wants=order.wants, baseline=order.baseline)
        plan = plan.with_parameters({**order.parameters, **parameters_of(plan.files)})
        n_workers = min(order.n_workers or local.available_cores(), len(plan.files))
        self.tally, self._started = Tally(len(plan.files)), time.monotonic()

        def tell(tally: Tally | None = None, outcome: CarOutcome | None = None) -> None:
            self.tally = tally or self.tally
            job.report(self.tally.n_done / self.tally.n_files, self.in_words)

        with Store.create(order.output) as store:
            return run(plan, store, lambda tasks: local.outcomes(tasks, n_workers, meanwhile=tell), tell)

    @property
    def in_words(self) -> str:
        """``120 of 300 cars, 0.8 a second, 4 min left, 2 failed``."""
        t = self.tally
        parts = [f"{t.n_done} of {t.n_files} cars"]
        new = t.n_predicted + len(t.failures)  # known ones pass by in no time and say nothing of the rate
        if new:
            rate = new / max(time.monotonic() - self._started, 1e-3)
            parts += [f"{rate:.2g} a second", _left((t.n_files - t.n_done) / rate)]
        else:
            parts.append("starting")
        if t.failures:
            parts.append(f"{len(t.failures)} failed")
        return ", ".join(text for text in parts if text)


@dataclass(frozen=True, eq=False)
class Results:
    """saved: the study. n_left_out: cars beyond those that one study takes, those of the highest Cd."""

    saved: SavedStudy
    n_left_out: int


def has_results(folder: Path) -> bool:
    """Whether a batch wrote into a folder."""
    return (folder / FILE).is_file()


def open_results(folder: Path) -> Results:
    """The store's last run as a study, as far as it got. Raises DrivAerError where no car was predicted."""
    from drivaer_app.desk.study_of_batch import study_of_batch

    with Store.open(folder) as store:
        batch = store.batch()
    n = len(batch.predicted)
    if not n:
        why = f": {batch.failed[0].error}" if batch.failed else ""
        raise DrivAerError(f"no car was predicted{why}", file=folder, fix="run the batch to its end")
    saved = study_of_batch(batch, most=MOST_OPENED)
    return Results(saved, n - len(saved.state.variants))


def _left(seconds: float) -> str:
    if seconds < 1:
        return ""
    return f"{seconds:.0f} s left" if seconds < 90 else f"{seconds / 60:.0f} min left"
