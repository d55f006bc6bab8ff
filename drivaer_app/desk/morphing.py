"""A variant that is being bent by its handles: its drawn car follows at once, its Cd a moment later.

The displacements of handles add, and each is an amount times weights that do not change. The engine's process works
the weights out once; from then on the drawn car of any values is a few sums, which need no other process.

Cd while the handles move changes by what a part of the car's own sample points, carried along, says: no rays are
traced, and which points were sampled does not blur the change. Once they rest, the bent car is predicted as any is.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from data.errors import DrivAerError, MeshError
from drivaer_app.desk.jobs import FAILED, Job, Jobs
from drivaer_app.desk.study_state import ResultInputs
from drivaer_app.drawn_car import DrawnCar, drawn_car
from drivaer_app.engine import Engine
from drivaer_app.fields import vertex_normals
from drivaer_app.predict import Predictor, Reading, load
from drivaer_app.results import Result

if TYPE_CHECKING:
    from data.mesh import SurfaceSample
    from drivaer_app.shapes.handles import Handle
    from drivaer_app.shapes.morph import Morph, MorphField

Values = tuple[tuple[str, float], ...]
Report = Callable[[float, str], None]

_LANE = "morph"
_FIRST = -1
_QUICK_CLOUDS = 1
_MOST_NAMED = 3


@dataclass(frozen=True, eq=False)
class DeformationBasis:
    """What moves a drawn car. field: its handles. weights: as Morph.weights_at, for all of ``places_of`` the car."""

    field: MorphField
    weights: Mapping[str, list[tuple[int, np.ndarray]]]

    @property
    def handles(self) -> dict[str, Handle]:
        return self.field.handles

    def displacement(self, values: Mapping[str, float], own: Mapping[str, float]) -> np.ndarray:
        """(N, 3) float32 m from where ``own`` values put the places to where ``values`` do."""
        moved = np.zeros((3, len(next(iter(self.weights.values()))[0][1])), np.float32)
        for name in {*values, *own}:
            amount = self.field.moves[name].amount
            neutral = self.handles[name].neutral
            change = np.float32(amount(values.get(name, neutral)) - amount(own.get(name, neutral)))
            if change:
                for axis, weight in self.weights[name]:
                    moved[axis] += change * weight
        return moved.T


@dataclass(frozen=True, eq=False)
class Bending:
    """A variant in hand, and how far it is bent.

    drawn: as it is without this. own: the values that it has by itself; values: those asked for. A value is in the
    handle's own unit. bent: drawn with bent_values, which follow ``values``. cd: of cd_values, on the measured frontal
    area; result: the whole prediction where that is no longer the quick one. repainted: the car of cd_values with its
    own fields, once they are there. error: why there is nothing, one line.
    """

    key: str
    inputs: ResultInputs
    drawn: DrawnCar
    own: Mapping[str, float]
    values: Mapping[str, float]
    basis: DeformationBasis | None = None
    bent: DrawnCar | None = None
    bent_values: Mapping[str, float] | None = None
    cd: float | None = None
    cd_values: Mapping[str, float] | None = None
    result: Result | None = None
    repainted: DrawnCar | None = None
    error: str = ""

    @property
    def handles(self) -> dict[str, Handle]:
        return {} if self.basis is None else self.basis.handles

    @property
    def shown(self) -> DrawnCar:
        """As it is bent, in its own colours where those are known, else in the unbent car's."""
        if self.repainted is not None and self.cd_values == self.values:
            return self.repainted
        return self.drawn if self.bent is None else self.bent

    def moved_by(self, name: str) -> np.ndarray:
        """(P,) float32 in 0..1: how far a handle moves each of ``drawn``'s points, of the farthest that it moves."""
        moved = np.zeros((3, len(self.drawn.points)), np.float32)
        for axis, weight in self.basis.weights[name]:
            moved[axis] += weight[: moved.shape[1]]
        far = np.linalg.norm(moved, axis=0)
        return far / max(float(far.max()), 1e-9)

    @property
    def changes(self) -> dict[str, float]:
        """The values that are not neutral."""
        return {n: v for n, v in self.values.items() if n not in self.handles or v != self.handles[n].neutral}

    @property
    def is_bent(self) -> bool:
        """Whether it differs from the variant, and from the car of the file, which is there already."""
        return bool(self.changes) and self.changes != dict(self.own)

    @property
    def in_words(self) -> str:
        """``roof height +20 mm, boat tail +3°``."""
        parts = [
            f"{name.replace('_', ' ')} {amount_in_words(self.handles[name], v)}" for name, v in self.changes.items()
        ]
        more = [f"{len(parts) - _MOST_NAMED} more"] if len(parts) > _MOST_NAMED else []
        return ", ".join(parts[:_MOST_NAMED] + more)


