"""Which designs of a corpus somebody wants."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from data.corpora import drivaernet
from data.corpora.drivaernet import DesignId, find_class, find_id
from data.download.items import COEFFICIENTS, KINDS
from data.errors import DrivAerError

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Choice:
    """kinds: of files, None for all. classes, ids: spelled as published. count: designs at most. split: its ids are yet
    to be found."""

    kinds: frozenset[str] | None = None
    classes: frozenset[str] = frozenset()
    ids: frozenset[str] | None = None
    count: int | None = None
    split: str | None = None

    @property
    def picks_designs(self) -> bool:
        return bool(self.classes) or self.ids is not None or self.count is not None or self.split is not None

    @property
    def picks_within_classes(self) -> bool:
        """Whether a class's archives are not wanted whole."""
        return self.ids is not None or self.count is not None or self.split is not None

    def admits(self, design: DesignId | None) -> bool:
        if design is None:
            return not self.picks_designs
        if self.classes and design.of.name not in self.classes:
            return False
        return self.ids is None or str(design) in self.ids

    def admits_archive(self, name: str) -> bool:
        """Whether designs that are wanted may be in a zip of this name."""
        of = find_class(name)
        if of is None:
            return True
        if self.classes and of.name not in self.classes:
            return False
        return self.ids is None or any(found.of.name == of.name for found in map(find_id, self.ids) if found)

    def admits_kind(self, kind: str) -> bool:
        if self.kinds is None:
            return True
        return (COEFFICIENTS if kind == "table" else kind) in self.kinds


def choice_of(what: str | None, classes: str | None, ids: str | None, count: int | None, split: str | None) -> Choice:
    """A choice of what was typed; lists have commas between, ids may be a text file with one a line.

    Raises DrivAerError for words that mean nothing.
    """
    chosen: set[str] = set()
    for word in _words(classes):
        named = drivaernet.classes_named(word)
        if not named:
            raise DrivAerError(f"--classes: there is no class {word!r}", fix=f"give {', '.join(drivaernet.PUBLISHED)}")
        chosen.update(of.name for of in named)
    if split is not None and split not in SPLITS:
        raise DrivAerError(f"--split: there is no split {split!r}", fix=f"give {', '.join(SPLITS)}")
    if count is not None and count < 1:
        raise DrivAerError("--count must be at least 1")
    return Choice(_kinds(what), frozenset(chosen), _ids(ids), count, split)


def ids_in(text: str) -> frozenset[str]:
    """The ids in a list of them, such as an official split's file."""
    return frozenset(str(found) for found in map(find_id, re.split(r"[\s,;]+", text)) if found)


def in_order(designs: Iterable[str]) -> list[str]:
    """By class, the detailed fastbacks first, then by number."""

    def place(design: str) -> tuple[int, str, int]:
        found = find_id(design)
        if found is None:
            return len(drivaernet.PUBLISHED), design, 0
        known = found.of.name in drivaernet.PUBLISHED
        rank = drivaernet.PUBLISHED.index(found.of.name) if known else len(drivaernet.PUBLISHED)
        return rank, found.of.name, found.number

    return sorted(designs, key=place)


def _kinds(what: str | None) -> frozenset[str] | None:
    if what is None:
        return None
    kinds = [word.lower().replace("-", "_") for word in _words(what)]
    for kind in kinds:
        if kind not in KINDS:
            raise DrivAerError(f"--what: there is no {kind!r}", fix=f"give {', '.join(KINDS)}")
    return frozenset(kinds)


def _ids(text: str | None) -> frozenset[str] | None:
    if text is None:
        return None
    words: Sequence[str] = _words(text)
    if len(words) == 1 and find_id(text) is None:
        words = _words(_read(Path(text)))
    found = {word: find_id(word) for word in words}
    strange = [word for word, design in found.items() if design is None]
    if strange:
        raise DrivAerError(f"--ids: {strange[0]!r} is no design's id", fix="ids look like F_D_WM_WW_0001")
    return frozenset(str(design) for design in found.values())


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        what = f"--ids: {str(path)!r} is neither an id nor a file with ids"
        raise DrivAerError(what, fix="ids look like F_D_WM_WW_0001") from error


def _words(text: str | None) -> list[str]:
    return [word for word in re.split(r"[\s,;]+", text or "") if word]
