"""Tables of points as text (CSV, XYZ and kin): which column is which, by its name, and its unit.

Tables of measurements and of CFD programs (Fluent, CFX, STAR-CCM+, ParaView, CloudCompare, pandas) name their
columns in many ways and orders. pyarrow's CSV reader parses the rows: it is a dependency already, reads a million of
them in a second, and converts strictly.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data.formats.source import Source
from data.mesh import RawMesh
from data.units import METRES

if TYPE_CHECKING:
    import pyarrow as pa

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][+-]?\d+)?|[+-]?(?:nan|inf(?:inity)?)"
_IS_NUMBER = re.compile(_NUMBER, re.IGNORECASE)
_IS_COMMA_NUMBER = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")
_COMMENT = re.compile(r"^\s*(#|//|%|!)")
_LONGEST_PREAMBLE = 200  # lines above the first row of numbers
_SHOWN = 12  # names that a message lists

# Words around an axis's letter that say no more than that it is a coordinate.
_COORDINATE_WORDS = {
    *("coordinate", "coordinates", "coord", "coords", "position", "positions", "pos", "location", "loc", "global"),
    *("point", "points", "pt", "vertex", "vertices", "node", "nodes", "cell", "centroid", "center", "centre", "xyz"),
    *("cartesian", "abs", "absolute", "mesh", "p"),
}
_NORMAL_WORDS = {"normal", "normals", "n", "norm"}
_AXES = ("x", "y", "z")


@dataclass(frozen=True)
class _Column:
    """A column whose name says which coordinate it is. kind: all that its name has besides the axis."""

    at: int
    axis: int
    kind: tuple[str, ...]
    unit: str | None


@dataclass(frozen=True)
class _Layout:
    """How a table is written. names: of its columns, none where it has no heading. first: line of its first row.

    delimiter: one character; " " for any number of blanks. decimal_comma: 0,25 is a quarter.
    """

    names: tuple[str, ...]
    first: int
    delimiter: str
    decimal_comma: bool
    width: int


def read(source: Source) -> RawMesh:
    """Rows of numbers under a heading that names x, y and z, or ``x y z [nx ny nz] ...`` without a heading.

    Split by commas, semicolons, tabs or blanks, with decimal points or commas. Lines that begin with #, //, % or ! are
    comments, though the last one above the rows may be the heading. Units in the names count. A blank is NaN. Raises
    MeshError: no rows, a heading without x, y and z, rows that do not fit.
    """
    lines = _decoded(source).splitlines()
    layout = _layout(source, lines)
    stripped = map(str.strip, lines[layout.first :])
    rows = [line for line in stripped if line and not _COMMENT.match(line)]
    if not layout.names:
        return _unnamed(source, rows, layout)
    columns = _coordinates(layout.names, _COORDINATE_WORDS)
    if columns is None:
        seen = ", ".join(layout.names[:_SHOWN]) + (", ..." if len(layout.names) > _SHOWN else "")
        raise source.error(f"names no columns x, y and z; its columns are {seen}", "rename the three columns x, y, z")
    normals = _coordinates(layout.names, _NORMAL_WORDS, must_have=True)
    wanted = [column.at for column in (*columns, *(normals or ()))]
    table = _numbers(source, rows, layout, wanted)
    unit, warnings = _unit(source, layout.names, columns)
    return _cloud(source, table[:, :3], table[:, 3:].astype(np.float32) if normals else None, unit, warnings)


def _decoded(source: Source) -> str:
    data = source.data.removeprefix(b"\xef\xbb\xbf")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _cloud(
    source: Source,
    points: np.ndarray,
    normals: np.ndarray | None,
    unit: str | None = None,
    warnings: Iterable[str] = (),
) -> RawMesh:
    return RawMesh(
        points, np.zeros((0, 3), np.int32), source.path, normals=normals, unit=unit, warnings=tuple(warnings)
    )


# How the table is written -----------------------------------------------------------------------------------------


def _layout(source: Source, lines: list[str]) -> _Layout:
    """From the first two lines that are rows of numbers: a length alone on a line (.pts) is none."""
    candidates = [i for i, line in enumerate(lines[:_LONGEST_PREAMBLE]) if line.strip() and not _COMMENT.match(line)]
    for i in candidates:
        cells = _split(lines[i])
        if cells is None:
            continue
        delimiter, decimal_comma, fields = cells
        names = _heading(lines[:i], delimiter, len(fields))
        if names or _is_row(fields, decimal_comma):
            return _Layout(tuple(names), i, delimiter, decimal_comma, len(fields))
    raise source.error("holds no points: lines of x y z expected", "export the mesh as binary STL")


def _split(line: str) -> tuple[str, bool, list[str]] | None:
    """Delimiter, whether it has decimal commas, and the cells of a line that has three numbers or more."""
    for delimiter in (";", "\t", ",", " "):
        cells = _cells(line, delimiter)
        points = sum(bool(_IS_NUMBER.fullmatch(cell)) for cell in cells)
        commas = sum(bool(_IS_COMMA_NUMBER.fullmatch(cell)) for cell in cells)
        if points + commas >= 3 and (delimiter != "," or not _is_blanks_and_commas(line)):
            return delimiter, commas > 0, cells
    return None


def _is_blanks_and_commas(line: str) -> bool:
    """``0,37 -0,17 0,95``: blanks part the numbers, and commas their fractions."""
    words = line.split()
    return len(words) >= 3 and all(_IS_COMMA_NUMBER.fullmatch(word) or _IS_NUMBER.fullmatch(word) for word in words)


def _cells(line: str, delimiter: str) -> list[str]:
    if delimiter == " ":
        return line.split()
    try:
        row = next(csv.reader([line.strip(" ")], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error:
        return []
    cells = [cell.strip() for cell in row]
    return cells[:-1] if cells and not cells[-1] else cells  # a delimiter at the line's end


def _is_row(cells: Sequence[str], decimal_comma: bool) -> bool:
    return all(_IS_NUMBER.fullmatch(c) or (decimal_comma and _IS_COMMA_NUMBER.fullmatch(c)) for c in cells)


def _heading(above: list[str], delimiter: str, width: int) -> list[str]:
    """The names in the nearest line above the rows that can be their heading; of a comment only one that names x, y, z.

    pandas writes no name above its index: a heading that is one name short is of the columns behind the first.
    """
    for line in reversed([line for line in above if line.strip()]):
        comment = _COMMENT.match(line)
        text = line[comment.end() :] if comment else line
        names = _names(text.lstrip("/#%! "), delimiter, width)
        if names and (not comment or _coordinates(names, _COORDINATE_WORDS) is not None):
            return names
        if not comment and not text.strip().isdigit():
            # Not fitting, but words all the same: better said than passed over.
            return _names(text, delimiter, None) if _has_words(text) else []
    return []


def _has_words(text: str) -> bool:
    return any(not _IS_NUMBER.fullmatch(word) for word in re.split(r"[\s,;]+", text.strip()) if word)


def _names(text: str, delimiter: str, width: int | None) -> list[str]:
    """Cells of a heading, ``width`` of them (None: however many); also where its delimiter is not that of the rows."""
    for splitter in dict.fromkeys((delimiter, ",", ";", "\t", " ")):
        # A unit in brackets belongs to the name before it: "X (m) Y (m)".
        joined = re.sub(r"\s*([(\[][^)\]]*[)\]])", r"\1", text) if splitter == " " else text
        names = [name.strip().strip('"').strip() for name in _cells(joined, splitter)]
        if not _has_words(" ".join(names)):
            continue
        if width is None or len(names) == width:
            return names
        if len(names) == width - 1:
            return ["", *names]
    return []


# Which column is which --------------------------------------------------------------------------------------------


def _coordinates(names: Sequence[str], words: set[str], must_have: bool = False) -> tuple[_Column, ...] | None:
    """The columns of x, y and z among names that are told apart by an axis and nothing else; the plainest such three.

    words: what may stand beside the axis. must_have: one of them has to.
    """
    kinds: dict[tuple[str, ...], dict[int, _Column]] = {}
    for at, name in enumerate(names):
        column = _column(at, name, words, must_have)
        if column is not None:
            kinds.setdefault(column.kind, {}).setdefault(column.axis, column)
    whole = [columns for columns in kinds.values() if len(columns) == 3]
    if not whole:
        return None
    plainest = min(whole, key=lambda columns: len(columns[0].kind))
    return tuple(plainest[axis] for axis in range(3))


def _column(at: int, name: str, words: set[str], must_have: bool) -> _Column | None:
    plain, unit = _without_unit(name)
    parts = _words(plain)
    for i, part in enumerate(parts):
        beside = (*parts[:i], *parts[i + 1 :])
        if any(word not in words for word in beside) or (must_have and not beside):
            continue
        if part in _AXES:
            return _Column(at, _AXES.index(part), beside, unit)
        if part in ("0", "1", "2") and beside:  # ParaView's Points:0
            return _Column(at, int(part), ("number", *beside), unit)
    return None


def _without_unit(name: str) -> tuple[str, str | None]:
    """``X [mm]`` as ``X`` and ``mm``; the unit as it is written, or None."""
    for bracketed in reversed([*re.finditer(r"[\[(]\s*([^\[\]()]*?)\s*[\])]", name)]):
        if bracketed[1].lower() not in _AXES:  # STAR-CCM+'s Centroid[X] (m)
            return name[: bracketed.start()] + name[bracketed.end() :], bracketed[1]
    ending = re.fullmatch(r"(.*[xyz012])[\s_/]+(mm|cm|m|in|inch|inches|ft|feet)", name.strip(), re.IGNORECASE)
    return (ending[1], ending[2]) if ending else (name, None)


def _words(name: str) -> list[str]:
    """Lower-case words of a name, also those run together: CoordinateX, xcoord, nx, x_1 ..."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.strip())
    words = []
    for word in re.findall(r"[a-z]+|\d+", apart.lower()):
        glued = re.fullmatch(r"(?:(?P<axis>[xyz])(?P<after>[a-z]{3,})|(?P<before>[a-z]+)(?P<last>[xyz]))", word)
        parts = [word]
        if glued and glued["axis"] and glued["after"] in _COORDINATE_WORDS | _NORMAL_WORDS:
            parts = [glued["axis"], glued["after"]]
        elif glued and glued["last"] and glued["before"] in _COORDINATE_WORDS | _NORMAL_WORDS:
            parts = [glued["before"], glued["last"]]
        words += parts
    return words


