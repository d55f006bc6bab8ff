"""What is known of each shape in a study, and the background work that finds it out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from data.errors import MeshError
from drivaer_app.desk.events import Event, Notify
from drivaer_app.desk.examine import Examined, examine
from drivaer_app.desk.jobs import CANCELLED, Job, Jobs
from drivaer_app.desk.lru_cache import LruCache
from drivaer_app.desk.morphing import values_of
from drivaer_app.desk.study_state import ResultInputs, StudyState, Variant
from drivaer_app.drag_along import DragAlong
from drivaer_app.engine import Engine
from drivaer_app.results import Result

WAITING, WORKING, DONE, FAILED, MISSING = "waiting", "working", "done", "failed", "missing"

FOCUS, COMPARED, NEIGHBOUR, BACKGROUND = 0, 1, 2, 10
"""Priorities of jobs: what is on screen comes first, what nobody looks at last."""


@dataclass(frozen=True, eq=False)
class PredictionState:
    """What is known of one result. status: waiting, working, done, failed or missing.

    result: of the file as it is, or as the study was saved. previous: of the file before it was saved again.
    error: why there is no result, one line. thumbnail: (h, w, 3) uint8. doing: the present step. changed: the file was
    saved again while it was open.
    """

    status: str = WAITING
    result: Result | None = None
    previous: Result | None = None
    drag: DragAlong | None = None
    thumbnail: np.ndarray | None = None
    error: str = ""
    doing: str = ""
    fraction: float = 0.0
    changed: bool = False


class Predictions:
    """How far each prediction is, by inputs, so that an edit which is undone finds its result at once.

    state: gives the study's present state. cache: takes the meshes with their fields.
    """

    def __init__(self, engine: Engine, jobs: Jobs, cache: LruCache, state: Callable[[], StudyState], notify: Notify):
        self.focused: tuple[str, ...] = ()
        self._engine, self._jobs, self._cache, self._state, self._notify = engine, jobs, cache, state, notify
        self._lock = threading.RLock()
        self._states: dict[ResultInputs, PredictionState] = {}
        self._running: dict[ResultInputs, Job] = {}

    def of(self, inputs: ResultInputs) -> PredictionState:
        with self._lock:
            return self._states.get(inputs, PredictionState())

    def put(self, inputs: ResultInputs, prediction: PredictionState) -> None:
        """Set what is known, and tell everybody."""
        self.remember(inputs, prediction)
        for key in self._state().keys_of(inputs):
            self._notify(Event("prediction", key))

    def remember(self, inputs: ResultInputs, prediction: PredictionState) -> None:
        """Set what is known, and tell nobody."""
        with self._lock:
            self._states[inputs] = prediction

    # Wanting

    def focus(self, keys: Iterable[str], near: Iterable[str]) -> None:
        """These are on screen: they come first and stay in memory; then their neighbours; all else goes back."""
        self.focused = tuple(keys)
        near = tuple(near)
        held = [variant for key in (*self.focused, *near) if (variant := self._state().variant(key))]
        held_inputs = [self._state().inputs_of(variant) for variant in held]
        self._cache.hold(held_inputs)
        for inputs, job in list(self._running.items()):
            if inputs not in held_inputs and job.priority < BACKGROUND:
                self._jobs.prioritise(job, BACKGROUND)
        for priority, wanted in ((FOCUS, self.focused), (NEIGHBOUR, near)):
            for variant in held:
                if variant.key in wanted:
                    self.want(variant, priority, drawn=True)

    def want_all(self) -> None:
        """After an edit: predict what is new, and drop what nobody wants any more."""
        state = self._state()
        for inputs, job in list(self._running.items()):
            if not state.keys_of(inputs):
                job.cancel()
        for number, variant in enumerate(state.variants):
            self.want(variant, BACKGROUND + number, drawn=False)
        for key in self.focused:
            if variant := state.variant(key):
                self.want(variant, FOCUS, drawn=True)

    def want(self, variant: Variant, priority: int, *, drawn: bool) -> None:
        """See to it that a variant's result is, or will be, there; with ``drawn`` its mesh as well."""
        inputs = self._state().inputs_of(variant)
        prediction = self.of(inputs)
        if prediction.status in (FAILED, MISSING):
            return
        there = inputs in self._cache
        if there if drawn else prediction.result is not None and prediction.status == DONE:
            if there and drawn:
                self._notify(Event("drawn", variant.key))
            return
        with self._lock:
            job = self._running.get(inputs)
            if job is not None and not job.is_cancelled:
                if priority < job.priority:
                    self._jobs.prioritise(job, priority)
                return
            self._running[inputs] = self._jobs.submit(
                f"predicting {variant.name}",
                lambda job: self._examine(job, inputs),
                priority=priority,
                on_end=lambda job: self._examined(job, inputs),
            )

    def read_again(self, variant: Variant) -> None:
        """The variant's file has another content than what is known of it."""
        inputs = self._state().inputs_of(variant)
        self._cache.forget(inputs)
        self.put(inputs, replace(self.of(inputs), status=WAITING, error="", changed=True))
        self._notify(Event("watched", variant.key))
        self.want(variant, FOCUS if variant.key in self.focused else NEIGHBOUR, drawn=True)

    def retry(self, variant: Variant) -> None:
        """Read and predict again: after an error, or because somebody asks."""
        inputs = self._state().inputs_of(variant)
        self.put(inputs, replace(self.of(inputs), status=WAITING, error=""))
        self._cache.forget(inputs)
        self.want(variant, FOCUS, drawn=True)

    def is_missing(self, variant: Variant) -> None:
        """The variant's file is gone."""
        inputs = self._state().inputs_of(variant)
        self.put(inputs, _missing(self.of(inputs), inputs.file))

    def forget_jobs(self) -> None:
        """Another study takes the place of this one."""
        for job in list(self._running.values()):
            job.cancel()
        self.focused = ()

    # Doing

    def _examine(self, job: Job, inputs: ResultInputs) -> Examined:
        self.put(inputs, replace(self.of(inputs), status=WORKING, error="", doing="reading"))

        def report(fraction: float, doing: str) -> None:
            job.report(fraction, doing)
            self.put(inputs, replace(self.of(inputs), doing=doing, fraction=fraction))

        return self._engine.call(examine, inputs.file, inputs.reading, inputs.model, values_of(inputs), report=report)

    def _examined(self, job: Job, inputs: ResultInputs) -> None:
        with self._lock:
            if self._running.get(inputs) is job:
                del self._running[inputs]
        old = self.of(inputs)
        if job.state == CANCELLED:
            self.put(inputs, replace(old, status=DONE if old.result else WAITING, doing=""))
            return
        if job.error is not None:
            gone = isinstance(job.error, MeshError) and not inputs.file.exists()
            failed = replace(old, status=FAILED, error=job.error.line, doing="")
            self.put(inputs, _missing(old, inputs.file) if gone else failed)
            return
        done: Examined = job.result
        job.result = None  # the job list must not keep meshes alive
        previous = old.previous
        if old.result is not None and old.result.checksum != done.result.checksum:
            previous = old.result
        keys = self._state().keys_of(inputs)
        wanted = job.priority <= NEIGHBOUR or any(key in self.focused for key in keys)
        self._cache.put(inputs, done.drawn, done.drawn.n_bytes, displace=wanted)
        self.put(inputs, PredictionState(DONE, done.result, previous, done.drag, done.thumbnail, changed=old.changed))
        for key in keys:
            self._notify(Event("drawn", key))


def _missing(prediction: PredictionState, file: Path) -> PredictionState:
    return replace(prediction, status=MISSING, error=f"{file}: is not there any more", doing="")
