"""Our packages in a working folder that holds files of their names: real processes, from the checkout.

What ``pip install`` makes is looked at in tests/install.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys

import pytest

from tests.own_names import ROOT, folder_of_same_names, run_in

_MAIN = "import sys; from drivaer_app.cli.app import main; sys.exit(main(sys.argv[1:]))"


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    return folder_of_same_names(tmp_path_factory.mktemp("same_names"))


@pytest.fixture(scope="module")
def car(tmp_path_factory, make_cars):
    (file,) = make_cars(tmp_path_factory.mktemp("cars"), 1)
    return file


# What comes first on sys.path: the checkout, with PYTHONPATH behind it; or the working folder.
WAYS = {
    "PYTHONPATH": lambda there: ([ROOT / "main.py"], {"PYTHONPATH": str(there)}),
    "working folder": lambda there: (["-c", _MAIN], {"PYTHONPATH": str(ROOT)}),
}


@pytest.fixture(params=WAYS)
def drivaer(request, there):
    """Runs a command of ours in the folder."""
    start, environment = WAYS[request.param](there)
    return lambda *words: run_in(there, *start, *words, **environment)


def test_a_batchs_workers_are_ours(drivaer, car, tmp_path):
    done = drivaer("batch", car.parent, "-o", tmp_path / "results", "-j", 1)
    assert done.returncode == 0, done.stderr


def test_spawned_workers_are_ours(drivaer, car, tmp_path):
    shutil.copytree(car.parent, tmp_path / "corpus")
    (tmp_path / "corpus" / "labels.csv").write_text("design,cd\ncar_00,0.3\n")
    for command, *options in (["scan"], ["prepare", "--points", 512, "--workers", 1]):
        done = drivaer("data", command, tmp_path / "corpus", *options)
        assert done.returncode == 0, done.stderr


def test_a_growing_corpus_workers_are_ours(there):
    program = (
        "from multiprocessing import get_context\n"
        "from pathlib import Path\n"
        "from drivaer_app.corpus import growth\n"
        "if __name__ == '__main__':\n"
        "    process = get_context('spawn').Process(target=growth.running, args=(Path('nowhere'),))\n"
        "    process.start(); process.join(); raise SystemExit(process.exitcode)\n"
    )
    done = run_in(there, "-c", program, PYTHONPATH=str(ROOT))
    assert done.returncode == 0, done.stderr


def test_a_dask_workers_modules_are_ours(there, car):
    pytest.importorskip("distributed", reason="needs dask.distributed (requirements-dev.txt)")
    from drivaer_app.batch import cluster
    from drivaer_app.batch.work import Task
    from drivaer_app.prediction_settings import ModelIdentity, PredictionSettings

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    commands = (  # -m: the working folder comes first on sys.path
        ["distributed.cli.dask_scheduler", "--port", address.rpartition(":")[2]],
        ["distributed.cli.dask_worker", address, "--nthreads", "1"],
    )
    started = [
        subprocess.Popen([sys.executable, "-m", *command, "--no-dashboard"], cwd=there, env=environment)
        for command in commands
    ]
    try:
        task = Task(str(car), PredictionSettings(None, ModelIdentity.of(None).digest))
        (outcomes,) = cluster.outcomes([task], address)
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait()
    assert [outcome.error for outcome in outcomes] == [""]


def test_a_module_that_is_there_already_is_named_in_one_line(tmp_path):
    (tmp_path / "data.py").write_text("")
    done = run_in(tmp_path, "-c", "import data, drivaer_app", PYTHONPATH=str(ROOT))
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("ImportError") and str(tmp_path / "data.py") in last and "in the way" in last
