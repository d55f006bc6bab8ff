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
from gnn.training.loop import Batch, Optimisation, by_step, fit
from gnn.training.losses import Scale, coefficient_loss

SIDE_WEIGHT = 1.0
"""Of the loss that all side tasks together get."""


def train_drag_network(
    network: RegDGCNN,
    shapes: Sequence[Shape],
    coefficients: np.ndarray,
    scale: Scale,
    how: Optimisation,
    checkpoint: Path,
    *,
    keep_statistics: bool = False,
    learnt_from: Sequence[str] = (),
    weights: np.ndarray | None = None,
    n_points: int = 1024,
    batch: int = 16,
    pool: CloudPool | None = None,
    report: Callable[[int, float], None] | None = None,
) -> RegDGCNN:
    """The network fitted to Cd and Cl of n shapes, standardised by ``scale``.

    coefficients (n, 2 + s): Cd and Cl, then ``s`` side tasks, which teach the encoder more of a shape than two numbers
    do (`WithSideTasks`). keep_statistics: the batch normalisations keep theirs. A network that is trained further needs
    that, because batches as small as ours estimate them badly. weights (n,): how often each shape is drawn; equal
    unless given. pool: of the shapes; the network is trained on its device. Without one it is trained on the CPU, on
    points that each step draws. The rest as of `gnn.training.loop.fit`. Every cloud keeps its true size and place:
    scaling or shifting a car would change its drag, which the label does not.
    """
    torch.manual_seed(how.seed)  # of the side tasks' layer
    asked, side = np.split(coefficients, [len(scale.mean)], axis=1)
    targets = ((asked - scale.mean) / scale.spread, (side - side.mean(axis=0)) / side.std(axis=0))
    target, side_target = (torch.from_numpy(values.astype(np.float32)) for values in targets)
    share = None if weights is None else weights / weights.sum()

    def draw(step: int) -> Batch:
        rng = np.random.default_rng((how.seed, step))
        drawn = rng.integers(len(shapes), size=batch) if share is None else rng.choice(len(shapes), batch, p=share)
        known = target[drawn], side_target[drawn]
        if pool:
            return *known, *pool.choose(drawn, rng)
        return *known, torch.from_numpy(np.stack([shapes[i].draw(n_points, rng).points for i in drawn]))

    def loss(net: nn.Module, known: Tensor, known_besides: Tensor, *clouds: Tensor) -> Tensor:
        if keep_statistics:
            net.eval()
        predicted, besides = net(pool.take(*clouds, n_points) if pool else clouds[0])
        main = coefficient_loss(predicted, known)
        return main + SIDE_WEIGHT * (besides - known_besides).square().mean() if besides.numel() else main

    on_cpu = pool is None or pool.device.type == "cpu"
    learning = WithSideTasks(network, side.shape[1]).to("cpu" if on_cpu else pool.device)
    network.careful = on_cpu
    trained = fit(learning, by_step(draw), loss, how, checkpoint, learnt_from=learnt_from, report=report)
    learnt = trained.network.network
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
        return self.network.simulated(features), features[:, :0] if self.side is None else self.side(features)


def mean_network(networks: Sequence[RegDGCNN]) -> RegDGCNN:
    """The network whose weights are the mean of those of networks that went on from one another, in eval mode.

    It often errs less than most of them, and costs no more than one (Wortsman et al., "Model soups", 2022;
    docs/accuracy.md has what came of it here). Of networks that were trained apart the mean says nothing.
    """
    mean = AveragedModel(networks[0], use_buffers=True)
    for network in networks:
        mean.update_parameters(network)
    return mean.module.eval()
