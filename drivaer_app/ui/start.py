"""Starting the window: what the system can do, the application, and the picture of ``--shot``."""

from __future__ import annotations

import logging
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import DrivAerError
from data.extras import needs
from drivaer_app.ui.opengl import OpenGL

if TYPE_CHECKING:
    from drivaer_app.desk.autosave import Autosave
    from drivaer_app.engine import Engine
    from drivaer_app.settings import Settings
    from drivaer_app.ui.window import MainWindow

_log = logging.getLogger(__name__)
_GL_RENDERER = 0x1F01
_SOFTWARE = ("llvmpipe", "softpipe", "swrast", "swiftshader", "microsoft basic render")
_WITHOUT_OPENGL_WIDGETS = ("offscreen", "minimal", "linuxfb", "vnc")
_SMALLEST = 0  # "quality" of a PNG: slower to write, all the same to look at
_SHOT_TIMEOUT_MS = 30 * 60 * 1000


@dataclass(frozen=True)
class WindowOptions:
    """What the command line asked for. select: names of variants, the first one the current one. page: where paths go
    to; to the data page one folder, or ``built-in``, to the batch page one folder or files."""

    paths: tuple[Path, ...] = ()
    select: tuple[str, ...] = ()
    shot: Path | None = None
    show: str = "cp"
    theme: str | None = None
    size: tuple[int, int] = (1600, 1000)
    page: str = "desk"


def run_window(options: WindowOptions) -> tuple[int, list[str]]:
    """Until the window is closed. Returns the exit status and lines for the terminal. Raises DrivAerError."""
    needs("window")
    check_screen()
    from PySide6.QtWidgets import QApplication

    prepare_opengl()
    app = QApplication.instance() or QApplication(sys.argv[:1])
    app.setApplicationName("drivaer")
    app.setApplicationDisplayName("drivaer")
    app.setDesktopFileName("drivaer")
    app.setWindowIcon(_icon())
    from drivaer_app.desk.autosave import Autosave, leftovers
    from drivaer_app.settings import Settings

    settings = Settings() if options.shot else Settings.load()
    if options.theme:
        settings.theme = options.theme
    sys.excepthook = _log_bug
    window = new_window(settings, autosave=None if options.shot else Autosave())
    window.remembers = options.shot is None
    if options.shot:
        window.resize(*options.size)
    window.show()
    window.desk.warm_up()
    if not options.shot:
        window.desk.watch()
    if options.page != "desk":
        window.turn_to(options.page)
    if options.paths and options.page == "data":
        window.page("data").open_corpus(options.paths[0])
    elif options.paths and options.page == "batch":
        window.page("batch").choose([path.absolute() for path in options.paths])
    elif options.paths:
        window.files.open(list(options.paths))
    elif not options.shot:
        window.desk_page.start.show_leftovers(leftovers())
    _select(window, options.select)
    if options.show != "cp":
        window.desk_page.stage.set_overlay(options.show)
    if options.shot:
        return _shoot(app, window, options.shot)
    return app.exec(), []


def new_window(
    settings: Settings,
    *,
    settings_file: Path | None = None,
    engine: Engine | None = None,
    autosave: Autosave | None = None,
    opengl: OpenGL | None = None,
) -> MainWindow:
    """A window on a desk of its own, not shown yet. Needs the application.

    settings_file, opengl: as in MainWindow; opengl None to find out. engine, autosave: as in Desk.
    """
    from drivaer_app.desk.desk import Desk
    from drivaer_app.ui.relay import Relay
    from drivaer_app.ui.window import MainWindow

    relay = Relay()
    desk = Desk(relay.post, engine=engine, memory_mb=settings.memory_mb, autosave=autosave)
    return MainWindow(desk, relay, settings, settings_file, opengl or find_opengl())


def _log_bug(kind, error, traceback) -> None:
    """A bug in a slot: its traceback goes to the log, a line to the terminal, and the window goes on."""
    from drivaer_app.log import log_bug

    print(f"drivaer: {log_bug(_log, error)}", file=sys.stderr)


