"""Model folders: ``weights.safetensors``, ``config.json`` and ``card.md``. No pickle is involved."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from data.errors import ModelError
from data.replacing import replacing
from gnn.novelty import NoveltyReference, ProfileCloud
from gnn.template import Template

if TYPE_CHECKING:
    import torch

FORMAT = 2
WEIGHTS, CONFIG, CARD, METRICS = "weights.safetensors", "config.json", "card.md", "metrics.json"
_CLOUD_ARRAYS = ("mean", "basis", "spread")


@dataclass(frozen=True, eq=False)
class ModelFolder:
    """A model as stored: its configuration and its tensors, by ``drag.``, ``field.``, ``template.``, ``novelty.``.

    digest: first 12 hexadecimal digits of the weights' SHA-256, which say what weights gave a number.
    """

    path: Path
    config: dict[str, Any]
    tensors: dict[str, Any]
    digest: str

    def part(self, prefix: str) -> dict[str, Any]:
        """The tensors of one part, without its prefix."""
        start = len(prefix) + 1
        return {name[start:]: value for name, value in self.tensors.items() if name.startswith(f"{prefix}.")}

    def novelty(self) -> NoveltyReference:
        clouds = []
        for number, numbers in enumerate(self.config["novelty"]):
            arrays = {name: value.numpy() for name, value in self.part(f"novelty.{number}").items()}
            clouds.append(ProfileCloud(**arrays, **numbers))
        known = self.tensors.get("novelty.known")
        return NoveltyReference(tuple(clouds), None if known is None else known.numpy())

    def network(self, part: str, kind: type[torch.nn.Module]) -> torch.nn.Module:
        """One of the model's networks, in eval mode. Raises ModelError where configuration and weights do not agree."""
        try:
            network = kind(**self.config[part]["architecture"])
        except (KeyError, TypeError) as error:
            what = f"the {part} network's configuration is not one that this program knows ({error})"
            raise ModelError(what, file=self.path, fix="update drivaer, or train the model again") from error
        try:
            network.load_state_dict(self.part(part))
        except RuntimeError as error:
            raise ModelError(f"the {part} network's weights do not fit its configuration", file=self.path) from error
        return network.eval()

    def templates(self) -> list[Template]:
        numbers = sorted({name.split(".")[1] for name in self.tensors if name.startswith("template.")})
        parts = [self.part(f"template.{number}") for number in numbers]
        try:
            return [Template.of_arrays({name: value.numpy() for name, value in part.items()}) for part in parts]
        except KeyError as error:
            what = f"the template's {error.args[0]} is missing"
            raise ModelError(what, file=self.path, fix="update drivaer, or train the model again") from error


def read_model(folder: str | Path) -> ModelFolder:
    """Raises ModelError for a folder that is not a model, is damaged, or was written by a newer program."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    folder = Path(folder)
    for name in (WEIGHTS, CONFIG):
        if not (folder / name).is_file():
            raise ModelError(
                f"not a model folder: {name} is missing", file=folder, fix="give a folder made by training"
            )
    try:
        config = json.loads((folder / CONFIG).read_text("utf-8"))
        weights = (folder / WEIGHTS).read_bytes()
        tensors = load(weights)
    except (json.JSONDecodeError, UnicodeDecodeError, SafetensorError, OSError) as error:
        raise ModelError(f"the model is damaged ({error})", file=folder, fix="copy or train it again") from error
    if config.get("format") != FORMAT:
        raise ModelError(f"model format {config.get('format')} is not {FORMAT}", file=folder, fix="update drivaer")
    return ModelFolder(folder, config, tensors, hashlib.sha256(weights).hexdigest()[:12])


def write_model(
    folder: str | Path,
    config: dict[str, Any],
    drag: dict[str, Any],
    field: dict[str, Any],
    novelty: NoveltyReference,
    templates: Sequence[Template] = (),
) -> None:
    """Write weights and configuration; each file is replaced whole, the configuration last."""
    parts: dict[str, dict[str, Any]] = {"drag": drag, "field": field}
    for i, template in enumerate(templates):
        parts[f"template.{i}"] = template.arrays()
    write_parts(folder, {"format": FORMAT, **config}, parts, novelty)


def write_parts(
    folder: str | Path, config: dict[str, Any], parts: Mapping[str, Mapping[str, Any]], novelty: NoveltyReference | None
) -> None:
    """Write any parts' tensors or arrays, and a configuration, as a model folder."""
    import torch
    from safetensors.torch import save_file

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"{part}.{name}": torch.as_tensor(value) for part, own in parts.items() for name, value in own.items()}
    if novelty is not None:
        config = {**config, "novelty": [{"rest": cloud.rest, "limit": cloud.limit} for cloud in novelty.clouds]}
        tensors |= {f"novelty.{name}": torch.from_numpy(array) for name, array in _arrays(novelty).items()}
    # RegDGCNN names each batch normalisation twice; safetensors refuses shared memory.
    tensors = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in tensors.items()}
    with replacing(folder / WEIGHTS) as partial:
        save_file(tensors, partial)
        partial.chmod(0o644)  # the library makes it readable by its owner alone
    write_text(folder / CONFIG, json.dumps(config, indent=1) + "\n")


def _arrays(novelty: NoveltyReference) -> dict[str, np.ndarray]:
    arrays = {f"{i}.{name}": getattr(cloud, name) for i, cloud in enumerate(novelty.clouds) for name in _CLOUD_ARRAYS}
    if novelty.known is not None:
        arrays["known"] = novelty.known
    return {name: np.asarray(array, np.float32) for name, array in arrays.items()}


def write_text(path: Path, text: str) -> None:
    """Replace a text file whole."""
    with replacing(path) as partial:
        partial.write_text(text, "utf-8")
