"""Train FieldNet on cars with known flow: every step draws new points of a few of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch import Tensor, nn

from factory.cloud_pool import CloudPool
from gnn.field_net import FieldNet
from gnn.training.cars import Car
from gnn.training.loop import Batch, Optimisation, by_step, fit
from gnn.training.losses import Scale, field_loss, stacked


def train_field_net(
    network: FieldNet,
    cars: Sequence[Car],
    scale: Scale,
    how: Optimisation,
    checkpoint: Path,
    *,
    n_points: int = 2048,
    batch: int = 4,
    weights: np.ndarray | None = None,
    pool: CloudPool | None = None,
) -> FieldNet:
    """The network fitted to the cars' Cp and Cf, standardised by ``scale``.

    weights (n,): how often each car is drawn, against the others; alike unless given.
    pool: of the cars' fields; the network is trained on its device. Without one it is trained on the CPU, on points
    that each step draws. The rest as of `gnn.training.loop.fit`.
    """
    shares = None if weights is None else weights / weights.sum()

    def draw(step: int) -> Batch:
        rng = np.random.default_rng((how.seed, step))
        chosen = rng.choice(len(cars), size=batch, p=shares)
        return pool.choose(chosen, rng) if pool else stacked([cars[i].draw(n_points, rng) for i in chosen])

    def loss(net: nn.Module, *clouds: Tensor) -> Tensor:
        points, normals, values = pool.take(*clouds, n_points).split((3, 3, 4), dim=2) if pool else clouds
        return field_loss(net(points, normals), scale.standardised(values))

    network = network.to(pool.device) if pool else network
    names = [car.name for car in cars]
    return fit(network, by_step(draw), loss, how, checkpoint, learnt_from=names).network
