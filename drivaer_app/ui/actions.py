"""Menus and shortcuts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QAction, QActionGroup, QDesktopServices, QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QInputDialog,
    QMenu,
    QMenuBar,
    QTextBrowser,
    QVBoxLayout,
)

from drivaer_app.field_files import FIELD_SUFFIXES
from drivaer_app.models import DEFAULT
from drivaer_app.paths import log_file
from drivaer_app.report.formats import FORMATS
from drivaer_app.settings import THEMES
from drivaer_app.shapes.mesh_files import WRITTEN_SUFFIXES
from drivaer_app.ui.overlays import OVERLAYS, VIEWS
from drivaer_app.ui.pages import PAGES
from drivaer_app.ui.pages.page import BATCH, DESK, PageWindow
from drivaer_app.version import __version__

if TYPE_CHECKING:
    from drivaer_app.ui.pages.desk import DeskPage


class CommandedWindow(PageWindow, Protocol):
    """What commands ask of the window, which is a QMainWindow."""

    desk_page: DeskPage
    is_at_desk: bool

    def menuBar(self) -> QMenuBar: ...

    def close(self) -> bool: ...

    def set_theme(self, theme: str) -> None: ...

    def save_picture(self, file: str, transparent: bool = False) -> None: ...


class Actions:
    """All of the window's commands, by name in ``named``."""

    def __init__(self, window: CommandedWindow):
        self._window = window
        self.named: dict[str, QAction] = {}
        self._of_desk: list[QAction] = []
        """They act on what is on the desk, and have keys that other pages must not hear."""
        self._file_menu()
        self._edit_menu()
        self._variant_menu()
        self._report_menu()
        self._view_menu()
        self._help_menu()

    def refresh(self) -> None:
        """What can be done now."""
        window, study = self._window, self._window.desk.study
        for name, what in (("undo", study.undoes), ("redo", study.redoes)):
            self.named[name].setEnabled(what is not None)
            self.named[name].setText(f"{name.capitalize()} {what}" if what else name.capitalize())
        page = window.desk_page
        at_desk = window.is_at_desk
        any_shown = bool(page.shown_keys) and at_desk
        alone = any_shown and len(page.shown_keys) == 1
        is_baseline = any_shown and page.shown_keys[0] == study.state.baseline
        for name in ("remove", "retry", "copy", "copy_table"):
            self.named[name].setEnabled(any_shown)
        for name in ("rename", "reveal"):
            self.named[name].setEnabled(alone)
        known = any_shown and window.desk.result(page.shown_keys[0]) is not None
        for name in ("export_mesh", "export_fields", "copy_cd"):
            self.named[name].setEnabled(known)
        self.named["baseline"].setEnabled(alone and not is_baseline)
        self.named["compare"].setEnabled(len(page.shown_keys) > 1 or (any_shown and not is_baseline))
        for name in ("save", "save_as", "find", "report", "report_preview", "report_export"):
            self.named[name].setEnabled(bool(study.state.variants))
        for name in ("picture", "clear_picture", "meeting", "copy_picture", "keep_view", "turntable"):
            self.named[name].setEnabled(page.stage.viewport is not None and any_shown)
        for action in self._of_desk:
            action.setEnabled(at_desk)

    # Menus

    def _file_menu(self) -> None:
        window = self._window
        menu = window.menuBar().addMenu("&File")
        keys = QKeySequence.StandardKey
        self._add(menu, "new", "&New study", window.files.new, keys.New)
        self._add(menu, "open", "&Open…", window.files.ask_files, keys.Open, "Car meshes, or a study")
        self._add(menu, "open_folder", "Open &folder…", window.files.ask_folder, "Ctrl+Shift+O")
        recent = menu.addMenu("Open &recent")
        recent.aboutToShow.connect(lambda: self._fill_recent(recent))
        menu.addSeparator()
        self._add(menu, "save", "&Save study", window.files.save, keys.Save)
        self._add(menu, "save_as", "Save study &as…", window.files.save_as, "Ctrl+Shift+S")
        self._add(menu, "find", "Find &missing files…", window.files.ask_where_files_are)
        menu.addSeparator()
        self._add(menu, "picture", "Save a &picture…", self._save_picture, "Ctrl+Shift+P", "PNG at 4K")
        clear = self._add(menu, "clear_picture", "Save a picture without &background…", None, None, "PNG at 4K")
        clear.triggered.connect(lambda: self._save_picture(transparent=True))
        tip = "With title, names, Cd and interval, scale and the report's brand, at 4K"
        self._add(menu, "meeting", "Save a picture for a &meeting…", self._save_meeting, None, tip)
        menu.addSeparator()
        self._add(menu, "quit", "&Quit", window.close, keys.Quit)

    def _edit_menu(self) -> None:
        window = self._window
        menu = window.menuBar().addMenu("&Edit")
        keys = QKeySequence.StandardKey
        self._add(menu, "undo", "Undo", window.desk.undo, keys.Undo)
        self._add(menu, "redo", "Redo", window.desk.redo, keys.Redo)
        menu.addSeparator()
        page = window.desk_page
        self._add(menu, "copy", "&Copy the selected variants", page.copy_rows, keys.Copy, "As rows for a spreadsheet")
        self._add(menu, "copy_cd", "Copy C&d", page.copy_cd, "Ctrl+Shift+C", "The number of the current variant")
        tip = "As for a meeting, with title and numbers"
        self._add(menu, "copy_picture", "Copy a &picture", page.copy_picture, "Ctrl+Alt+C", tip)
        self._add(menu, "copy_table", "Copy the whole &table", page.copy_table, None, "All variants, for a spreadsheet")

    def _variant_menu(self) -> None:
        page = self._window.desk_page
        menu = self._window.menuBar().addMenu("&Variant")
        self._add(menu, "baseline", "Set as &baseline", lambda: page.command("baseline"), "B")
        self._add(menu, "compare", "&Compare with the baseline", page.compare_with_baseline, "C")
        menu.addSeparator()
        self._add(menu, "rename", "&Rename", lambda: page.command("rename"), "F2")
        self._add(menu, "reveal", "Show in file &manager", lambda: page.command("reveal"))
        self._add(menu, "retry", "Read and &predict again", lambda: page.command("retry"), "F5")
        menu.addSeparator()
        tip = "As it is, bent too: STL, OBJ or PLY in the file's own unit, axes and parts"
        self._add(
            menu, "export_mesh", "&Export the shape…", lambda: self._ask_export(fields=False), "Ctrl+Shift+E", tip
        )
        tip = "On the file's own vertices, for ParaView and others"
        self._add(menu, "export_fields", "Export Cp and C&f…", lambda: self._ask_export(fields=True), None, tip)
        menu.addSeparator()
        self._add(menu, "remove", "Re&move from the study", lambda: page.command("remove"), "Del")

    def _report_menu(self) -> None:
        page = self._window.desk_page
        menu = self._window.menuBar().addMenu("&Report")
        show = lambda: (self._window.turn_to(DESK), page.docks.bring("Report"))  # noqa: E731
        formats = ", ".join(form.name for form in FORMATS)
        self._add(menu, "report", "&Make a report", show, "Ctrl+R", f"Of the study: {formats}")
        self._add(menu, "report_preview", "Pre&view it", lambda: (show(), page.report.make_preview()))
        self._add(menu, "report_export", "&Export it…", lambda: (show(), page.report.ask_where()), "Ctrl+E")
        menu.addSeparator()
        tip = "Predict all cars of a folder into a store of results, on all cores"
        self._add(menu, "batch", "&Batch of a folder…", self._ask_batch, None, tip)

    def _view_menu(self) -> None:
        page = self._window.desk_page
        stage = page.stage
        menu = self._window.menuBar().addMenu("V&iew")
        before = set(self.named)
        for number, (name, (_, title)) in enumerate(VIEWS.items(), 1):
            self._add(menu, f"view_{name}", title, lambda name=name: stage.look_from(name), str(number))
        self._add(menu, "fit", "&Fit the car", lambda: stage.viewport and stage.viewport.fit(), "0")
        self._add(
            menu, "keep_view", "&Keep this view…", self._keep_view, None, "Camera and colours by a name, in the study"
        )
        kept = menu.addMenu("Kept &views")
        kept.aboutToShow.connect(lambda: self._fill_views(kept))
        parallel = self._add(menu, "parallel", "&Parallel projection", None, "P")
        parallel.setCheckable(True)
        parallel.toggled.connect(lambda on: stage.viewport and stage.viewport.set_parallel(on))
        turn = self._add(menu, "turntable", "&Turntable", None, "T")
        turn.setCheckable(True)
        turn.toggled.connect(lambda on: stage.viewport and stage.viewport.set_turning(on))
        menu.addSeparator()
        for overlay in OVERLAYS:
            action = self._add(menu, f"show_{overlay.name}", overlay.title, lambda n=overlay.name: stage.set_overlay(n))
            action.setToolTip(overlay.tip)
        self._add(menu, "pin", "Pi&n the marked point", page.pin, "N", "Numbered, on every car, kept in the study")
        self._add(menu, "edges", "&Edges", stage.view_bar.edges.toggle, "E")
        self._add(menu, "lines", "Flow &lines", stage.view_bar.lines.toggle, "L")
        self._add(menu, "cut", "&Cut lengthwise", stage.view_bar.cut.toggle, "X")
        self._of_desk += [action for name, action in self.named.items() if name not in before]
        self._of_desk.remove(turn)
        menu.addSeparator()
        for dock in page.docks.all:
            menu.addAction(dock.toggleViewAction())
        for number, kind in enumerate(PAGES, 1):
            do = lambda name=kind.name: self._window.turn_to(name)  # noqa: E731
            self._add(menu, f"page_{kind.name}", f"{kind.title} page", do, f"Ctrl+{number}")
        menu.addSeparator()
        self._theme_menu(menu.addMenu("&Theme"))

    def _theme_menu(self, menu: QMenu) -> None:
        group = QActionGroup(self._window)
        for theme in THEMES:
            title = "As the system" if theme == "system" else theme.capitalize()
            action = self._add(menu, f"theme_{theme}", title, lambda theme=theme: self._window.set_theme(theme))
            action.setCheckable(True)
            action.setChecked(self._window.settings.theme == theme)
            group.addAction(action)

    def _help_menu(self) -> None:
        menu = self._window.menuBar().addMenu("&Help")
        self._add(menu, "shortcuts", "&Keys and mouse", self.show_shortcuts, QKeySequence.StandardKey.HelpContents)
        self._add(menu, "card", "What the &model was trained on", self.show_card)
        self._add(menu, "samples", "Open the &sample cars", self._window.desk_page.start.open_samples.emit)
        self._add(menu, "log", "Show the &log file's folder", self._show_log)
        menu.addSeparator()
        self._add(menu, "about", "&About drivaer", self._about)

    def _add(
        self,
        menu: QMenu,
        name: str,
        text: str,
        do: Callable[[], object] | None,
        keys: QKeySequence.StandardKey | str | None = None,
        tip: str = "",
    ) -> QAction:
        action = QAction(text, self._window)
        if keys is not None:
            action.setShortcut(QKeySequence(keys))
            action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
        if do is not None:
            action.triggered.connect(lambda _=False: do())
        if tip:
            action.setToolTip(tip)
        menu.addAction(action)
        self.named[name] = action
        return action

    # Commands that need no more than a dialog

    def _fill_recent(self, menu: QMenu) -> None:
        menu.clear()
        for path in self._window.settings.recent:
            menu.addAction(path).triggered.connect(lambda _=False, path=path: self._window.files.open([path]))
        menu.setEnabled(bool(self._window.settings.recent))

    def _ask_batch(self) -> None:
        self._window.turn_to(BATCH)
        self._window.page(BATCH).ask_folder()

    def _save_picture(self, transparent: bool = False) -> None:
        window = self._window
        file, _ = QFileDialog.getSaveFileName(window, "Save a picture of the viewport", "car.png", "Pictures (*.png)")
        if file:
            window.save_picture(file, transparent)

    def _save_meeting(self) -> None:
        title = "Save a picture for a meeting"
        file, _ = QFileDialog.getSaveFileName(self._window, title, "meeting.png", "Pictures (*.png)")
        if file:
            self._window.desk_page.save_meeting_picture(file)

    def _keep_view(self) -> None:
        name, there = QInputDialog.getText(self._window, "Keep this view", "Name of the view")
        if there and name.strip():
            self._window.desk_page.keep_camera(name.strip())

    def _fill_views(self, menu: QMenu) -> None:
        page = self._window.desk_page
        menu.clear()
        for name in page.cameras:
            menu.addAction(name.replace("&", "&&")).triggered.connect(lambda _=False, name=name: page.look_as(name))
        if not page.cameras:
            menu.addAction("none is kept yet").setEnabled(False)

    def _ask_export(self, *, fields: bool) -> None:
        window = self._window
        key = window.desk_page.shown_keys[0]
        variant = window.desk.study.state.variant(key)
        suffixes = FIELD_SUFFIXES if fields else WRITTEN_SUFFIXES
        kinds = ";;".join(f"{suffix[1:].upper()} (*{suffix})" for suffix in suffixes)
        start = variant.file.with_name(f"{variant.name}{'_fields' if fields else ''}{suffixes[0]}")
        title = "Export Cp and Cf" if fields else "Export the shape"
        file, kind = QFileDialog.getSaveFileName(window, title, str(start), kinds)
        if not file:
            return
        path = Path(file)
        if path.suffix.lower() not in suffixes:  # most systems' dialogs leave it away
            path = path.with_name(f"{path.name}{kind[kind.rfind('*') + 1 : -1]}")
        (window.desk.export_fields if fields else window.desk.export_mesh)(key, path)

    def _show_log(self) -> None:
        log_file().parent.mkdir(parents=True, exist_ok=True)
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(log_file().parent)))

    def show_card(self) -> None:
        from drivaer_app.model_card import model_card

        self._read(self._window, "Model card", model_card(self._window.desk.study.state.model), markdown=True)

    def show_shortcuts(self) -> None:
        rows = [
            f"<tr><td><b>{action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)}</b></td>"
            f"<td style='padding-left:18px'>{action.text().replace('&', '').rstrip('…')}</td></tr>"
            for action in self.named.values()
            if not action.shortcut().isEmpty()
        ]
        mouse = (
            ("Drag", "turn"),
            ("Middle button, or Shift + drag", "move"),
            ("Wheel", "nearer, farther, where the mouse is"),
            ("Right button + drag", "nearer, farther"),
            ("Click on the car", "mark a place and read its values"),
            ("Double click on the car", "turn about this place"),
            ("Double click beside the car", "fit the car"),
            ("Up, Down", "go from variant to variant, from anywhere but a field"),
            ("Ctrl + click in the list", "compare up to four"),
        )
        rows += [f"<tr><td><b>{key}</b></td><td style='padding-left:18px'>{what}</td></tr>" for key, what in mouse]
        self._read(self._window, "Keys and mouse", f"<table cellpadding='3'>{''.join(rows)}</table>")

    def _about(self) -> None:
        text = (
            f"<h3>drivaer {__version__}</h3>"
            "<p>Drag, its uncertainty and the pressure on the surface of a car, from its mesh.</p>"
            f"<p>Model: {self._window.desk.study.state.model or DEFAULT}.</p>"
            f"<p>Apache-2.0. The log is in <code>{log_file()}</code>.</p>"
        )
        self._read(self._window, "About drivaer", text)

    @staticmethod
    def _read(window: CommandedWindow, title: str, text: str, *, markdown: bool = False) -> None:
        dialog = QDialog(window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle(title)
        dialog.resize(640, 640)
        page = QTextBrowser()
        page.setOpenExternalLinks(True)
        page.setMarkdown(text) if markdown else page.setHtml(text)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(dialog.close)
        layout = QVBoxLayout(dialog)
        layout.addWidget(page)
        layout.addWidget(buttons)
        dialog.show()
