"""What a report is to be like. Light: a window asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

N_DETAILS = 12
"""Cars that have a page of their own unless told otherwise."""


@dataclass(frozen=True)
class ReportOptions:
    """As on the command line.

    keys: the study's variants; None for all. The baseline is always there. baseline: a name instead of the own one.
    details: names of the cars with a page of their own, or how many from the top. draw: those that have no pictures.
    brand: TOML. template: jinja2.
    """

    keys: tuple[str, ...] | None = None
    baseline: str | None = None
    details: tuple[str, ...] | int = N_DETAILS
    draw: bool = True
    brand: Path | None = None
    template: Path | None = None
    title: str = ""
