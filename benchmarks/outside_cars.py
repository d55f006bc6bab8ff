"""What `benchmarks/outside.py` asks a model: cars with a truth from outside, and what was answered, kept on disk.

Every answer is kept under its question's key in a JSON file together with the model's checksum: another model answers
everything anew, the same one only what is new.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
sys.path.insert(0, str(ROOT))

from benchmarks import drivaer_cars  # noqa: E402
from benchmarks.ahmed import ahmed_body  # noqa: E402
from data.car import CarMesh  # noqa: E402
from data.corpora.pressure import read_pressure  # noqa: E402
from data.corpora.published_runs import PublishedRun, read_runs  # noqa: E402
from data.corpora.runs import AHMEDML  # noqa: E402
from data.load import load_car, place_car  # noqa: E402
from data.mesh import RawMesh  # noqa: E402
from data.replacing import replacing  # noqa: E402
from drivaer_app.drawn_car import drawn_car  # noqa: E402
from drivaer_app.predict import Predictor  # noqa: E402
from drivaer_app.prediction_settings import ModelIdentity  # noqa: E402
from drivaer_app.shapes.ahmed import AhmedBody  # noqa: E402
from drivaer_app.shapes.handles import Handle  # noqa: E402
from drivaer_app.shapes.morph import Morph  # noqa: E402
from drivaer_app.truth import truth_on  # noqa: E402
from factory.morph_generator import MorphGenerator  # noqa: E402

CARS = SHARED / "meshes" / "cars"
SAMPLES = ROOT / "resources" / "samples"
AHMED_TABLES = SHARED / "outside" / "ahmedml"
DRIVAERML_TABLES = SHARED / "reference" / "drivaerml"

Answer = dict[str, Any]
"""cd, low, high, cl (None where the model gives none), area m², novelty, known (in distribution), law (of differences)
as its numbers; further what a question adds."""


@dataclass(frozen=True)
class Question:
    """key: GROUP/NAME, unique. ask: takes a predictor and the arguments, gives the answer."""

    key: str
    ask: Callable[..., Answer]
    arguments: tuple = ()


# Cars


@lru_cache(maxsize=1)
def _generator() -> MorphGenerator:
    return MorphGenerator(SHARED / "corpus", SHARED / "geometry" / "drivaer_fastback")


def placed(vertices: np.ndarray, faces: np.ndarray) -> CarMesh:
    """A surface in metres with its nose towards -x as a car."""
    return place_car(RawMesh(vertices, faces.astype(np.int32)), unit="m", up="z", forward="-x")


def corpus_car(style: str, floor: str) -> CarMesh:
    """The DrivAer fastback, or bent to another style as the corpus's generator does; its smooth floor is a plate."""
    return placed(*_generator().mesh(_generator().neutral(style), floor))


def drivaer_car(style: str, floor: str) -> CarMesh:
    """The DrivAer with another roof line, and closed panels for a smooth floor: as near as we have the tunnel's."""
    parts = drivaer_cars.car(style, floor).values()
    starts = np.cumsum([0, *(len(vertices) for vertices, _ in parts)])
    faces = [faces + start for (_, faces), start in zip(parts, starts[:-1], strict=True)]
    return placed(np.concatenate([vertices for vertices, _ in parts]), np.concatenate(faces))


@lru_cache(maxsize=1)
def ahmed_runs() -> dict[int, PublishedRun]:
    return read_runs(AHMED_TABLES, AHMEDML)


@lru_cache(maxsize=1)
def _morph(name: str) -> Morph:
    return Morph.of(BENT[name]())


def _sample_notchback() -> CarMesh:
    return load_car(SAMPLES / "notchback.stl")


def _drivaer_fastback() -> CarMesh:
    return corpus_car("fastback", "detailed")


BENT: dict[str, Callable[[], CarMesh]] = {"fastback": _drivaer_fastback, "notchback": _sample_notchback}
"""The cars whose handles are tried."""


# Questions


def ask(predictor: Predictor, car: CarMesh | Path) -> Answer:
    """One car, as a user would ask; a file is read as a user's is."""
    p = predictor.predict(car)
    law = p.difference_law and list(asdict(p.difference_law).values())
    numbers = {"cd": p.cd, "low": p.cd_low, "high": p.cd_high, "cl": p.cl, "area": p.frontal_area, "novelty": p.novelty}
    rounded = {name: None if value is None else round(float(value), 6) for name, value in numbers.items()}
    return {**rounded, "known": p.in_distribution, "law": law}


def ask_drivaer(predictor: Predictor, style: str, floor: str) -> Answer:
    return ask(predictor, drivaer_car(style, floor))


