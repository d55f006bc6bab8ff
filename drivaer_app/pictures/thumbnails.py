"""Small pictures of a catalogue's designs, kept in the cache under what they were made of.

``look_up`` reads no mesh and answers at once; ``draw`` reads one and takes a second.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from data.errors import DrivAerError
from data.replacing import replacing
from drivaer_app.paths import cache

if TYPE_CHECKING:
    from data.catalogue import Catalogue
    from data.catalogue.records import CorpusFile

SIZE = (128, 72)
_STYLE = 1
"""Counted up when the same mesh is to be drawn in another way."""
_TINT = -0.45
"""Where on the colour map the whole car is: a pale blue that stands out from the background."""
_AZIMUTH_DEG, _ELEVATION_DEG = 42.0, 16.0


def look_up(path: Path, designs: Sequence[str]) -> dict[str, Path | None]:
    """Where each design's picture is, or will be: None for one without geometry on disk. path: of the catalogue."""
    from data.catalogue import open_catalogue

    with open_catalogue(path, read_only=True) as catalogue:
        return {design: _place(catalogue, design) for design in designs}


def draw(path: Path, design_id: str, place: Path) -> None:
    """Draw a design and keep the picture. place: as ``look_up`` says.

    Raises DrivAerError where there is no shape to draw.
    """
    from PIL import Image

    from data.catalogue import open_catalogue
    from data.catalogue.opening import load_mesh
    from data.load import scene_of
    from drivaer_app.pictures.picture import plates
    from drivaer_app.pictures.raycast import Renderer, Surface, View

    with open_catalogue(path, read_only=True) as catalogue:
        design = catalogue.design(design_id)
        if design is None:
            raise DrivAerError(f"there is no design {design_id} any more", file=path)
        car, _ = load_mesh(catalogue, design)
    if len(car.faces):
        scene = scene_of(car)
        vertices, faces = scene.vertices, scene.faces
    else:
        vertices, faces = plates(car)
    tint = np.full(len(vertices), _TINT, np.float32)
    shape = Surface(vertices, faces, tint, np.ones(len(vertices), bool))
    pixels = Renderer(shape).render(View("thumbnail", _AZIMUTH_DEG, _ELEVATION_DEG), *SIZE)
    place.parent.mkdir(parents=True, exist_ok=True)
    with replacing(place) as unfinished:
        Image.fromarray(pixels).save(unfinished, format="PNG")


def _place(catalogue: Catalogue, design: str) -> Path | None:
    from data.catalogue.opening import file_of

    files = (file_of(catalogue, design, kind) for kind in ("mesh", "case", "pressure"))
    file = next((file for file in files if file is not None), None)
    return None if file is None else cache() / "thumbnails" / f"{_key(catalogue, file)}.png"


def _key(catalogue: Catalogue, file: CorpusFile) -> str:
    """Of the checksum where it is known; else of which file it is, its size and its time."""
    stamp = (str(catalogue.root), file.path, file.member, file.size, file.mtime_ns)
    made_of = (file.checksum_type, file.checksum) if file.checksum else stamp
    return hashlib.sha256(repr((_STYLE, SIZE, made_of)).encode()).hexdigest()[:32]
