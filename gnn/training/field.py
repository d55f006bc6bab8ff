"""Train FieldNet on the CFD cases: every step draws new points of a few cases."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from data.corpora.cases import Case
from data.corpora.morphs import NO_FACE
from gnn.field_net import FieldNet
from gnn.training.clouds import Cloud, Design, MorphClouds
from gnn.training.loop import Schedule, fit, load_averaged

CF_WEIGHT = 0.3
"""Of the loss that skin friction gets: a twentieth of the drag, and noisier than pressure."""


def train_field_net(
    cases: Sequence[Case],
    clouds: MorphClouds,
    schedule: Schedule,
    checkpoint: Path,
    *,
    start: Path | None = None,
    n_points: int = 2048,
    batch: int = 4,
    seed: int = 0,
    **architecture,
) -> FieldNet:
    """FieldNet fitted to the cases' Cp and Cf; loss: mean square of the standardised error over labelled points.

    start: a checkpoint whose averaged weights, and output scale, to begin from.
    """
    torch.manual_seed(seed)
    network = FieldNet(**architecture)
    if start:
        load_averaged(network, start)
    else:
        set_output_scale(network, cases)

    def loss_of_step(net: nn.Module, step: int) -> Tensor:
        rng = np.random.default_rng((seed, step))
        drawn = [cases[i] for i in rng.integers(len(cases), size=batch)]
        pairs = [(cloud := clouds.draw(Design.of(case), n_points, rng), labels(case, cloud)) for case in drawn]
        return field_loss(net, [cloud for cloud, _ in pairs], [label for _, label in pairs])

    return fit(network, loss_of_step, schedule, checkpoint, [case.design for case in cases])


def labels(case: Case, cloud: Cloud) -> np.ndarray:
    """(N, 4) float32 Cp, Cf at the cloud's points; NaN where no CFD face is.

    The case has the +y half; on the other half (told by the CFD face's mirror image) Cf's y component turns over.
    """
    face = np.maximum(cloud.cfd_face, 0)
    values = np.column_stack([case.face_cp[face], case.face_cf[face]])
    values[cloud.points[:, 1] < 0, 2] *= -1
    values[cloud.cfd_face == NO_FACE] = np.nan
    return values.astype(np.float32)


def field_loss(net: nn.Module, clouds: Sequence[Cloud], values: Sequence[np.ndarray]) -> Tensor:
    points = torch.from_numpy(np.stack([c.points for c in clouds]))
    normals = torch.from_numpy(np.stack([c.normals for c in clouds]))
    target = (torch.from_numpy(np.stack(values)) - net.mean) / net.scale
    known = torch.isfinite(target[..., 0])
    error = (net(points, normals)[known] - target[known]).square().mean(dim=0)
    return (1 - CF_WEIGHT) * error[0] + CF_WEIGHT * error[1:].mean()


def set_output_scale(network: FieldNet, cases: Sequence[Case]) -> None:
    """Standardise by the cases' own spread; the three components of Cf share one scale so that none is stretched."""
    cp = np.concatenate([c.face_cp for c in cases])
    cf = np.concatenate([c.face_cf for c in cases])
    cf_scale = float(np.sqrt((cf**2).mean()))
    network.mean.copy_(torch.tensor([float(cp.mean()), 0.0, 0.0, 0.0]))
    network.scale.copy_(torch.tensor([float(cp.std()), cf_scale, cf_scale, cf_scale]))
