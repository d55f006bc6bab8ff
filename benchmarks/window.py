"""How quick the window is, as a Markdown table: `xvfb-run -a -s "-screen 0 1600x1000x24" python benchmarks/window.py`.

`--write README.md` puts the table between the marks there. Needs a screen; with Xvfb the processor draws, which costs
it a few hundredths of a second a frame.
- first paint: from the start of the process to the window's first paint, torch and VTK not loaded.
- stall: the longest time that the event loop did not come round while 20 variants are read and predicted, and while one
  goes through them with the arrow key; the 99th percentile beside it.
- a handle moved: from asking for the value until the bent car is drawn; its Cd: until the quick estimate is there. Of a
  sample car and of one of 540,000 faces, of which also how many pictures a second can be turned.
- memory: of the window's process, before and after 500 steps through 50 variants.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from marks import replace_between  # noqa: E402
from prediction import large_sample  # noqa: E402

SAMPLES = ROOT / "resources" / "samples"

FIRST_PAINT = """
import os, sys, time
sys.path.insert(0, sys.argv[1])
from drivaer_app.ui import start, window
def paint(self, event, first=window.MainWindow.paintEvent):
    print(time.time() - float(sys.argv[2]), sorted({"torch", "vtkmodules"} & set(sys.modules)), flush=True)
    os._exit(0)
window.MainWindow.paintEvent = paint
start.run_window(start.WindowOptions())
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variants", type=int, default=20)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--soak", type=int, default=50, help="variants of the soak")
    parser.add_argument("--write", type=Path, metavar="README")
    options = parser.parse_args()
    rows = [_first_paint()]
    with tempfile.TemporaryDirectory() as folder:
        files = _cars(Path(folder), max(options.variants, options.soak))
        rows += _in_a_window(files, large_sample(Path(folder)), options)
    table = "\n".join(["| what | value |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])
    print(table)
    if options.write:
        replace_between("window-benchmark", table, options.write)


def _first_paint(repeats: int = 5) -> tuple[str, str]:
    times = []
    for _ in range(repeats):
        command = [sys.executable, "-c", FIRST_PAINT, str(ROOT), str(time.time())]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        seconds, _, loaded = output.partition(" ")
        assert loaded.strip() == "[]", loaded
        times.append(float(seconds))
    return "first paint", f"{statistics.median(times):.2f} s (fastest {min(times):.2f} s)"


def _cars(folder: Path, n: int) -> list[Path]:
    """The sample cars, each a little wider than the one before, so that no two are alike."""
    import numpy as np

    from data.formats import read_mesh

    raw = [read_mesh(file) for file in sorted(SAMPLES.glob("*.stl"))]
    record = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("rest", "<u2")])
    files = []
    for number in range(n):
        mesh = raw[number % len(raw)]
        triangles = np.zeros(len(mesh.faces), record)
        triangles["corners"] = mesh.vertices[mesh.faces] * [1.0, 1.0 + 0.0005 * number, 1.0]
        files.append(folder / f"car_{number:03}.stl")
        head = b"".ljust(80) + np.uint32(len(triangles)).tobytes()
        files[-1].write_bytes(head + triangles.tobytes())
    return files


