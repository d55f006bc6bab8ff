"""From one session to the next: saved studies, crashes, files that change, screens without OpenGL."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from looking import key_of, pixels
from PySide6.QtGui import QImage

from drivaer_app.desk.autosave import Leftover, leftovers
from drivaer_app.files import STUDY_SUFFIX
from drivaer_app.settings import Settings
from drivaer_app.ui.opengl import OpenGL

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120_000


@pytest.fixture
def folder(tmp_path, samples) -> Path:
    """Two of the samples in a folder of the test's own."""
    folder = tmp_path / "cars"
    folder.mkdir()
    for file in samples[:2]:
        shutil.copy(file, folder)
    return folder


def test_a_study_is_saved_and_opens_as_it_was(qtbot, make_window, settle, folder):
    window = make_window([folder])
    settle(window)
    window.desk.edit(lambda study: study.rename(key_of(window, "fastback"), "low nose"))
    window.desk.edit(lambda study: study.set_baseline(key_of(window, "low nose")))
    window.desk_page.variants.select([key_of(window, "estate")])
    window.desk_page.stage.look_from("rear")
    window.desk_page.stage.colour_bar.span.setValue(0.6)
    window.files.save_to(folder / "work")
    qtbot.waitUntil(lambda: window.message.text.text() == "Saved work", timeout=PATIENCE)
    assert not window.isWindowModified()
    camera = window.desk_page.stage.viewport.camera
    window.desk.edit(lambda study: study.rename(key_of(window, "estate"), "long roof"))
    assert window.isWindowModified()

    again = make_window([folder / f"work{STUDY_SUFFIX}"])
    settle(again)
    assert [v.name for v in again.desk.study.state.variants] == ["estate", "low nose"]
    assert again.desk_page.answer.name.text() == "estate" and "low nose" in again.desk_page.answer.certainty.text()
    assert again.desk_page.stage.viewport.span == 0.6
    assert again.desk_page.stage.viewport.camera["position"] == pytest.approx(camera["position"])
    assert not again.isWindowModified()


def look_in_a_way_of_ones_own(window) -> dict:
    """Two variants side by side in friction, from behind; returns what is to come back."""
    page = window.desk_page
    page.variants.select([key_of(window, "fastback"), key_of(window, "estate")])
    page.stage.set_overlay("cf")
    page.stage.look_from("rear")
    return {"shown": list(page.shown_keys), "overlay": "cf", "position": page.stage.viewport.camera["position"]}


def assert_it_looks_so(window, was: dict) -> None:
    page = window.desk_page
    assert page.shown_keys == was["shown"] and set(page.variants.selected()) == set(was["shown"])
    assert page.stage.overlay.name == page.stage.viewport.overlay.name == was["overlay"]
    assert page.stage.viewport.camera["position"] == pytest.approx(was["position"])


def test_a_study_comes_back_with_its_view_in_the_same_window_and_in_a_new_one(make_window, settle, folder):
    window = make_window([folder])
    settle(window)
    was = look_in_a_way_of_ones_own(window)
    window.files.save_to(folder / "work")
    settle(window)
    window.remembers = False
    window.files.new()
    window.desk_page.stage.set_overlay("cp")
    window.desk_page.stage.look_from("top")
    window.files.open([folder / f"work{STUDY_SUFFIX}"])
    settle(window)
    assert_it_looks_so(window, was)
    again = make_window([folder / f"work{STUDY_SUFFIX}"])
    settle(again)
    assert_it_looks_so(again, was)


def test_what_was_on_screen_survives_a_crash(qtbot, make_window, settle, folder, tmp_path):
    window = make_window([folder])
    settle(window)
    window.files.autosave()
    settle(window)
    was = look_in_a_way_of_ones_own(window)
    qtbot.waitUntil(lambda: window.desk.study.view.get("overlay") == "cf", timeout=PATIENCE)  # by itself
    settle(window)
    copy = tmp_path / f"crashed{STUDY_SUFFIX}"
    shutil.copy(window.desk.autosave.file, copy)
    again = make_window()
    again.files.recover(Leftover(copy, 0.0))
    settle(again)
    assert_it_looks_so(again, was)


