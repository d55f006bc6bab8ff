"""The four views of a car in the sizes that reports need."""

from __future__ import annotations

import base64
import io
from pathlib import Path

from drivaer_app.pictures.picture import HEADER

_WIDTH = 1100  # pixels: sharp at half a page's width, and 60 kB


def as_webp(picture: Path) -> str:
    """The views without their title, which the report sets itself, as a data URI."""
    stream = io.BytesIO()
    _views(picture).save(stream, format="WEBP", quality=82)
    return f"data:image/webp;base64,{base64.b64encode(stream.getvalue()).decode()}"


def as_jpeg(picture: Path) -> io.BytesIO:
    """The same for PDF."""
    stream = io.BytesIO()
    _views(picture).save(stream, format="JPEG", quality=88)
    stream.seek(0)
    return stream


def _views(picture: Path):
    from PIL import Image

    image = Image.open(picture).convert("RGB")
    image = image.crop((0, HEADER, image.width, image.height))
    return image.resize((_WIDTH, round(image.height * _WIDTH / image.width)))
