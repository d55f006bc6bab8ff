"""What outlives a session: settings, and studies after a crash."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from drivaer_app.desk.autosave import Autosave, leftovers
from drivaer_app.desk.study import Study
from drivaer_app.desk.study_file import SavedStudy
from drivaer_app.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


def test_settings_come_back(tmp_path):
    settings = Settings(theme="dark", memory_mb=200)
    settings.opened("/cars")
    settings.save(tmp_path / "deep" / "settings.json")
    assert Settings.load(tmp_path / "deep" / "settings.json") == settings


def test_the_latest_opened_comes_first_and_once():
    settings = Settings()
    for path in ("a", "b", "a"):
        settings.opened(path)
    assert settings.recent == ["a", "b"]


@pytest.mark.parametrize("text", ["{", "[]", '{"theme": "pink"}', '{"memory_mb": "much"}', '{"recent": [3]}', "\x00"])
def test_damaged_settings_give_the_defaults_and_are_kept_aside(tmp_path, text):
    file = tmp_path / "settings.json"
    file.write_text(text)
    assert Settings.load(file) == Settings()
    assert file.with_suffix(".damaged").read_text() == text


def test_a_setting_that_a_newer_version_wrote_is_passed_over(tmp_path):
    (tmp_path / "settings.json").write_text('{"theme": "dark", "turbo": true}')
    assert Settings.load(tmp_path / "settings.json").theme == "dark"


def study_of(tmp_path) -> SavedStudy:
    study = Study()
    study.add([tmp_path / "one.stl"])
    return SavedStudy(study.state)


def test_a_session_that_runs_leaves_nothing_to_offer(tmp_path):
    autosave = Autosave(tmp_path)
    autosave.write(study_of(tmp_path))
    assert autosave.file.exists()
    assert leftovers(tmp_path) == []
    autosave.close()
    assert list(tmp_path.iterdir()) == []


CRASHING = """
import os, signal, sys
from pathlib import Path
from drivaer_app.desk.autosave import Autosave
from drivaer_app.desk.study import Study
from drivaer_app.desk.study_file import SavedStudy
study = Study()
study.add([sys.argv[2]])
autosave = Autosave(Path(sys.argv[1]))
autosave.write(SavedStudy(study.state))
os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
"""


def test_a_session_that_was_killed_leaves_its_study(tmp_path):
    command = [sys.executable, "-c", CRASHING, str(tmp_path), str(tmp_path / "one.stl")]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode != 0
    (left,) = leftovers(tmp_path)
    assert [v.name for v in left.read().state.variants] == ["one"]
    left.discard()
    assert leftovers(tmp_path) == [] and list(tmp_path.iterdir()) == []
