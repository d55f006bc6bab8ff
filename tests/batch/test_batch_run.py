"""Batches through the command line: what is kept, what is passed over, and what a kill costs."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from drivaer_app.batch.run import BatchPlan, run
from drivaer_app.batch.store import Store
from drivaer_app.batch.work import work
from drivaer_app.conditions import Conditions
from drivaer_app.prediction_settings import ModelIdentity, PredictionSettings

ROOT = Path(__file__).resolve().parents[2]


def drivaer(*arguments: object) -> subprocess.CompletedProcess:
    command = [sys.executable, str(ROOT / "main.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8")


def stored(folder: Path):
    with Store.open(folder) as store:
        return store.batch()


@pytest.fixture(scope="module")
def mixed(tmp_path_factory, make_cars):
    """A batch of two good cars and a bad one, with everything kept."""
    folder = tmp_path_factory.mktemp("mixed")
    cars = make_cars(folder / "cars", 2)
    (folder / "cars" / "bad.stl").write_bytes(b"solid nothing")
    done = drivaer("batch", folder / "cars", "-o", folder / "results", "-j1", "--fields", "--pictures")
    return folder, cars, done


def test_one_bad_file_stops_nothing_and_is_reported_in_the_end_with_status_1(mixed):
    folder, _, done = mixed
    batch = stored(folder / "results")
    assert [car.result is not None for car in batch.cars] == [False, True, True]
    assert done.returncode == 1
    assert "2 of 3 cars predicted" in done.stdout and "1 failed" in done.stdout
    assert "bad.stl" in done.stderr.splitlines()[-1]


def test_away_from_a_terminal_only_failures_are_reported(mixed):
    assert all("bad.stl" in line or "1 of 3 cars failed" in line for line in mixed[2].stderr.splitlines())


def test_results_are_those_of_predict(mixed):
    folder, cars, _ = mixed
    done = drivaer("predict", *cars, "--json")  # on as many threads as it likes
    predicted = [json.loads(line) for line in done.stdout.splitlines()]
    for car, record in zip(stored(folder / "results").predicted, predicted, strict=True):
        for word in ("file", "status", "seconds"):
            record.pop(word)
        assert {name: value for name, value in car.record.items() if name != "seconds"} == record


def test_fields_and_pictures_are_kept_whole(mixed):
    import pyvista

    from drivaer_app.batch.work import FIELDS, PICTURE, VIEW
    from drivaer_app.pictures.thinned_car import ThinnedCar

    for car in stored(mixed[0] / "results").predicted:
        assert pyvista.read(car.kept[FIELDS])["Cp"].shape == (3 * car.result.n_faces,)
        assert car.kept[PICTURE].read_bytes().startswith(b"\x89PNG")
        view = ThinnedCar.from_bytes(car.kept[VIEW].read_bytes())
        assert view.faces.max() < len(view.points) == len(view.cp)


@pytest.fixture
def once(tmp_path):
    """Runs a batch over files in this process and returns its tally."""

    def run_once(files, **more):
        identity = ModelIdentity.of(None)
        settings = PredictionSettings(None, identity.digest, **more)
        with Store.create(tmp_path / "results") as store:
            return run(BatchPlan.of(files, settings, identity), store, lambda tasks: ([work(task)] for task in tasks))

    return run_once


def test_what_is_known_is_not_done_again_and_a_changed_mesh_is(tmp_path, make_cars, once):
    cars = make_cars(tmp_path / "cars", 2)
    assert once(cars).n_predicted == 2
    first = stored(tmp_path / "results")
    assert (once(cars).n_predicted, once(cars).n_unchanged) == (0, 2)
    times = cars[0].stat()
    cars[0].write_bytes(cars[1].read_bytes())
    os.utime(cars[0], ns=(times.st_atime_ns, times.st_mtime_ns))
    assert once(cars).n_predicted == 1
    again = stored(tmp_path / "results")
    assert again.cars[0].record["cd"] == again.cars[1].record["cd"] == first.cars[1].record["cd"]
    assert first.cars[0].record["cd"] != again.cars[0].record["cd"]


def test_other_conditions_are_other_results_beside_the_first(tmp_path, make_cars, once):
    cars = make_cars(tmp_path / "cars", 1)
    once(cars)
    assert once(cars, conditions=Conditions(speed=40.0)).n_predicted == 1
    assert stored(tmp_path / "results").cars[0].record["speed_ms"] == 40
    assert once(cars).n_unchanged == 1


def test_a_killed_batch_keeps_what_was_done_and_goes_on(tmp_path, make_cars):
    cars = make_cars(tmp_path / "cars", 5)
    command = [sys.executable, str(ROOT / "main.py"), "batch", str(tmp_path / "cars"), "-o", str(tmp_path / "results")]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    file = tmp_path / "results" / "results.sqlite"
    while running.poll() is None and _n_results(file) < 2:
        time.sleep(0.02)
    running.send_signal(signal.SIGKILL) if hasattr(signal, "SIGKILL") else running.kill()
    running.wait()
    n_kept = _n_results(file)
    assert 2 <= n_kept <= 5
    done = drivaer("batch", tmp_path / "cars", "-o", tmp_path / "results")
    assert f"{5 - n_kept} of 5 cars predicted" in done.stdout and done.returncode == 0
    assert [car.file for car in stored(tmp_path / "results").predicted] == cars


def _n_results(file: Path) -> int:
    try:
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
            return connection.execute("SELECT count(*) FROM results").fetchone()[0]
    except sqlite3.OperationalError:  # not there yet
        return 0


def test_two_batches_at_once_share_a_store(tmp_path, make_cars):
    make_cars(tmp_path / "cars", 2)
    command = [sys.executable, str(ROOT / "main.py"), "batch", str(tmp_path / "cars"), "-j", "1", "-o"]
    running = [subprocess.Popen([*command, str(tmp_path / "results")], stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait() for process in running] == [0, 0]
    assert len(stored(tmp_path / "results").predicted) == 2
    with sqlite3.connect(tmp_path / "results" / "results.sqlite") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("cars/*.nothing", "-o", "r"), "no file matches"),
        (("empty", "-o", "r"), "holds no meshes"),
        (("car.stl", "-o", "r", "--model", "no-such"), "no such model"),
        (("car.stl", "-o", "r", "--baseline", "none.stl"), "no such baseline"),
        (("car.stl", "-o", "r", "--scatter"), "--scheduler"),
        (("car.stl",), "--output"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "car.stl").touch()
    done = drivaer("batch", *arguments)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and message in done.stderr
