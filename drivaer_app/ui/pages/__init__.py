"""The window's pages. A page beside the desk is one more line in PAGES; the switch shows where there are two."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drivaer_app.ui.pages.page import BATCH, DATA, DESK, PageWindow

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget


@dataclass(frozen=True)
class PageKind:
    """name: in the program. title: on the switch. make: the page, when it is first turned to."""

    name: str
    title: str
    make: Callable[[PageWindow], QWidget]


def _desk(window: PageWindow) -> QWidget:
    from drivaer_app.ui.pages.desk import DeskPage

    return DeskPage(window)


def _data(window: PageWindow) -> QWidget:
    from drivaer_app.ui.pages.data import DataPage

    return DataPage(window)


def _batch(window: PageWindow) -> QWidget:
    from drivaer_app.ui.pages.batch import BatchPage

    return BatchPage(window)


PAGES: tuple[PageKind, ...] = (
    PageKind(DESK, "Desk", _desk),
    PageKind(DATA, "Data", _data),
    PageKind(BATCH, "Batch", _batch),
)
"""The first one is there from the start."""
