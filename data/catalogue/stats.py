"""What a catalogue's numbers look like: distributions, correlations, outliers, what is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.catalogue.query import KINDS, columns_of, named_columns, parameter_names, rows
from data.catalogue.store import Catalogue
from data.catalogue.where import Condition

if TYPE_CHECKING:
    import numpy as np

MEASURES = ("cd", "cl", "clf", "clr", "area", "cda")
_FAR = 4.5
"""Distance from the median in robust standard deviations (1.4826 times the median distance) that makes an outlier."""
_LEAST = 8  # values, for a correlation or an outlier to mean anything


@dataclass(frozen=True)
class Distribution:
    """Of one column: n values, and the quantiles that are named (5 %, 95 %)."""

    column: str
    n: int
    n_missing: int
    mean: float
    std: float
    low: float
    p05: float
    median: float
    p95: float
    high: float


@dataclass(frozen=True)
class Correlation:
    """Of a column with a target, over n designs that have both: Pearson's and Spearman's."""

    column: str
    n: int
    pearson: float
    spearman: float


@dataclass(frozen=True)
class Outlier:
    """A value that is far from those of its class: distance in robust standard deviations from the class's median."""

    design: str
    column: str
    value: float
    class_median: float
    distance: float


@dataclass(frozen=True)
class Statistics:
    """groups: designs by class. missing: designs without what the name says. correlations: with ``target``, strongest
    first. outliers: farthest first."""

    n_designs: int
    groups: Mapping[str, int]
    splits: Mapping[str, int]
    distributions: tuple[Distribution, ...]
    missing: Mapping[str, int]
    target: str
    correlations: tuple[Correlation, ...]
    outliers: tuple[Outlier, ...]


def statistics(catalogue: Catalogue, where: Condition | None = None, *, target: str = "cd") -> Statistics:
    """Look at all numbers of the designs that fulfil a condition. target: what correlations are with."""
    target = named_columns(catalogue, [target])[0].name
    names = [*dict.fromkeys([*MEASURES, target]), *(p for p in _parameters(catalogue) if p != target)]
    table = _numbers(catalogue, names, where)
    groups, splits = ([row[0] or "" for row in rows(catalogue, named_columns(catalogue, [c]), where)] for c in _GROUPED)
    designs = [row[0] for row in rows(catalogue, named_columns(catalogue, ["id"]), where)]
    missing = {name: int(_absent(table[name])) for name in MEASURES}
    kinds = [kind for kind in KINDS if catalogue.files(kind=kind)]
    missing |= {kind: _without(catalogue, kind, where) for kind in kinds}
    return Statistics(
        n_designs=len(designs),
        groups=_counts(groups),
        splits=_counts(splits),
        distributions=tuple(d for name in names if (d := distribution(name, table[name])) is not None),
        missing={name: n for name, n in missing.items() if n},
        target=target,
        correlations=_correlations(table, target),
        outliers=_outliers(designs, groups, {name: table[name] for name in MEASURES}),
    )


_GROUPED = ("class", "split")


def distribution(column: str, values: np.ndarray) -> Distribution | None:
    """values (n,) with NaN where missing; None where all are."""
    import numpy as np

    there = values[np.isfinite(values)]
    if not len(there):
        return None
    low, p05, median, p95, high = np.quantile(there, [0.0, 0.05, 0.5, 0.95, 1.0]).tolist()
    mean, std = float(there.mean()), float(there.std())
    return Distribution(column, len(there), len(values) - len(there), mean, std, low, p05, median, p95, high)


def _parameters(catalogue: Catalogue) -> list[str]:
    known = {column.name for column in columns_of(catalogue)}
    return [name for name in parameter_names(catalogue) if name in known]


def _numbers(catalogue: Catalogue, names: Sequence[str], where: Condition | None) -> dict[str, np.ndarray]:
    import numpy as np

    found = rows(catalogue, named_columns(catalogue, names), where)
    table = np.array(found, float).reshape(len(found), len(names))
    return dict(zip(names, table.T, strict=True))


def _absent(values: np.ndarray) -> int:
    import numpy as np

    return np.isnan(values).sum()


def _without(catalogue: Catalogue, kind: str, where: Condition | None) -> int:
    """Designs that have no file of a kind on disk."""
    column = named_columns(catalogue, [kind])[0].expression
    condition = where.sql if where else "1"
    statement = f"SELECT count(*) FROM designs WHERE {condition} AND ifnull({column}, '') NOT IN ('here', 'zipped')"
    return catalogue.connection.execute(statement, where.parameters if where else ()).fetchone()[0]


def _counts(values: Sequence[str]) -> dict[str, int]:
    return {value: values.count(value) for value in sorted(set(values)) if value}


def _correlations(table: Mapping[str, np.ndarray], target: str) -> tuple[Correlation, ...]:
    import numpy as np
    from scipy.stats import rankdata

    found = []
    for name, values in table.items():
        have = np.isfinite(values) & np.isfinite(table[target])
        x, y = values[have], table[target][have]
        if name == target or len(x) < _LEAST or x.std() < 1e-12 or y.std() < 1e-12:
            continue
        pearson, spearman = (float(np.corrcoef(a, b)[0, 1]) for a, b in ((x, y), (rankdata(x), rankdata(y))))
        found.append(Correlation(name, len(x), pearson, spearman))
    return tuple(sorted(found, key=lambda c: -abs(c.spearman)))


def _outliers(designs: Sequence[str], groups: Sequence[str], table: Mapping[str, np.ndarray]) -> tuple[Outlier, ...]:
    import numpy as np

    found = []
    classes = np.array(groups)
    for name, values in table.items():
        for one in sorted(set(groups)):
            own = np.flatnonzero((classes == one) & np.isfinite(values))
            if len(own) < _LEAST:
                continue
            median = float(np.median(values[own]))
            scale = 1.4826 * float(np.median(np.abs(values[own] - median)))
            if scale <= 0:
                continue
            distance = (values[own] - median) / scale
            found += [
                Outlier(designs[int(i)], name, float(values[i]), median, float(d))
                for i, d in zip(own, distance, strict=True)
                if abs(d) > _FAR
            ]
    return tuple(sorted(found, key=lambda o: -abs(o.distance)))
