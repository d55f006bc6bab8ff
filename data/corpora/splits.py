"""Lists of ids in text files, one a line: which designs are for training, validation and test."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from data.errors import DrivAerError

SPLITS = ("train", "val", "test")

_PART = re.compile(r"(?<![a-z])(train|val|valid|validation|dev|test)(ing)?(?![a-z])", re.IGNORECASE)
_NAMES = {"valid": "val", "validation": "val", "dev": "val"}


@dataclass(frozen=True)
class SplitLists:
    """folder: that the lists lie in. split_of: train | val | test by design id. warnings: plain sentences."""

    folder: Path
    split_of: dict[str, str]
    warnings: tuple[str, ...] = ()

    def count(self, split: str) -> int:
        return sum(s == split for s in self.split_of.values())


def split_of_file(name: str) -> str | None:
    """``train`` for ``train_design_ids.txt``; None for a file that is no such list."""
    found = _PART.search(name.replace("_", " ")) if name.lower().endswith((".txt", ".csv")) else None
    return None if found is None else _NAMES.get(found[1].lower(), found[1].lower())


def read_split_lists(folder: str | Path, design_of: Callable[[str], str | None]) -> SplitLists:
    """The lists of a folder. design_of: the id of what a line says, None for no design.

    Raises DrivAerError where there are no lists, or a design is in two of them.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DrivAerError("is no folder", file=folder, fix="give the folder with train_design_ids.txt and the others")
    files = [p for p in sorted(folder.iterdir()) if p.suffix.lower() == ".txt" and split_of_file(p.name)]
    return split_from(files, design_of)


def split_from(files: Sequence[Path], design_of: Callable[[str], str | None]) -> SplitLists:
    """The lists in the given files of one folder; see `read_split_lists`."""
    if not files:
        raise DrivAerError("no lists of a split", fix="give the folder with train_design_ids.txt and the others")
    split_of: dict[str, str] = {}
    warnings = []
    for path in files:
        split = split_of_file(path.name) or ""
        unknown = 0
        for line in _lines(path):
            design = design_of(line)
            if design is None:
                unknown += 1
                continue
            if split_of.setdefault(design, split) != split:
                fix = "the lists must not overlap"
                raise DrivAerError(f"{design} is in {split_of[design]} and in {split}", file=path, fix=fix)
        if unknown:
            warnings.append(f"{path.name}: {unknown} lines are no design that is known here")
    return SplitLists(files[0].parent, split_of, tuple(warnings))


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text("utf-8-sig", errors="replace")
    except OSError as error:
        raise DrivAerError(f"cannot be read ({error.strerror or error})", file=path) from error
    return [line.strip().strip('",') for line in text.splitlines() if line.strip()]
