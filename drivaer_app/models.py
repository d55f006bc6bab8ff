"""The models that there are: those that come with the program, and those that the user trained."""

from __future__ import annotations

import difflib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from data.errors import ModelError
from drivaer_app.paths import RESOURCES, own_models

BUNDLED = RESOURCES / "models"
DEFAULT = "drivaer"
_CONFIG = "config.json"
PUBLISHED = (".pth", ".pt")


@dataclass(frozen=True)
class KnownModel:
    """A model folder that can be named. bundled: it came with the program."""

    name: str
    folder: Path
    bundled: bool


def known_models() -> list[KnownModel]:
    """Bundled ones first, each by name. A user's model with a bundled one's name can be had by its path only."""
    found = []
    for root, bundled in ((BUNDLED, True), (own_models(), False)):
        folders = sorted(path.parent for path in root.glob(f"*/{_CONFIG}")) if root.is_dir() else []
        found += [KnownModel(folder.name, folder, bundled) for folder in folders if not folder.name.startswith(".")]
    return found


def summary(folder: Path) -> dict[str, Any]:
    """What a model gives and what it was trained on, from its configuration alone; a damaged one says so."""
    from gnn.model_config import ModelConfig

    try:
        config = ModelConfig.read(folder)
    except ModelError:
        return {"gives": "damaged", "trained_on": "unknown", "from": None, "licences": []}
    return {
        "gives": config.gives,
        "trained_on": config.trained_on,
        "from": config.base and asdict(config.base),
        "licences": list(config.licences),
    }


def find_model(name_or_path: str | Path | None = None) -> Path:
    """The folder of a model that is named, or a folder or published weights at a path; the default one of nothing.

    Raises ModelError where there is neither, with the nearest name.
    """
    wanted = str(DEFAULT if name_or_path is None else name_or_path)
    known = known_models()
    for model in known:
        if model.name == wanted:
            return model.folder
    if Path(wanted).is_dir() or Path(wanted).suffix in PUBLISHED:
        return Path(wanted)
    names = [model.name for model in known]
    near = difflib.get_close_matches(wanted, names, n=1)
    fix = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}; or give a model folder"
    raise ModelError("no such model", file=wanted, fix=fix)
