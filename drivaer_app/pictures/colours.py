"""Colours of a signed quantity: blue below zero, white at zero, red above, equal steps looking equal."""

from __future__ import annotations

import numpy as np

# The ends and the middle in Oklab's lightness, chroma and hue (Ottosson 2020, "A perceptual color space for image
# processing"). Both arms are straight lines there with the same lightness and chroma, so that equal differences look
# equal and neither sign looks stronger.
_MIDDLE_LIGHTNESS, _END_LIGHTNESS = 0.965, 0.47
_END_CHROMA = 0.175
_BLUE_HUE, _RED_HUE = np.deg2rad(258.0), np.deg2rad(26.0)

_OKLAB_TO_LMS = np.array(
    [
        [1.0, 0.3963377774, 0.2158037573],
        [1.0, -0.1055613458, -0.0638541728],
        [1.0, -0.0894841775, -1.2914855480],
    ]
)
_LMS_TO_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)


def diverging(values: np.ndarray) -> np.ndarray:
    """Linear RGB (..., 3) float32 in 0..1 of values (...,) in -1..1; beyond that the ends stay."""
    table = _table()
    place = (np.clip(values, -1.0, 1.0) + 1.0) * 0.5 * (len(table) - 1)
    return table[np.nan_to_num(place).round().astype(np.int32)]


def _table(n: int = 513) -> np.ndarray:
    t = np.linspace(-1.0, 1.0, n)
    lightness = _MIDDLE_LIGHTNESS + (_END_LIGHTNESS - _MIDDLE_LIGHTNESS) * np.abs(t)
    chroma = _END_CHROMA * np.abs(t)
    hue = np.where(t < 0, _BLUE_HUE, _RED_HUE)
    lab = np.stack([lightness, chroma * np.cos(hue), chroma * np.sin(hue)], axis=1)
    return np.clip((lab @ _OKLAB_TO_LMS.T) ** 3 @ _LMS_TO_RGB.T, 0.0, 1.0).astype(np.float32)


def to_srgb(linear: np.ndarray) -> np.ndarray:
    """Linear RGB in 0..1 as the 8-bit sRGB that image files hold."""
    linear = np.clip(linear, 0.0, 1.0)
    curved = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return (curved * 255.0 + 0.5).astype(np.uint8)


def colour_bar(length: int, thick: int) -> np.ndarray:
    """(thick, length, 3) 8-bit sRGB pixels: the colours of -1 to 1 from left to right."""
    return to_srgb(diverging(np.linspace(-1, 1, length)))[None].repeat(thick, axis=0)
