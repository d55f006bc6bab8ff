"""What is known of DrivAerNet and DrivAerNet++: where the files are, what they are called, what an id says.

Each fact stands here once. Sources: the authors' papers (arXiv:2403.08055, arXiv:2406.09624), their repository's tables
and the Dataverse of Harvard.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath

NAME = "drivaernet"
TITLE = "DrivAerNet++"
SERVER = "https://dataverse.harvard.edu"

DATASETS = {
    "mesh": "doi:10.7910/DVN/OYU2FG",
    "pressure": "doi:10.7910/DVN/K7PWNJ",
    "wall_shear": "doi:10.7910/DVN/PCZYL4",
    "cfd": "doi:10.7910/DVN/EEYHUA",
    "annotation": "doi:10.7910/DVN/CAWRXI",
    "sketch": "doi:10.7910/DVN/JRHNAX",
    "rendering": "doi:10.7910/DVN/XKW8WI",
}
"""The Dataverse dataset that holds each kind of file."""

DATASET_BYTES = {"mesh": 443e9, "pressure": 213e9, "wall_shear": 436e9, "cfd": 10.6e12}
"""About how much each holds, for a plan before the server has been asked."""

LICENCE = "CC BY-NC 4.0"
LICENCE_URL = "https://creativecommons.org/licenses/by-nc/4.0/"
LICENCE_TEXT = (
    "DrivAerNet++ (M. Elrefaie, F. Morar, A. Dai, F. Ahmed, Massachusetts Institute of Technology) is licensed under "
    "CC BY-NC 4.0: share and adapt it with attribution, for non-commercial purposes only. Its authors do not allow "
    "models of commercial tools to be trained on it."
)

SPEED = 30.0  # m/s, of the wind
CP_PER_P = 1.0 / (0.5 * SPEED**2)
"""The files' ``p`` is kinematic, m²/s²: Cp = p · CP_PER_P."""

FIRST_AREA = 2.154
"""m². The first labels of the F_D designs refer Cd and Cl of all cars to this area, the updated ones to each car's own:
Cd_first · 2.154 = Cd_updated · area for all 3,956 designs that are in both published tables, to 9 digits."""

PARTS_OF_F_D = 8
"""F_D designs come in so many archives of each kind, 500 to one."""


@dataclass(frozen=True)
class DesignClass:
    """A family of designs with ids ``NAME_digits``.

    style: fastback | estate | notchback. underbody: detailed | smooth. wheels: open detailed | open smooth | closed.
    digits: of the number in an id.
    """

    name: str
    style: str
    underbody: str
    wheels: str
    mirrors: bool
    digits: int

    @property
    def archives(self) -> tuple[str, ...]:
        """The zip files that hold the class, in the mesh and the pressure datasets alike."""
        if self.name == "F_D_WM_WW":
            return tuple(f"{self.name}_{part}.zip" for part in range(1, PARTS_OF_F_D + 1))
        return (f"{self.name}.zip",)


STYLES = {"F": "fastback", "E": "estate", "N": "notchback"}
UNDERBODIES = {"D": "detailed", "S": "smooth"}
WHEELS = {"WW": "open detailed", "WWS": "open smooth", "WWC": "closed"}
MIRRORS = {"WM": True, "WOM": False}

PUBLISHED = (
    "F_D_WM_WW",
    "F_S_WWS_WM",
    "F_S_WWC_WM",
    "E_S_WW_WM",
    "E_S_WWC_WM",
    "N_S_WW_WM",
    "N_S_WWS_WM",
    "N_S_WWC_WM",
)
"""The published classes, spelled as in ids: the tokens' order differs."""


@dataclass(frozen=True)
class DesignId:
    """A design's id taken apart. ``str()`` spells it as it is published: ``F_D_WM_WW_0001``, ``E_S_WWC_WM_005``."""

    of: DesignClass
    number: int

    def __str__(self) -> str:
        return f"{self.of.name}_{self.number:0{self.of.digits}d}"


