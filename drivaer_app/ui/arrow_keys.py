"""Up and Down go from variant to variant wherever the focus is, except where they have a meaning of their own."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)

_WITH_ARROWS = (QLineEdit, QAbstractSpinBox, QTextEdit, QPlainTextEdit, QAbstractSlider, QAbstractItemView)


class ArrowKeys(QObject):
    """page: where they work, also beside it while it is in front. view: the list that they move in."""

    def __init__(self, page: QWidget, view: QAbstractItemView):
        super().__init__(page)
        self._view = view
        self._shortcuts = []
        for key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            shortcut = QShortcut(key, page)
            shortcut.activated.connect(lambda key=key: self._pass_on(key))
            self._shortcuts.append(shortcut)
        QApplication.instance().focusChanged.connect(self._focus_changed)

    def _focus_changed(self, old: QWidget | None, now: QWidget | None) -> None:
        """A shortcut comes before the widget in focus: it is off where that wants the key for itself."""
        wants = isinstance(now, _WITH_ARROWS) or (isinstance(now, QComboBox) and now.isEditable())
        for shortcut in self._shortcuts:
            shortcut.setEnabled(not wants)

    def _pass_on(self, key: Qt.Key) -> None:
        self._view.setFocus()
        for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            QApplication.sendEvent(self._view, QKeyEvent(kind, key, Qt.KeyboardModifier.NoModifier))
