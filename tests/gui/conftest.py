"""A real window on a real screen (Xvfb will do), with its settings and autosaved studies in a folder of the test's."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent

PATIENCE = 120_000
"""ms; far more than anything takes, so that a busy machine fails no test."""


def pytest_collection_modifyitems(items):
    if sys.platform == "linux" and not os.environ.get("DISPLAY"):
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.skip(reason="needs a screen: xvfb-run -a, or launch.py test"))


@pytest.fixture(scope="session")
def qapp_args():
    from drivaer_app.ui.start import prepare_opengl

    prepare_opengl()
    return ["drivaer"]


@pytest.fixture
def samples(sample_file) -> list[Path]:
    """The three cars that come with the program: estate, fastback, notchback."""
    return [sample_file.with_name(f"{name}.stl") for name in ("estate", "fastback", "notchback")]


def new_window(folder: Path, engine, opengl=None):
    """A window on screen. opengl: as in MainWindow; None to find out."""
    from drivaer_app.desk.autosave import Autosave
    from drivaer_app.settings import Settings
    from drivaer_app.ui import start

    file = folder / "settings.json"
    autosave = Autosave(folder / "autosave")
    window = start.new_window(Settings.load(file), settings_file=file, engine=engine, autosave=autosave, opengl=opengl)
    if not window.settings.layout:
        window.resize(1280, 800)
    window.show()
    return window


def end(window) -> None:
    """Close it without questions."""
    if window.isVisible():
        window.remembers = False
        window.close()
    window.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def make_window(qtbot, engine, tmp_path):
    """Opens windows of the test's own."""
    opened = []

    def make(paths=(), opengl=None, engine=engine):
        window = new_window(tmp_path, engine, opengl)
        opened.append(window)
        qtbot.waitExposed(window, timeout=PATIENCE)
        if paths:
            window.files.open(list(paths))
        return window

    yield make
    for window in opened:
        end(window)


@pytest.fixture(scope="module")
def _kept_window(qapp, engine, tmp_path_factory):
    """One window for many tests: making it takes a second, opening a study in it next to nothing."""
    window = new_window(tmp_path_factory.mktemp("window"), engine)
    yield window
    end(window)


@pytest.fixture
def settle(qtbot):
    """Wait until nothing moves any more in a window."""

    def settle(window):
        quiet = 0

        def still():
            nonlocal quiet
            quiet = quiet + 1 if window.is_settled else 0
            return quiet >= 3

        qtbot.waitUntil(still, timeout=PATIENCE)

    return settle


@pytest.fixture
def window(_kept_window, settle, samples):
    """A window as it is after opening the samples: predicted, the first one on screen, nothing else done to it."""
    window = _kept_window
    window.remembers = False
    window.desk.new()
    window.message.clear()
    window.desk_page.variants.filter.clear()
    window.desk_page.variants.order.setCurrentIndex(0)
    window.desk_page.bottom.setCurrentIndex(0)
    window.actions_.named["parallel"].setChecked(False)
    window.desk_page.stage.view_bar.place.setValue(0)
    window.desk_page.stage.set_view({"overlay": "cp", "spans": {}, "edges": False, "cut": None})
    window.set_theme("light")
    window.files.open(samples)
    settle(window)
    window.desk_page.stage.look_from("corner")
    return window
