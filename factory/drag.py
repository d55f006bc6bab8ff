"""Train the drag network on shapes whose coefficients are known, or that a fit on CFD cases has labelled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from factory.cloud_pool import CloudPool, Shape
from gnn.regdgcnn import RegDGCNN
from gnn.training.loop import Batch, Schedule, fit, load_start, read_checkpoint
from gnn.training.losses import coefficient_loss

SIDE_WEIGHT = 1.0
"""Of the loss that all side tasks together get."""


def train_drag_network(
    shapes: Sequence[Shape],
    coefficients: np.ndarray,
    schedule: Schedule,
    checkpoint: Path,
    *,
    mean: np.ndarray,
    spread: np.ndarray,
    learnt_from: Sequence[str] = (),
    weights: np.ndarray | None = None,
    start: Path | None = None,
    n_points: int = 1024,
    batch: int = 16,
    seed: int = 0,
    pool: CloudPool | None = None,
    report: Callable[[int, float], None] | None = None,
    **architecture,
) -> RegDGCNN:
    """RegDGCNN fitted to Cd and Cl of n shapes, standardised by mean (2,) and spread (2,).

    coefficients (n, 2 + s): Cd and Cl, then ``s`` side tasks, which teach the encoder more of a shape than two numbers
    do (`WithSideTasks`). weights: (n,) how often each shape is drawn; all alike unless given. learnt_from: names of the
    CFD cases behind the coefficients, for the card. start: a checkpoint or a model folder whose weights to begin from;
    its batch normalisations stay as they are, for a batch as small as ours says little of them. pool: of the shapes,
    on whose device the network learns; without one it does so on the CPU, from points drawn anew each time. report: as
    of `gnn.training.loop.fit`. Every cloud keeps its true size and place: scaling or shifting a car would change its
    drag, which the label does not.
    """
    torch.manual_seed(seed)
    network = RegDGCNN(out_channels=len(mean), **architecture)
    if start:
        network = load_start(network, start, "drag") if start.is_dir() else load_drag_network(network, start)
    asked, side = np.split(coefficients, [len(mean)], axis=1)
    device = "cpu" if pool is None else pool.device.type
    targets = ((asked - mean) / spread, (side - side.mean(axis=0)) / side.std(axis=0))
    target, side_target = (torch.from_numpy(values.astype(np.float32)) for values in targets)
    share = None if weights is None else weights / weights.sum()

    def draw(step: int) -> Batch:
        rng = np.random.default_rng((seed, step))
        drawn = rng.integers(len(shapes), size=batch) if share is None else rng.choice(len(shapes), batch, p=share)
        known = target[drawn], side_target[drawn]
        if pool:
            return *known, *pool.choose(drawn, rng)
        return *known, torch.from_numpy(np.stack([shapes[i].draw(n_points, rng).points for i in drawn]))

    def loss(net: nn.Module, known: Tensor, known_besides: Tensor, *clouds: Tensor) -> Tensor:
        if start:
            net.eval()
        said, besides = net(pool.take(*clouds, n_points) if pool else clouds[0])
        main = coefficient_loss(said, known)
        return main + SIDE_WEIGHT * (besides - known_besides).square().mean() if besides.numel() else main

    taught = WithSideTasks(network, side.shape[1]).to(device)
    network.careful = device == "cpu"
    learnt = fit(taught, draw, loss, schedule, checkpoint, learnt_from, report).network
    learnt.careful = True
    return learnt


class WithSideTasks(nn.Module):
    """A drag network in training, with a linear layer that reads n further numbers from its pooled features.

    Caruana, "Multitask Learning", Machine Learning 28, 1997. The layer is thrown away.
    """

    def __init__(self, network: RegDGCNN, n: int):
        super().__init__()
        self.network, self.side = network, nn.Linear(network.linear1.in_features, n) if n else None

    def forward(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """(B, N, 3) to (B, out_channels) and (B, n)."""
        features = self.network.features(points)
        return self.network.head(features), features[:, :0] if self.side is None else self.side(features)


def load_drag_network(network: RegDGCNN, checkpoint: Path) -> RegDGCNN:
    """The network with the averaged weights of a drag or readout checkpoint, in eval mode; side tasks are left out."""
    weights = read_checkpoint(checkpoint)["averaged"]
    network.load_state_dict(
        {name.removeprefix("network."): value for name, value in weights.items() if not name.startswith("side.")}
    )
    return network.eval()


def mean_network(networks: Sequence[RegDGCNN]) -> RegDGCNN:
    """The network whose weights are the mean of those of networks that went on from one another, in eval mode.

    It often errs less than most of them, and costs no more than one (Wortsman et al., "Model soups", 2022;
    docs/accuracy.md has what came of it here). Of networks that were trained apart the mean says nothing.
    """
    mean = AveragedModel(networks[0], use_buffers=True)
    for network in networks:
        mean.update_parameters(network)
    return mean.module.eval()
