"""Train FieldNet on cars with known flow: every step draws new points of a few of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from gnn.field_net import FieldNet
from gnn.training.cars import Car, LabelledCloud
from gnn.training.cloud_pool import CloudPool
from gnn.training.loop import Batch, Schedule, fit, load_start

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
    pool: CloudPool | None = None,
    **architecture,
) -> FieldNet:
    """FieldNet fitted to the cars' Cp and Cf; loss: mean square of the standardised error over labelled points.

    weights (n,): how often each car is drawn, against the others; alike unless given.
    start: a checkpoint or a model folder whose weights, and output scale, to begin from.
    pool: of the cars' fields, on whose device the network learns; without one it does so on the CPU, from points drawn
    anew each time.
    """
    torch.manual_seed(seed)
    network = FieldNet(**architecture)
    if start:
        load_start(network, start, "field")
    else:
        set_output_scale(network, cars)

    shares = None if weights is None else weights / weights.sum()

    def draw(step: int) -> Batch:
        rng = np.random.default_rng((seed, step))
        chosen = rng.choice(len(cars), size=batch, p=shares)
        return pool.choose(chosen, rng) if pool else stacked([cars[i].draw(n_points, rng) for i in chosen])

    def loss(net: nn.Module, *clouds: Tensor) -> Tensor:
        return field_loss(net, *(pool.take(*clouds, n_points).split((3, 3, 4), dim=2) if pool else clouds))

    network = network.to(pool.device) if pool else network
    return fit(network, draw, loss, schedule, checkpoint, [car.name for car in cars])


def stacked(clouds: Sequence[LabelledCloud]) -> Batch:
    """points (B, N, 3), normals (B, N, 3) and values (B, N, 4) of clouds of one size."""
    return tuple(
        torch.from_numpy(np.stack([getattr(cloud, name) for cloud in clouds]))
        for name in ("points", "normals", "values")
    )


def field_loss(net: nn.Module, points: Tensor, normals: Tensor, values: Tensor) -> Tensor:
    """Mean square of the standardised error over the points whose values are known."""
    return field_loss_of(net(points, normals), (values - net.mean) / net.scale)


def field_loss_of(said: Tensor, target: Tensor) -> Tensor:
    """said (B, N, 4 or 1), target (B, N, 4) standardised, NaN where it is not known: Cp, then Cf where there is."""
    known = target.isfinite()[..., : said.shape[-1]]
    errors = (said - target[..., : said.shape[-1]].nan_to_num()).square() * known
    pressure = errors[..., 0].sum() / known[..., 0].sum()
    if said.shape[-1] == 1:
        return pressure
    # By products with what is known, not by choosing it: a GPU would be waited for.
    friction = errors[..., 1:].sum(dim=(0, 1)) / known[..., 1:].sum(dim=(0, 1)).clamp_min(1)
    weight = CF_WEIGHT * known[..., 1].any()
    return (1 - weight) * pressure + weight * friction.mean()


def set_output_scale(network: FieldNet, cars: Sequence[Car]) -> None:
    """Standardise by the cars' own spread; the three components of Cf share one scale so that none is stretched."""
    values = np.concatenate([car.face_values for car in cars])
    cp, cf = values[:, 0], values[:, 1:][np.isfinite(values[:, 1])]
    cf_scale = float(np.sqrt((cf**2).mean())) if len(cf) else 1.0
    network.mean.copy_(torch.tensor([float(cp.mean()), 0.0, 0.0, 0.0]))
    network.scale.copy_(torch.tensor([float(cp.std()), cf_scale, cf_scale, cf_scale]))
