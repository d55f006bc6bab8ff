"""The main window: menus, the pages and the switch between them, theme, layout, and what the desk tells."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QByteArray, QPoint, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtOpenGLWidgets import QOpenGLWidget
from PySide6.QtWidgets import QApplication, QMainWindow, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from data.errors import DrivAerError
from drivaer_app.desk.desk import Desk
from drivaer_app.desk.events import Event
from drivaer_app.paths import RESOURCES
from drivaer_app.settings import Settings
from drivaer_app.ui import pages
from drivaer_app.ui.actions import Actions
from drivaer_app.ui.files import Files
from drivaer_app.ui.message import Message
from drivaer_app.ui.opengl import OpenGL
from drivaer_app.ui.pages.desk import DeskPage
from drivaer_app.ui.pages.page import DESK
from drivaer_app.ui.relay import Relay
from drivaer_app.ui.theme import LIGHT, Colours, apply_theme
from drivaer_app.ui.widgets import label, single_shot

SAMPLES = RESOURCES / "samples"
_AUTOSAVE_AFTER_MS = 2000
_BUSY_AFTER_MS = 100
_USUAL_SIZE = QSize(1600, 1000)
_PART_OF_SCREEN = 0.94
"""Of its width and height: the window manager's frame needs room too."""


class MainWindow(QMainWindow):
    """desk: built with ``relay.post`` as its notify. settings_file: where the settings go; None for their usual place.

    opengl: what the screen can draw; without it the window does all but the viewport.
    """

    def __init__(
        self,
        desk: Desk,
        relay: Relay,
        settings: Settings,
        settings_file: Path | None = None,
        opengl: OpenGL = OpenGL(),  # noqa: B008 - frozen
    ):
        super().__init__()
        self.desk, self.settings, self.opengl = desk, settings, opengl
        self._settings_file = settings_file
        self._relay = relay
        self.colours: Colours = LIGHT
        self._pages: dict[str, QWidget] = {}
        self.files = Files(self, desk, settings, relay.post)
        self.setAcceptDrops(True)
        self.setWindowTitle("drivaer")
        self._build()
        self.desk_page: DeskPage = self.page(DESK)
        self.actions_ = Actions(self)
        self._connect()
        self._restore_layout()
        self.set_theme(settings.theme)
        self.desk_page.refresh_study()

    def _build(self) -> None:
        if not self.opengl.lacking:
            # A window that is born with an OpenGL child need not be made anew, flickering, when the viewport comes.
            self._seed = QOpenGLWidget(self)
            self._seed.setFixedSize(1, 1)
            self._seed.lower()
        self.message = Message()
        self.pages = QStackedWidget()
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.message)
        column.addWidget(self.pages, 1)
        self.setCentralWidget(middle)
        self.switch = QTabBar()
        self.switch.setAccessibleName("Pages")
        self.switch.setDrawBase(False)
        for kind in pages.PAGES:
            self.switch.addTab(kind.title)
        if len(pages.PAGES) > 1:
            self.menuBar().setCornerWidget(self.switch, Qt.Corner.TopRightCorner)
        self.switch.currentChanged.connect(lambda number: self.turn_to(pages.PAGES[number].name))
        self.resize(_USUAL_SIZE.boundedTo(self.screen().availableSize() * _PART_OF_SCREEN))
        self.busy = label("", "dim")
        self.statusBar().addPermanentWidget(self.busy)
        self._autosave = single_shot(self, _AUTOSAVE_AFTER_MS, self.files.autosave)
        self._busy = single_shot(self, _BUSY_AFTER_MS, self._show_busy)

    def _connect(self) -> None:
        page = self.desk_page
        page.notice.connect(self.message.say)
        page.remarked.connect(self.statusBar().showMessage)
        page.changed.connect(self._refresh)
        for viewed in (page.changed, page.looked):
            viewed.connect(self._keep_soon)
        page.card_asked.connect(self.actions_.show_card)
        page.start.open_samples.connect(lambda: self.files.open([SAMPLES]))
        self.files.notice.connect(self.message.say)
        self.files.remembered.connect(self._save_settings)
        self.files.opened.connect(lambda _: (self.message.clear(), self.turn_to(DESK)))
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._scheme_changed)
        self._relay.arrived.connect(self._on_event)

    def paintEvent(self, event) -> None:
        super().paintEvent(event)
        QTimer.singleShot(0, self.desk_page.load_late)  # beside the first picture it would delay it

    # Pages

    def page(self, name: str) -> QWidget:
        """One of ``pages.PAGES``; made when it is first asked for."""
        if name not in self._pages:
            kind = next(kind for kind in pages.PAGES if kind.name == name)
            self._pages[name] = kind.make(self)
            self.pages.addWidget(self._pages[name])
            self._pages[name].set_colours(self.colours)
        return self._pages[name]

    def turn_to(self, name: str) -> None:
        self.pages.setCurrentWidget(self.page(name))
        self.switch.setCurrentIndex([kind.name for kind in pages.PAGES].index(name))
        self.actions_.refresh()

    @property
    def is_at_desk(self) -> bool:
        return self.pages.currentWidget() is self.desk_page

    @property
    def is_settled(self) -> bool:
        """Whether all that is on screen is the last word: parts loaded, nothing running."""
        return not self.desk.jobs.active and all(page.is_settled for page in self._pages.values())

    # Events of the desk

    def _on_event(self, event: Event) -> None:
        for page in self._pages.values():
            page.on_event(event)
        if event.kind == "job" and not self._busy.isActive():
            self._busy.start()
        elif event.kind in ("study", "bent"):
            self._keep_soon()
        elif event.kind == "watched":
            if variant := self.desk.study.state.variant(event.key):
                self.message.say(f"{variant.name} was saved again: reading it", passing=True)
        elif event.kind == "appeared":
            self.desk.take_in(event.text)
            self.message.say(f"{Path(event.text).name} is new in the folder", passing=True)
        elif event.kind == "note":
            self.message.say(event.text, passing=event.is_passing)

    def _keep_soon(self) -> None:
        """A crash is to lose no more than the last moments, also of what is on screen."""
        if not self._autosave.isActive():
            self._autosave.start()

    def _refresh(self) -> None:
        study = self.desk.study
        there = bool(study.state.variants)
        self.setWindowTitle(f"{study.name}[*] – drivaer" if there else "drivaer")
        self.setWindowModified(study.is_changed and there)
        self.actions_.refresh()

    def _show_busy(self) -> None:
        active = self.desk.jobs.active
        more = f" and {len(active) - 1} more" if len(active) > 1 else ""
        self.busy.setText(f"{active[0].title}{more}" if active else "")

    # Pictures

    def picture(self) -> QImage:
        """The whole window as it looks; Qt's own grab leaves OpenGL out."""
        viewport = self.desk_page.stage.viewport
        car = viewport.picture(scale=2) if viewport and viewport.isVisible() else None
        image = self.grab().toImage()
        if car is not None:
            ratio = image.devicePixelRatio()
            painter = QPainter(image)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            corner = viewport.mapTo(self, QPoint(0, 0))
            painter.drawImage(QRectF(corner.x(), corner.y(), viewport.width(), viewport.height()), car)
            painter.end()
            image.setDevicePixelRatio(ratio)
        return image

    def save_picture(self, file: str | Path, transparent: bool = False) -> None:
        """The cars as a PNG at least as wide as a 4K screen; what goes wrong is said in the window."""
        try:
            self.desk_page.stage.save_picture(file, transparent)
            self.message.say(f"Saved {Path(file).name}", passing=True)
        except DrivAerError as error:
            self.message.say(error.line)

    # Theme, layout, end

    def set_theme(self, theme: str) -> None:
        self.settings.theme = theme
        self.colours = apply_theme(QApplication.instance(), theme)
        for page in self._pages.values():
            page.set_colours(self.colours)

    def _scheme_changed(self) -> None:
        if self.settings.theme == "system":
            self.set_theme("system")

    def _restore_layout(self) -> None:
        layout = self.settings.layout
        if "geometry" in layout:
            self.restoreGeometry(QByteArray.fromBase64(layout["geometry"].encode()))
        if "docks" in layout:
            self.desk_page.docks.restore_layout(layout["docks"])

    @property
    def remembers(self) -> bool:
        """Whether settings are written, and unsaved work is asked about when closing."""
        return self.files.asks

    @remembers.setter
    def remembers(self, on: bool) -> None:
        self.files.asks = on

    def _save_settings(self) -> None:
        if self.remembers:
            self.settings.save(self._settings_file)

    def dragEnterEvent(self, event) -> None:
        if event.mimeData().hasUrls() and any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event) -> None:
        self.files.open([url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()])
        event.acceptProposedAction()

    def closeEvent(self, event) -> None:
        if not (self.files.may_stop() and self.files.may_leave()):
            event.ignore()
            return
        self.settings.layout = {
            "geometry": bytes(self.saveGeometry().toBase64()).decode(),
            "docks": self.desk_page.docks.layout_,
        }
        self._save_settings()
        self._relay.close()
        self._relay.arrived.disconnect(self._on_event)  # what is under way already
        self.desk.close()
        for page in self._pages.values():
            page.close_page()
        super().closeEvent(event)
