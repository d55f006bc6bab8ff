"""The window's pages: the switch between them, and what it keeps from the page that is not in front."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from drivaer_app.ui import pages


class OtherPage(QLabel):
    """A page as small as one can be."""

    is_settled = True

    def __init__(self) -> None:
        super().__init__("another page")
        self.events: list[str] = []
        self.closed = False

    def set_colours(self, colours) -> None:
        self.colours = colours

    def on_event(self, event) -> None:
        self.events.append(event.kind)

    def close_page(self) -> None:
        self.closed = True


def test_with_one_page_there_is_no_switch(window):
    assert (len(pages.PAGES) > 1) == window.switch.isVisible()


def test_a_second_page_is_made_when_it_is_turned_to_and_keeps_the_desks_keys_off(
    qtbot, monkeypatch, make_window, settle, samples
):
    monkeypatch.setattr(pages, "PAGES", (*pages.PAGES, pages.PageKind("other", "Other", lambda window: OtherPage())))
    window = make_window(samples[:1])
    settle(window)
    assert window.switch.isVisible() and not window.findChildren(OtherPage)
    number = window.switch.count() - 1
    qtbot.mouseClick(window.switch, Qt.MouseButton.LeftButton, pos=window.switch.tabRect(number).center())
    other = window.pages.currentWidget()
    assert isinstance(other, OtherPage) and other.colours == window.colours
    assert not window.actions_.named["remove"].isEnabled() and not window.actions_.named["edges"].isEnabled()
    window.desk.edit(lambda study: study.rename(study.state.variants[0].key, "long roof"))
    qtbot.waitUntil(lambda: "study" in other.events)
    window.files.open(samples[1:2])
    assert window.is_at_desk and window.actions_.named["edges"].isEnabled()
    window.remembers = False
    window.close()
    assert other.closed
