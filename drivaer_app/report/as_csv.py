"""A report as a table for programs: RFC 4180, UTF-8, one row a car, the columns of docs/report_columns.md.

A spreadsheet would take a text that starts with ``=``, ``+``, ``-``, ``@``, a tab or a carriage return for a formula.
Such a text has an apostrophe before it here, and so has one that starts with an apostrophe, so that taking one
apostrophe away always gives back what it was.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from data.replacing import replacing
from drivaer_app.report.brand import Brand
from drivaer_app.report.content import Content

_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "'")


def write(path: Path, content: Content, brand: Brand, template: Path | None) -> None:
    with replacing(path) as unfinished:
        unfinished.write_text(csv_of(content), encoding="utf-8", newline="")


def csv_of(content: Content) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow([harmless(name) for name in content.column_names])
    for row in content.rows:
        writer.writerow([_cell(value) for value in row.values()])
    return stream.getvalue()


def harmless(text: str) -> str:
    """The text as no spreadsheet takes it for a formula."""
    return f"'{text}" if text.startswith(_DANGEROUS) else text


def restored(text: str) -> str:
    """What ``harmless`` was given."""
    return text[1:] if text.startswith("'") else text


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    return harmless(str(value))
