"""The PDF as a reader gets it: its pages, fonts and words."""

from __future__ import annotations

import io

import pypdf
import pytest

from drivaer_app.report.brand import Brand
from drivaer_app.report.formats import write_report
from drivaer_app.report.of_batch import content_of_batch


@pytest.fixture(scope="module")
def pages(batch, tmp_path_factory) -> list[pypdf.PageObject]:
    path = tmp_path_factory.mktemp("pdf") / "report.pdf"
    write_report(path, content_of_batch(batch, details=6), Brand(name="Example & Sons <Ltd>"))
    return list(pypdf.PdfReader(io.BytesIO(path.read_bytes())).pages)


def test_pages_are_a4_and_numbered(pages):
    for number, page in enumerate(pages, start=1):
        assert (round(page.mediabox.width), round(page.mediabox.height)) == (595, 842)
        assert f"{number} / {len(pages)}" in page.extract_text()


def test_the_title_page_has_the_answer_and_every_page_tells_what_the_mark_means(pages):
    text = " ".join(pages[0].extract_text().split())
    assert "Lowest drag: plain_0.stl" in text and "Ranking" in text and "Example & Sons <Ltd>" in text
    assert all("outside of what the model was trained on" in page.extract_text() for page in pages)


def test_all_letters_are_embedded_and_none_is_lost(pages):
    used = {}
    for page in pages:
        for font in page["/Resources"]["/Font"].values():
            used[font.get_object()["/BaseFont"]] = font.get_object()
    embedded = {name for name in used if "DejaVuSans" in name}
    assert len(embedded) >= 2
    text = " ".join(page.extract_text() for page in pages)
    assert "Größe" in text and "‹8F66›" in text  # what the font lacks is told as its code


def test_no_word_leaves_the_page(pages):
    places = []

    def note(text, cm, tm, font, size):
        if text.strip():
            places.append(tm[4] + cm[4])

    for page in pages:
        page.extract_text(visitor_text=note)
    assert places and all(20 <= x <= 575 for x in places)


def test_failures_and_where_the_numbers_come_from_are_reported(pages, batch):
    text = "".join(page.extract_text() for page in pages).replace("\n", "")
    assert "is empty; export it again" in text
    assert batch.model.digest in text and "held" in text
