"""Train FieldNet on cars with known flow: every step draws new points of a few of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from factory.cloud_pool import CloudPool
from gnn.field_net import FieldNet
from gnn.training.cars import Car
from gnn.training.loop import Batch, Schedule, fit, load_start
from gnn.training.losses import field_loss, set_output_scale, stacked


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
