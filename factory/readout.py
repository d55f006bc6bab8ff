"""Train the drag network's last layers alone, on features that are computed once.

Training the whole network sees each shape a few times at most, and its last layers lag behind its features. Features
cost a forward pass, and the layers that read them next to nothing: they can be trained to the end. With an earlier
model's network that took R2 of Cd on held-out designs from 0.831 to 0.86 in 3,000 steps, and to 0.89 in 30,000. The
last layers of a network that was trained to the end itself follow labels that have changed since: in some thousand
steps at a small rate, for in more of them they learn the shapes by heart. docs/accuracy.md has the figures.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from data.replacing import replacing
from factory.cloud_pool import CloudPool, Shape
from gnn.regdgcnn import RegDGCNN
from gnn.training.losses import coefficient_loss

log = logging.getLogger(__name__)

CLOUDS = 4
"""Of each shape."""
STEPS, BATCH, RATE = 100_000, 256, 5e-3
_SAVE_EVERY = 100
_SHAPES_AT_ONCE = 64


def cached_features(network: RegDGCNN, shapes: Sequence[Shape], n_points: int, cache: Path) -> Tensor:
    """(n, CLOUDS, 2 * emb_dims) pooled features of each shape; goes on from ``cache`` where it was stopped.

    cache: of these shapes and this network; remove it when either changes.
    """
    features = np.load(cache) if cache.exists() else np.zeros((0, CLOUDS, network.linear1.in_features), np.float32)
    rows = [*features]
    for i in range(len(rows), len(shapes)):
        rng = np.random.default_rng((9, i))
        clouds = torch.from_numpy(np.stack([shapes[i].draw(n_points, rng).points for _ in range(CLOUDS)]))
        with torch.inference_mode():
            rows.append(network.features(clouds).numpy())
        if (i + 1) % _SAVE_EVERY == 0 or i + 1 == len(shapes):
            log.info("features of shape %d of %d", i + 1, len(shapes))
            with replacing(cache) as unfinished, unfinished.open("wb") as file:
                np.save(file, np.stack(rows))
    return torch.from_numpy(np.stack(rows))


def pooled_features(network: RegDGCNN, pool: CloudPool, n_points: int) -> Tensor:
    """The same of a pool's shapes, on its device, where they take no longer than reading them from a file."""
    rng = np.random.default_rng(9)
    batches = np.array_split(np.arange(len(pool.columns)), -(-len(pool.columns) // _SHAPES_AT_ONCE))
    with torch.no_grad():  # what comes of inference mode cannot be learnt from
        rows = [[network.features(pool.draw(which, n_points, rng)) for _ in range(CLOUDS)] for which in batches]
        return torch.cat([torch.stack(of_batch, dim=1) for of_batch in rows])


def train_readout(
    network: RegDGCNN,
    features: Tensor,
    targets: np.ndarray,
    weights: np.ndarray | None = None,
    seed: int = 0,
    steps: int = STEPS,
    rate: float = RATE,
) -> RegDGCNN:
    """The network with its layers after pooling trained on features (n, CLOUDS, f) and standardised targets (n, 2).

    features: on the network's device. weights (n,): how often each shape is drawn, against the others; alike unless
    given. Prediction averages several clouds' answers, so a shape is seen as one cloud or as anything between two.
    """
    torch.manual_seed(seed)
    device = features.device
    target = torch.from_numpy(targets.astype(np.float32)).to(device)
    network.eval()  # the batch statistics are the encoder's training's
    parameters = readout_parameters(network)
    optimiser = torch.optim.AdamW(parameters, lr=rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    shares = (torch.ones(len(features)) if weights is None else torch.from_numpy(weights).float()).to(device)
    for step in range(steps):
        shape = torch.multinomial(shares, BATCH, replacement=True)
        cloud = torch.randint(features.shape[1], (BATCH, 2), device=device)
        share = torch.rand(BATCH, 1, device=device)
        seen = share * features[shape, cloud[:, 0]] + (1 - share) * features[shape, cloud[:, 1]]
        loss = coefficient_loss(network.head(seen), target[shape])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if (step + 1) % 5000 == 0:
            log.info("readout step %d of %d  loss %.5f", step + 1, steps, loss.item())
    return network


def readout_parameters(network: RegDGCNN) -> list[torch.nn.Parameter]:
    """The parameters of `RegDGCNN.head`."""
    norms = [f"bn{network.n_edge_convs + 1 + number}" for number in range(1, network.n_hidden + 1)]
    layers = [f"linear{number}" for number in range(1, network.n_hidden + 2)]
    return [p for name in (*norms, *layers) for p in network.get_submodule(name).parameters()]
