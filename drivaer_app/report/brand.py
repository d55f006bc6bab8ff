"""A company's name, logo and colours on its reports, from a small TOML file.

name = "Example Motors"
logo = "logo.png"          # .png .jpg .svg, beside the TOML
accent = "#0a5ad6"
ink = "#1c1e22"
footer = "Internal"
"""

from __future__ import annotations

import base64
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from data.errors import DrivAerError

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".svg": "image/svg+xml"}
_LARGEST_LOGO = 2 << 20  # bytes: it is in every report


@dataclass(frozen=True)
class Brand:
    """accent, ink: #rrggbb. logo: a picture's file, or None."""

    name: str = ""
    logo: Path | None = None
    accent: str = "#1f5fae"
    ink: str = "#1c1e22"
    footer: str = ""

    @property
    def logo_uri(self) -> str:
        """The logo as a data URI; empty without one."""
        if self.logo is None:
            return ""
        content = base64.b64encode(self.logo.read_bytes()).decode()
        return f"data:{_TYPES[self.logo.suffix.lower()]};base64,{content}"


def read_brand(path: str | Path | None) -> Brand:
    """Raises DrivAerError for what is no such file, names a logo that cannot be used, or no colour."""
    if path is None:
        return Brand()
    path = Path(path)
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        given = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DrivAerError(f"cannot be read as TOML ({error})", file=path) from error
    known = set(Brand.__dataclass_fields__)
    for name, value in given.items():
        if name not in known or not isinstance(value, str):
            raise DrivAerError(
                f"{name} is nothing that a brand has", file=path, fix=f"texts: {', '.join(sorted(known))}"
            )
    for name in ("accent", "ink"):
        if name in given and not _COLOUR.fullmatch(given[name]):
            raise DrivAerError(f"{name} = {given[name]} is no colour", file=path, fix='write for example "#0a5ad6"')
    logo = _logo(path.parent / given.pop("logo")) if "logo" in given else None
    return Brand(**given, logo=logo)


def _logo(path: Path) -> Path:
    if path.suffix.lower() not in _TYPES:
        raise DrivAerError("is no picture that a report takes", file=path, fix=f"use {' '.join(_TYPES)}")
    if not path.is_file():
        raise DrivAerError("is not there", file=path, fix="put the logo beside the brand's file")
    if path.stat().st_size > _LARGEST_LOGO:
        raise DrivAerError("is too large for a logo", file=path, fix=f"at most {_LARGEST_LOGO >> 20} MB")
    return path