_UNITS = {**{name: name for name in METRES}, "inch": "in", "inches": "in", "feet": "ft", "meter": "m", "metre": "m"}
_UNITS |= {"meters": "m", "metres": "m", "millimeter": "mm", "millimetre": "mm", "millimeters": "mm"}
_UNITS |= {"millimetres": "mm", "centimeter": "cm", "centimetre": "cm", '"': "in", "foot": "ft"}


def _unit(source: Source, names: Sequence[str], columns: Sequence[_Column]) -> tuple[str | None, list[str]]:
    """The unit that all three columns name. Raises MeshError where they name different ones."""
    named = {column.unit.lower() for column in columns if column.unit}
    if not named:
        return None, []
    units = {_UNITS.get(unit) for unit in named}
    if units == {None}:
        return None, [f"the unit of '{names[columns[0].at]}' is not known, and passed over"]
    if len(units) > 1 or any(column.unit is None for column in columns):
        which = ", ".join(names[column.at] for column in columns)
        raise source.error(f"its columns {which} have different units", "give all three the same")
    return units.pop(), []


# Rows -------------------------------------------------------------------------------------------------------------


def _unnamed(source: Source, rows: list[str], layout: _Layout) -> RawMesh:
    table = _numbers(source, rows, layout, list(range(layout.width)))
    counts = np.arange(len(table)) + table[0, 0]
    if layout.width > 3 and table[0, 0] in (0, 1) and np.array_equal(table[:, 0], counts):
        warning = "its first column counts the rows and was left out; the next three are read as x, y and z"
        return _cloud(source, table[:, 1:4], None, warnings=[warning])
    normals = table[:, 3:6] if layout.width == 6 else None
    if normals is not None and not np.allclose(np.linalg.norm(normals, axis=1), 1.0, atol=0.02):
        normals = None  # colours
    return _cloud(source, table[:, :3], None if normals is None else normals.astype(np.float32))


