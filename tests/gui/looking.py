"""What the window's tests share besides fixtures."""

from __future__ import annotations

import numpy as np
from PySide6.QtGui import QImage


def key_of(window, name: str) -> str:
    return next(v.key for v in window.desk.study.state.variants if v.name == name)


def pixels(image: QImage) -> np.ndarray:
    """(height, width, 3) int."""
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    data = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return data[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(int)
