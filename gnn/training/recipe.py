"""How a network is trained, in numbers: two presets, and a TOML file over them."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from data.errors import DrivAerError


@dataclass(frozen=True)
class Recipe:
    """What a training depends on besides the corpus.

    model: drag | field. network: regdgcnn | fieldnet | regdgcnn-pressure, with its architecture.
    n_points: of a cloud. pool: points kept of a car, that clouds are drawn from. vertices: these are random vertices of
    the mesh rather than an even sample. centred: in length and height (gnn.input_frame), else as the file has it.
    epochs, batch (of all processes together), drop_last: the rest of an epoch that fills no batch is left out.
    optimiser: adam | adamw. rate, weight_decay. schedule: cosine | plateau (a tenth after 20 epochs without progress).
    clip: largest norm of a gradient; 0 does not clip. average: decay of the weights' running mean; 0 keeps none.
    standardise: the target to zero mean and unit spread over the training cars.
    augment: none | mirror (no flow would notice) | published (the paper's: the car stretched to 2/3 to 3/2 along each
    axis, shifted, noisy, and labelled as before).
    draws: clouds of a car whose mean is its answer. patience: epochs without progress on the validation cars after
    which training ends; 0 never. precision: fp32 | bf16. subset: share of the training cars that is used. seed.
    """

    model: str = "drag"
    network: str = "regdgcnn"
    architecture: Mapping[str, Any] = field(default_factory=dict)
    n_points: int = 1024
    pool: int = 16384
    vertices: bool = False
    centred: bool = True
    epochs: int = 100
    batch: int = 16
    drop_last: bool = False
    optimiser: str = "adamw"
    rate: float = 2e-3
    weight_decay: float = 1e-2
    schedule: str = "cosine"
    clip: float = 1.0
    average: float = 0.995
    standardise: bool = True
    augment: str = "mirror"
    draws: int = 8
    patience: int = 30
    precision: str = "fp32"
    subset: float = 1.0
    seed: int = 0


_SMALL = {"k": 16, "conv_channels": [32, 64, 64, 128], "emb_dims": 256, "mlp": [128, 64], "dropout": 0.0}
_PUBLISHED = {
    "n_points": 5000,
    "vertices": True,
    "centred": False,
    "epochs": 100,
    "batch": 32,
    "drop_last": True,
    "optimiser": "adam",
    "rate": 1e-3,
    "weight_decay": 1e-4,
    "schedule": "plateau",
    "clip": 0.0,
    "average": 0.0,
    "standardise": False,
    "augment": "published",
    "draws": 1,
    "patience": 0,
    "seed": 1,
}
PRESETS: dict[tuple[str, str], Recipe] = {
    ("ours", "drag"): Recipe(architecture=_SMALL),
    ("ours", "field"): Recipe(
        model="field",
        network="fieldnet",
        architecture={"width": 128, "k": 12, "thinning": [1, 4, 16], "n_waves": 6},
        n_points=2048,
        batch=4,
    ),
    ("drivaernet-paper", "drag"): Recipe(architecture={"k": 40, "emb_dims": 512, "dropout": 0.4}, **_PUBLISHED),
    ("drivaernet-paper", "field"): Recipe(
        model="field",
        network="regdgcnn-pressure",
        architecture={"k": 40, "emb_dims": 1024, "dropout": 0.4},
        **{**_PUBLISHED, "vertices": False, "augment": "none", "standardise": True},
    ),
}
_CHOICES = {
    "network": ("regdgcnn", "fieldnet", "regdgcnn-pressure"),
    "optimiser": ("adam", "adamw"),
    "schedule": ("cosine", "plateau"),
    "augment": ("none", "mirror", "published"),
    "precision": ("fp32", "bf16"),
}


def recipe_of(model: str, preset: str = "ours", config: Path | None = None, **over: Any) -> Recipe:
    """A preset with a TOML file's keys over it, and ``over`` (those not None) over both.

    Raises DrivAerError for a file that is no TOML, an unknown key with the nearest one, or a value of a wrong kind.
    """
    base = PRESETS[preset, model]
    given = _read(config) if config else {}
    for part in (given, {key: value for key, value in over.items() if value is not None}):
        base = _over(base, part, config)
    return base


def as_dict(recipe: Recipe) -> dict[str, Any]:
    return asdict(recipe)


def _over(base: Recipe, given: Mapping[str, Any], file: Path | None) -> Recipe:
    known = {f.name: getattr(base, f.name) for f in fields(Recipe)}
    changed = {}
    for key, value in given.items():
        if key not in known or key == "model":
            near = difflib.get_close_matches(key, known, n=1)
            fix = f"did you mean {near[0]}?" if near else f"the keys are {', '.join(k for k in known if k != 'model')}"
            raise DrivAerError(f"unknown key {key}", file=file, fix=fix)
        if key == "architecture" and isinstance(value, Mapping):
            changed[key] = {**base.architecture, **value}
            continue
        kind = type(known[key])
        if isinstance(value, int) and kind is float and not isinstance(value, bool):
            value = float(value)
        if type(value) is not kind or value not in _CHOICES.get(key, (value,)):
            expected = " | ".join(_CHOICES[key]) if key in _CHOICES else f"a {kind.__name__}"
            raise DrivAerError(f"{key} = {value!r} must be {expected}", file=file)
        changed[key] = value
    return replace(base, **changed)


def _read(path: Path) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise DrivAerError(f"cannot be read ({error.strerror})", file=path) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DrivAerError(f"is no TOML ({error})", file=path) from error
