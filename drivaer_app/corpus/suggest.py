"""Which designs are worth a simulation: those that the model knows least about, and unlike each other.

A design is worth much where it lies outside of what the model learnt from (novelty) and where the model's two answers,
the drag network's and the integrated surface fields', disagree. Of those the ones are taken that lie far from each
other in the drag network's own features: a greedy cover as in Sener and Savarese, "Active Learning for Convolutional
Neural Networks: A Core-Set Approach" (ICLR 2018), weighted by what each is worth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from data.car import CarMesh
from data.corpora.case_files import CASES
from data.errors import DrivAerError
from data.load import place_car, sample_car
from data.mesh import RawMesh
from drivaer_app.corpus.families import known_families
from drivaer_app.corpus.modes import SURFACE, load_surface
from drivaer_app.corpus.runs import FAILURES, FamilyDesign, ReadyFamily
from drivaer_app.corpus.settings import load_settings
from drivaer_app.models import find_model


@dataclass(frozen=True, eq=False)
class Candidate:
    """A design that could be simulated. name: of a corpus's design, or a file. car: in the car frame, made when asked.

    values: of its handles, where it is a corpus's design.
    """

    name: str
    car: Callable[[], CarMesh]
    values: dict[str, float] | None = None


@dataclass(frozen=True, eq=False)
class Suggestion:
    """A candidate with what the model says. cd with cd_low to cd_high; cd_fields: from the integrated fields.

    novelty: above 1 is outside of what was learnt from. worth: what choosing it counts, before it is spread apart.
    """

    candidate: Candidate
    cd: float
    cd_low: float
    cd_high: float
    cd_fields: float
    novelty: float
    worth: float


def suggest(
    candidates: Sequence[Candidate],
    n: int,
    model: str | Path | None = None,
    device: str = "auto",
    on_each: Callable[[int], None] | None = None,
) -> list[Suggestion]:
    """The n candidates that would teach the model most, the most telling first; each takes about two seconds.

    on_each: called with how many have been looked at. Raises DrivAerError for a car that cannot be predicted, or
    no candidates; ModelError.
    """
    from gnn.input_frame import InputFrame
    from gnn.surrogate import Surrogate

    if not candidates:
        raise DrivAerError("there is nothing to choose from", fix="give meshes, or a corpus with designs to go")
    surrogate = Surrogate.load(find_model(model), device)
    if not (surrogate.gives_fields and surrogate.gives_drag and surrogate.config.answers_apart):
        what = f"{surrogate.name} does not give both drag and fields, whose disagreement counts"
        raise DrivAerError(what, fix="choose a model with both networks")
    seen, features = [], []
    for number, candidate in enumerate(candidates, 1):
        car = candidate.car()
        sample = sample_car(car, surrogate.n_points)
        answer = surrogate.predict(sample, car.frontal_area)
        fields = answer.cd_pressure + answer.cd_friction
        doubt = abs(fields - answer.compared) / answer.answers_apart
        worth = answer.novelty + doubt
        numbers = (answer.cd, answer.cd_low, answer.cd_high, fields, answer.novelty, worth)
        seen.append(Suggestion(candidate, *(float(value) for value in numbers)))
        features.append(surrogate.drag_features(InputFrame.of(sample.points).to_network(sample.points)))
        if on_each:
            on_each(number)
    chosen = spread_apart(np.array([s.worth for s in seen]), np.array(features), n)
    return [seen[i] for i in chosen]


def spread_apart(worth: np.ndarray, features: np.ndarray, n: int) -> list[int]:
    """Up to n rows, in order: the one worth most, then by worth times the distance to the nearest one taken.

    worth (N,). features (N, d).
    """
    chosen = [int(np.argmax(worth))]
    nearest = np.full(len(worth), np.inf)
    while len(chosen) < min(n, len(worth)):
        nearest = np.minimum(nearest, np.linalg.norm(features - features[chosen[-1]], axis=1))
        gain = worth * nearest
        gain[chosen] = -np.inf
        chosen.append(int(np.argmax(gain)))
    return chosen


def designs_to_go(work: Path, n_of_each: int) -> list[Candidate]:
    """The next designs of each family of a corpus that are neither done nor failed."""
    settings = load_settings(work)
    found = []
    for family in known_families(work, settings):
        if (family.folder / SURFACE).exists():
            ready = ReadyFamily(family)
            found += [_candidate(ready, design) for design in islice(_undone(ready, work), n_of_each)]
    return found


def _undone(ready: ReadyFamily, work: Path) -> Iterator[FamilyDesign]:
    index = 0
    while True:
        name = f"{ready.name}_{index:04d}"
        if not (work / CASES / f"{name}.npz").exists() and not (work / FAILURES / f"{name}.json").exists():
            yield FamilyDesign.of(ready, index)
        index += 1


def _candidate(ready: ReadyFamily, design: FamilyDesign) -> Candidate:
    def car() -> CarMesh:
        surface = load_surface(ready.family)
        vertices, faces = surface.mesh_on(surface.handles.amounts_of(design.values))
        return place_car(RawMesh(vertices, faces, unit="m"), unit="m", up="z", forward="-x")

    return Candidate(design.name, car, design.values)
