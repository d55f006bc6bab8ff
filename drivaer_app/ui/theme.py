"""Light and dark: one set of colours each, for Qt's palette, the plots and the viewport."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

_STYLED = "drivaer_styled"


@dataclass(frozen=True)
class Colours:
    """window: behind panels. base: lists and fields. line: hairlines. dim: less important text. sky, floor: the
    viewport's background, top and bottom. series: for plots, told apart also without colour vision (Okabe and Ito)."""

    is_dark: bool
    window: str
    base: str
    raised: str
    text: str
    dim: str
    line: str
    accent: str
    on_accent: str
    good: str
    warn: str
    bad: str
    sky: str
    floor: str
    grid: str
    edge: str
    series: tuple[str, ...]


LIGHT = Colours(
    is_dark=False,
    window="#f3f4f6",
    base="#ffffff",
    raised="#fafbfc",
    text="#1b1e23",
    dim="#5f6670",
    line="#d5d9df",
    accent="#1f6fd0",
    on_accent="#ffffff",
    good="#1a7f4b",
    warn="#9a5b00",
    bad="#b3261e",
    sky="#ffffff",
    floor="#dfe3e9",
    grid="#b9c0ca",
    edge="#2a2e35",
    series=("#0072b2", "#d55e00", "#009e73", "#cc79a7"),
)
DARK = Colours(
    is_dark=True,
    window="#1d2025",
    base="#15181c",
    raised="#262a30",
    text="#e7eaee",
    dim="#a0a8b3",
    line="#393f48",
    accent="#5aa2f5",
    on_accent="#0d1117",
    good="#5cc98b",
    warn="#e5a94c",
    bad="#ff8078",
    sky="#3a4049",
    floor="#1a1d22",
    grid="#59616d",
    edge="#0b0c0e",
    series=("#56b4e9", "#e69f00", "#2fc59b", "#e08fc0"),
)


def apply_theme(app: QApplication, theme: str) -> Colours:
    """theme: system, light or dark. Returns the colours that are now in use."""
    hints = app.styleHints()
    scheme = {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark}.get(theme, Qt.ColorScheme.Unknown)
    hints.setColorScheme(scheme)  # menus and title bars that the system draws follow this
    dark = theme == "dark" or (theme == "system" and hints.colorScheme() == Qt.ColorScheme.Dark)
    colours = DARK if dark else LIGHT
    if not app.property(_STYLED):  # once: a new style takes the old one away from under widgets that are closing
        app.setStyle("Fusion")
        app.setProperty(_STYLED, True)
    app.setPalette(_palette(colours))
    app.setStyleSheet(_style(colours))
    return colours


def _palette(c: Colours) -> QPalette:
    palette = QPalette()
    role = QPalette.ColorRole
    for name, colour in {
        role.Window: c.window,
        role.WindowText: c.text,
        role.Base: c.base,
        role.AlternateBase: c.raised,
        role.Text: c.text,
        role.Button: c.raised,
        role.ButtonText: c.text,
        role.ToolTipBase: c.raised,
        role.ToolTipText: c.text,
        role.PlaceholderText: c.dim,
        role.Highlight: c.accent,
        role.HighlightedText: c.on_accent,
        role.Link: c.accent,
        role.BrightText: c.bad,
        role.Mid: c.line,
        role.Dark: c.line,
        role.Light: c.raised,
        role.Accent: c.accent,
    }.items():
        palette.setColor(name, QColor(colour))
    for name in (role.WindowText, role.Text, role.ButtonText):
        faded = QColor(c.dim)
        faded.setAlpha(150)
        palette.setColor(QPalette.ColorGroup.Disabled, name, faded)
    return palette


def _style(c: Colours) -> str:
    return f"""
    QToolTip {{ color: {c.text}; background: {c.raised}; border: 1px solid {c.line}; padding: 4px; }}
    QMainWindow::separator {{ background: {c.line}; width: 1px; height: 1px; }}
    QMainWindow::separator:hover {{ background: {c.accent}; }}
    QDockWidget {{ font-weight: 600; }}
    QDockWidget::title {{ padding: 6px 10px; background: {c.window}; }}
    QMenuBar {{ background: {c.window}; }}
    QStatusBar {{ background: {c.window}; border-top: 1px solid {c.line}; }}
    QStatusBar::item {{ border: none; }}
    QScrollArea {{ border: none; background: transparent; }}
    QListView {{ border: none; background: {c.base}; outline: none; }}
    QTabWidget::pane {{ border: none; border-top: 1px solid {c.line}; }}
    QTabBar::tab {{ padding: 5px 14px; color: {c.dim}; border: none; border-bottom: 2px solid transparent; }}
    QTabBar::tab:selected {{ color: {c.text}; border-bottom: 2px solid {c.accent}; }}
    QTabBar::tab:focus {{ color: {c.accent}; }}
    QLabel[role="dim"] {{ color: {c.dim}; }}
    QLabel[role="warn"] {{ color: {c.warn}; }}
    QLabel[role="bad"] {{ color: {c.bad}; }}
    QLabel[role="good"] {{ color: {c.good}; }}
    QLabel[role="heading"] {{ color: {c.dim}; font-weight: 600; }}
    QFrame[role="line"] {{ background: {c.line}; max-height: 1px; border: none; }}
    QToolBar[role="bar"] {{ background: {c.window}; border: none; border-bottom: 1px solid {c.line};
        padding: 4px 8px; spacing: 4px; }}
    QFrame[role="foot"] {{ background: {c.window}; border-top: 1px solid {c.line}; }}
    QFrame[role="message"] {{ background: {c.raised}; border-bottom: 1px solid {c.line}; }}
    QToolButton {{ padding: 3px 7px; border: 1px solid transparent; border-radius: 4px; }}
    QToolButton:hover {{ background: {c.raised}; border-color: {c.line}; }}
    QToolButton:checked {{ background: {c.base}; border-color: {c.accent}; color: {c.accent}; }}
    QToolButton#qt_toolbar_ext_button {{ padding: 0; min-width: 18px; }}
    QSlider[role="handle"] {{ min-height: 18px; }}
    QSlider[role="handle"]::groove:horizontal {{ height: 4px; background: {c.line}; border-radius: 2px; }}
    QSlider[role="handle"]::handle:horizontal {{ width: 14px; margin: -5px 0; border-radius: 7px;
        background: {c.accent}; }}
    QSlider[role="handle"]::handle:horizontal:focus {{ background: {c.text}; }}
    QToolButton:focus {{ border-color: {c.accent}; }}
    """
