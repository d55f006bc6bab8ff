"""One PNG of a prediction: the car in Cp from four sides, with its drag in the title.

Composed with Pillow: its drawing and its built-in font do all that a title and a colour bar need, without the
second that matplotlib takes to import and the font cache that it writes on a cluster node.
"""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from data.replacing import replacing
from drivaer_app.drawn_car import plates
from drivaer_app.pictures.colours import colour_bar
from drivaer_app.pictures.drawing import ALARM, INK, PALE, PAPER, font
from drivaer_app.pictures.raycast import Renderer, Surface, View

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

    from drivaer_app.predict import Prediction

VIEWS = (
    View("front", 38.0, 18.0),
    View("rear", 142.0, 18.0),
    View("side", 90.0, 2.0),
    View("underneath", 52.0, -38.0),
)
# The same range in every picture, so that pictures compare: +1 is where the flow stops, and little but the
# suction peaks at edges lies below -1.
CP_RANGE = 1.0

PANEL = (800, 440)
HEADER, _FOOTER, _MARGIN = 124, 84, 36


def write_picture(path: str | Path, prediction: Prediction, name: str) -> None:
    """Draw and write a PNG, replacing a file of that name once complete. Raises DrivAerError where it cannot be."""
    image = draw(prediction, name)
    with replacing(Path(path)) as unfinished:
        image.save(unfinished, format="PNG")


def draw(prediction: Prediction, name: str) -> Image.Image:
    """The picture as a Pillow image; ``name`` goes into the title."""
    from PIL import ImageDraw

    image = draw_views(drawn_surface(prediction))
    _title(ImageDraw.Draw(image), prediction, name, image.width)
    return image


def draw_views(surface: Surface) -> Image.Image:
    """The same without a title, for whoever sets one: its place, HEADER pixels high, is left free."""
    from PIL import Image, ImageDraw

    renderer = Renderer(surface)
    image = Image.new("RGB", (2 * PANEL[0], HEADER + 2 * PANEL[1] + _FOOTER), PAPER)
    pen = ImageDraw.Draw(image)
    for i, view in enumerate(VIEWS):
        corner = (i % 2 * PANEL[0], HEADER + i // 2 * PANEL[1])
        image.paste(Image.fromarray(renderer.render(view, *PANEL)), corner)
        pen.text((corner[0] + 18, corner[1] + 14), view.name, font=font(17), fill=PALE)
    _colour_bar(image, pen)
    return image


def drawn_surface(prediction: Prediction) -> Surface:
    """The car as triangles with Cp; a point cloud as small plates."""
    fields = prediction.car_fields
    values = fields.cp / np.float32(CP_RANGE)
    if len(fields.faces):
        return Surface(fields.vertices, fields.faces, values, fields.exposed)
    vertices, faces = plates(prediction.car)
    return Surface(vertices, faces, values.repeat(4), fields.exposed.repeat(4))


def _title(pen: ImageDraw.ImageDraw, p: Prediction, name: str, width: int) -> None:
    pen.text((_MARGIN, 24), f"Cd {p.cd:.3f}", font=font(52), fill=INK)
    left = _MARGIN + pen.textlength(f"Cd {p.cd:.3f}", font=font(52)) + 34
    room = width - _MARGIN - left
    interval = f"90 % interval {p.cd_low:.3f} to {p.cd_high:.3f}, " if p.cd_low is not None else ""
    pen.text((left, 26), _fitting(pen, _writable(name), 25, room), font=font(25), fill=INK)
    facts = f"{interval}drag {p.drag:.0f} N at {p.conditions.speed:g} m/s, frontal area {p.frontal_area:.3f} m"
    pen.text((left, 60), facts, font=font(19), fill=PALE)
    pen.text((left + pen.textlength(facts, font=font(19)) + 1, 58), "2", font=font(13), fill=PALE)
    if p.in_distribution is False:
        alarm = f"novelty {p.novelty:.1f}: outside what the model was trained on; the interval does not hold"
        pen.text((left, 88), _fitting(pen, alarm, 19, room), font=font(19), fill=ALARM)


def _fitting(pen: ImageDraw.ImageDraw, text: str, size: int, room: float) -> str:
    """The text, its middle left out where it is longer than the room."""
    cut = text
    for keep in range(len(text), 8, -2):
        if pen.textlength(cut, font=font(size)) <= room:
            return cut
        cut = f"{text[: keep // 2]}...{text[-keep // 2 :]}"
    return cut


def _writable(text: str) -> str:
    """The built-in font has the letters of ASCII only: accents are lost, other scripts left out."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def _colour_bar(image: Image.Image, pen: ImageDraw.ImageDraw) -> None:
    from PIL import Image

    length, thick = 720, 18
    left, top = (image.width - length) // 2, image.height - _FOOTER + 20
    bar = colour_bar(length, thick)
    image.paste(Image.fromarray(bar), (left, top))
    for end, tip in ((left, -thick), (left + length, thick)):  # arrows: values go on beyond the ends
        colour = tuple(int(c) for c in bar[0, 0 if tip < 0 else -1])
        pen.polygon([(end, top), (end, top + thick - 1), (end + tip, top + thick // 2)], fill=colour)
    pen.text((left - thick - 14, top + thick // 2), "Cp", font=font(21), fill=INK, anchor="rm")
    for value in np.linspace(-CP_RANGE, CP_RANGE, 9):
        x = left + length * (value / CP_RANGE + 1) / 2
        pen.line([(x, top + thick), (x, top + thick + 5)], fill=PALE)
        label = f"{value:+.2f}".rstrip("0").rstrip(".") if value else "0"
        pen.text((x, top + thick + 9), label, font=font(16), fill=PALE, anchor="mt")
    note = "grey: not in the flow's sight"
    pen.text((image.width - _MARGIN, top + thick // 2), note, font=font(16), fill=PALE, anchor="rm")
