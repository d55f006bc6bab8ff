"""Model folders: ``weights.safetensors``, ``config.json`` and ``card.md``. No pickle is involved.

What a second head learnt from other people's results (`RegDGCNN.discrepancy`) lies in the folder ``real``, because its
licence may be another.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from data.errors import ModelError
from data.replacing import replacing
from gnn.model_config import CONFIG, FIELD, CloudNumbers, ModelConfig, NetworkConfig
from gnn.novelty import NoveltyReference, ProfileCloud
from gnn.template import Template

if TYPE_CHECKING:
    import torch

WEIGHTS, CARD, METRICS = "weights.safetensors", "card.md", "metrics.json"
REAL = "real"
"""Folder with the weights that were learnt from other people's results, under their licence."""
_OF_REAL = "drag.discrepancy."
_CLOUD_ARRAYS = ("mean", "basis", "spread")
_AGAIN = "update drivaer, or train the model again"


@dataclass(frozen=True, eq=False)
class ModelFolder:
    """A model as stored: its configuration and its tensors, by ``drag.``, ``field.``, ``template.``, ``novelty.``.

    digest: first 12 hexadecimal digits of the weights' SHA-256, which say what weights gave a number.
    """

    path: Path
    config: ModelConfig
    tensors: dict[str, Any]
    digest: str

    def part(self, prefix: str) -> dict[str, Any]:
        """The tensors of one part, without its prefix."""
        start = len(prefix) + 1
        return {name[start:]: value for name, value in self.tensors.items() if name.startswith(f"{prefix}.")}

    def novelty(self) -> NoveltyReference | None:
        """None where the model has none."""
        clouds = []
        for number, numbers in enumerate(self.config.novelty):
            arrays = {name: value.numpy() for name, value in self.part(f"novelty.{number}").items()}
            clouds.append(ProfileCloud(**arrays, rest=numbers.rest, limit=numbers.limit))
        known = self.tensors.get("novelty.known")
        return NoveltyReference(tuple(clouds), None if known is None else known.numpy()) if clouds else None

    def section(self, target: str) -> NetworkConfig:
        """The configuration of the network for a target. Raises ModelError where the model has none."""
        section = self.config.networks.get(target)
        if section is None:
            has = " and ".join(self.config.networks)
            raise ModelError(f"has no {target} network", file=self.path, fix=f"it has the {has} network alone")
        return section

    def network(self, target: str) -> torch.nn.Module:
        """The network for a target, in eval mode. Raises ModelError: there is none, or it does not fit its weights."""
        from gnn.networks import build_network, network_spec

        section = self.section(target)
        spec = network_spec(section.network, self.path / CONFIG)
        n = spec.columns if target == FIELD else len(section.mean)
        if spec.target != target or not n == len(section.mean) == len(section.spread) > 0:
            what = f"{target}.network = {section.network} does not go with {target}.mean and {target}.spread"
            raise ModelError(what, file=self.path / CONFIG, fix=_AGAIN)
        network = build_network(section.network, section.architecture, self.path / CONFIG)
        try:
            network.load_state_dict(self.part(target))
        except RuntimeError as error:
            raise ModelError(f"the {target} network's weights do not fit its configuration", file=self.path) from error
        return network.eval()

    def templates(self) -> list[Template]:
        numbers = sorted({name.split(".")[1] for name in self.tensors if name.startswith("template.")})
        parts = [self.part(f"template.{number}") for number in numbers]
        try:
            return [Template.of_arrays({name: value.numpy() for name, value in part.items()}) for part in parts]
        except KeyError as error:
            raise ModelError(f"the template's {error.args[0]} is missing", file=self.path, fix=_AGAIN) from error


def weight_files(folder: Path) -> list[Path]:
    """A model folder's files of weights, the one that every model has first."""
    real = folder / REAL / WEIGHTS
    return [folder / WEIGHTS, *([real] if real.is_file() else [])]


