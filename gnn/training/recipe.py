"""How a network is trained, in numbers: two presets, and a TOML file over them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from data.errors import DrivAerError
from gnn.typed import from_mapping


@dataclass(frozen=True)
class TrainingRecipe:
    """What a training depends on besides the corpus.

    model: what is predicted. network: one of gnn.networks, with its architecture.
    n_points: of a cloud. pool: points kept of a car, that clouds are drawn from. vertices: these are random vertices of
    the mesh rather than an even sample. centred: in length and height (gnn.input_frame), else as the file has it.
    epochs, batch (of all processes together), drop_last: the rest of an epoch that fills no batch is left out.
    optimiser, rate, weight_decay, schedule, clip, average: see gnn.training.loop.Optimisation.
    standardise: the target to zero mean and unit spread over the training cars.
    augment: none | mirror (no flow would notice) | published (the paper's: the car stretched to 2/3 to 3/2 along each
    axis, shifted, noisy, and labelled as before).
    draws: clouds of a car whose mean is its answer. patience: epochs without progress on the validation cars after
    which training ends; 0 never. precision: fp32 | bf16. subset: share of the training cars that is used. seed.
    """

    model: Literal["drag", "field"] = "drag"
    network: str = "regdgcnn"
    architecture: dict[str, Any] = field(default_factory=dict)
    n_points: int = 1024
    pool: int = 16384
    vertices: bool = False
    centred: bool = True
    epochs: int = 100
    batch: int = 16
    drop_last: bool = False
    optimiser: Literal["adam", "adamw"] = "adamw"
    rate: float = 2e-3
    weight_decay: float = 1e-2
    schedule: Literal["cosine", "plateau"] = "cosine"
    clip: float = 1.0
    average: float = 0.995
    standardise: bool = True
    augment: Literal["none", "mirror", "published"] = "mirror"
    draws: int = 8
    patience: int = 30
    precision: Literal["fp32", "bf16"] = "fp32"
    subset: float = 1.0
    seed: int = 0


_SMALL = {"k": 16, "conv_channels": [32, 64, 64, 128], "emb_dims": 256, "mlp": [128, 64], "dropout": 0.0}
_PUBLISHED: dict[str, Any] = {
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
PRESETS: dict[tuple[str, str], TrainingRecipe] = {
    ("ours", "drag"): TrainingRecipe(architecture=_SMALL),
    ("ours", "field"): TrainingRecipe(
        model="field",
        network="fieldnet",
        architecture={"width": 128, "k": 12, "thinning": [1, 4, 16], "n_waves": 6},
        n_points=2048,
        batch=4,
    ),
    ("drivaernet-paper", "drag"): TrainingRecipe(architecture={"k": 40, "emb_dims": 512, "dropout": 0.4}, **_PUBLISHED),
    ("drivaernet-paper", "field"): TrainingRecipe(
        model="field",
        network="regdgcnn-pressure",
        architecture={"k": 40, "emb_dims": 1024, "dropout": 0.4},
        **{**_PUBLISHED, "vertices": False, "augment": "none", "standardise": True},
    ),
}


def recipe_of(model: str, preset: str = "ours", config: Path | None = None, **over: Any) -> TrainingRecipe:
    """A preset with a TOML file's keys over it, and ``over`` (those not None) over both.

    Raises DrivAerError for a file that is no TOML, an unknown key with the nearest one, a value of a wrong kind, or a
    network that does not predict what ``model`` says.
    """
    from gnn.networks import network_spec

    given = _read(config) if config else {}
    if "model" in given:
        raise DrivAerError("unknown key model", file=config, fix="say it with --model")
    recipe = PRESETS[preset, model]
    for part in (given, {key: value for key, value in over.items() if value is not None}):
        whole = {**asdict(recipe), **part}
        if part.get("network", recipe.network) == recipe.network and isinstance(part.get("architecture"), Mapping):
            whole["architecture"] = {**recipe.architecture, **part["architecture"]}
        elif part.get("network", recipe.network) != recipe.network:
            whole["architecture"] = part.get("architecture", {})  # the preset's is another network's
        recipe = from_mapping(TrainingRecipe, whole, file=config, fix=_KEYS)
    spec = network_spec(recipe.network, config, DrivAerError)
    if spec.target != recipe.model:
        what = f"network = {recipe.network} predicts {spec.target}, not {recipe.model}"
        raise DrivAerError(what, file=config, fix=f"say --model {spec.target}, or another network")
    return recipe


_KEYS = "the keys are in docs/training.md and gnn/training/recipe.py"


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
