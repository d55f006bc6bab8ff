"""Ahmed bodies to learn from, and the two branches of their drag."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from drivaer_app.shapes.ahmed import AhmedBody
from factory.ahmed_bodies import AhmedFit, AhmedShape, bodies_of, random_bodies
from factory.real_step import learnt_runs
from gnn.evaluation import r2_score

TABLES = Path(__file__).resolve().parents[3] / "shared" / "outside" / "ahmedml"
needs_ahmedml = pytest.mark.skipif(not TABLES.exists(), reason="needs ../shared/outside/ahmedml")


def test_a_cloud_is_as_prediction_sees_the_body():
    """Enlarged to a car's length, centred, above the road."""
    cloud = AhmedShape(AhmedBody()).draw(1024, np.random.default_rng(0))
    assert cloud.points.shape == (1024, 3)
    assert 4.0 < np.ptp(cloud.points[:, 0]) < 5.5
    assert abs(cloud.points[:, 0].max() + cloud.points[:, 0].min()) < 0.1
    assert np.linalg.norm(cloud.normals, axis=1) == pytest.approx(1.0, abs=1e-3)


def test_random_bodies_stay_within_what_they_are_like():
    like = [AhmedBody(length=1.0, slant_deg=10.0), AhmedBody(length=1.2, width=0.45, slant_deg=40.0)]
    some = random_bodies(like, 20, seed=0)
    assert len(some) == 20
    assert all(1.0 <= body.length <= 1.2 and 10.0 <= body.slant_deg <= 40.0 for body in some)
    assert some == random_bodies(like, 20, seed=0)


@needs_ahmedml
def test_the_fit_knows_both_branches():
    """Nine tenths to learn from: the rest is met as well as half of its variance and more."""
    runs = learnt_runs(TABLES)
    held = np.arange(len(runs)) % 10 == 0
    kept = [run for run, is_held in zip(runs, held, strict=True) if not is_held]
    tried = [run for run, is_held in zip(runs, held, strict=True) if is_held]
    found = AhmedFit.of(kept)(bodies_of(tried))
    assert r2_score(found[:, 0], np.array([run.cd_own for run in tried])) > 0.5
    assert r2_score(found[:, 1], np.array([run.cl_own for run in tried])) > 0.7


@needs_ahmedml
def test_nothing_of_the_official_test_set_is_learnt_from():
    from data.corpora.published_runs import read_manifest

    numbers = {run.number for run in learnt_runs(TABLES)}
    assert not numbers & set(read_manifest(TABLES)["full"]["test"])
    assert len(numbers) > 400 and not numbers & {105, 159, 492}
