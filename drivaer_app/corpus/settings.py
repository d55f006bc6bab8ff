"""How one corpus is grown: decided once, kept beside it, the same for every design that is ever added."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from data.errors import DrivAerError
from data.replacing import replacing

FILE = "corpus.json"


@dataclass(frozen=True)
class GrowthSettings:
    """seed: of the designs' sequence. preset: of the families' meshes.

    family_iterations: of each family's own car, whose mean flow over the last ``family_window`` all designs start
    from. design_iterations: that a design goes on for; its coefficients and Cp are means over the last ``window``.
    spread: share of each handle's range that designs are drawn from.
    """

    seed: int = 0
    preset: str = "coarse"
    family_iterations: int = 400
    family_window: int = 200
    design_iterations: int = 220
    window: int = 160
    spread: float = 0.85

    def save(self, work: Path) -> None:
        with replacing(work / FILE) as unfinished:
            unfinished.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


def load_settings(work: Path) -> GrowthSettings:
    """The settings of a corpus that is being grown. Raises DrivAerError where there is none."""
    path = work / FILE
    try:
        return GrowthSettings(**json.loads(path.read_text("utf-8")))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise DrivAerError("no corpus is grown here", file=work, fix="start one with 'corpus grow FOLDER'") from error
    except (OSError, ValueError, TypeError) as error:
        raise DrivAerError(f"is damaged ({error})", file=path, fix="give another folder") from error


def settled_settings(work: Path, **asked: object) -> GrowthSettings:
    """The corpus's own settings, or new ones saved there; ``asked`` are those that somebody gave (not None).

    Raises DrivAerError where the corpus has others: one folder, one sequence of designs.
    """
    asked = {name: value for name, value in asked.items() if value is not None}
    if not (work / FILE).exists():
        settings = GrowthSettings(**asked)  # type: ignore[arg-type]
        settings.save(work)
        return settings
    settings = load_settings(work)
    for name, value in asked.items():
        if getattr(settings, name) != value:
            what = f"is grown with {name} = {getattr(settings, name)}, not {value}"
            raise DrivAerError(what, file=work, fix="give another folder, or leave the option out")
    return settings