class Morphing:
    """One variant at a time, taken by its handles. on_change: called with its key, from any thread."""

    def __init__(self, engine: Engine, jobs: Jobs, on_change: Callable[[str], None]):
        self.now: Bending | None = None
        self.left: dict[tuple[str, ResultInputs], dict[str, float]] = {}
        """Values of variants that were left in the middle of bending them; they come back with the variant."""
        self._engine, self._jobs, self._on_change = engine, jobs, on_change
        self._lock = threading.Lock()
        self._drawing = _Newest()
        self._predicting = _Newest()

    def hold(self, key: str, inputs: ResultInputs, drawn: DrawnCar) -> None:
        """Take another variant in hand, or the same one as its file is now; its handles come in the background."""
        with self._lock:
            now = self.now
            same = now is not None and (now.key, now.inputs) == (key, inputs)
            if same and now.drawn is drawn and (now.basis is not None or not now.error):
                return
            own = dict(values_of(inputs))
            if now is not None and now.key != key and now.is_bent:
                self.left[now.key, now.inputs] = dict(now.values)
            begun = now.values if same else self.left.pop((key, inputs), own)
            held = Bending(key, inputs, drawn, own, begun)
            self.now = held

        def work(job: Job) -> DeformationBasis:
            places = places_of(drawn)
            return self._engine.call(deformation_basis, inputs.file, inputs.reading, values_of(inputs), places)

        def done(job: Job) -> None:
            if job.state == FAILED:
                self._change(held, error=job.error.line)
            elif job.result is not None:
                now = self._change(held, basis=job.result)
                job.result = None
                if now is not None and now.is_bent:
                    self.bend(now.values, exact=True)

        self._jobs.submit("finding the handles", work, priority=_FIRST, on_end=done)

    def bend(self, values: Mapping[str, float], *, exact: bool) -> None:
        """Ask for other values; what was asked before and is not done yet falls away.

        exact: the handles rest: predict the bent car as any variant. Results come by ``on_change``.
        """
        held = self._change(self.now, values=dict(values), error="") if self.now else None
        if held is None or held.basis is None:
            return
        if self._drawing.ask((held, dict(values))):
            self._jobs.submit("bending", self._draw, lane=_LANE, on_end=lambda _: self._drawing.end())
        if not held.is_bent:
            self._predicting.ask(None)
            self._change(held, cd=None, cd_values=None, result=None, repainted=None)
        elif self._predicting.ask((held, dict(values), exact)):
            self._jobs.submit(
                "predicting the bent car", self._predict, priority=_FIRST, on_end=lambda _: self._predicting.end()
            )

    def put(self, key: str, inputs: ResultInputs, values: Mapping[str, float] | None) -> None:
        """Bring a variant's handles to other values, also of one that is not in hand; None to its own."""
        now = self.now
        if now is not None and (now.key, now.inputs) == (key, inputs):
            self.bend(now.own if values is None else values, exact=True)
        elif values is None:
            self.left.pop((key, inputs), None)
        else:
            self.left[key, inputs] = dict(values)

    @property
    def half_bent(self) -> dict[str, dict[str, float]]:
        """Values by variant's key of all that is bent and not kept: what a crash must not take."""
        bent = {key: values for (key, _), values in self.left.items()}
        now = self.now
        return {**bent, now.key: dict(now.values)} if now is not None and now.is_bent else bent

    def forget(self) -> None:
        """Another study takes the place of this one."""
        with self._lock:
            self.now = None
            self.left.clear()

    # Inside

    def _draw(self, job: Job) -> None:
        while (asked := self._drawing.take()) is not None:
            held, values = asked
            drawn = None if values == held.own else bent_car(held.basis, held.drawn, values, held.own)
            self._change(held, bent=drawn, bent_values=values)

    def _predict(self, job: Job) -> None:
        while (asked := self._predicting.take()) is not None:
            held, values, exact = asked
            r = held.inputs
            what = (r.file, r.reading, r.model, tuple(sorted(values.items())))
            try:
                if exact:
                    result, repainted = self._engine.call(predict_bent, *what)
                    self._publish(held, values, cd=result.cd, result=result, repainted=repainted)
                else:
                    self._publish(held, values, cd=self._engine.call(quick_cd, *what), result=None, repainted=None)
            except DrivAerError as error:
                self._publish(held, values, cd=None, result=None, repainted=None, error=error.line)

    def _publish(self, held: Bending, values: Mapping[str, float], **changes) -> None:
        if self.now is not None and (self.now.is_bent or "error" in changes):
            self._change(held, cd_values=values, **changes)

    def _change(self, held: Bending, **changes) -> Bending | None:
        """What is in hand with changes; None where that is no longer what ``held`` was."""
        with self._lock:
            now = self.now
            if now is None or now.key != held.key or now.drawn is not held.drawn or now.inputs != held.inputs:
                return None
            self.now = now = replace(now, **changes)
        self._on_change(now.key)
        return now


