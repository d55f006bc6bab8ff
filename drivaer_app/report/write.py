"""Which format goes into which file."""

from __future__ import annotations

from pathlib import Path

from data.errors import DrivAerError
from data.extras import needs
from drivaer_app.report.brand import Brand
from drivaer_app.report.content import Content

SUFFIXES = (".html", ".pdf", ".xlsx", ".csv", ".json", ".md", ".drivaer")
WITH_EXTRA = (".html", ".md", ".pdf", ".xlsx")
"""What the packages of the extra ``report`` write."""
WITH_PICTURES = (".html", ".pdf")
WITH_TEMPLATES = (".html", ".md")


def check_suffix(path: Path) -> str:
    """The format. Raises DrivAerError for a suffix that is none of ``SUFFIXES``, or where what writes it is missing."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise DrivAerError("is no format that reports are written in", file=path, fix=f"use {' '.join(SUFFIXES)}")
    if suffix in WITH_EXTRA:
        needs("report")
    return suffix


def check_template(suffix: str, template: Path | None) -> None:
    """Before any work is done. Raises DrivAerError for a template that this format does not take."""
    if template is not None and suffix not in WITH_TEMPLATES:
        raise DrivAerError(f"a template is of no use for {suffix}", fix=f"use {' or '.join(WITH_TEMPLATES)}")


def write_report(path: str | Path, content: Content, brand: Brand | None = None, template: Path | None = None) -> None:
    """Write a report in the format of the suffix; a file of that name is replaced once the new one is complete.

    template: a jinja2 file instead of the program's own, for .html and .md. Raises DrivAerError.
    """
    path, brand = Path(path), brand or Brand()
    suffix = check_suffix(path)
    check_template(suffix, template)
    if suffix == ".csv":
        from drivaer_app.report.as_csv import write_csv

        write_csv(path, content)
    elif suffix == ".json":
        from drivaer_app.report.as_json import write_json

        write_json(path, content)
    elif suffix == ".html":
        from drivaer_app.report.as_html import write_html

        write_html(path, content, brand, template)
    elif suffix == ".md":
        from drivaer_app.report.as_markdown import write_markdown

        write_markdown(path, content, brand, template)
    elif suffix == ".xlsx":
        from drivaer_app.report.as_xlsx import write_xlsx

        write_xlsx(path, content, brand)
    elif suffix == ".drivaer":
        from drivaer_app.report.as_study import write_study_of

        write_study_of(path, content)
    else:
        from drivaer_app.report.as_pdf import write_pdf

        write_pdf(path, content, brand)
