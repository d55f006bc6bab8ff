"""The meshes of a batch, and what tables beside them say of the designs."""

from __future__ import annotations

import csv
import glob
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from data.errors import DrivAerError

_KEY_COLUMNS = ("file", "filename", "mesh", "name", "design", "id")
_LARGEST_TABLE = 64 << 20  # bytes; a table of 100,000 designs has a tenth of that
_MOST_PARAMETERS = 200


def find_cars(given: Iterable[str | Path], without: Path) -> list[Path]:
    """Files as they are, folders with all meshes below them, patterns with what matches; none twice.

    without: a folder whose meshes are passed over: the store's own. Raises DrivAerError for a folder or a pattern
    without any mesh. A file that is not there is returned too, so that its failure is told with the others.
    """
    files: list[Path] = []
    for text in given:
        path = Path(text)
        if path.is_dir():
            files += [file for file in _meshes_of(path) if not _is_below(file, without)]
        elif path.exists() or not glob.has_magic(str(text)):
            files.append(path)
        else:
            files += _matching(str(text), without)
    if not files:
        raise DrivAerError("there are no meshes in what was given", fix="give meshes, folders or patterns")
    return list(dict.fromkeys(files))


def _meshes_of(folder: Path) -> list[Path]:
    from data.formats import find_meshes

    return find_meshes(folder, recursive=True)


def _matching(pattern: str, without: Path) -> list[Path]:
    found = [Path(name) for name in sorted(glob.glob(pattern, recursive=True))]
    found = [file for file in found if file.is_file() and not _is_below(file, without)]
    if not found:
        raise DrivAerError(f"no file matches {pattern}", fix="check the pattern; ** goes through all folders below")
    return found


def _is_below(file: Path, folder: Path) -> bool:
    return file.resolve().is_relative_to(folder.resolve())


def parameters_of(files: Sequence[Path], table: Path | None = None) -> dict[Path, dict[str, float | str]]:
    """What the designs are made of: from one table, or from the tables (.csv) that lie beside the meshes.

    A table has a column ``file``, ``name``, ``design`` or ``id`` with the meshes' names, with or without their suffix.
    Raises DrivAerError for a given table that names none of the files; tables that were not given are passed over.
    """
    if table is not None:
        rows = _rows(table)
        found = {file: values for file in files if (values := _values(file, rows))}
        if not found:
            fix = f"it needs a column of {', '.join(_KEY_COLUMNS)} with the meshes' names"
            raise DrivAerError("names none of these meshes", file=table, fix=fix)
        return found
    found = {}
    for folder in dict.fromkeys(file.parent for file in files):
        for path in sorted(folder.glob("*.csv")):
            try:
                rows = _rows(path)
            except DrivAerError:
                continue  # some other table, or points
            for file in files:
                if file.parent == folder and (values := _values(file, rows)):
                    found[file] = {**found.get(file, {}), **values}
    return found


def _rows(table: Path) -> dict[str, dict[str, float | str]]:
    """Name of the mesh -> its parameters."""
    try:
        if table.stat().st_size > _LARGEST_TABLE:
            raise DrivAerError("is too large for a table of designs", file=table)
        with table.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            names = reader.fieldnames or []
            key = next((name for name in names if (name or "").strip().lower() in _KEY_COLUMNS), None)
            if key is None or len(names) > _MOST_PARAMETERS:
                raise DrivAerError(f"has none of the columns {', '.join(_KEY_COLUMNS)}", file=table)
            return {row[key].strip(): _parameters(row, key) for row in reader if row[key]}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DrivAerError(f"cannot be read as a table ({error})", file=table) from error


def _parameters(row: Mapping[str | None, str | None], key: str) -> dict[str, float | str]:
    return {
        name: _number(text) for name, text in row.items() if name and name != key and isinstance(text, str) and text
    }


def _number(text: str) -> float | str:
    try:
        value = float(text)
    except ValueError:
        return text
    return value if math.isfinite(value) else text


def _values(file: Path, rows: Mapping[str, dict[str, float | str]]) -> dict[str, float | str]:
    plain = Path(file.stem).stem if file.suffix.lower() == ".gz" else file.stem
    return rows.get(file.name) or rows.get(plain) or {}
