"""DrivAerNet's coefficients from whichever of its tables a user has, and which of two label versions they are.

The F_D designs were published twice: the ``first`` labels refer Cd and Cl to one area for all cars (FIRST_AREA), the
``updated`` ones refer Cd to each car's own frontal area, and so do all labels of the other classes. The same forces:
Cd_first · FIRST_AREA = Cd_updated · area. So lift, of which there are only first labels for F_D, is brought to the
car's own area by the ratio of its two Cd.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from data.corpora.drivaernet import FIRST_AREA, find_id
from data.corpora.labels import Labels, read_labels
from data.corpora.tables import Table

Version = Literal["updated", "first"]

_LEAST_ROWS, _BETWEEN_MEANS = 20, 0.292
"""The published F_D means are 0.311 (first) and 0.273 (updated): a table of unknown name is told by its median."""
_LEAST_CDA = 0.45
"""The corpus's Cd lies from 0.20 to 0.42, its Cd·A (m²) from 0.43 to 0.83: a median above this is of Cd·A."""
_CL = ("cl", "clf", "clr", "cl_std")


@dataclass(frozen=True)
class DrivAerNetLabels:
    """labels: by design id. version: of the F_D designs' coefficients; None if there are none."""

    labels: dict[str, Labels]
    version: Version | None
    warnings: tuple[str, ...]


def is_drivaernet_table(table: Table) -> bool:
    """Most of its rows begin with an id of the corpus."""
    ids = table.ids()[:200]
    return bool(ids) and sum(find_id(cell) is not None for cell in ids) > len(ids) / 2


def drivaernet_labels(tables: Sequence[Table], version: Version | None = None) -> DrivAerNetLabels:
    """Merge the tables. version: of the labels to use; by default the updated ones, if there are any."""
    merger = _Merger()
    for table in tables:
        merger.add(table)
    return merger.result(version)


def version_of(table: Table, cds: Iterable[float]) -> Version | None:
    """The version of a table's F_D coefficients, by its name, its columns, or else its values; None if unknown.

    cds: Cd of its F_D designs.
    """
    name = table.path.name.lower()
    if "updated" in name or "8k" in name:
        return "updated"
    if "filteredcorrected" in name or "aerocoefficients_drivaernet" in name or table.has("cl"):
        return "first"  # no published table of updated ones has lift
    if table.has("area") and table.has("cd"):
        return "updated"
    values = list(cds)
    if len(values) < _LEAST_ROWS:
        return None
    return "first" if statistics.median(values) > _BETWEEN_MEANS else "updated"


class _Merger:
    def __init__(self) -> None:
        self.rows: dict[str, Labels] = {}  # everything but F_D coefficients
        self.cd: dict[str, dict[str, float]] = {"updated": {}, "first": {}}
        self.lift: dict[str, dict[str, dict[str, float]]] = {"updated": {}, "first": {}}
        self.warnings: list[str] = []

    def add(self, table: Table) -> None:
        rows = read_labels(table, _design_of)
        self._settle_drag_area(table, rows)
        first_ids = {i for i in rows if i.startswith("F_D")}
        cds = [rows[i].values["cd"] for i in first_ids if "cd" in rows[i].values]
        stated = {i: row.values.pop("label_version", None) for i, row in rows.items()}  # in a catalogue's export
        version = version_of(table, cds) if cds else None
        if cds and version is None and not table.has("label_version"):
            self.warnings.append(
                f"{table.path.name}: cannot tell which label version its {len(cds)} F_D designs are of; left out. "
                "Put 'updated' (own frontal area) or 'FilteredCorrected' (first) in its name"
            )
        for design, row in rows.items():
            if design in first_ids:
                own = next((v for v in ("updated", "first") if v == stated[design]), version)
                self._take_coefficients(table, design, row, own)
            known = self.rows.setdefault(design, Labels())
            known.values = {**row.values, **known.values}
            known.parameters = {**row.parameters, **known.parameters}

    def _settle_drag_area(self, table: Table, rows: dict[str, Labels]) -> None:
        """A column called ``Cd`` may hold Cd·A, which its size shows; then Cd comes from it and the area."""
        at = table.column("cd")
        values = [row.values["cd"] for row in rows.values() if "cd" in row.values]
        if at is not None and table.headings[at].lower() == "cd" and statistics.median(values or [0]) > _LEAST_CDA:
            self.warnings.append(f"{table.path.name}: its column {table.headings[at]} is Cd·A in m²")
            for row in rows.values():
                if "cd" in row.values:
                    row.values["cda"] = row.values.pop("cd")
        for row in rows.values():
            drag_area, area = row.values.pop("cda", None), row.values.get("area")
            if drag_area is not None and area and "cd" not in row.values:
                row.values["cd"] = drag_area / area

    def _take_coefficients(self, table: Table, design: str, row: Labels, version: Version | None) -> None:
        cd = row.values.pop("cd", None)
        lift = {name: row.values.pop(name) for name in _CL if name in row.values}
        if version is None:
            return
        if cd is not None:
            known = self.cd[version].setdefault(design, cd)
            if abs(known - cd) > 1e-6 and not any("differs" in w and table.path.name in w for w in self.warnings):
                self.warnings.append(f"{table.path.name}: Cd of {design} differs from another table's ({cd}, {known})")
        if lift:
            self.lift[version].setdefault(design, lift)

    def result(self, version: Version | None) -> DrivAerNetLabels:
        updated, first = self.cd["updated"], self.cd["first"]
        in_force: Version | None = version or ("updated" if updated else "first" if first else None)
        for design, known in self.rows.items():
            if not design.startswith("F_D"):
                known.version = "updated" if "cd" in known.values else None
                continue
            known.values |= self._coefficients(design, in_force)
            if design in first:
                known.values["cd_first"] = first[design]
            known.version = in_force if "cd" in known.values else None
        self._check_forces()
        if in_force == "updated" and (only_first := first.keys() - updated.keys()):
            self.warnings.append(
                f"{len(only_first)} F_D designs have no updated Cd (such as {min(only_first)}): their first one is in "
                "cd_first only"
            )
        return DrivAerNetLabels(self.rows, in_force, tuple(self.warnings))

    def _coefficients(self, design: str, version: Version | None) -> dict[str, float]:
        """Cd and lift of an F_D design on the area that the version refers to."""
        cd, cd_first = self.cd["updated"].get(design), self.cd["first"].get(design)
        lift, own_lift = self.lift["first"].get(design, {}), self.lift["updated"].get(design)
        if version == "first":
            return {} if cd_first is None else {"cd": cd_first, **lift}
        if cd is None:
            return {}
        if own_lift is None:
            own_lift = {name: value * cd / cd_first for name, value in lift.items()} if cd_first else {}
        return {"cd": cd, **own_lift}

    def _check_forces(self) -> None:
        """Both versions must mean the same force, or the tables are not what they were taken for."""
        wrong = []
        for design, cd in self.cd["updated"].items():
            cd_first, area = self.cd["first"].get(design), self.rows[design].values.get("area")
            if cd_first and area and abs(cd_first * FIRST_AREA / (cd * area) - 1) > 0.01:
                wrong.append(design)
        if wrong:
            self.warnings.append(
                f"first and updated Cd of {len(wrong)} F_D designs (such as {min(wrong)}) are not the same force: "
                "one of the tables holds something else"
            )


def _design_of(cell: str) -> str | None:
    found = find_id(cell)
    return None if found is None else str(found)
