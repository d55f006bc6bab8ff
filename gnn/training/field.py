"""Train FieldNet on cars with known flow: every step draws new points of a few of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from gnn.field_net import FieldNet
from gnn.training.cars import Car, LabelledCloud
from gnn.training.loop import Schedule, fit, load_start

CF_WEIGHT = 0.3
"""Of the loss that skin friction gets: a twentieth of the drag, and noisier than pressure."""


def train_field_net(
    cars: Sequence[Car],
    schedule: Schedule,
    checkpoint: Path,
    *,
    start: Path | None = None,
    n_points: int = 2048,
    batch: int = 4,
    seed: int = 0,
    weights: np.ndarray | None = None,
    **architecture,
) -> FieldNet:
    """FieldNet fitted to the cars' Cp and Cf; loss: mean square of the standardised error over labelled points.

    weights (n,): how often each car is drawn, against the others; alike unless given.
    start: a checkpoint or a model folder whose weights, and output scale, to begin from.
    """
    torch.manual_seed(seed)
    network = FieldNet(**architecture)
    if start:
        load_start(network, start, "field")
    else:
        set_output_scale(network, cars)

    shares = None if weights is None else weights / weights.sum()

    def loss_of_step(net: nn.Module, step: int) -> Tensor:
        rng = np.random.default_rng((seed, step))
        chosen = rng.choice(len(cars), size=batch, p=shares)
        return field_loss(net, [cars[i].draw(n_points, rng) for i in chosen])

    return fit(network, loss_of_step, schedule, checkpoint, [car.name for car in cars])


def field_loss(net: nn.Module, clouds: Sequence[LabelledCloud]) -> Tensor:
    """Mean square of the standardised error over the points whose values are known."""
    points, normals, values = (
        torch.from_numpy(np.stack([getattr(cloud, name) for cloud in clouds]))
        for name in ("points", "normals", "values")
    )
    return field_loss_of(net(points, normals), (values - net.mean) / net.scale)


def field_loss_of(said: Tensor, target: Tensor) -> Tensor:
    """said (B, N, 4 or 1), target (B, N, 4) standardised, NaN where it is not known: Cp, then Cf where there is."""
    known = torch.isfinite(target[..., 0])
    errors = (said[known] - target[known][:, : said.shape[-1]]).square()
    pressure, friction = errors[:, 0].mean(), errors[:, 1:]
    measured = torch.isfinite(friction).all(dim=1) if friction.shape[1] else None
    if measured is None or not measured.any():
        return pressure
    return (1 - CF_WEIGHT) * pressure + CF_WEIGHT * friction[measured].mean(dim=0).mean()


def set_output_scale(network: FieldNet, cars: Sequence[Car]) -> None:
    """Standardise by the cars' own spread; the three components of Cf share one scale so that none is stretched."""
    values = np.concatenate([car.face_values for car in cars])
    cp, cf = values[:, 0], values[:, 1:][np.isfinite(values[:, 1])]
    cf_scale = float(np.sqrt((cf**2).mean())) if len(cf) else 1.0
    network.mean.copy_(torch.tensor([float(cp.mean()), 0.0, 0.0, 0.0]))
    network.scale.copy_(torch.tensor([float(cp.std()), cf_scale, cf_scale, cf_scale]))
