"""The files that a command is given, folders opened."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from data.errors import DrivAerError


@dataclass(frozen=True)
class Input:
    """One mesh file, or a folder without any and the line that says so."""

    file: Path
    error: str = ""


def expand(given: Iterable[Path]) -> list[Input]:
    """Files as they are, each folder as the meshes in it sorted by name; in the given order, none twice."""
    inputs: list[Input] = []
    for path in given:
        if not path.is_dir():
            inputs.append(Input(path))
            continue
        from data.formats import find_meshes

        try:
            inputs += [Input(file) for file in find_meshes(path)]
        except DrivAerError as error:
            inputs.append(Input(path, error.line))
    return list(dict.fromkeys(inputs))