_PAIR = r"(?P<one>wom|wm|ww[sc]?)[_\- ](?P<two>wom|wm|ww[sc]?)"
_TOKENS = r"(?<![a-z0-9])(?P<style>[fen])[_\- ](?P<floor>[ds])[_\- ]" + _PAIR
_CLASS = re.compile(_TOKENS, re.IGNORECASE)
_ID = re.compile(_TOKENS + r"[_\- ](?P<number>\d{1,6})(?![0-9a-z])", re.IGNORECASE)


def find_id(text: str) -> DesignId | None:
    """The id in a file's name, a table's cell or what a user typed; None where there is none.

    Reads any case, padding, order of the last two tokens and prefix: ``DrivAer_f_d_ww_wm_12.stl`` is F_D_WM_WW_0012.
    """
    found = _ID.search(text)
    if found is None:
        return None
    of = _class_of(found)
    return None if of is None else DesignId(of, int(found["number"]))


def find_class(text: str) -> DesignClass | None:
    """The class that a name speaks of: of an archive, a folder or an id."""
    found = _CLASS.search(text)
    return _class_of(found) if found else None


def classes_named(text: str) -> list[DesignClass]:
    """The published classes that a shortened name means, such as ``F_D``, ``E``, ``n_s_ww``; [] where it is none."""
    given = text.strip().upper().replace("-", "_").split("_")
    chosen = []
    for name in PUBLISHED:
        tokens = name.split("_")
        if tokens[: min(2, len(given))] == given[:2] and set(given[2:]) <= set(tokens[2:]):
            chosen.append(_class_named(name))
    return chosen


def archive_of(design: DesignId) -> str:
    """The zip file in which the design should be; F_D designs are 500 to an archive."""
    archives = design.of.archives
    return archives[min((design.number - 1) // 500, len(archives) - 1)] if len(archives) > 1 else archives[0]


def _class_of(found: re.Match) -> DesignClass | None:
    return _class_with(*(found[token].upper() for token in ("style", "floor", "one", "two")))


@cache
def _class_with(style: str, floor: str, one: str, two: str) -> DesignClass | None:
    """The published class of these tokens, or one made like them; None for tokens that do not go together."""
    start, pair = f"{style}_{floor}", {one, two}
    for name in PUBLISHED:
        if name.startswith(start) and set(name.split("_")[2:]) == pair:
            return _class_named(name)
    if len(pair & MIRRORS.keys()) != 1 or len(pair & WHEELS.keys()) != 1:
        return None
    return _class_named(f"{start}_{one}_{two}")


@cache
def _class_named(name: str) -> DesignClass:
    style, floor, *pair = name.split("_")
    return DesignClass(
        name=name,
        style=STYLES[style],
        underbody=UNDERBODIES[floor],
        wheels=next(WHEELS[token] for token in pair if token in WHEELS),
        mirrors=next(MIRRORS[token] for token in pair if token in MIRRORS),
        digits=4 if (style, floor) == ("F", "D") else 3,
    )


_KIND_BY_SUFFIX = {".stl": "mesh", ".obj": "mesh", ".vtk": "pressure", ".vtp": "pressure", ".vtu": "pressure"}
_KIND_BY_FOLDER = (
    ("shear", "wall_shear"),
    ("wss", "wall_shear"),
    ("annotation", "annotation"),
    ("label", "annotation"),
    ("sketch", "sketch"),
    ("render", "rendering"),
)
_PICTURES = (".png", ".jpg", ".jpeg")


def kind_of(path: str) -> str | None:
    """What a design's file holds: a key of DATASETS; None for a file that is nothing of the corpus.

    path: with its folders and, for a member, the archive's name: wall shear and pressure differ by no suffix.
    """
    lowered = PurePosixPath(path.lower())
    suffix = lowered.suffix
    named = next((kind for word, kind in _KIND_BY_FOLDER if word in str(lowered)), None)
    if suffix in _PICTURES:
        return named if named in ("sketch", "rendering") else None
    if named in ("wall_shear", "annotation") and suffix in _KIND_BY_SUFFIX:
        return named
    return _KIND_BY_SUFFIX.get(suffix)