def test_missing_files_are_reported_and_found(make_window, settle, folder, tmp_path):
    window = make_window([folder])
    settle(window)
    window.desk.save(tmp_path / "work")
    folder.rename(tmp_path / "elsewhere")
    again = make_window([tmp_path / f"work{STUDY_SUFFIX}"])
    settle(again)
    assert "is not there any more" in again.desk_page.answer.state.text() and again.desk_page.answer.find.isVisible()
    assert again.desk_page.answer.cd.text().startswith("0.")  # the number of then is kept
    again.files.find_missing(str(tmp_path))
    settle(again)
    assert not again.desk_page.answer.find.isVisible()
    assert again.desk_page.stage.viewport.panes[0].drawn is not None


def test_a_mesh_saved_again_is_predicted_again_marked_and_compared_to_before(qtbot, make_window, settle, folder):
    window = make_window([folder])
    settle(window)
    window.desk.watch(interval=0.1)
    window.desk_page.variants.select([key_of(window, "fastback")])
    shutil.copy(folder / "estate.stl", folder / "fastback.stl")
    qtbot.waitUntil(lambda: "counts since" in window.desk_page.answer.previous.text(), timeout=PATIENCE)
    assert window.desk.prediction(key_of(window, "fastback")).changed
    assert "fastback was saved again" in window.message.text.text()


def test_a_new_mesh_in_the_folder_joins_and_what_is_on_screen_stays(qtbot, make_window, settle, folder, samples):
    window = make_window([folder])
    settle(window)
    window.desk.watch(interval=0.1)
    shutil.copy(samples[2], folder)
    qtbot.waitUntil(lambda: len(window.desk_page.variants.shown()) == 3, timeout=PATIENCE)
    assert window.desk_page.answer.name.text() == "estate"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_after_a_crash_the_next_start_offers_what_was_open(qtbot, make_window, settle, folder, tmp_path):
    homes = {f"XDG_{kind}_HOME": str(tmp_path / kind) for kind in ("DATA", "CONFIG", "STATE", "CACHE")}
    command = [sys.executable, str(ROOT / "main.py"), "window", str(folder)]
    session = subprocess.Popen(command, env={**os.environ, **homes})
    autosaved = tmp_path / "DATA" / "drivaer" / "autosave"
    end = time.monotonic() + PATIENCE / 1000
    while not list(autosaved.glob(f"[!.]*{STUDY_SUFFIX}")) and time.monotonic() < end:
        assert session.poll() is None
        time.sleep(0.05)
    assert leftovers(autosaved) == []  # it still runs
    session.send_signal(signal.SIGKILL)
    session.wait()
    left = leftovers(autosaved)
    assert len(left) == 1
    window = make_window()
    window.desk_page.start.show_leftovers(left)
    window.desk_page.start.recover.emit(left[0])
    assert [v.name for v in window.desk.study.state.variants] == ["estate", "fastback"]
    settle(window)
    assert window.desk_page.answer.cd.text().startswith("0.")
    assert leftovers(autosaved) == []  # taken over


def test_the_layout_and_what_was_open_are_remembered(make_window, settle, folder, tmp_path):
    window = make_window([folder])
    settle(window)
    window.resize(1111, 777)
    window.desk_page.docks.below.close()
    window.close()
    kept = Settings.load(tmp_path / "settings.json")
    assert kept.recent[0] == str(folder)
    again = make_window([folder])
    assert (again.width(), again.height()) == (1111, 777)
    assert not again.desk_page.docks.below.isVisible()


