"""Models in formats that other programs run, each checked against the network that it was made from."""

from __future__ import annotations

import logging
import shutil
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from data.errors import DrivAerError, ModelError
from data.extras import needs
from drivaer_app.models import find_model

if TYPE_CHECKING:
    import torch

    from gnn.checkpoints import ModelFolder

    Answers = Callable[[Mapping[str, torch.Tensor]], Any]
_TOLERANCE = 1e-3  # of the outputs' size; near ties between neighbours may fall otherwise


def export_model(name_or_path: str, out: Path, to: str, part: str) -> list[str]:
    """Write a model or one of its networks to ``out``; returns what to tell about it.

    to: safetensors (the model folder as it is), onnx or pt2 (torch.export). part: drag | field.
    Raises DrivAerError where a package is missing, ``out`` exists, or the written network says something else.
    """
    from gnn.checkpoints import read_model

    folder = find_model(name_or_path)
    if out.exists():
        raise DrivAerError("there is something of that name", file=out, fix="give another name, or remove it")
    model = read_model(folder)
    if to == "safetensors":
        shutil.copytree(folder, out)
        return [f"{out}: weights.safetensors, config.json and card.md, as drivaer itself reads them"]
    if to == "onnx":
        needs("onnx")
    exported = _exportable(model, part)
    answers = _to_onnx(exported, out) if to == "onnx" else _to_pt2(exported, out)
    worst = _compare(exported, answers, out)
    shapes = ", ".join(f"{name} {tuple(array.shape)}" for name, array in exported.example.items())
    coordinates = "network coordinates (m, the car's middle at x = 0, z less 0.7)"
    if not model.section(part).centred:
        coordinates = "the car frame (m)"
    return [
        f"{out}: takes {shapes}, any batch, in {coordinates}",
        f"checked on a random cloud: it differs from the network by {worst:.1e} of the largest output at most",
    ]


@dataclass(frozen=True, eq=False)
class _Exportable:
    """plain: the network in plain operations. original: the network itself. Both take what ``example`` names."""

    plain: torch.nn.Module
    original: Callable[[Mapping[str, torch.Tensor]], torch.Tensor]
    example: dict[str, torch.Tensor]


def _exportable(model: ModelFolder, part: str) -> _Exportable:
    """One of a model's networks, and inputs of the size that it was trained with."""
    import torch

    from gnn.exportable import InOwnUnits
    from gnn.networks import NETWORKS

    section, network = model.section(part), model.network(part)
    spec = NETWORKS[section.network]
    if spec.plain is None:
        raise ModelError(f"the network {spec.name} has no form for other programs yet", file=model.path)
    cloud = dict(zip(("points", "normals"), _cloud(section.n_points), strict=True))
    mean, spread = torch.tensor(section.mean), torch.tensor(section.spread)

    def original(inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
        points = inputs["points"]
        return spec.call(network, points, inputs.get("normals", torch.zeros_like(points))) * spread + mean

    plain = InOwnUnits(spec.plain(network), section.mean, section.spread).eval()
    return _Exportable(plain, original, {name: cloud[name] for name in spec.inputs})


def _cloud(n: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Two clouds of n points on a body about as large as a car, and their normals."""
    import torch

    rng = np.random.default_rng(0)
    normals = rng.normal(size=(2, n, 3))
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    points = normals * [2.2, 0.9, 0.6]
    return tuple(torch.from_numpy(array.astype(np.float32)) for array in (points, normals))


def _to_onnx(exported: _Exportable, out: Path) -> Answers:
    import onnxruntime
    import torch

    example = exported.example

    # It tells of every operator of packages that are not installed.
    logging.getLogger("torch.onnx._internal.exporter._registration").setLevel(logging.ERROR)
    batch = torch.export.Dim("batch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            exported.plain,
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


def _to_pt2(exported: _Exportable, out: Path) -> Answers:
    import torch

    inputs, batch = tuple(exported.example.values()), torch.export.Dim("batch")
    program = torch.export.export(exported.plain, inputs, dynamic_shapes=tuple({0: batch} for _ in inputs))
    torch.export.save(program, str(out))
    loaded = torch.export.load(str(out)).module()
    return lambda inputs: loaded(*inputs.values()).detach().numpy()


def _compare(exported: _Exportable, answers: Answers, out: Path) -> float:
    """Largest difference, relative to the largest output, also for another batch than it was written with."""
    import torch

    worst = 0.0
    example = exported.example
    for inputs in (example, {name: array[:1].repeat(3, 1, 1) for name, array in example.items()}):
        with torch.inference_mode():
            ours = exported.original(inputs).numpy()
        theirs = np.asarray(answers(inputs))
        worst = max(worst, float(np.abs(theirs - ours).max() / np.abs(ours).max()))
    if not worst < _TOLERANCE:
        out.unlink()
        raise DrivAerError(f"what was written says something else (by {worst:.1e})", file=out, fix="report this")
    return worst
