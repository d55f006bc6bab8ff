"""A batch from its files to its store: what is new is worked out and kept at once, what is known is passed over."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from data.errors import DrivAerError
from drivaer_app.batch.store import Store
from drivaer_app.batch.work import CarOutcome, Task
from drivaer_app.files import absolute
from drivaer_app.prediction_settings import ModelIdentity, PredictionSettings


@dataclass(frozen=True, eq=False)
class BatchPlan:
    """files: absolute. wants: of work.FIELDS, PICTURE, VIEW. parameters: by file. baseline: one of the files."""

    files: Sequence[Path]
    settings: PredictionSettings
    model: ModelIdentity
    wants: tuple[str, ...] = ()
    parameters: Mapping[Path, Mapping[str, float | str]] = field(default_factory=dict)
    baseline: Path | None = None

    @classmethod
    def of(cls, files: Sequence[Path], settings: PredictionSettings, model: ModelIdentity, **more) -> BatchPlan:
        """With the files as they lie on the disk, each once, the baseline among them."""
        baseline = more.pop("baseline", None)
        baseline = None if baseline is None else absolute(baseline)
        every = dict.fromkeys(absolute(file) for file in files)
        if baseline is not None:
            every[baseline] = None
        return cls(tuple(every), settings, model, baseline=baseline, **more)

    def with_parameters(self, parameters: Mapping[Path, Mapping[str, float | str]]) -> BatchPlan:
        return replace(self, parameters=parameters)


@dataclass
class Tally:
    """How far a batch is. failures: one line each."""

    n_files: int
    n_predicted: int = 0
    n_unchanged: int = 0
    failures: list[str] = field(default_factory=list)

    @property
    def n_done(self) -> int:
        return self.n_predicted + self.n_unchanged + len(self.failures)

    def add(self, outcome: CarOutcome) -> None:
        if outcome.error:
            self.failures.append(outcome.error)
        elif outcome.unchanged:
            self.n_unchanged += 1
        else:
            self.n_predicted += 1


Workers = Callable[[Iterator[Task]], Iterator[Sequence[CarOutcome]]]
"""Takes tasks as it needs them and gives their outcomes in any order, at once those that are there.

Closing the iterator ends the work."""


def run(
    plan: BatchPlan,
    store: Store,
    workers: Workers,
    on_done: Callable[[Tally, CarOutcome], None] = lambda *_: None,
    *,
    note: bool = True,
) -> Tally:
    """Work on all of the plan's files. on_done: called when a car is in the store; what it raises ends the batch.

    note: whether this is a run that reports are about from now on.

    Raises ModelError where the model cannot be used, and DrivAerError where the store cannot be written. A car that
    cannot be predicted is counted in the tally.
    """
    tally = Tally(len(plan.files))
    if note:
        store.begin(plan.settings, plan.model, plan.baseline)
    known = {file: store.known(file, plan.settings, plan.wants) for file in plan.files}
    tasks = (Task(str(file), plan.settings, known[file], plan.wants) for file in plan.files)
    outcomes = workers(tasks)
    try:
        for done in outcomes:
            try:
                store.put(done, plan.settings, plan.parameters)
            except DrivAerError as error:
                raise DrivAerError(f"the batch stops: {error.what}", file=error.file, fix=error.fix) from error
            for outcome in done:
                tally.add(outcome)
                on_done(tally, outcome)
    finally:
        close = getattr(outcomes, "close", None)
        if close:
            close()
    return tally