def ask_corpus_car(predictor: Predictor, style: str, floor: str) -> Answer:
    return ask(predictor, corpus_car(style, floor))


def ask_tunnel_ahmed(predictor: Predictor, slant_deg: float) -> Answer:
    return ask(predictor, placed(*ahmed_body(slant_deg)))


def ask_ahmed_run(predictor: Predictor, run: int) -> Answer:
    return ask(predictor, placed(*AhmedBody.of_parameters(ahmed_runs()[run].parameters).mesh()))


def ask_pressure(predictor: Predictor, file: Path) -> Answer:
    """How far predicted Cp is from the one that AhmedML publishes on the same surface."""
    p = predictor.predict(file)
    pressure = read_pressure(file, AHMEDML.name)
    error = truth_on(drawn_car(p), replace(pressure, points=p.car.frame.to_car(pressure.points))).error
    return {"relative_l2": round(error.relative_l2, 5), "mae": round(error.mae, 5), "share": round(error.share, 4)}


def ask_bent(predictor: Predictor, car: str, handle: str, step: float, by_value: bool) -> Answer:
    """A car with one handle moved by ``step``, mm or degrees, or as far as it goes; told is how far (``by``).

    by_value: the handle's own value counts, else how far the car's surface goes at most.
    """
    morph = _morph(car)
    if handle not in morph.handles:
        return {"lacks": handle}
    found = morph.handles[handle]
    scale = 1.0 if by_value and found.unit == "deg" else 0.001
    value, gone = step_value(morph, found, scale * step, by_value)
    return {**ask(predictor, morph.apply({handle: value})), "by": round(gone / scale, 3), "value": round(value, 4)}


def step_value(morph: Morph, handle: Handle, step: float, by_value: bool) -> tuple[float, float]:
    """The handle's value for a step, within its range, and the step that it comes to, signed as the value.

    step: the value itself, or m that the surface goes at most.
    """
    end = handle.high if step > 0 else handle.low
    if by_value:
        value = float(np.clip(step, handle.low, handle.high))
        return value, value

    def moved(value: float) -> float:
        return float(np.sign(value) * np.abs(morph.displacement(morph.car.vertices, {handle.name: value})).max())

    value = end
    for _ in range(_STEPS):  # a tangent is nearly proportional
        value = float(np.clip(value * abs(step / moved(value)), min(end, 0.0), max(end, 0.0)))
    return value, moved(value)


_STEPS = 4


# Answers


class Answers:
    """What one model answered, in a JSON file; what another model answered there is forgotten.

    model: as a user names it, None for the bundled one.
    """

    def __init__(self, file: Path, model: str | None = None):
        self.file, self._name = file, model
        identity = ModelIdentity.of(model)
        self.model, self._key = identity.signature, _key(identity)
        stored = json.loads(file.read_text("utf-8")) if file.exists() else {}
        self.of: dict[str, Answer] = stored.get("answers", {}) if stored.get("key") == self._key else {}

    def keep(self) -> None:
        rows = [f"  {json.dumps(key)}: {json.dumps(self.of[key])}" for key in sorted(self.of)]
        head = f' "model": {json.dumps(self.model)},\n "key": {json.dumps(self._key)},\n'
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(self.file) as unfinished:
            unfinished.write_text("{\n" + head + ' "answers": {\n' + ",\n".join(rows) + "\n }\n}\n", "utf-8")

    def ask(self, questions: Iterable[Question], n_workers: int) -> Iterator[str]:
        """Ask what is not known yet, in so many processes of one thread each; gives the keys as they are answered."""
        new = [question for question in questions if question.key not in self.of]
        if not new:
            return
        os.environ["OMP_NUM_THREADS"] = "1"
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(n_workers, spawn, _load, (self._name,)) as pool:
            running = {pool.submit(_answer, question): question.key for question in new}
            for n, done in enumerate(as_completed(running), 1):
                self.of[running[done]] = done.result()
                if n % _KEPT_EVERY == 0:
                    self.keep()
                yield running[done]
        self.keep()


def _key(model: ModelIdentity) -> str:
    """A name for all that a model's answers depend on; by which command it was made is not part of that."""
    config = model.config.document() if model.config else {}
    stored = {name: value for name, value in config.items() if name != "made_by"}
    return hashlib.sha256((model.signature + json.dumps(stored, sort_keys=True)).encode()).hexdigest()[:16]


_KEPT_EVERY = 20
_predictor: Predictor | None = None


def _load(model: str | None) -> None:
    global _predictor
    _predictor = Predictor(model, device="cpu")


def _answer(question: Question) -> Answer:
    return question.ask(_predictor, *question.arguments)
