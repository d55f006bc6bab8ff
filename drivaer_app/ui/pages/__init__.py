"""The window's pages. A page beside the desk is one more line in PAGES; the switch shows where there are two."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from drivaer_app.desk.events import Event
    from drivaer_app.ui.theme import Colours
    from drivaer_app.ui.window import MainWindow


class Page(Protocol):
    """What the window asks of a page, which is a QWidget."""

    is_settled: bool
    """Whether all that it shows is the last word."""

    def set_colours(self, colours: Colours) -> None: ...

    def on_event(self, event: Event) -> None:
        """Something happened on the desk; in the interface's thread."""

    def close_page(self) -> None:
        """The window is closing."""


@dataclass(frozen=True)
class PageKind:
    """name: in the program. title: on the switch. make: the page, when it is first turned to."""

    name: str
    title: str
    make: Callable[[MainWindow], QWidget]


def _desk(window: MainWindow) -> QWidget:
    from drivaer_app.ui.pages.desk import DeskPage

    return DeskPage(window)


def _data(window: MainWindow) -> QWidget:
    from drivaer_app.ui.pages.data import DataPage

    return DataPage(window)


def _batch(window: MainWindow) -> QWidget:
    from drivaer_app.ui.pages.batch import BatchPage

    return BatchPage(window)


DESK, DATA, BATCH = "desk", "data", "batch"
PAGES: tuple[PageKind, ...] = (
    PageKind(DESK, "Desk", _desk),
    PageKind(DATA, "Data", _data),
    PageKind(BATCH, "Batch", _batch),
)
"""The first one is there from the start."""
