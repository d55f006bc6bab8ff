"""Splits of a catalogue into training, validation and test: read from lists, or drawn without leaks.

A drawn split keeps designs that are nearly the same car on one side: DrivAerNet++ has the same morph with other wheels,
and with another rear, under different ids. Within that, each class and each range of drag is spread alike.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from data.catalogue.designs import CHOSEN
from data.catalogue.records import Design
from data.catalogue.store import Catalogue
from data.corpora.drivaernet import find_id
from data.corpora.splits import SPLITS, SplitLists, read_split_lists
from data.errors import DrivAerError
from data.replacing import replacing

NEAR = 0.4
"""Designs nearer to each other in parameters than this fraction of what as many evenly scattered ones would be are the
same car, nearly. In DrivAerNet++ it lies in a gap: cars of one number in different classes are the same morph within a
third of that distance, other pairs half of it and more apart."""

_BANDS = 8  # of drag in a class


@dataclass(frozen=True)
class Split:
    """split_of: train | val | test by design id. n_groups: of designs that stay together, single ones counted.
    leaks: groups that the split tears apart."""

    split_of: Mapping[str, str]
    n_groups: int
    leaks: tuple[tuple[str, ...], ...]

    def count(self, split: str) -> int:
        return sum(s == split for s in self.split_of.values())


def official_split(catalogue: Catalogue, folder: str | Path) -> tuple[Split, SplitLists]:
    """The split that lists in a folder give. Raises DrivAerError where there are none, or no id in them is known."""
    known = {d.id for d in catalogue.designs()}

    def design_of(line: str) -> str | None:
        found = find_id(line)
        name = line if found is None else str(found)
        return name if name in known else None

    lists = read_split_lists(folder, design_of)
    if not lists.split_of:
        raise DrivAerError("no id of these lists is in the catalogue", file=folder, fix="scan the folder of the corpus")
    designs = [d for d in catalogue.designs() if d.id in lists.split_of]
    groups = near_identical(designs, _checksums(catalogue))
    return Split(lists.split_of, len(groups), _torn(groups, lists.split_of)), lists


def present_split(catalogue: Catalogue) -> Split:
    """The split that the catalogue holds, and where it tears nearly the same cars apart."""
    designs = [d for d in catalogue.designs() if d.split]
    groups = near_identical(designs, _checksums(catalogue))
    split_of = {d.id: d.split or "" for d in designs}
    return Split(split_of, len(groups), _torn(groups, split_of))


def draw_split(
    catalogue: Catalogue,
    designs: Sequence[Design],
    *,
    fractions: tuple[float, float, float] = (0.7, 0.15, 0.15),
    seed: int = 0,
) -> Split:
    """Draw a split of designs: seeded, each class and drag alike in all parts, near-identical designs together.

    fractions: of train, val and test; they add up to 1. Raises DrivAerError where they do not, or there are no designs.
    """
    import random

    if min(fractions) < 0 or abs(sum(fractions) - 1) > 1e-6:
        raise DrivAerError("the fractions must be positive and add up to 1", fix="such as 0.7,0.15,0.15")
    if not designs:
        raise DrivAerError("there are no designs to split", file=catalogue.path)
    groups = near_identical(designs, _checksums(catalogue))
    rng = random.Random(seed)
    split_of: dict[str, str] = {}
    filled = dict.fromkeys(SPLITS, 0.0)
    share = dict(zip(SPLITS, fractions, strict=True))
    for stratum in _strata(groups, designs):
        rng.shuffle(stratum)
        # The large groups first: small ones fill up what those leave uneven.
        for group in sorted(stratum, key=len, reverse=True):
            total = sum(filled.values()) + len(group)
            split = max(SPLITS, key=lambda s: (share[s] * total - filled[s], share[s]) if share[s] else (-1e9, 0.0))
            filled[split] += len(group)
            split_of |= dict.fromkeys(group, split)
    return Split(split_of, len(groups), ())


def keep_split(catalogue: Catalogue, split: Split, source: str) -> None:
    """Write a split into the catalogue; designs that it does not name lose theirs. source: where it is from."""
    with catalogue.changing() as connection:
        connection.execute("UPDATE designs SET split = NULL")
        connection.executemany("UPDATE designs SET split = ? WHERE id = ?", ((s, i) for i, s in split.split_of.items()))
        catalogue.set_fact("split", f"{CHOSEN}: {source}")


def write_lists(split: Split, folder: str | Path) -> list[Path]:
    """Write ``train_design_ids.txt`` and the others, one id a line, as the published ones are."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in SPLITS:
        path = folder / f"{name}_design_ids.txt"
        with replacing(path) as unfinished:
            ids = sorted(i for i, s in split.split_of.items() if s == name)
            unfinished.write_text("".join(f"{i}\n" for i in ids), encoding="utf-8")
        written.append(path)
    return written