def _numbers(source: Source, rows: list[str], layout: _Layout, wanted: list[int]) -> np.ndarray:
    """(rows, wanted) float64. Raises MeshError for a row of another length and for what is no number."""
    import pyarrow as pa
    from pyarrow import csv

    delimiter, text = layout.delimiter, "\n".join(rows) + "\n"
    if delimiter == " ":
        text = re.sub(r"[ \t]+", " ", text) if "  " in text or "\t" in text else text
    elif (ends := {row.rstrip().endswith(delimiter) for row in rows}) == {True}:
        text = re.sub(re.escape(delimiter) + r"[ \t]*$", "", text, flags=re.MULTILINE)
    elif ends == {True, False}:
        raise source.error("some of its lines end with a delimiter and some do not", "export it again")
    text = re.sub(rf"(?<=[{re.escape(delimiter)}\n])[ \t]+(?=\")", "", text) if delimiter != " " else text
    width = len(_cells(text.split("\n", 1)[0], delimiter))
    names = [str(i) for i in range(max(width, layout.width))]

    def columns(kind: pa.DataType) -> list[pa.ChunkedArray]:
        table = csv.read_csv(
            io.BytesIO(text.encode()),
            read_options=csv.ReadOptions(column_names=names[:width], block_size=1 << 24),
            parse_options=csv.ParseOptions(delimiter=delimiter),
            convert_options=csv.ConvertOptions(
                include_columns=[str(i) for i in wanted],
                column_types={str(i): kind for i in wanted},
                null_values=["", "nan", "NaN", "NAN"],
                strings_can_be_null=True,
            ),
        )
        return [table[str(i)] for i in wanted]

    try:
        try:
            numbers = columns(pa.float64())
        except pa.ArrowInvalid:  # decimal commas, a plus sign: slower, by way of texts
            numbers = [_as_numbers(texts, layout.decimal_comma) for texts in columns(pa.string())]
    except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
        reason = re.sub(r"^CSV parse error: ", "", str(error).split("\n")[0])[:160]
        raise source.error(f"its rows do not all fit ({reason})", "export it again") from error
    return np.stack([column.to_numpy() for column in numbers], axis=1)


def _as_numbers(texts: pa.ChunkedArray, decimal_comma: bool) -> pa.ChunkedArray:
    import pyarrow as pa
    from pyarrow import compute

    texts = compute.utf8_ltrim(compute.utf8_trim_whitespace(texts), characters="+")
    return (compute.replace_substring(texts, ",", ".") if decimal_comma else texts).cast(pa.float64())
