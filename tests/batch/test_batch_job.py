"""Batches as jobs of a desk's: how they go, what is kept when they are cancelled, their results as a study."""

from __future__ import annotations

import pytest

from data.errors import DrivAerError
from drivaer_app.batch.store import Store
from drivaer_app.conditions import Conditions
from drivaer_app.desk.batch_job import BatchWork, Order, has_results, open_results
from drivaer_app.desk.desk import Desk
from drivaer_app.desk.jobs import CANCELLED, DONE, FAILED, Jobs

PATIENCE = 300.0


@pytest.fixture
def jobs():
    jobs = Jobs()
    yield jobs
    jobs.close()


def test_a_batch_cancelled_keeps_what_is_done_goes_on_and_opens_as_a_study(tmp_path, make_cars, jobs, engine):
    cars = make_cars(tmp_path / "cars", 5)
    (tmp_path / "cars" / "bad.stl").write_text("solid nothing")
    order = Order(
        (tmp_path / "cars",), tmp_path / "r", conditions=Conditions(speed=40.0), baseline=cars[1], n_workers=1
    )
    work = BatchWork(order)
    job = jobs.submit("batch", work)
    while work.tally.n_predicted < 2 and not job.is_over:
        job.wait(0.01)
    job.cancel()
    assert job.wait(PATIENCE) and job.state == CANCELLED
    n_kept = work.tally.n_done
    assert 2 <= n_kept < 6 and f"{n_kept} of 6 cars" in work.in_words and "a second" in work.in_words
    with Store.open(tmp_path / "r") as store:
        assert len(store.batch().cars) == n_kept
    assert len(open_results(tmp_path / "r").saved.state.variants) == work.tally.n_predicted

    again = BatchWork(order)
    job = jobs.submit("batch", again)
    assert job.wait(PATIENCE) and job.state == DONE
    assert again.tally.n_done == 6 and again.tally.n_unchanged == work.tally.n_predicted
    assert len(again.tally.failures) == 1 and "bad.stl" in again.tally.failures[0]
    opened = open_results(tmp_path / "r")
    assert opened.n_left_out == 0
    desk = Desk(engine=engine)
    desk.restore(opened.saved, None)
    assert {v.file for v in desk.study.state.variants} == set(cars)
    assert desk.study.state.variant(desk.study.state.baseline).file == cars[1]
    assert desk.study.state.conditions.speed == 40.0
    assert all(desk.result(v.key) is not None for v in desk.study.state.variants)
    desk.close()


def test_more_cars_than_a_study_takes_are_the_best_and_the_baseline(tmp_path, make_cars, jobs, monkeypatch):
    cars = make_cars(tmp_path / "cars", 3)
    job = jobs.submit("batch", BatchWork(Order(tuple(cars), tmp_path / "r", baseline=cars[2], n_workers=1)))
    assert job.wait(PATIENCE) and job.state == DONE
    everything = open_results(tmp_path / "r").saved.state.variants
    monkeypatch.setattr("drivaer_app.desk.batch_job.MOST_OPENED", 1)
    opened = open_results(tmp_path / "r")
    files = [v.file for v in opened.saved.state.variants]
    assert files[0] == everything[0].file and cars[2] in files and len(files) + opened.n_left_out == 3


@pytest.mark.parametrize(
    ("cars", "more", "why"),
    [
        ("empty", {}, "no meshes"),
        ("cars", {"baseline": "none.stl"}, "no such baseline"),
        ("cars", {"model": "nobody"}, "no such model"),
        ("cars", {"output": "a file"}, "cannot be made"),
    ],
)
def test_what_cannot_be_done_is_the_jobs_error(tmp_path, make_cars, jobs, cars, more, why):
    make_cars(tmp_path / "cars", 1)
    (tmp_path / "empty").mkdir()
    (tmp_path / "a file").write_text("x")
    options = {name: value if name == "model" else tmp_path / value for name, value in more.items()}
    job = jobs.submit("batch", BatchWork(Order((tmp_path / cars,), options.pop("output", tmp_path / "r"), **options)))
    assert job.wait(PATIENCE) and job.state == FAILED and why in job.error.line


def test_a_batch_of_nothing_but_failures_says_why_it_is_no_study(tmp_path, jobs):
    (tmp_path / "bad.stl").write_text("solid nothing")
    assert not has_results(tmp_path / "r")
    job = jobs.submit("batch", BatchWork(Order((tmp_path / "bad.stl",), tmp_path / "r", n_workers=1)))
    assert job.wait(PATIENCE) and job.state == DONE and has_results(tmp_path / "r")
    with pytest.raises(DrivAerError, match=r"no car was predicted.*bad\.stl"):
        open_results(tmp_path / "r")
