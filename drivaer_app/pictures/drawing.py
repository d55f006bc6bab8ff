"""What all pictures that are drawn with Pillow share: their inks, their font, and round numbers for axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont, ImageFont

INK, PALE, GRID, PAPER, ALARM = (28, 30, 34), (104, 108, 116), (228, 230, 234), (255, 255, 255), (176, 84, 0)
# Okabe and Ito's colours, told apart by the colour-blind too.
SERIES = ((0, 114, 178), (230, 159, 0), (0, 158, 115), (204, 121, 167), (213, 94, 0), (86, 180, 233), (90, 90, 90))


def font(size: int) -> FreeTypeFont | ImageFont:
    """Pillow's own, in pixels."""
    from PIL import ImageFont

    return ImageFont.load_default(size)


def ticks(low: float, high: float, n: int) -> list[float]:
    """About n round values between low and high."""
    rough = (high - low) / n
    power = 10.0 ** np.floor(np.log10(rough))
    step = min((1, 2, 5, 10), key=lambda factor: abs(factor * power - rough)) * power
    return [round(float(k * step), 10) for k in range(int(np.ceil(low / step)), int(np.floor(high / step)) + 1)]
