"""Worker processes that die, and a batch that is told to stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from drivaer_app.batch import local
from drivaer_app.batch.work import Task
from drivaer_app.prediction_settings import ModelIdentity, PredictionSettings

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends signals")


def test_a_car_whose_worker_dies_is_tried_again(make_cars, tmp_path):
    files = make_cars(tmp_path, 3)
    settings = PredictionSettings(None, ModelIdentity.of(None).digest)
    pool = local._Pool([Task(str(file), settings) for file in files], 1, True)
    done = []
    for outcomes in pool.run(1):
        done += outcomes
        if len(done) == 1:
            os.kill(pool._engines[0]._process.pid, signal.SIGKILL)
    pool.close()
    assert [(outcome.file, outcome.error) for outcome in done] == [(str(file), "") for file in files]


def test_ctrl_c_ends_it_with_130_and_without_a_traceback(make_cars, tmp_path):
    make_cars(tmp_path / "cars", 3)
    command = [sys.executable, str(ROOT / "main.py"), "batch", str(tmp_path / "cars"), "-j1", "-o", str(tmp_path / "r")]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while not (tmp_path / "r" / "results.sqlite").exists():
        time.sleep(0.02)
    os.killpg(running.pid, signal.SIGINT)
    message = running.communicate()[1]
    assert running.returncode == 130
    assert message == "drivaer: interrupted\n"