def _in_a_window(files: list[Path], large: Path, options: argparse.Namespace) -> list[tuple[str, str]]:
    from PySide6.QtCore import Qt, QTimer
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QApplication

    from drivaer_app.settings import Settings
    from drivaer_app.ui.start import new_window, prepare_opengl

    prepare_opengl()
    app = QApplication([])
    window = new_window(Settings(memory_mb=64))
    window.remembers = False
    window.show()
    beat = _Heartbeat()  # it also keeps the event loop turning where nothing else does
    _until(app, lambda: bool(window.desk_page.bottom.plots))
    window.desk.warm_up()
    window.files.open(files[:1])
    _until(app, lambda: window.is_settled)
    beat.gaps()
    opened = time.perf_counter()
    window.files.open(files[: options.variants])
    _until(app, lambda: window.is_settled)
    took = time.perf_counter() - opened
    loading = beat.gaps()
    rows = [
        (f"longest stall while {options.variants} variants are read and predicted ({took:.0f} s)", _stall(loading)),
    ]
    view = window.desk_page.variants.view
    beat.gaps()
    switches = []
    for number in range(40):
        key = Qt.Key.Key_Down if number % 20 < 10 else Qt.Key.Key_Up
        started = time.perf_counter()
        QTest.keyClick(view, key)
        window.desk_page.stage.viewport.picture()
        switches.append(time.perf_counter() - started)
        _until(app, lambda: _is_shown(window))
    rows.append(("to a neighbouring variant, drawn", f"{1000 * statistics.median(switches):.0f} ms"))
    rows += _handles(app, window, "a sample car")
    window.files.open([large])
    _until(app, lambda: window.is_settled)
    rows.append(("540,000 faces, turned", f"{_pictures_a_second(window):.0f} pictures a second"))
    rows += _handles(app, window, "540,000 faces")
    window.desk.new()
    window.files.open(files[: options.soak])
    _until(app, lambda: window.is_settled)
    before = _memory_mb()
    for number in range(options.steps):
        QTest.keyClick(view, Qt.Key.Key_Down if number // (options.soak - 1) % 2 == 0 else Qt.Key.Key_Up)
        _until(app, lambda: _is_shown(window))
        if number == options.soak:
            before = _memory_mb()  # after one way through: every variant was on screen once
    after = _memory_mb()
    title = f"memory after {options.steps} steps through {options.soak} variants"
    rows.append((title, f"{after:.0f} MB ({after - before:+.0f} MB since the first {options.soak})"))
    beat.stop()
    window.close()
    QTimer.singleShot(0, app.quit)
    app.exec()
    return rows


def _pictures_a_second(window, n: int = 20) -> float:
    viewport = window.desk_page.stage.viewport
    started = time.perf_counter()
    for _ in range(n):
        viewport._camera.Azimuth(3.0)
        viewport.render()
        viewport._plotter.ren_win.Render()
    return n / (time.perf_counter() - started)


def _handles(app, window, title: str, turns: int = 7) -> list[tuple[str, str]]:
    """How soon the current car follows a handle, and its Cd."""
    page, morphing = window.desk_page, window.desk.morphing
    page.docks.bring("Morph")
    _until(app, lambda: morphing.now is not None and bool(page.morph.rows))
    shown, answered = [], []
    for number in range(turns):
        values = {"roof_height": 0.01 + 0.005 * number}
        started = time.perf_counter()
        morphing.bend(values, exact=False)
        _until(app, lambda values=values: morphing.now.bent_values == values)
        app.processEvents()
        page.stage.viewport._plotter.ren_win.Render()
        shown.append(time.perf_counter() - started)
        _until(app, lambda values=values: morphing.now.cd_values == values)
        answered.append(time.perf_counter() - started)
    morphing.bend({}, exact=True)
    _until(app, lambda: window.is_settled)
    page.docks.bring("Prediction")
    drawn, cd = (1000 * statistics.median(times) for times in (shown, answered))
    return [(f"a handle moved, {title}", f"drawn in {drawn:.0f} ms, Cd in {cd:.0f} ms")]


def _is_shown(window) -> bool:
    (key,) = window.desk_page.shown_keys
    return window.desk.drawn(key) is not None or bool(window.desk.prediction(key).error)


class _Heartbeat:
    """Times at which the event loop came round, asked for every 5 ms."""

    def __init__(self) -> None:
        from PySide6.QtCore import Qt, QTimer

        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._times = [(time.perf_counter(), time.thread_time())]
        self._timer.timeout.connect(lambda: self._times.append((time.perf_counter(), time.thread_time())))
        self._timer.start(5)

    def gaps(self) -> list[tuple[float, float]]:
        """Seconds between rounds since the last question: that passed, and that the thread itself worked."""
        times, self._times = self._times, self._times[-1:]
        return [(b[0] - a[0], b[1] - a[1]) for a, b in zip(times, times[1:], strict=False)]

    def stop(self) -> None:
        self._timer.stop()


def _stall(gaps: list[tuple[float, float]]) -> str:
    ordered = sorted(gap for gap, _ in gaps)
    own = max(work for _, work in gaps)
    within = ordered[int(0.99 * len(ordered))]
    return f"{1000 * ordered[-1]:.0f} ms (99 % within {1000 * within:.0f} ms; its own work at most {1000 * own:.0f} ms)"


def _until(app, condition, timeout: float = 900.0) -> None:
    end = time.perf_counter() + timeout
    while not condition():
        if time.perf_counter() > end:
            raise TimeoutError("the window did not settle")
        app.processEvents()
        time.sleep(0.0005)


def _memory_mb() -> float:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 2**20


if __name__ == "__main__":
    main()
