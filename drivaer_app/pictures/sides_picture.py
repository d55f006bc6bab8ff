"""One PNG of a car beside its CFD: the CFD's Cp, predicted Cp and their difference, each seen from three sides."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from data.replacing import replacing
from drivaer_app.pictures.colours import colour_bar
from drivaer_app.pictures.drawing import INK, PALE, PAPER, font
from drivaer_app.pictures.raycast import Renderer, Surface, View

if TYPE_CHECKING:
    from drivaer_app.drawn_car import DrawnCar

VIEWS = (View("front", 38.0, 18.0), View("rear", 142.0, 18.0), View("underneath", 52.0, -38.0))
CP_RANGE, DIFFERENCE_RANGE = 1.0, 0.5

_PANEL = (560, 310)
_HEADER, _FOOTER, _LEFT = 90, 70, 40


def write_sides(path: Path, car: DrawnCar, cfd_cp: np.ndarray, title: str, facts: str) -> None:
    """Draw and write the PNG. cfd_cp: (P,) on the car's drawn points, NaN where it is not known, which is drawn grey.

    Raises DrivAerError where it cannot be written.
    """
    from PIL import Image, ImageDraw

    rows = _surfaces(car, cfd_cp)
    width, height = _PANEL[0] * len(VIEWS), _HEADER + _PANEL[1] * len(rows) + _FOOTER
    image = Image.new("RGB", (width, height), PAPER)
    pen = ImageDraw.Draw(image)
    pen.text((_LEFT, 22), title, font=font(38), fill=INK)
    pen.text((width - _LEFT, 42), facts.encode("ascii", "replace").decode(), font=font(19), fill=PALE, anchor="rs")
    for row, (label, surface) in enumerate(rows):
        renderer = Renderer(surface)
        for column, view in enumerate(VIEWS):
            corner = (column * _PANEL[0], _HEADER + row * _PANEL[1])
            image.paste(Image.fromarray(renderer.render(view, *_PANEL)), corner)
        pen.text((_LEFT, _HEADER + row * _PANEL[1] + 12), label, font=font(19), fill=INK)
    _bar(image, pen, (_LEFT + 40, height - _FOOTER + 18), CP_RANGE, "Cp")
    _bar(image, pen, (width // 2 + 100, height - _FOOTER + 18), DIFFERENCE_RANGE, "difference")
    with replacing(path) as unfinished:
        image.save(unfinished, format="PNG")


def _surfaces(car: DrawnCar, cfd_cp: np.ndarray) -> list[tuple[str, Surface]]:
    known = np.isfinite(cfd_cp)
    simulated = np.where(known, cfd_cp, np.float32(0))
    difference = np.where(known, car.cp - simulated, np.float32(0)) / np.float32(DIFFERENCE_RANGE)
    return [
        ("CFD", Surface(car.points, car.faces, simulated / np.float32(CP_RANGE), known)),
        ("predicted", Surface(car.points, car.faces, car.cp / np.float32(CP_RANGE), car.exposed)),
        ("predicted minus CFD", Surface(car.points, car.faces, difference, known)),
    ]


def _bar(image, pen, corner: tuple[int, int], reach: float, label: str) -> None:
    from PIL import Image

    length, thick = 480, 14
    bar = colour_bar(length, thick)
    image.paste(Image.fromarray(bar), (corner[0] + 90, corner[1]))
    pen.text((corner[0] + 80, corner[1] + thick // 2), label, font=font(17), fill=INK, anchor="rm")
    for value in (-1.0, -0.5, 0.0, 0.5, 1.0):
        x = corner[0] + 90 + length * (value + 1) / 2
        pen.text(
            (x, corner[1] + thick + 6), f"{value * reach:+g}" if value else "0", font=font(15), fill=PALE, anchor="mt"
        )
