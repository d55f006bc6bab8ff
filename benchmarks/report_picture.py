"""The picture of an HTML report in docs/: ``python benchmarks/report_picture.py``; needs Chromium and playwright.

A sample car is bent to twelve variants, which are predicted and reported with the program's own commands.
"""

from __future__ import annotations

import argparse
import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "report.png"
CAR = ROOT / "resources" / "samples" / "notchback.stl"
WIDTH, GAP = 1000, 14
ROWS = 6
"""Of the ranking that are shown."""
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# A machine without a screen has no GPU: Chromium's own software renderer draws.
CHROMIUM_FLAGS = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        parts = _parts(_report(Path(folder)))
    whole = Image.new("RGB", (WIDTH, sum(part.height + GAP for part in parts)), "white")
    top = 0
    for part in parts:
        whole.paste(part, (0, top))
        top += part.height + GAP
    whole.quantize(256).save(PICTURE, optimize=True)
    print(PICTURE.relative_to(ROOT))


def _report(folder: Path) -> Path:
    cars, results, report = folder / "cars", folder / "results", folder / "report.html"
    _command("morph", CAR, "--sweep", "roof_rear_height=-0.06:0.03:4", "ride_height=-0.03:0.03:3", "-o", cars)
    _command("batch", cars, "-o", results, "--baseline", sorted(cars.glob("*.stl"))[-2])
    _command("report", results, "-o", report)
    return report


def _command(*words: object) -> None:
    subprocess.run([sys.executable, ROOT / "main.py", *map(str, words)], check=True, stdout=subprocess.DEVNULL)


def _parts(report: Path) -> list[Image.Image]:
    """Answer and first rows of the ranking; Cd against a parameter; the first car, turned."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        page = browser.new_page(viewport={"width": WIDTH, "height": 900}, offline=True)
        page.goto(report.as_uri())
        last = page.locator("#cars-table tbody tr").nth(ROWS - 1).bounding_box()
        clip = {"x": 0, "y": 0, "width": WIDTH, "height": last["y"] + last["height"] + 4}
        shots = [page.screenshot(full_page=True, clip=clip), _across(page, "#scatter")]
        page.locator(".turn").first.click()
        page.wait_for_timeout(500)
        shots.append(_across(page, "section.car"))
        browser.close()
    return [Image.open(io.BytesIO(shot)).convert("RGB") for shot in shots]


def _across(page, selector: str) -> bytes:
    """The page's whole width, as high as the first such element."""
    page.locator(selector).first.scroll_into_view_if_needed()
    scrolled = page.evaluate("window.scrollY")
    box = page.locator(selector).first.bounding_box()
    clip = {"x": 0, "y": scrolled + box["y"] - 4, "width": WIDTH, "height": box["height"] + 8}
    return page.screenshot(full_page=True, clip=clip)


if __name__ == "__main__":
    main()
