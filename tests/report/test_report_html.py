"""The HTML report in a real browser, from its file, offline."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.report_picture import CHROMIUM, CHROMIUM_FLAGS
from drivaer_app.report.brand import read_brand
from drivaer_app.report.formats import write_report
from drivaer_app.report.of_batch import content_of_batch


@pytest.fixture(scope="module")
def report(batch, tmp_path_factory) -> Path:
    from PIL import Image

    folder = tmp_path_factory.mktemp("html")
    Image.new("RGB", (40, 20), "navy").save(folder / "logo.png")
    (folder / "brand.toml").write_text(
        'name = "A & <b>B</b>"\nlogo = "logo.png"\naccent = "#0a7d4f"\n', encoding="utf-8"
    )
    path = folder / "report.html"
    write_report(path, content_of_batch(batch, details=7), read_brand(folder / "brand.toml"))
    return path


def test_the_file_needs_nothing_else(report):
    text = report.read_text("utf-8")
    assert not re.search(r"""(src|href)\s*=\s*["'](?!#|data:)""", text)
    assert "@import" not in text


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("needs Chromium")
    api = pytest.importorskip("playwright.sync_api", reason="needs playwright (requirements-dev.txt)")
    with api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        yield running
        running.close()


@pytest.fixture
def page(browser, report):
    texts: list[str] = []
    page = browser.new_page(viewport={"width": 1280, "height": 900}, offline=True)
    page.on("console", lambda message: texts.append(message.text))
    page.on("pageerror", lambda error: texts.append(str(error)))
    page.on("dialog", lambda dialog: texts.append(dialog.message))
    page.goto(report.as_uri())
    yield page
    page.close()
    assert not texts


def names(page) -> list[str]:
    return page.locator("#cars-table tbody tr:visible td.name").all_inner_texts()


def test_hostile_names_are_letters(page, batch):
    shown = " ".join(names(page))
    assert "<script>alert(1)</script>.stl" in shown and "{{ 7*7 }}{% raw %}.stl" in shown
    assert page.locator("#cars-table img, #cars-table script").count() == 0
    assert "A & <b>B</b>" in page.locator("header").inner_text()


def test_a_click_on_a_heading_sorts_by_it_and_another_turns_it(page):
    before = names(page)
    heading = page.locator('th[data-key="cd"] button')
    heading.click()
    assert names(page) == before  # by Cd already
    heading.click()
    after = names(page)
    assert after[:-2] == before[:-2][::-1] and after[-2:] == before[-2:]  # failed cars stay last


def test_filters_by_name_and_state(page):
    page.get_by_label("Find").fill("PLAIN")
    assert {name.split(".")[0] for name in names(page)} == {"plain_0", "plain_1", "plain_2"}
    page.get_by_label("Show").select_option("outside")
    assert [name.split(".")[0] for name in names(page)] == ["plain_0"]
    assert page.locator("#count").inner_text().startswith("1 of")


def test_outside_cars_are_marked_wherever_their_cd_stands(page, batch):
    outside = [f"{car.record['cd']:.4f}" for car in batch.cars if car.result and car.result.in_distribution is False]
    for cell in page.locator("#cars-table td:nth-child(3)").all_inner_texts():
        assert ("▲" in cell) == (cell[:6] in outside)
    first = page.locator("section.car").first
    assert "▲" in first.locator(".facts tr").first.inner_text()


def test_cd_is_drawn_against_any_parameter(page):
    assert page.locator("#scatter circle, #scatter path").count() == page.locator("#cars-table .bar").count()
    for option in ("parameter.boat_tail", "parameter.=style", "novelty"):
        page.get_by_label("Across").select_option(option)
        assert page.locator("#scatter circle, #scatter path").count() > 10
    page.get_by_label("Across").select_option("parameter.=style")
    assert "=estate" in page.locator("#scatter").text_content()


def test_a_car_turns_in_3d(page):
    page.locator(".turn").first.click()
    canvas = page.locator("section.car canvas")
    canvas.scroll_into_view_if_needed()
    before = canvas.screenshot()
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2 + 150, box["y"] + box["height"] / 2 + 20, steps=4)
    page.mouse.up()
    after = canvas.screenshot()
    assert _share_of_colour(before) > 0.05 and _share_of_colour(after) > 0.05
    assert before != after
    page.locator(".turn").nth(1).click()
    assert page.locator("canvas").count() == 1
    page.locator(".turn").nth(1).click()
    assert page.locator("canvas").count() == 0


def _share_of_colour(png: bytes) -> float:
    """Of the pixels that are not grey: Cp is drawn, not a blank."""
    import io

    import numpy as np
    from PIL import Image

    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)
    return float((np.ptp(pixels, axis=2) > 25).mean())


def test_it_prints_without_its_controls_and_with_all_cars(page, batch, tmp_path):
    import pypdf

    page.pdf(path=tmp_path / "printed.pdf", prefer_css_page_size=True)
    reader = pypdf.PdfReader(tmp_path / "printed.pdf")
    text = "".join(page.extract_text() for page in reader.pages)
    assert "Turn it in 3D" not in text and "part of a name" not in text
    for car in batch.cars[:3]:
        assert f"{car.record['cd']:.4f}" in text
    assert round(reader.pages[0].mediabox.width) == 595
