"""Where benchmarks put their tables: between two marks of a Markdown file."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path


def replace_between(name: str, content: str, path: Path) -> None:
    """Put ``content`` between the marks ``<!-- name -->`` and ``<!-- /name -->`` of a Markdown file."""
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, found, rest = path.read_text("utf-8").partition(start)
    _, found_end, after = rest.partition(end)
    if not found or not found_end:
        sys.exit(f"{path}: lacks the marks {start} and {end}; put them where the text belongs")
    path.write_text(f"{before}{start}\n{content}\n{end}{after}", "utf-8")


def show_rows(rows: Iterable[str], write: Path | None) -> None:
    """Print a table row by row as it comes, and put the whole between the marks ``table`` of ``write``."""
    shown = []
    for row in rows:
        print(row, flush=True)
        shown.append(row)
    if write:
        replace_between("table", "\n".join(shown), write)
