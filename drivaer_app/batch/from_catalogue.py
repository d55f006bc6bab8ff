"""The designs of a catalogue as the meshes of a batch, with what the catalogue knows of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from data.catalogue import open_catalogue
from data.catalogue.opening import file_of
from data.catalogue.query import condition_of, ids
from data.catalogue.records import Design
from data.errors import DrivAerError

_FACTS = ("corpus", "design_class", "style", "underbody", "wheels", "split")


@dataclass(frozen=True)
class Designs:
    """parameters: by file, what reports plot Cd against; ``cfd_cd`` and ``cfd_cl`` are the corpus's own coefficients.

    packed, absent: ids of designs whose mesh is in an archive, or not on disk at all.
    """

    files: tuple[Path, ...]
    parameters: dict[Path, dict[str, float | str]]
    packed: tuple[str, ...]
    absent: tuple[str, ...]


def find_designs(path: Path, where: str | None = None, named: Sequence[str] | None = None) -> Designs:
    """The designs of the catalogue at a file or in a folder that fulfil a condition, or those with these ids.

    Raises WhereError, which points at the wrong word, and DrivAerError where there is no catalogue or no mesh.
    """
    files: dict[Path, dict[str, float | str]] = {}
    packed, absent = [], []
    with open_catalogue(path, read_only=True) as catalogue:
        chosen = ids(catalogue, condition_of(catalogue, where)) if named is None else named
        for design in catalogue.designs(chosen):
            found = file_of(catalogue, design.id, "mesh")
            if found is None:
                absent.append(design.id)
            elif found.member:
                packed.append(design.id)
            else:
                files[catalogue.root / found.path] = _parameters(design)
    if not files:
        n = len(packed) + len(absent)
        why = f"none of the {n} designs has its mesh unpacked on disk" if n else "no design fulfils the condition"
        raise DrivAerError(why, file=path, fix="see what there is: drivaer data list")
    return Designs(tuple(files), files, tuple(packed), tuple(absent))


def _parameters(design: Design) -> dict[str, float | str]:
    facts = {name.removeprefix("design_"): getattr(design, name) for name in _FACTS}
    facts |= {"cfd_cd": design.cd, "cfd_cl": design.cl, **design.parameters}
    return {name: value for name, value in facts.items() if value is not None}
