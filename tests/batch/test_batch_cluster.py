"""Batches on a real Dask cluster of processes on this machine."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from data.errors import DrivAerError, ModelError
from drivaer_app.batch import cluster
from drivaer_app.batch.run import BatchPlan, run
from drivaer_app.batch.store import Store
from drivaer_app.batch.work import work
from drivaer_app.predict import Predictor
from drivaer_app.prediction_settings import ModelIdentity, PredictionSettings

pytest.importorskip("distributed", reason="needs dask.distributed (requirements-dev.txt)")


@pytest.fixture(scope="module")
def local_cluster():
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as made:
        yield made


def _plan(files) -> BatchPlan:
    identity = ModelIdentity.of(None)
    return BatchPlan.of(files, PredictionSettings(None, identity.digest), identity)


@pytest.mark.skipif(sys.platform == "win32", reason="kills by a signal")
def test_a_lost_worker_costs_nothing_and_results_are_the_local_ones(tmp_path, make_cars, local_cluster):
    files = make_cars(tmp_path / "cars", 4)
    (tmp_path / "cars" / "bad.stl").write_bytes(b"solid")
    plan = _plan([*files, tmp_path / "cars" / "bad.stl"])
    killed = []

    def kill_one(tally, outcome):
        if not killed:
            killed.append(next(iter(local_cluster.scheduler_info["workers"])))
            pid = next(w.pid for w in local_cluster.workers.values() if w.worker_address == killed[0])
            os.kill(pid, signal.SIGKILL)

    with Store.create(tmp_path / "there") as store:
        address = local_cluster.scheduler_address
        tally = run(plan, store, lambda tasks: cluster.outcomes(tasks, address), kill_one)
        there = store.batch()
    with Store.create(tmp_path / "here") as store:
        run(plan, store, lambda tasks: ([work(task)] for task in tasks))
        here = store.batch()
    assert killed and (tally.n_predicted, len(tally.failures)) == (4, 1)
    for one, other in zip(there.cars, here.cars, strict=True):
        assert (one.file, one.checksum, one.error) == (other.file, other.checksum, other.error)
        if one.record is not None:
            assert {**one.record, "seconds": None} == {**other.record, "seconds": None}
            assert one.result.cd == other.result.cd


def test_meshes_that_are_sent_give_the_same(tmp_path, make_cars, local_cluster):
    (file,) = make_cars(tmp_path / "cars", 1)
    expected = Predictor().predict(file).cd
    with Store.create(tmp_path / "r") as store:
        sent = lambda tasks: cluster.outcomes(_moved(tasks, file), local_cluster.scheduler_address)  # noqa: E731
        run(_plan([file]), store, sent)
        (car,) = store.batch().cars
    assert car.result.cd == expected


def _moved(tasks, file):
    """The tasks with their meshes' bytes, and the meshes gone."""
    from dataclasses import replace

    for task in tasks:
        yield replace(task, content=file.read_bytes())
        file.unlink()


def test_another_model_on_the_workers_ends_the_batch(tmp_path, make_cars, local_cluster):
    files = make_cars(tmp_path / "cars", 1)
    identity = ModelIdentity.of(None)
    plan = BatchPlan.of(files, PredictionSettings(None, "0" * 64), identity)
    with Store.create(tmp_path / "r") as store, pytest.raises(ModelError, match="another"):
        run(plan, store, lambda tasks: cluster.outcomes(tasks, local_cluster.scheduler_address))


def test_no_scheduler_is_one_line_with_the_way_out(tmp_path, make_cars, monkeypatch):
    monkeypatch.setattr(cluster, "_PATIENCE", "1s")
    with pytest.raises(DrivAerError, match="no Dask scheduler answers"):
        next(cluster.outcomes([], "tcp://127.0.0.1:1"))
