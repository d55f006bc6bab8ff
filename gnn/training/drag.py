"""Train the drag network on morphs that a fit on the CFD cases has labelled."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from gnn.regdgcnn import RegDGCNN
from gnn.training.clouds import Design, MorphClouds
from gnn.training.loop import Schedule, fit, load_averaged

LIFT_WEIGHT = 0.25
"""Of the loss that Cl gets: its labels scatter more, and drag is what is asked for."""


def train_drag_network(
    designs: Sequence[Design],
    coefficients: np.ndarray,
    clouds: MorphClouds,
    schedule: Schedule,
    checkpoint: Path,
    *,
    mean: np.ndarray,
    spread: np.ndarray,
    learnt_from: Sequence[int] = (),
    start: Path | None = None,
    n_points: int = 1024,
    batch: int = 16,
    seed: int = 0,
    **architecture,
) -> RegDGCNN:
    """RegDGCNN fitted to (n, 2) Cd and Cl of n designs, standardised by mean (2,) and spread (2,).

    learnt_from: the CFD cases behind the coefficients, for the card. start: a checkpoint whose averaged weights to
    begin from. Every cloud keeps its true size and place: scaling or
    shifting a car would change its drag, which the label does not.
    """
    torch.manual_seed(seed)
    network = RegDGCNN(out_channels=coefficients.shape[1], **architecture)
    if start:
        load_averaged(network, start)
    target = torch.from_numpy(((coefficients - mean) / spread).astype(np.float32))
    weight = torch.tensor([1.0, LIFT_WEIGHT])

    def loss_of_step(net: nn.Module, step: int) -> Tensor:
        rng = np.random.default_rng((seed, step))
        drawn = rng.integers(len(designs), size=batch)
        points = torch.from_numpy(np.stack([clouds.draw(designs[i], n_points, rng).points for i in drawn]))
        return ((net(points) - target[drawn]).square() * weight).mean()

    return fit(network, loss_of_step, schedule, checkpoint, learnt_from)
