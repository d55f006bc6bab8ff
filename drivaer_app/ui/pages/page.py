"""What the window asks of its pages, and the pages of the window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from drivaer_app.desk.desk import Desk
    from drivaer_app.desk.events import Event
    from drivaer_app.settings import Settings
    from drivaer_app.ui.files import Files
    from drivaer_app.ui.message import Message
    from drivaer_app.ui.opengl import OpenGL
    from drivaer_app.ui.theme import Colours

DESK, DATA, BATCH = "desk", "data", "batch"


class Page(Protocol):
    """What the window asks of a page, which is a QWidget."""

    is_settled: bool
    """Whether all that it shows is the last word."""

    def set_colours(self, colours: Colours) -> None: ...

    def on_event(self, event: Event) -> None:
        """Something happened on the desk; in the interface's thread."""

    def close_page(self) -> None:
        """The window is closing."""


class PageWindow(Protocol):
    """What a page asks of the window that it is in."""

    desk: Desk
    files: Files
    settings: Settings
    opengl: OpenGL
    message: Message

    def page(self, name: str) -> Any:
        """Another page, a QWidget of its own kind; made when it is first asked for."""

    def turn_to(self, name: str) -> None: ...
