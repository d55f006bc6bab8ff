"""The formats that reports are written in: one line each, and one module that writes it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import DrivAerError
from data.extras import needs
from drivaer_app.report.brand import Brand

if TYPE_CHECKING:
    from drivaer_app.report.content import Content


@dataclass(frozen=True)
class Format:
    """suffix: of its files. name: in a sentence. title: with what it is, for a list to choose from.

    module: of this package; its ``write(path, content, brand, template)`` writes a report, and is imported when one is
    asked for. extra: of the installation that brings what it needs, see data.extras.
    has_pages: whether cars have pages with pictures. takes_template: a jinja2 file instead of the own one.
    """

    suffix: str
    name: str
    title: str
    module: str
    extra: str = ""
    has_pages: bool = False
    takes_template: bool = False


FORMATS: tuple[Format, ...] = (
    Format(".html", "HTML", "HTML, one file with 3D", "as_html", "report", has_pages=True, takes_template=True),
    Format(".pdf", "PDF", "PDF, A4", "as_pdf", "report", has_pages=True),
    Format(".xlsx", "Excel", "Excel workbook", "as_xlsx", "report"),
    Format(".csv", "CSV", "CSV table", "as_csv"),
    Format(".json", "JSON", "JSON", "as_json"),
    Format(".md", "Markdown", "Markdown", "as_markdown", "report", takes_template=True),
)


def format_of(path: Path, template: Path | None = None, *, others: tuple[str, ...] = ()) -> Format:
    """The format of a file's suffix, before any work is done.

    others: suffixes that the user may write besides. Raises DrivAerError for a suffix that is none of theirs, for a
    template that the format does not take, and where what writes it is not installed.
    """
    suffix = path.suffix.lower()
    found = next((one for one in FORMATS if one.suffix == suffix), None)
    if found is None:
        suffixes = " ".join((*(one.suffix for one in FORMATS), *others))
        raise DrivAerError("is no format that reports are written in", file=path, fix=f"use {suffixes}")
    if found.extra:
        needs(found.extra)
    if template is not None and not found.takes_template:
        takers = " or ".join(one.suffix for one in FORMATS if one.takes_template)
        raise DrivAerError(f"a template is of no use for {suffix}", fix=f"use {takers}")
    return found


def write_report(path: str | Path, content: Content, brand: Brand | None = None, template: Path | None = None) -> None:
    """Write a report in the format of the suffix; a file of that name is replaced once the new one is complete.

    template: a jinja2 file instead of the program's own, where the format takes one. Raises DrivAerError.
    """
    path = Path(path)
    module = import_module(f"{__package__}.{format_of(path, template).module}")
    module.write(path, content, brand or Brand(), template)
