"""Pictures of twenty random procedural cars, and of what the handles do: docs/shapes.png and docs/handles.png.

python benchmarks/shapes_sheet.py [--seed 7]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from data.load import load_car  # noqa: E402
from data.replacing import replacing  # noqa: E402
from drivaer_app.pictures.raycast import Renderer, Surface, View  # noqa: E402
from drivaer_app.shapes.car import build_car  # noqa: E402
from drivaer_app.shapes.morph import Morph  # noqa: E402
from drivaer_app.shapes.parameters import STYLES, random_parameters  # noqa: E402

COLUMNS, ROWS = 5, 4
SIZE = (384, 230)
HANDLE_SIZE = (384, 176)
PAINT = -0.12  # of the colour map: the palest blue
INK = (70, 74, 82)
COLOURS = 96  # of the picture's palette: it is grey-blue all over

FRONT, REAR = View("front", 38.0, 16.0), View("rear", 140.0, 16.0)
SIDE, TOP, AHEAD = View("side", 90.0, 3.0), View("top", 90.0, 88.0), View("ahead", 3.0, 8.0)
HANDLE_VIEWS = {
    "roof_height": SIDE,
    "backlight_angle": SIDE,
    "boot_height": SIDE,
    "windscreen_angle": SIDE,
    "ride_height": SIDE,
    "diffuser_angle": SIDE,
    "boat_tail": TOP,
    "front_rounding": TOP,
    "greenhouse_taper": AHEAD,
    "width": AHEAD,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    seed = parser.parse_args().seed
    save(cars_sheet(seed), ROOT / "docs" / "shapes.png")
    save(handles_sheet(ROOT / "resources" / "samples" / "notchback.stl"), ROOT / "docs" / "handles.png")


def cars_sheet(seed: int) -> Image.Image:
    """Twenty random cars, the styles in turn, from ahead and every other one from behind."""
    sheet, pen = blank(COLUMNS, ROWS, SIZE)
    for i in range(COLUMNS * ROWS):
        car = build_car(random_parameters(STYLES[i % len(STYLES)], seed + i))
        view = REAR if (i // COLUMNS + i % COLUMNS) % 2 else FRONT
        label = f"{car.parameters.style} {seed + i}"
        put(sheet, pen, i % COLUMNS, i // COLUMNS, picture(car.vertices, car.faces, view, SIZE), label)
    return sheet


def handles_sheet(path: Path) -> Image.Image:
    """A row for each of some handles: the lowest value, neutral, the highest."""
    morph = Morph.of(load_car(path))
    sheet, pen = blank(3, len(HANDLE_VIEWS), HANDLE_SIZE)
    for row, (name, view) in enumerate(HANDLE_VIEWS.items()):
        handle = morph.handles[name]
        for column, value in enumerate((handle.low, handle.neutral, handle.high)):
            label = f"{name} {value:+.3g} {handle.unit}" if value else "as loaded"
            image = picture(morph.vertices({name: value}), morph.car.faces, view, HANDLE_SIZE)
            put(sheet, pen, column, row, image, label)
    return sheet


def blank(columns: int, rows: int, size: tuple[int, int]) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    sheet = Image.new("RGB", (columns * size[0], rows * size[1]))
    return sheet, ImageDraw.Draw(sheet)


def picture(vertices: np.ndarray, faces: np.ndarray, view: View, size: tuple[int, int]) -> Image.Image:
    n = len(vertices)
    renderer = Renderer(Surface(vertices, faces, np.full(n, PAINT, np.float32), np.ones(n, bool)))
    return Image.fromarray(renderer.render(view, *size))


def put(sheet: Image.Image, pen: ImageDraw.ImageDraw, column: int, row: int, image: Image.Image, label: str) -> None:
    corner = (column * image.width, row * image.height)
    sheet.paste(image, corner)
    pen.text((corner[0] + 10, corner[1] + 8), label, font=ImageFont.load_default(14), fill=INK)


def save(sheet: Image.Image, path: Path) -> None:
    with replacing(path) as unfinished:
        sheet.quantize(COLOURS).save(unfinished, format="PNG", optimize=True)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
