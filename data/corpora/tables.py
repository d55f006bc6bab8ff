"""CSV tables of coefficients, areas and parameters, in the forms that users find them.

Reads UTF-8 with or without a byte-order mark, UTF-16 and Latin-1; commas, semicolons (also with decimal commas) and
tabs; many spellings of the headings. What a column means is decided here, whose design a row is by the caller.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from data.errors import DrivAerError

LARGEST_TABLE = 200_000_000  # bytes; what is larger is no table of designs

_ID_HEADINGS = (
    *("design", "design id", "experiment", "id", "name", "run", "case", "car", "variant", "model", "mesh"),
    *("file", "filename", "file name", "stl", "geometry", "path"),
)
_MEANINGS = {
    "cd": ("cd", "average cd", "mean cd", "cd mean", "drag coefficient", "c d", "avg cd"),
    "cl": ("cl", "average cl", "mean cl", "cl mean", "lift coefficient", "c l", "avg cl"),
    "clf": ("clf", "cl f", "average cl f", "cl front", "front lift coefficient"),
    "clr": ("clr", "cl r", "average cl r", "cl rear", "rear lift coefficient"),
    "cd_std": ("std cd", "cd std"),
    "cl_std": ("std cl", "cl std"),
    "area": ("area", "frontal area", "aref", "reference area", "frontal area m2", "projected area"),
    "cda": ("cda", "cd a", "cd·a", "cd*a", "cdxa", "drag area", "cd area"),
    "unused": ("std cl f", "std cl r", "cs", "index", "unnamed: 0", "cd first", "bytes"),
    "label_version": ("label version",),
    "style": ("style", "body style", "bodystyle"),
    "underbody": ("underbody", "floor"),
    "wheels": ("wheels",),
    "split": ("split", "set", "subset"),
    "notes": ("notes", "note", "comment", "remark"),
}
_MEANING_OF = {heading: meaning for meaning, headings in _MEANINGS.items() for heading in headings}
TEXTS = ("style", "underbody", "wheels", "split", "notes", "label_version")


@dataclass(frozen=True)
class Table:
    """A table as read.

    headings: as in the file, trimmed. meanings: what each column is: ``id``, a key of the known meanings, or "" for
    a parameter under its heading. rows: cells as text, as many as headings.
    """

    path: Path
    headings: tuple[str, ...]
    meanings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def has(self, meaning: str) -> bool:
        return meaning in self.meanings

    def column(self, meaning: str) -> int | None:
        """The first column of that meaning; the one that says it is an average before one that does not."""
        columns = [i for i, m in enumerate(self.meanings) if m == meaning]
        averaged = [i for i in columns if _plain(self.headings[i]).startswith(("average", "mean", "avg"))]
        return next(iter(averaged + columns), None)

    def other_columns(self, meaning: str) -> list[int]:
        """Further columns of that meaning."""
        return [i for i, m in enumerate(self.meanings) if m == meaning and i != self.column(meaning)]

    def parameters(self) -> list[int]:
        """Columns that are none of the known ones."""
        return [i for i, m in enumerate(self.meanings) if m == "" and self.headings[i]]

    def ids(self) -> list[str]:
        at = self.column("id")
        return [] if at is None else [row[at] for row in self.rows]


def read_table(path: str | Path) -> Table:
    """Read a table. Raises DrivAerError for a file that is none: binary, empty, too large, or of a single column."""
    path = Path(path)
    try:
        if path.stat().st_size > LARGEST_TABLE:
            raise DrivAerError("is too large for a table of designs", file=path)
        content = path.read_bytes()
    except OSError as error:
        raise DrivAerError(f"cannot be read ({error.strerror or error})", file=path) from error
    try:
        lines = list(_records(_decoded(content, path)))
    except csv.Error as error:
        raise DrivAerError(f"is no table ({error})", file=path) from error
    if len(lines) < 2:
        raise DrivAerError("has no rows", file=path)
    headings = tuple(cell.strip() for cell in lines[0])
    width = len(headings)
    rows = tuple(tuple(c.strip() for c in (*line, *[""] * width)[:width]) for line in lines[1:] if any(line))
    return Table(path, headings, _meanings(headings), rows)


def number(cell: str) -> float | None:
    """A cell's finite number; None for a blank or a text. A decimal comma is read as one."""
    try:
        value = float(cell)
    except ValueError:
        if not re.fullmatch(r"[+-]?\d+,\d+(e[+-]?\d+)?", cell, re.IGNORECASE):
            return None
        value = float(cell.replace(",", "."))
    return value if math.isfinite(value) else None


def _decoded(content: bytes, path: Path) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    if b"\0" in content[:4096]:
        raise DrivAerError("is binary, no table", file=path)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _records(text: str) -> Iterator[list[str]]:
    head = text.lstrip().split("\n", 1)[0]
    delimiter = max(",;\t", key=head.count)
    yield from csv.reader(io.StringIO(text.lstrip(), newline=""), delimiter=delimiter, skipinitialspace=True)


def _meanings(headings: tuple[str, ...]) -> tuple[str, ...]:
    plain = [_plain(heading) for heading in headings]
    named = next((plain.index(heading) for heading in _ID_HEADINGS if heading in plain), None)
    return tuple("id" if i == named else _MEANING_OF.get(heading, "") for i, heading in enumerate(plain))


def _plain(heading: str) -> str:
    """``Frontal Area (m²)`` and ``frontal_area_m2`` as ``frontal area``."""
    words = re.sub(r"[\(\[].*?[\)\]]", " ", heading).lower()
    words = re.sub(r"[_\-\s]+", " ", words).strip()
    return re.sub(r" (m2|m²|m\^2)$", "", words)
