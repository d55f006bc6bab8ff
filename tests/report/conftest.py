"""A batch of real results under all kinds of names, for the reports to be made of."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from drivaer_app.batch.store import Batch, Store
from drivaer_app.batch.work import PICTURE, VIEW, CarOutcome, Task, work
from drivaer_app.prediction_settings import ModelIdentity, PredictionSettings

os.environ.setdefault("OMP_NUM_THREADS", "1")

HOSTILE = (
    '=HYPERLINK("http://example.com","x").stl',
    "+1+1.stl",
    "-2.stl",
    "@SUM(A1).stl",
    "'quoted.stl",
    "<script>alert(1)</script>.stl",
    '"><img src=x onerror=alert(1)>.stl',
    "</script><script>alert(2)</script>.stl",
    "{{ 7*7 }}{% raw %}.stl",
    "..\\..\\evil.stl",
    "....evil.stl",
    "车 عربة Größe ✈.stl",
    'a,b;c"d.stl',
    "line\nbreak\ttab.stl",
    "| pipe | *star* [x](javascript:alert(1)).stl",
    "a" * 240 + ".stl",
    "x" * 60 + "/" + "y" * 300 + ".stl",
)


@pytest.fixture(scope="session")
def predicted(sample_file, tmp_path_factory) -> CarOutcome:
    """One real outcome with pictures."""
    import fast_simplification
    import trimesh

    mesh = trimesh.load(sample_file)
    vertices, faces = fast_simplification.simplify(mesh.vertices, mesh.faces, target_count=6000)
    file = tmp_path_factory.mktemp("car") / "car.stl"
    trimesh.Trimesh(vertices, faces, process=False).export(file)
    outcome = work(Task(str(file), PredictionSettings(None, ModelIdentity.of(None).digest), wants=(PICTURE, VIEW)))
    assert not outcome.error
    return outcome


def shifted(outcome: CarOutcome, number: int, **more) -> CarOutcome:
    """The outcome as of another mesh: Cd a little higher, whatever else is asked for in both its forms."""
    shift = 0.002 * number
    coefficients = {name: outcome.result[name] + shift for name in ("cd", "cd_low", "cd_high")}
    result = {**outcome.result, **coefficients, **more}
    numbers = {name: round(value, 5) for name, value in coefficients.items()}
    record = {**outcome.record, **numbers, **{k: v for k, v in more.items() if k in outcome.record}}
    checksum = f"{number:064x}"
    return replace(outcome, checksum=checksum, result={**result, "checksum": checksum}, record=record)


INSIDE = {"novelty": 0.5, "in_distribution": True, "warnings": [], "novelty_reason": ""}


@pytest.fixture(scope="session")
def store_folder(predicted, tmp_path_factory) -> Path:
    """Three plain cars and those with hostile names; one in three outside; two failures; the second is the baseline."""
    folder = tmp_path_factory.mktemp("results")
    identity = ModelIdentity.of(None)
    settings = PredictionSettings(None, identity.digest)
    with Store.create(folder) as store:
        store.begin(settings, identity, Path("/cars/plain_1.stl"))
        names = [*(f"plain_{i}.stl" for i in range(3)), *HOSTILE]
        for i, name in enumerate(names):
            more = INSIDE if i % 3 else {"novelty": 1.7, "in_distribution": False}
            outcome = replace(shifted(predicted, i, **more), file=f"/cars/{name}")
            if i > 4:
                outcome = replace(outcome, kept={})
            design = {"boat_tail": 0.5 * i, "=style": "=estate" if i % 2 else "suv"}
            store.put([outcome], settings, {Path(outcome.file): design})
        for name in ("broken.stl", "=cmd|' /C calc'!A0.stl"):
            failed = CarOutcome(f"/cars/{name}", error=f"/cars/{name}: is empty; export it again")
            store.put([failed], settings, {})
    return folder


@pytest.fixture(scope="session")
def batch(store_folder) -> Batch:
    with Store.open(store_folder) as store:
        return store.batch()
