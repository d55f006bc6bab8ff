"""Background work: order, progress, cancelling, errors; and the memory that forgets."""

from __future__ import annotations

import threading
import time

import pytest

from data.errors import DrivAerError
from drivaer_app.desk.jobs import CANCELLED, DONE, FAILED, Jobs
from drivaer_app.desk.lru_cache import LruCache

PATIENCE = 30.0


@pytest.fixture
def jobs():
    jobs = Jobs()
    yield jobs
    jobs.close()


@pytest.fixture
def gate(jobs):
    """The lane is busy until the gate is opened."""
    gate, busy = threading.Event(), threading.Event()

    def hold(job):
        busy.set()
        assert gate.wait(PATIENCE)

    jobs.submit("gate", hold)
    assert busy.wait(PATIENCE)
    return gate


def ended(jobs, title, work, **options):
    """Submit and return the job with an event that is set when it is over."""
    over = threading.Event()
    return jobs.submit(title, work, on_end=lambda job: over.set(), **options), over


def test_the_lower_number_runs_first_and_equal_ones_in_order(jobs, gate):
    order = []
    pairs = [
        ended(jobs, name, lambda job: order.append(job.title), priority=p) for name, p in (("b", 5), ("c", 5), ("a", 1))
    ]
    gate.set()
    assert all(over.wait(PATIENCE) for _, over in pairs)
    assert order == ["a", "b", "c"]


def test_a_waiting_job_can_be_moved_to_the_front(jobs, gate):
    order = []
    pairs = [ended(jobs, name, lambda job: order.append(job.title), priority=5) for name in "ab"]
    jobs.prioritise(pairs[1][0], 0)
    gate.set()
    assert all(over.wait(PATIENCE) for _, over in pairs)
    assert order == ["b", "a"]


def test_a_waiting_job_that_is_cancelled_never_runs(jobs, gate):
    ran = []
    job, over = ended(jobs, "never", ran.append)
    job.cancel()
    assert over.wait(PATIENCE) and job.state == CANCELLED
    gate.set()
    _, over = ended(jobs, "after", lambda job: None)
    assert over.wait(PATIENCE) and not ran


def test_a_running_job_stops_at_its_next_report(jobs):
    started, go = threading.Event(), threading.Event()

    def work(job):
        started.set()
        assert go.wait(PATIENCE)
        job.report(0.5)
        raise AssertionError("went on")

    job, over = ended(jobs, "long", work)
    assert started.wait(PATIENCE)
    job.cancel()
    go.set()
    assert over.wait(PATIENCE) and job.state == CANCELLED and job.error is None


def test_a_users_mistake_is_kept_with_the_job_and_the_next_one_runs(jobs):
    def fail(job):
        raise DrivAerError("no such mesh", file="a.stl")

    job, over = ended(jobs, "bad", fail)
    assert over.wait(PATIENCE) and job.state == FAILED and "a.stl" in job.error.line
    job, over = ended(jobs, "good", lambda job: 3)
    assert over.wait(PATIENCE) and job.state == DONE and job.result == 3


def test_a_bug_becomes_one_line(jobs):
    job, over = ended(jobs, "bug", lambda job: 1 / 0)
    assert over.wait(PATIENCE)
    assert "ZeroDivisionError" in job.error.line and "\n" not in job.error.line


def test_progress_is_reported(jobs):
    reported = []
    jobs._on_change = lambda job: reported.append((job.state, job.fraction))
    _, over = ended(jobs, "work", lambda job: job.report(0.25, "reading"))
    assert over.wait(PATIENCE)
    assert ("running", 0.25) in reported


def test_the_least_recently_used_goes_first():
    memory = LruCache(100)
    for name in "abc":
        memory.put(name, name, 33)
    memory.get("a")
    memory.put("d", "d", 33)
    assert [name for name in "abcd" if name in memory] == ["a", "c", "d"]
    assert memory.n_bytes <= memory.limit


def test_what_is_held_stays_and_what_would_displace_may_be_refused():
    memory = LruCache(100)
    memory.put("shown", 1, 60)
    memory.hold(["shown"])
    memory.put("large", 2, 90)
    assert "shown" in memory
    assert not memory.put("background", 3, 60, displace=False)


def test_who_waits_until_nothing_is_active_finds_what_the_last_job_left():
    jobs, left = Jobs(), []

    def late(job):
        time.sleep(0.05)
        left.append(job.result)

    jobs.submit("one", lambda job: 1, on_end=late)
    while jobs.active:
        time.sleep(0.001)
    assert left == [1]
    jobs.close()