def test_on_a_small_screen_the_first_window_fits_it(tmp_path):
    """On Qt's own screen of 800 by 800, where no window was open before."""
    script = """
import sys
from pathlib import Path
from PySide6.QtWidgets import QApplication
from drivaer_app.settings import Settings
from drivaer_app.ui.start import new_window
app = QApplication(sys.argv[:1])
window = new_window(Settings(), settings_file=Path(sys.argv[1]))
print(window.width(), window.height(), app.primaryScreen().availableSize().toTuple())
window.close()
"""
    command = [sys.executable, "-c", script, str(tmp_path / "settings.json")]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "QT_QPA_PLATFORM": "offscreen"}, capture_output=True, text=True
    )
    assert done.stdout == "752 752 (800, 800)\n", done.stderr


def test_without_opengl_the_window_says_why_the_viewport_is_empty_and_predicts(make_window, settle, folder):
    window = make_window([folder], opengl=OpenGL(lacking="No picture: this screen offers no OpenGL."))
    settle(window)
    assert window.desk_page.stage.viewport is None
    assert window.desk_page.stage.empty.isVisible() and "no OpenGL" in window.desk_page.stage.empty.text()
    assert window.desk_page.answer.cd.text().startswith("0.")


@pytest.mark.parametrize("platform", ["xcb", "offscreen"])
@pytest.mark.skipif(sys.platform != "linux", reason="these screens are Linux's")
def test_shot_is_a_picture_of_the_settled_window(folder, tmp_path, platform):
    """On a screen with OpenGL, and on one that has none."""
    (folder / "bad.stl").write_text("solid nothing")
    shot = tmp_path / "shot.png"
    command = [
        sys.executable,
        str(ROOT / "main.py"),
        "window",
        str(folder),
        "--select",
        "fastback",
        "--shot",
        str(shot),
    ]
    done = subprocess.run(command, env={**os.environ, "QT_QPA_PLATFORM": platform}, capture_output=True, text=True)
    assert done.returncode == 1 and "bad.stl" in done.stderr
    image = pixels(QImage(str(shot)))
    assert image.shape == (1000, 1600, 3)
    viewport = image[150:650, 350:1200]
    coloured = (viewport.max(axis=2) - viewport.min(axis=2) > 60).mean()
    assert (coloured > 0.05) == (platform == "xcb")


def test_nothing_that_touches_qt_is_loaded_beside_the_window():
    """PySide6 makes its enumerations when they are first looked at, and does not bear two threads looking."""
    script = """
import sys
from PySide6.QtCore import QCoreApplication
from drivaer_app.ui.late_imports import LateImports
app = QCoreApplication([])
late = LateImports(with_viewport=True)
late.start()
late._thread.join()
assert "pyvista.plotting" in sys.modules
assert not {"pyqtgraph", "pyvistaqt", "PySide6.QtWidgets"} & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_what_hears_the_desk_may_wait_for_a_thread_that_has_something_to_say(qtbot):
    import threading

    from drivaer_app.desk.events import Event
    from drivaer_app.ui.relay import Relay

    relay, waited = Relay(), []

    def wait_for_another(event: Event) -> None:
        if event.kind == "study":
            other = threading.Thread(target=relay.post, args=(Event("note"),), daemon=True)
            other.start()
            other.join(timeout=5)
            waited.append(not other.is_alive())

    relay.arrived.connect(wait_for_another)
    relay.post(Event("study"))
    assert waited == [True]


def test_a_thread_that_outlives_the_window_touches_nothing_of_it(qtbot):
    import threading

    from drivaer_app.desk.events import Event
    from drivaer_app.ui.relay import Relay

    relay, heard = Relay(), []
    relay.arrived.connect(heard.append)
    event = Event("study")
    before = threading.Thread(target=relay.post, args=(event,))
    before.start()
    before.join()
    qtbot.waitUntil(lambda: heard == [event])
    relay.close()
    after = threading.Thread(target=relay.post, args=(event,))
    after.start()
    after.join()
    qtbot.wait(50)
    assert heard == [event]
