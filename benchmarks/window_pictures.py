"""The pictures of the window in docs/, each made by real widgets on the sample cars.

``xvfb-run -a python benchmarks/window_pictures.py [--only NAME …]``; ``verify`` runs OpenFOAM for some minutes.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

SAMPLES = ROOT / "resources" / "samples"
SIZE = (1600, 1000)
_QUIET_SECONDS = 0.5
_PATIENCE_SECONDS = 3600


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PICTURES, default=[*PICTURES])
    options = parser.parse_args()
    from drivaer_app.ui.start import prepare_opengl

    prepare_opengl()
    from PySide6.QtWidgets import QApplication

    app = QApplication(sys.argv[:1])
    for name in options.only:
        with tempfile.TemporaryDirectory() as folder:
            for file in SAMPLES.glob("*.stl"):
                shutil.copy(file, folder)
            window = _window(Path(folder))
            _settle(app, window)
            PICTURES[name](app, window)
            _settle(app, window)
            window.picture().save(str(ROOT / "docs" / f"{name}.png"))
            window.remembers = False
            window.close()
        print(f"docs/{name}.png")


def _window(folder: Path):
    """A window on a folder's cars, with no settings but the program's own."""
    from drivaer_app.settings import Settings
    from drivaer_app.ui.start import new_window

    window = new_window(Settings(theme="light"))
    window.remembers = False
    window.resize(*SIZE)
    window.show()
    window.files.open(sorted(folder.glob("*.stl")))
    return window


def _settle(app, window) -> None:
    _wait(app, lambda: window.is_settled)


def _wait(app, is_so: Callable[[], bool]) -> None:
    """Until it has been so for a while."""
    given_up, since = time.monotonic() + _PATIENCE_SECONDS, None
    while since is None or time.monotonic() - since < _QUIET_SECONDS:
        app.processEvents()
        since = (since or time.monotonic()) if is_so() else None
        if time.monotonic() > given_up:
            raise SystemExit("the window did not settle")
        time.sleep(0.01)


def _select(window, *names: str) -> None:
    keys = {v.name: v.key for v in window.desk.study.state.variants}
    window.desk_page.variants.select([keys[name] for name in names])


def _difference(app, window) -> None:
    _select(window, "estate", "notchback")
    window.desk_page.stage.set_overlay("difference")


def _sensitivity(app, window) -> None:
    _select(window, "notchback")
    window.desk_page.stage.set_overlay("sensitivity")


def _flow(app, window) -> None:
    _select(window, "fastback")
    window.desk_page.stage.set_overlay("cf")
    window.desk_page.stage.view_bar.lines.setChecked(True)


def _morph(app, window) -> None:
    _select(window, "notchback")
    window.desk_page.docks.bring("Morph")
    _settle(app, window)
    rows = window.desk_page.morph.rows
    for name, value in (("roof_rear_height", 40.0), ("backlight_angle", -2.0)):
        rows[name].box.setValue(value)


def _verify(app, window) -> None:
    _select(window, "fastback")
    window.desk_page.docks.bring("Verify")
    _settle(app, window)
    panel = window.desk_page.verify
    panel.preset.setCurrentIndex(panel.preset.findData("draft"))
    panel.begin.click()
    _wait(app, lambda: (run := window.desk.verifications.of(panel.key)) is not None and not run.is_active)
    window.desk_page.stage.set_overlay("sides")


def _data_page(app, window) -> None:
    page = _built_in(app, window)
    table, filters = page.browser.table, page.browser.filters
    filters.where.setText("id like 'procedural_cars/%'")
    filters.where.returnPressed.emit()
    filters.ranges.all[0].column.setCurrentText("cd")
    filters.ranges.all[0].high.setValue(0.33)
    _wait(app, lambda: page.is_settled)
    table.horizontalHeader().sectionClicked.emit(table.rows.listing.names.index("cd"))
    _wait(app, lambda: page.is_settled)
    table.select(table.rows.listing.values("id")[:12])


def _beside_cfd(app, window) -> None:
    """Two designs that the model has not learnt from."""
    page = _built_in(app, window)
    page.browser.table.select(["procedural_cars/fastback_0002", "procedural_cars/notchback_0002"])
    page.browser.open.click()
    _wait(app, lambda: window.is_at_desk)
    _settle(app, window)
    _select(window, "fastback_0002")
    window.desk_page.stage.set_overlay("sides")


def _built_in(app, window):
    """The data page, with the corpus that comes with the program open."""
    window.turn_to("data")
    page = window.page("data")
    _wait(app, lambda: page.is_settled)
    page.start.buttons["built_in"].click()
    _wait(app, lambda: page.is_settled)
    return page


PICTURES = {
    "window": lambda app, window: None,
    "window_difference": _difference,
    "window_sensitivity": _sensitivity,
    "window_flow": _flow,
    "window_morph": _morph,
    "window_verify": _verify,
    "data_page": _data_page,
    "beside_cfd": _beside_cfd,
}


if __name__ == "__main__":
    main()
