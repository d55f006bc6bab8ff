"""Fields on a variant's drawn points that are worked out when somebody looks at them.

``difference``: Cp minus the baseline's. ``sensitivity``: what pushing the surface outwards does to drag. ``truth``: Cp
of the car's CFD, a run of its own or what is published of the design that it is. ``cfd``: Cp minus that. ``lines``: no
field but the lines that the flow draws on the surface. ``parts``: a RegionDrag, which region each point belongs to and
what the regions' drag is.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from drivaer_app.compare import pressure_difference
from drivaer_app.desk.events import Event, Notify
from drivaer_app.desk.jobs import DONE, FAILED, Job, Jobs
from drivaer_app.desk.lru_cache import LruCache
from drivaer_app.desk.morphing import values_of
from drivaer_app.desk.predictions import COMPARED
from drivaer_app.desk.sensitivity import sensitivity_on
from drivaer_app.desk.study_state import ResultInputs, StudyState
from drivaer_app.drawn_car import DrawnCar
from drivaer_app.engine import Engine
from drivaer_app.flow_lines import flow_lines
from drivaer_app.origin import Origin
from drivaer_app.shapes.drag_by_region import region_drag

if TYPE_CHECKING:
    from drivaer_app.truth import CarTruth

DIFFERENCE, SENSITIVITY, CFD, TRUTH = LAYERS = ("difference", "sensitivity", "cfd", "truth")
LINES = "lines"
PARTS = "parts"

Work = tuple[Callable[..., Any], tuple[Any, ...], str]
"""What the engine's process is to do, with what, and its name in the list of jobs."""


class DisplayLayers:
    """state: gives the study's present state. cache: where the drawn cars are, and the layers go.

    case_of: the folder of a inputs's finished CFD run, or None.
    """

    def __init__(
        self,
        engine: Engine,
        jobs: Jobs,
        cache: LruCache,
        state: Callable[[], StudyState],
        case_of: Callable[[ResultInputs], Any],
        notify: Notify,
    ):
        self._engine, self._jobs, self._cache, self._notify = engine, jobs, cache, notify
        self._state, self._case_of = state, case_of
        self._running: dict[tuple, Job] = {}
        self._failed: dict[tuple, tuple[weakref.ref, str]] = {}

    def get(self, name: str, key: str) -> np.ndarray | None:
        """(P,) float32 on ``desk.drawn(key)``'s points, NaN where it is not known; None where it is not there.

        Of ``lines``: (S, 2, 3) float32 m, segments.
        """
        if name not in (CFD, TRUTH):
            return self._kept(name, key)
        truth = self.truth(key)
        if truth is None or name == TRUTH:
            return truth and truth.cp
        drawn = self._cache.get(self._identity(name, key)[1])
        return drawn.cp - truth.cp if drawn.has_fields else None

    def truth(self, key: str) -> CarTruth | None:
        """The CFD's pressure on ``desk.drawn(key)``'s points, where it is there."""
        return self._kept(TRUTH, key)

    def _kept(self, name: str, key: str) -> Any:
        identity = self._identity(name, key)
        kept = None if identity is None else self._cache.get(identity)
        if kept is None:
            return None
        made_on, layer = kept
        return layer if made_on() is self._cache.get(identity[1]) else None  # the file may have been saved again

    def lacking(self, name: str, key: str) -> str:
        """Why there is no such layer, a sentence; empty where it is there, or only has to be worked out."""
        state = self._state()
        if name == DIFFERENCE and key == state.baseline:
            return "this is the baseline itself: choose another variant to see the difference"
        identity = self._identity(name, key)
        if name in (CFD, TRUTH) and (identity is None or identity[2] is None):
            return "no CFD of this variant is known: start a run on the Verify panel, or open a catalogue's design"
        drawn = identity and self._cache.get(identity[1])
        if name == CFD and drawn is not None and not drawn.has_fields:
            return "this model predicts drag only, no fields"
        kept = self._failed.get(identity) if identity else None
        return kept[1] if kept and kept[0]() is self._cache.get(identity[1]) else ""

    def want(self, name: str, key: str) -> None:
        """See to it that a layer is, or will be, there. Does nothing while a mesh that it needs is not in memory."""
        identity = self._identity(name, key)
        if identity is None or self.get(name, key) is not None or self.lacking(name, key):
            return
        job = self._running.get(identity)
        drawn: DrawnCar | None = self._cache.get(identity[1])
        work = None if drawn is None else self._work(name, identity, drawn)
        if work is None or (job is not None and not job.is_over):
            return
        function, arguments, title = work

        def done(job: Job) -> None:
            self._running.pop(identity, None)
            if job.state == DONE:
                layer, job.result = job.result, None
                self._cache.put(identity, (weakref.ref(drawn), layer), getattr(layer, "cp", layer).nbytes)
            elif job.state == FAILED:
                self._failed[identity] = weakref.ref(drawn), job.error.line
            self._notify(Event("layer", key, text=name))

        self._running[identity] = self._jobs.submit(
            title, lambda job: self._engine.call(function, *arguments), priority=COMPARED, on_end=done
        )

    def _identity(self, name: str, key: str) -> tuple | None:
        """What a layer depends on: its name, the inputs, and the baseline's inputs or where the CFD is."""
        name = TRUTH if name == CFD else name  # the one is worked out of the other
        state = self._state()
        variant, baseline = state.variant(key), state.variant(state.baseline)
        if variant is None or (name == DIFFERENCE and baseline is None):
            return None
        inputs = state.inputs_of(variant)
        other = {DIFFERENCE: baseline and state.inputs_of(baseline), TRUTH: self._case_of(inputs) or variant.origin}
        return name, inputs, other.get(name)

    def _work(self, name: str, identity: tuple, drawn: DrawnCar) -> Work | None:
        _, inputs, other = identity
        if name == SENSITIVITY:
            asked = (inputs.file, inputs.reading, inputs.model, values_of(inputs), drawn)
            return sensitivity_on, asked, "finding where shape matters"
        if name == PARTS and drawn.has_fields:
            asked = (inputs.file, inputs.reading, values_of(inputs), drawn)
            return region_drag, asked, "finding the parts of the car"
        if name in (CFD, TRUTH):
            from drivaer_app.desk.verification import run_truth
            from drivaer_app.truth import published_truth

            title = "bringing the CFD's pressure onto the car"
            if isinstance(other, Origin):
                return published_truth, (other, inputs.file, inputs.reading, drawn), title
            return run_truth, (other, drawn), title
        if not drawn.has_fields:
            return None
        if name == LINES:
            return flow_lines, (drawn,), "drawing the flow's lines"
        baseline = self._cache.get(other)
        if baseline is None or not baseline.has_fields:
            return None
        return difference_on, (drawn, baseline), "comparing the pressure"


def difference_on(car: DrawnCar, other: DrawnCar) -> np.ndarray:
    """(P,) float32 Cp of one car minus another's on its drawn points, NaN where that has no such place."""
    found = pressure_difference(car, other)
    return np.where(found.counterpart, found.delta, np.float32(np.nan))
