"""One PNG of a comparison: predicted Cp, the CFD's Cp and their difference, seen from front and rear."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from data.replacing import replacing
from drivaer_app.cfd.verify import Comparison
from drivaer_app.colours import diverging, to_srgb
from drivaer_app.drawing import INK, PALE, PAPER, font
from drivaer_app.fields import spread, vertex_normals
from drivaer_app.raycast import Studio, Surface, View

if TYPE_CHECKING:
    from drivaer_app.cfd.read import SurfaceFlow

VIEWS = (View("front", 38.0, 18.0), View("rear", 142.0, 18.0), View("underneath", 52.0, -38.0))
CP_RANGE, DIFFERENCE_RANGE = 1.0, 0.5

_PANEL = (560, 310)
_HEADER, _FOOTER, _LEFT = 90, 70, 40


def write_comparison(path: Path, comparison: Comparison, name: str) -> None:
    """Draw and write the PNG. Raises DrivAerError where it cannot be written."""
    from PIL import Image, ImageDraw

    rows = _surfaces(comparison)
    width, height = _PANEL[0] * len(VIEWS), _HEADER + _PANEL[1] * len(rows) + _FOOTER
    image = Image.new("RGB", (width, height), PAPER)
    pen = ImageDraw.Draw(image)
    p, r = comparison.prediction, comparison.result
    pen.text((_LEFT, 22), f"Cd {p.cd:.3f} predicted, {r.cd:.3f} by CFD", font=font(38), fill=INK)
    facts = f"{name}, Cp differs by {100 * comparison.cp_error:.0f} % (relative L2), {r.setup.preset.name} mesh"
    pen.text((width - _LEFT, 42), facts, font=font(19), fill=PALE, anchor="rs")
    for row, (label, surface) in enumerate(rows):
        studio = Studio(surface)
        for column, view in enumerate(VIEWS):
            corner = (column * _PANEL[0], _HEADER + row * _PANEL[1])
            image.paste(Image.fromarray(studio.look(view, *_PANEL)), corner)
        pen.text((_LEFT, _HEADER + row * _PANEL[1] + 12), label, font=font(19), fill=INK)
    _bar(image, pen, (_LEFT + 40, height - _FOOTER + 18), CP_RANGE, "Cp")
    _bar(image, pen, (width // 2 + 100, height - _FOOTER + 18), DIFFERENCE_RANGE, "difference")
    with replacing(path) as unfinished:
        image.save(unfinished, format="PNG")


def _surfaces(comparison: Comparison) -> list[tuple[str, Surface]]:
    fields = comparison.prediction.car_fields
    normals = vertex_normals(fields.vertices, fields.faces)
    simulated, known = _on_vertices(comparison.result.surface, fields.vertices, normals, comparison.result)
    seen = fields.exposed & known
    difference = (fields.cp - simulated) / np.float32(DIFFERENCE_RANGE)
    return [
        ("predicted", Surface(fields.vertices, fields.faces, fields.cp / np.float32(CP_RANGE), fields.exposed)),
        ("CFD", Surface(fields.vertices, fields.faces, simulated / np.float32(CP_RANGE), seen)),
        ("predicted minus CFD", Surface(fields.vertices, fields.faces, difference, seen)),
    ]


def _on_vertices(surface: SurfaceFlow, vertices: np.ndarray, normals: np.ndarray, result) -> tuple[np.ndarray, ...]:
    """The CFD's Cp (V,) on the car's vertices, and (V,) whether a face is near."""
    points, facing, cp = surface.centres, surface.normals, surface.believable_cp
    if result.setup.domain.half:
        other = np.array([1.0, -1.0, 1.0])
        points, facing, cp = (
            np.concatenate([points, points * other]),
            np.concatenate([facing, facing * other]),
            np.concatenate([cp, cp]),
        )
    values, known = spread(points, facing.astype(np.float32), cp[:, None].astype(np.float32), vertices, normals)
    return values[:, 0], known


def _bar(image, pen, corner: tuple[int, int], reach: float, label: str) -> None:
    from PIL import Image

    length, thick = 480, 14
    bar = to_srgb(diverging(np.linspace(-1, 1, length)))[None].repeat(thick, axis=0)
    image.paste(Image.fromarray(bar), (corner[0] + 90, corner[1]))
    pen.text((corner[0] + 80, corner[1] + thick // 2), label, font=font(17), fill=INK, anchor="rm")
    for value in (-1.0, -0.5, 0.0, 0.5, 1.0):
        x = corner[0] + 90 + length * (value + 1) / 2
        pen.text(
            (x, corner[1] + thick + 6), f"{value * reach:+g}" if value else "0", font=font(15), fill=PALE, anchor="mt"
        )