def near_identical(designs: Sequence[Design], checksums: Mapping[str, str]) -> list[list[str]]:
    """Groups of designs that are nearly the same car, single ones as groups of one; in a stable order.

    Two designs are joined by parameters nearer than NEAR, by meshes with the same checksum, and by the same Cd and
    area to all digits.
    """
    groups = _Groups(d.id for d in designs)
    by: dict[object, str] = {}

    def join(key: object, design: Design) -> None:
        groups.join(by.setdefault(key, design.id), design.id)

    for design in designs:
        if design.id in checksums:
            join(("mesh", checksums[design.id]), design)
        if design.cd is not None and design.area is not None:
            join(("labels", design.corpus, design.cd, design.area), design)
    for names, alike in _by_parameters(designs).items():
        for one, other in _near_pairs([[d.parameters[n] for n in names] for d in alike]):
            groups.join(alike[one].id, alike[other].id)
    return groups.sorted()


def _by_parameters(designs: Iterable[Design]) -> dict[tuple[str, ...], list[Design]]:
    """Designs by what parameters they have."""
    found: dict[tuple[str, ...], list[Design]] = defaultdict(list)
    for design in designs:
        if design.parameters:
            found[tuple(sorted(design.parameters))].append(design)
    return found


def _near_pairs(parameters: list[list[float]]) -> list[tuple[int, int]]:
    import numpy as np
    from scipy.spatial import cKDTree

    table = np.array(parameters, float)
    spread = table.std(axis=0)
    table = table[:, spread > 1e-12] / spread[spread > 1e-12]
    if not table.shape[1]:
        return []
    return sorted(cKDTree(table).query_pairs(NEAR * _expected_distance(*table.shape)))


def _expected_distance(n: int, d: int) -> float:
    """To the nearest of n points spread evenly over a cube in d dimensions, in standard deviations along an axis."""
    from math import exp, gamma, lgamma, pi

    return 12**0.5 * gamma(1 + 1 / d) / pi**0.5 * exp(lgamma(1 + d / 2) / d) * max(n - 1, 1) ** (-1 / d)


def _checksums(catalogue: Catalogue) -> dict[str, str]:
    return {f.design: f.checksum for f in catalogue.files(kind="mesh") if f.design and f.checksum}


def _strata(groups: list[list[str]], designs: Sequence[Design]) -> list[list[list[str]]]:
    """Groups by the class of most of their designs and by a band of drag."""
    of = {d.id: d for d in designs}
    by_class: dict[str, list[tuple[float, list[str]]]] = defaultdict(list)
    for group in groups:
        most = Counter(of[i].design_class or of[i].corpus for i in group).most_common(1)[0][0]
        known = [cd for i in group if (cd := of[i].cd) is not None]
        by_class[most].append((sum(known) / len(known) if known else float("inf"), group))
    strata = []
    for name in sorted(by_class):
        ranked = [group for _, group in sorted(by_class[name])]
        size = max(-(-len(ranked) // _BANDS), 7)
        strata += [ranked[start : start + size] for start in range(0, len(ranked), size)]
    return strata


def _torn(groups: Iterable[Sequence[str]], split_of: Mapping[str, str]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(group) for group in groups if len({split_of[i] for i in group if i in split_of}) > 1)


class _Groups:
    """Union-find over names."""

    def __init__(self, names: Iterable[str]):
        self._of = {name: name for name in names}

    def _root(self, name: str) -> str:
        while self._of[name] != name:
            self._of[name] = name = self._of[self._of[name]]
        return name

    def join(self, one: str, other: str) -> None:
        a, b = sorted((self._root(one), self._root(other)))
        self._of[b] = a

    def sorted(self) -> list[list[str]]:
        groups: dict[str, list[str]] = defaultdict(list)
        for name in sorted(self._of):
            groups[self._root(name)].append(name)
        return [groups[root] for root in sorted(groups)]