def check_screen() -> None:
    """Qt aborts the whole program where there is no screen; this says so instead. Raises DrivAerError."""
    if sys.platform == "linux" and not any(
        os.environ.get(v) for v in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    ):
        fix = "use 'predict' there, or start it under a virtual screen: xvfb-run -a drivaer window"
        raise DrivAerError("there is no screen for a window", fix=fix)


def prepare_opengl() -> None:
    """Before the application: the kind of OpenGL that VTK needs, for every window."""
    from PySide6.QtGui import QSurfaceFormat

    wanted = QSurfaceFormat()
    wanted.setRenderableType(QSurfaceFormat.RenderableType.OpenGL)
    wanted.setProfile(QSurfaceFormat.OpenGLContextProfile.CoreProfile)
    wanted.setVersion(3, 2)
    wanted.setRedBufferSize(8)
    wanted.setGreenBufferSize(8)
    wanted.setBlueBufferSize(8)
    wanted.setAlphaBufferSize(8)
    wanted.setDepthBufferSize(8)
    wanted.setStencilBufferSize(0)
    wanted.setSamples(0)
    QSurfaceFormat.setDefaultFormat(wanted)


def find_opengl() -> OpenGL:
    """What kind of viewport can be had on this screen. Needs the application."""
    from PySide6.QtGui import QGuiApplication, QOffscreenSurface, QOpenGLContext

    context = QOpenGLContext()
    surface = QOffscreenSurface()
    surface.create()
    if QGuiApplication.platformName() in _WITHOUT_OPENGL_WIDGETS:
        reason = f"Qt's {QGuiApplication.platformName()} screen offers no OpenGL"
    elif not context.create() or not context.makeCurrent(surface):
        reason = "this screen offers no OpenGL"
    else:
        version = context.format().version()
        name = str(context.functions().glGetString(_GL_RENDERER)).lower()
        context.doneCurrent()
        if tuple(version) >= (3, 2):
            return OpenGL(software=any(kind in name for kind in _SOFTWARE))
        reason = f"this screen's OpenGL is version {version[0]}.{version[1]}, and 3.2 is needed"
    _log.warning("no viewport: %s", reason)
    return OpenGL.without(reason)


def _icon():
    from PySide6.QtGui import QIcon

    from drivaer_app.paths import RESOURCES

    return QIcon(str(RESOURCES / "icons" / "drivaer.svg"))


def _select(window, names: tuple[str, ...]) -> None:
    keys = {v.name: v.key for v in window.desk.study.state.variants}
    unknown = [name for name in names if name not in keys]
    if unknown:
        raise DrivAerError(f"no variant is called {unknown[0]}", fix=f"there are {', '.join(keys) or 'none'}")
    if names:
        window.desk_page.variants.select([keys[name] for name in names])


def _shoot(app, window, file: Path) -> tuple[int, list[str]]:
    """Wait until nothing moves any more, write the picture, close."""
    from PySide6.QtCore import QTimer
    from PySide6.QtGui import QImage

    from data.replacing import replacing

    tick, late = QTimer(), QTimer()
    quiet = 0

    def look() -> None:
        nonlocal quiet
        quiet = quiet + 1 if window.is_settled else 0
        if quiet >= 5:
            app.exit(0)  # quit() would close the window first

    tick.timeout.connect(look)
    late.setSingleShot(True)
    late.timeout.connect(lambda: app.exit(3))
    tick.start(100)
    late.start(_SHOT_TIMEOUT_MS)
    timed_out = app.exec() == 3
    remarks = ["the window did not settle; the picture shows what there was"] if timed_out else []
    picture = window.picture().convertToFormat(QImage.Format.Format_RGB888)
    with replacing(file) as unfinished:
        if not picture.save(str(unfinished), "PNG", _SMALLEST):
            raise OSError("the picture could not be written")
    desk = window.desk
    failed = [s.error for v in desk.study.state.variants if (s := desk.prediction(v.key)).error]
    window.remembers = False
    window.close()
    return 1 if failed or timed_out else 0, remarks + failed
