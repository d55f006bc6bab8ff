"""Models in formats that other programs run, each checked against the network that it was made from."""

from __future__ import annotations

import logging
import shutil
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from data.errors import DrivAerError, ModelError
from data.extras import needs
from drivaer_app.models import model_folder

if TYPE_CHECKING:
    import torch

_TOLERANCE = 1e-3  # of the outputs' size; near ties between neighbours may fall otherwise


def export_model(name_or_path: str, out: Path, to: str, part: str) -> list[str]:
    """Write a model or one of its networks to ``out``; returns what to tell about it.

    to: safetensors (the model folder as it is), onnx or pt2 (torch.export). part: drag | field.
    Raises DrivAerError where a package is missing, ``out`` exists, or the written network says something else.
    """
    folder = model_folder(name_or_path)
    if out.exists():
        raise DrivAerError("there is something of that name", file=out, fix="give another name, or remove it")
    if to == "safetensors":
        shutil.copytree(folder, out)
        return [f"{out}: weights.safetensors, config.json and card.md, as drivaer itself reads them"]
    if to == "onnx":
        needs("onnx")
    network, example = _exportable(folder, part)
    says = _to_onnx(network, example, out) if to == "onnx" else _to_pt2(network, example, out)
    worst = _compare(network, example, says, out)
    shapes = ", ".join(f"{name} {tuple(array.shape)}" for name, array in example.items())
    return [
        f"{out}: takes {shapes}, any batch, in network coordinates (m, the car's middle at x = 0, z less 0.7)",
        f"checked on a random cloud: it differs from the network by {worst:.1e} of the largest output at most",
    ]


def _exportable(folder: Path, part: str) -> tuple[torch.nn.Module, dict[str, Any]]:
    """The network in plain operations, and inputs of the size that it was trained with, by name."""
    from gnn.checkpoints import read_model
    from gnn.exportable import ExportableDrag, ExportableField
    from gnn.field_net import FieldNet
    from gnn.lone import LONE, is_lone
    from gnn.regdgcnn import RegDGCNN

    model = read_model(folder)
    section, where = model.config.get(part), part
    if is_lone(model.config):
        recipe = model.config["recipe"]
        if recipe["model"] != part:
            raise ModelError(f"has no {part} network", file=folder, fix=f"give --part {recipe['model']}")
        if recipe["network"] == "regdgcnn-pressure":
            raise ModelError("the published pressure network cannot be exported yet", file=folder)
        section, where = {**recipe, "mean": model.config["mean"], "spread": model.config["spread"]}, LONE
    points, normals = _cloud(section["n_points"])
    if part == "drag":
        return ExportableDrag(model.network(where, RegDGCNN), section["mean"], section["spread"]).eval(), {
            "points": points
        }
    return ExportableField(model.network(where, FieldNet)).eval(), {"points": points, "normals": normals}


def _cloud(n: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Two clouds of n points on a body about as large as a car, and their normals."""
    import torch

    rng = np.random.default_rng(0)
    normals = rng.normal(size=(2, n, 3))
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    points = normals * [2.2, 0.9, 0.6]
    return tuple(torch.from_numpy(array.astype(np.float32)) for array in (points, normals))


def _to_onnx(network: torch.nn.Module, example: dict[str, torch.Tensor], out: Path):
    import onnxruntime
    import torch

    # It tells of every operator of packages that are not installed.
    logging.getLogger("torch.onnx._internal.exporter._registration").setLevel(logging.ERROR)
    batch = torch.export.Dim("batch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            network,
            tuple(example.values()),
            dynamo=True,
            input_names=list(example),
            output_names=["coefficients" if len(example) == 1 else "fields"],
            dynamic_shapes=tuple({0: batch} for _ in example),
            verbose=False,
        )
    program.save(str(out))
    session = onnxruntime.InferenceSession(str(out), providers=["CPUExecutionProvider"])
    return lambda inputs: session.run(None, {name: array.numpy() for name, array in inputs.items()})[0]


def _to_pt2(network: torch.nn.Module, example: dict[str, torch.Tensor], out: Path):
    import torch

    batch = torch.export.Dim("batch")
    program = torch.export.export(network, tuple(example.values()), dynamic_shapes=tuple({0: batch} for _ in example))
    torch.export.save(program, str(out))
    loaded = torch.export.load(str(out)).module()
    return lambda inputs: loaded(*inputs.values()).detach().numpy()


def _compare(network: torch.nn.Module, example: dict[str, torch.Tensor], says, out: Path) -> float:
    """Largest difference, relative to the largest output, also for another batch than it was written with."""
    import torch

    worst = 0.0
    for inputs in (example, {name: array[:1].repeat(3, 1, 1) for name, array in example.items()}):
        with torch.inference_mode():
            ours = network.original(*inputs.values()).numpy()
        theirs = np.asarray(says(inputs))
        worst = max(worst, float(np.abs(theirs - ours).max() / np.abs(ours).max()))
    if not worst < _TOLERANCE:
        out.unlink()
        raise DrivAerError(f"what was written says something else (by {worst:.1e})", file=out, fix="report this")
    return worst
