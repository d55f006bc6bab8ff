"""How a download behaves on the network, and how it is watched, paused and stopped."""

from __future__ import annotations

import threading

import pytest

from benchmarks.dataverse_server import Dataverse, Faults, http_date
from benchmarks.download_faults import DOI, fetch
from data.control import Cancelled, Control
from data.download.retries import asked_wait
from tests.data_download.fetching import text


def test_few_connections_are_open_at_once(files, tmp_path):
    with Dataverse(
        {DOI: [*files, *(text(500 + i, f"{i}.txt") for i in range(30))]}, Faults(block_s=0.002)
    ).serving() as s:
        assert fetch(s, tmp_path).is_complete
        assert 1 <= s.most_at_once <= 4


def test_a_proxy_from_the_environment_is_used(files, tmp_path, monkeypatch):
    with Dataverse({DOI: files[-2:]}).serving() as served:
        monkeypatch.setenv("http_proxy", served.url)
        assert fetch(served, tmp_path, server="http://dataverse.invalid").is_complete


def test_what_a_retry_after_header_asks_for():
    assert asked_wait("7") == 7.0
    assert 50 < asked_wait(http_date(60)) <= 60
    assert asked_wait(http_date(-60)) == 0.0
    assert asked_wait("soon") is None and asked_wait(None) is None


def test_paused_it_waits_and_cancelled_it_stops_and_both_go_on(files, tmp_path):
    dataverse = Dataverse({DOI: files}, Faults(block_s=0.005))
    control = Control()
    ended = threading.Event()

    def work() -> None:
        with pytest.raises(Cancelled):
            fetch(dataverse, tmp_path, control=control)
        ended.set()

    with dataverse.serving():
        thread = threading.Thread(target=work)
        thread.start()
        while dataverse.sent < 500_000:
            assert thread.is_alive()
        control.pause()
        assert not ended.wait(0.3), "paused, it has not ended"
        control.cancel()
        assert ended.wait(20)
        thread.join()
        dataverse.faults.block_s = 0.0
        assert fetch(dataverse, tmp_path).is_complete


def test_progress_ends_where_it_should(files, tmp_path):
    seen = []
    with Dataverse({DOI: files}).serving() as served:
        result = fetch(served, tmp_path, on_progress=seen.append)
    assert seen[-1].n_done == seen[-1].n_files == len(files)
    assert seen[-1].bytes_done == seen[-1].bytes_total == sum(outcome.item.cost for outcome in result.outcomes)
