"""Loading state dicts of the published RegDGCNN networks."""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from data.errors import ModelError
from gnn import regdgcnn, regdgcnn_pressure
from gnn.edge_conv import Form
from gnn.network_spec import NetworkSpec
from gnn.regdgcnn import DEFAULT_K

_PARALLEL_PREFIX = "module."
_WANTED = "give the state dict of a published RegDGCNN drag or pressure network, saved by torch.save"


def load_published(path: str | Path, *, k: int = DEFAULT_K, form: Form = "fast") -> torch.nn.Module:
    """The published drag or surface pressure network with the weights in ``path``, in eval mode, on the CPU.

    Which of the two it is, and its widths, are read off the state dict's keys and shapes; ``nn.DataParallel``'s
    prefix is dropped. Nothing in the file is executed.

    Args:
        path: a ``.pth`` state dict.
        k: neighbours in each graph. The weights do not tell: it has to be what they were trained with.
        form: ``fast`` or ``published``, see `gnn.edge_conv`.

    Returns:
        A module from (B, N, 3) points to (B, 1) drag, or to (B, 1, N) pressures.

    Raises:
        ModelError: the file cannot be read, or does not hold such weights.
    """
    return read_published(Path(path), k, form)[1]


def read_published(path: Path, k: int = DEFAULT_K, form: Form = "fast") -> tuple[NetworkSpec, torch.nn.Module]:
    """The same, with which of the two it is."""
    weights = _without_prefix(_tensors(_read(path), path))
    spec, architecture = _architecture(weights, path)
    network = spec.build(k=k, form=form, **architecture)
    _fill(network, weights, path)
    return spec, network.eval()


def _read(path: Path) -> object:
    """The plain data in a file of torch.save."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"cannot be read ({error.strerror or error})", file=path) from error
    if not content:
        raise ModelError("is empty", file=path, fix=_WANTED)
    try:
        return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # the restricted unpickler lets whatever a malformed stream provokes escape
        if isinstance(error, pickle.UnpicklingError) and "GLOBAL" in str(error):
            what = "holds Python objects that would run code to load; only plain tensors are read"
        else:
            what = "is damaged, or no PyTorch weights file"
        raise ModelError(what, file=path, fix=_WANTED) from error


def _tensors(content: object, path: Path) -> dict[str, Tensor]:
    """The content as a state dict."""
    if not isinstance(content, Mapping):
        raise ModelError(f"holds a {type(content).__name__}, not a state dict", file=path, fix=_WANTED)
    for key, value in content.items():
        if isinstance(value, Mapping) and all(isinstance(part, Tensor) for part in value.values()):
            fix = f"save the dict under {key!r} alone"
            raise ModelError(f"is a training checkpoint that nests a state dict under {key!r}", file=path, fix=fix)
    for key, value in content.items():
        if not isinstance(key, str) or not isinstance(value, Tensor):
            raise ModelError(f"entry {key!r} of the state dict is no tensor", file=path, fix=_WANTED)
    return dict(content)


def _without_prefix(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Keys as of the bare module, where all of them come from one wrapped in ``nn.DataParallel``."""
    if not all(key.startswith(_PARALLEL_PREFIX) for key in weights):
        return weights
    return {key.removeprefix(_PARALLEL_PREFIX): value for key, value in weights.items()}


def _architecture(weights: Mapping[str, Tensor], path: Path) -> tuple[NetworkSpec, dict[str, Any]]:
    """The kind of network and the widths that the weights have."""

    def matrix(key: str) -> tuple[int, int]:
        if key not in weights:
            raise ModelError(f"lacks {key}", file=path, fix=_WANTED)
        if weights[key].dim() < 2:
            raise ModelError(f"{key} has shape {tuple(weights[key].shape)}, no matrix", file=path, fix=_WANTED)
        return weights[key].shape[0], weights[key].shape[1]

    def rows(pattern: str, numbers: range) -> tuple[int, ...]:
        return tuple(matrix(pattern.format(number))[0] for number in numbers)

    if any(key.startswith("transform_net.") for key in weights):
        return regdgcnn_pressure.SPEC, {"emb_dims": matrix("conv6.0.weight")[0]}
    if "conv1.0.weight" not in weights or "linear1.weight" not in weights:
        raise ModelError("holds neither the drag nor the pressure network's weights", file=path, fix=_WANTED)
    return regdgcnn.SPEC, {
        "conv_channels": rows("conv{}.0.weight", range(1, 5)),
        "emb_dims": matrix("conv5.0.weight")[0],
        "mlp": rows("linear{}.weight", range(1, 5)),
        "in_channels": matrix("conv1.0.weight")[1] // 2,
        "out_channels": matrix("linear5.weight")[0],
    }


def _fill(network: torch.nn.Module, weights: Mapping[str, Tensor], path: Path) -> None:
    """Copy the weights into the network, every one and nothing else, all finite."""
    own = network.state_dict()
    if missing := sorted(own.keys() - weights.keys()):
        raise ModelError(f"lacks {_some(missing)}", file=path, fix=_WANTED)
    if surplus := sorted(weights.keys() - own.keys()):
        raise ModelError(f"holds {_some(surplus)}, which the network has not", file=path, fix=_WANTED)
    for key, value in weights.items():
        if value.shape != own[key].shape:
            shapes = f"{tuple(value.shape)}, not {tuple(own[key].shape)}"
            raise ModelError(f"{key} has shape {shapes}", file=path, fix=_WANTED)
        if not torch.isfinite(value).all():
            raise ModelError(f"{key} is not finite", file=path, fix="train the network anew")
    network.load_state_dict(weights)


def _some(keys: list[str]) -> str:
    """The first few keys, and how many more there are."""
    more = f" and {len(keys) - 3} more" if len(keys) > 3 else ""
    return ", ".join(keys[:3]) + more