class _Newest:
    """A place for one request: a new one takes the place of the one before."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked = None
        self._busy = False

    def ask(self, what: tuple | None) -> bool:
        """Returns whether nobody is there to take it yet: then somebody is to be sent."""
        with self._lock:
            self._asked = what
            if what is None or self._busy:
                return False
            self._busy = True
            return True

    def take(self) -> tuple | None:
        """The newest request; None, and nobody is there any more, where there is none."""
        with self._lock:
            what, self._asked = self._asked, None
            self._busy = what is not None
            return what

    def end(self) -> None:
        """Nobody is there any more, however it ended: somebody may have cancelled it before it began."""
        with self._lock:
            self._busy = False


def values_of(inputs: ResultInputs) -> Values:
    """Of the handles; none for the car of a file."""
    return inputs.morph.values if inputs.morph else ()


def amount_in_words(handle: Handle, value: float) -> str:
    """``+20 mm``, ``+3.5°``, ``× 1.10``."""
    if handle.unit == "m":
        return f"{value * 1000:+.0f} mm".replace("-", "\N{MINUS SIGN}")
    if handle.unit == "deg":
        return f"{round(value, 1):+g}°".replace("-", "\N{MINUS SIGN}")
    return f"× {value:.2f}"


def changed_in_words(now: Bending, before: Mapping[str, float]) -> str:
    """``boat tail +4°``: the handle whose value is another than before, or how many are."""

    def value(values: Mapping[str, float], name: str) -> float:
        return values.get(name, now.handles[name].neutral)

    changed = [name for name in now.handles if value(now.values, name) != value(before, name)]
    if len(changed) != 1:
        return f"{len(changed)} handles"
    (name,) = changed
    return f"{name.replace('_', ' ')} {amount_in_words(now.handles[name], value(now.values, name))}"


def places_of(drawn: DrawnCar) -> np.ndarray:
    """(N, 3) float32: all that moves with a drawn car: points, ends of creases, ends of open edges."""
    return np.concatenate([drawn.points, drawn.creases.reshape(-1, 3), drawn.open_edges.reshape(-1, 3)])


def bent_car(
    basis: DeformationBasis, drawn: DrawnCar, values: Mapping[str, float], own: Mapping[str, float]
) -> DrawnCar:
    """A drawn car of ``own`` values with others. Its fields stay as they were: they are the unbent car's."""
    places = places_of(drawn) + basis.displacement(values, own)
    n, m = len(drawn.points), len(drawn.points) + 2 * len(drawn.creases)
    points = np.ascontiguousarray(places[:n])
    normals = vertex_normals(points, drawn.faces)  # creases stay sharp: their points are there once for each side
    return replace(
        drawn,
        points=points,
        normals=normals,
        creases=places[n:m].reshape(-1, 2, 3),
        open_edges=places[m:].reshape(-1, 2, 3),
    )


# In the engine's process


def deformation_basis(file: Path, reading: Reading, own: Values, places: np.ndarray) -> DeformationBasis:
    """own: the values with which ``places`` (N, 3) m lie on the car. Raises DrivAerError where it has no handles."""
    morph = _morph(file, reading)
    return DeformationBasis(morph.field, morph.weights_at(places, dict(own)))


def quick_cd(file: Path, reading: Reading, model: str | None, values: Values) -> float:
    """Cd of the car as it is, and what a part of its own sample points, moved, say of the change.

    Raises DrivAerError.
    """
    from drivaer_app.predict import predictor_of

    morph, predictor = _morph(file, reading), predictor_of(model)
    sample, whole, part = _unbent(morph, predictor)
    moved = sample.points + morph.displacement(sample.points, dict(values)).astype(np.float32)
    return whole + predictor.cd(replace(sample, points=moved), _QUICK_CLOUDS) - part


def predict_bent(file: Path, reading: Reading, model: str | None, values: Values) -> tuple[Result, DrawnCar]:
    """What ``examine`` would say of the bent car, and the car in its own colours. Raises DrivAerError."""
    from drivaer_app.files import checksum_of
    from drivaer_app.predict import predictor_of

    morph, predictor = _morph(file, reading), predictor_of(model)
    prediction = predictor.predict(morph.apply(dict(values)))
    return Result.of(prediction, checksum_of(file)), drawn_car(prediction)


@lru_cache(maxsize=2)
def _unbent(morph: Morph, predictor: Predictor) -> tuple[SurfaceSample, float, float]:
    """The car's sample, its Cd, and the Cd that a part of the sample gives."""
    sample = predictor.sample(morph.car)
    return sample, predictor.cd(sample), predictor.cd(sample, _QUICK_CLOUDS)


def _morph(file: Path, reading: Reading) -> Morph:
    try:
        stat = os.stat(file)
    except OSError as error:
        raise MeshError(f"cannot be read ({error.strerror})", file=file, fix="check the name") from error
    return _morph_as_of(file, reading, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=2)
def _morph_as_of(file: Path, reading: Reading, time: int, size: int) -> Morph:
    from drivaer_app.shapes.morph import Morph

    return Morph.of(load(file, reading))
