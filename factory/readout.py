"""Train the drag network's last layers alone, on features that are computed once.

Computing the features takes a forward pass of the whole network; training the layers after pooling on stored features
takes next to nothing, so that they can be trained to convergence. With an earlier model's network that raised R2 of Cd
on held-out designs from 0.831 to 0.86 in 3,000 steps, and to 0.89 in 30,000. On a converged network it serves to
follow new labels: some thousand steps at a small rate, because more of them overfit. docs/accuracy.md has the figures.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from data.replacing import replacing
from factory.cloud_pool import CloudPool, Shape
from gnn.regdgcnn import RegDGCNN
from gnn.training.loop import Batch, Optimisation, by_step, fit
from gnn.training.losses import coefficient_loss

log = logging.getLogger(__name__)

CLOUDS = 4
"""Of each shape."""
STEPS, BATCH, RATE = 100_000, 256, 5e-3
_SAVE_EVERY = 100
_SHAPES_AT_ONCE = 64


def cached_features(
    network: RegDGCNN, shapes: Sequence[Shape], n_points: int, cache: Path, n_clouds: int = CLOUDS
) -> Tensor:
    """(n, n_clouds, 2 * emb_dims) pooled features of each shape; goes on from ``cache`` where it was stopped.

    cache: of these shapes and this network; remove it when either changes.
    """
    features = np.load(cache) if cache.exists() else np.zeros((0, n_clouds, network.linear1.in_features), np.float32)
    rows = [*features]
    for i in range(len(rows), len(shapes)):
        rng = np.random.default_rng((9, i))
        clouds = torch.from_numpy(np.stack([shapes[i].draw(n_points, rng).points for _ in range(n_clouds)]))
        with torch.inference_mode():
            rows.append(network.features(clouds).numpy())
        if (i + 1) % _SAVE_EVERY == 0 or i + 1 == len(shapes):
            log.info("features of shape %d of %d", i + 1, len(shapes))
            with replacing(cache) as unfinished, unfinished.open("wb") as file:
                np.save(file, np.stack(rows))
    return torch.from_numpy(np.stack(rows))


def pooled_features(network: RegDGCNN, pool: CloudPool, n_points: int) -> Tensor:
    """As `cached_features`, of a pool's shapes on its device: there computing them is as fast as reading a file."""
    rng = np.random.default_rng(9)
    batches = np.array_split(np.arange(len(pool.columns)), -(-len(pool.columns) // _SHAPES_AT_ONCE))
    with torch.no_grad():  # what comes of inference mode cannot be learnt from
        rows = [[network.features(pool.draw(which, n_points, rng)) for _ in range(CLOUDS)] for which in batches]
        return torch.cat([torch.stack(of_batch, dim=1) for of_batch in rows])


def train_readout(
    network: RegDGCNN,
    features: Tensor,
    targets: np.ndarray,
    checkpoint: Path,
    *,
    weights: np.ndarray | None = None,
    steps: int = STEPS,
    rate: float = RATE,
    learnt_from: Sequence[str] = (),
    of_discrepancy: bool = False,
) -> RegDGCNN:
    """Train the layers after pooling on features (n, CLOUDS, f) and standardised targets (n, 2); returns the network.

    features: on the network's device. weights (n,): how often each shape is drawn, against the others; alike unless
    given. Prediction averages several clouds' answers, so a shape is seen as one cloud or as anything between two.
    of_discrepancy: what is trained is the second head, on targets of the real car.
    """
    target = torch.from_numpy(targets.astype(np.float32)).to(features.device)
    shares = None if weights is None else weights / weights.sum()

    def draw(step: int) -> Batch:
        rng = np.random.default_rng((7, step))
        shape = rng.choice(len(features), BATCH, p=shares)
        cloud = rng.integers(features.shape[1], size=(BATCH, 2))
        share = rng.random((BATCH, 1), np.float32)
        return tuple(torch.from_numpy(part) for part in (shape, cloud, share))

    def loss(net: nn.Module, shape: Tensor, cloud: Tensor, share: Tensor) -> Tensor:
        net.eval()  # the batch statistics are those of the encoder's training
        seen = share * features[shape, cloud[:, 0]] + (1 - share) * features[shape, cloud[:, 1]]
        answer = net.head(seen)[:, : target.shape[1]] if of_discrepancy else net.simulated(seen)
        return coefficient_loss(answer, target[shape])

    taught = network.discrepancy.parameters() if of_discrepancy else readout_parameters(network)
    own = {id(p) for p in taught}
    for parameter in network.parameters():
        parameter.requires_grad_(id(parameter) in own)
    how = Optimisation(steps, rate, warm_up=0, clip=0.0, average=0.0)
    learnt = fit(network, by_step(draw), loss, how, checkpoint, learnt_from=learnt_from).network
    return learnt.requires_grad_()


def readout_parameters(network: RegDGCNN) -> list[torch.nn.Parameter]:
    """The parameters of `RegDGCNN.simulated`."""
    norms = [f"bn{network.n_edge_convs + 1 + number}" for number in range(1, network.n_hidden + 1)]
    layers = [f"linear{number}" for number in range(1, network.n_hidden + 2)]
    return [p for name in (*norms, *layers) for p in network.get_submodule(name).parameters()]