def read_model(folder: str | Path) -> ModelFolder:
    """Raises ModelError for a folder that is not a model, is damaged, or was written by a newer program."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    folder = Path(folder)
    if not (folder / WEIGHTS).is_file():
        fix = "give a folder made by training"
        raise ModelError(f"not a model folder: {WEIGHTS} is missing", file=folder, fix=fix)
    config = ModelConfig.read(folder)
    try:
        files = [file.read_bytes() for file in weight_files(folder)]
        tensors = {name: tensor for file in files for name, tensor in load(file).items()}
    except (SafetensorError, OSError) as error:
        raise ModelError(f"the model is damaged ({error})", file=folder, fix="copy or train it again") from error
    config, tensors = _without_format_2(config, tensors)
    return ModelFolder(folder, config, tensors, hashlib.sha256(b"".join(files)).hexdigest()[:12])


def _without_format_2(config: ModelConfig, tensors: dict[str, Any]) -> tuple[ModelConfig, dict[str, Any]]:
    """Format 2 kept a field's mean and spread among the weights, and a model's only network under ``lone``."""
    if any(name.startswith("lone.") for name in tensors):
        (target,) = config.networks
        tensors = {name.replace("lone.", f"{target}.", 1): value for name, value in tensors.items()}
    if config.field is not None and not config.field.mean and f"{FIELD}.mean" in tensors:
        mean, spread = (tuple(tensors.pop(f"{FIELD}.{name}").tolist()) for name in ("mean", "scale"))
        config = replace(config, field=replace(config.field, mean=mean, spread=spread))
    return config, tensors


def write_model(
    folder: str | Path,
    config: ModelConfig,
    networks: Mapping[str, Mapping[str, Any]],
    novelty: NoveltyReference | None = None,
    templates: Sequence[Template] = (),
) -> None:
    """Write weights and configuration; each file is replaced whole, the configuration last.

    networks: state dicts by target. novelty: its numbers go into the configuration.
    """
    import torch

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    parts = {**networks, **{f"template.{i}": template.arrays() for i, template in enumerate(templates)}}
    tensors = {f"{part}.{name}": torch.as_tensor(value) for part, own in parts.items() for name, value in own.items()}
    clouds = () if novelty is None else novelty.clouds
    config = replace(config, novelty=tuple(CloudNumbers(cloud.rest, cloud.limit) for cloud in clouds))
    if novelty is not None:
        tensors |= {f"novelty.{name}": torch.from_numpy(array) for name, array in _arrays(novelty).items()}
    # RegDGCNN names each batch normalisation twice; safetensors refuses shared memory.
    tensors = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in tensors.items()}
    real = {name for name in tensors if name.startswith((_OF_REAL, f"novelty.{config.bluff_cloud}."))}
    if real:
        _save({name: tensors[name] for name in real}, folder / REAL / WEIGHTS)
    _save({name: tensor for name, tensor in tensors.items() if name not in real}, folder / WEIGHTS)
    write_text(folder / CONFIG, json.dumps(config.document(), indent=1) + "\n")


def _save(tensors: dict[str, torch.Tensor], file: Path) -> None:
    from safetensors.torch import save_file

    file.parent.mkdir(exist_ok=True)
    with replacing(file) as partial:
        save_file(tensors, partial)
        partial.chmod(0o644)  # the library makes it readable by its owner alone


def _arrays(novelty: NoveltyReference) -> dict[str, np.ndarray]:
    arrays = {f"{i}.{name}": getattr(cloud, name) for i, cloud in enumerate(novelty.clouds) for name in _CLOUD_ARRAYS}
    if novelty.known is not None:
        arrays["known"] = novelty.known
    return {name: np.asarray(array, np.float32) for name, array in arrays.items()}


def write_text(path: Path, text: str) -> None:
    """Replace a text file whole."""
    with replacing(path) as partial:
        partial.write_text(text, "utf-8")
