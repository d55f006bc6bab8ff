"""What a CFD case file says of its design, without its fields: for the catalogue."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.corpora.labels import Labels
from data.corpora.runs import OWN_AREA
from data.errors import DrivAerError

_MEANINGS = {"Cd": "cd", "Cd_std": "cd_std", "Cl": "cl", "Clf": "clf", "Clr": "clr", "frontal_area": "area"}


@dataclass(frozen=True)
class CaseSummary:
    """family: of cars that the design is of, if any. split: train | test for a case of a generated corpus."""

    family: str | None
    style: str | None
    underbody: str | None
    split: str | None
    labels: Labels


def read_case_summary(path: str | Path) -> CaseSummary | None:
    """None for an ``.npz`` that is no case. Raises DrivAerError for a file that is damaged."""
    import numpy as np

    from data.corpora.references import has_fields

    path = Path(path)
    try:
        with zipfile.ZipFile(path) as archive:
            members = {name.removesuffix(".npy") for name in archive.namelist()}
        if "meta" not in members or not has_fields(members):
            return None
        with np.load(path, allow_pickle=False) as arrays:
            meta = json.loads(str(arrays["meta"]))
        return _summary(meta)
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise DrivAerError(f"not a CFD case ({error})", file=path, fix="copy it again") from error


def _summary(meta: dict[str, Any]) -> CaseSummary:
    from data.corpora.cases import is_test_design, style_of

    parameters = meta.get("values", meta.get("params", {}))
    design = meta.get("design", meta.get("i"))
    style = meta.get("style") or (style_of(parameters) if "i" in meta else None)
    values: dict[str, float | str] = {name: float(meta[key]) for key, name in _MEANINGS.items() if key in meta}
    version = OWN_AREA if "cd" in values else None
    return CaseSummary(
        family=meta.get("family"),
        style=style,
        underbody=meta.get("underbody"),
        split=None if design is None else "test" if is_test_design(int(design)) else "train",
        labels=Labels(values, {name: float(value) for name, value in parameters.items()}, version),
    )
