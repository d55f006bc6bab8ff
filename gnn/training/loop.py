"""What every training here shares: the schedule, averaged weights, and a checkpoint that a killed run resumes from."""

from __future__ import annotations

import copy
import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from data.errors import ModelError
from data.replacing import replacing
from gnn.checkpoints import read_model
from gnn.gpu import tf32_products
from gnn.training.captured_step import CapturedStep

log = logging.getLogger(__name__)

Batch = tuple[Tensor, ...]
_LOG_EVERY = 50  # steps


@dataclass(frozen=True)
class Schedule:
    """steps: optimiser steps. peak_rate: learning rate after warm_up steps, then a half cosine to zero.

    average: decay of the weights' running mean, which is what is kept (Polyak and Juditsky, 1992).
    """

    steps: int
    peak_rate: float = 2e-3
    warm_up: int = 100
    weight_decay: float = 1e-2
    average: float = 0.995
    save_every: int = 200

    def rate(self, step: int) -> float:
        if step < self.warm_up:
            return self.peak_rate * (step + 1) / self.warm_up
        return 0.5 * self.peak_rate * (1 + math.cos(math.pi * (step - self.warm_up) / (self.steps - self.warm_up)))


def fit(
    network: nn.Module,
    draw: Callable[[int], Batch],
    loss: Callable[..., Tensor],
    schedule: Schedule,
    checkpoint: Path,
    designs: Sequence[str] = (),
    report: Callable[[int, float], None] | None = None,
):
    """Train ``network``, on the device it is on, and return a copy with the averaged weights, in eval mode.

    draw(step) draws the step's batch, CPU tensors of one shape each, seeded by ``step``: a resumed run sees the batches
    that the killed one would have seen. loss(network, *batch) has them on the network's device; on a GPU it is captured
    (`CapturedStep`). Resumes from ``checkpoint`` where it exists.
    designs: the CFD cases learnt from, noted in the checkpoint for the model's card.
    report: told after each step how many are done, and the running mean of the loss.
    """
    device = next(network.parameters()).device
    optimiser = _optimiser(network, schedule, device)
    averaged = copy.deepcopy(network)
    first = _resume(checkpoint, network, averaged, optimiser) if checkpoint.exists() else 0

    def take(*batch: Tensor) -> Tensor:
        optimiser.zero_grad(set_to_none=True)
        found = loss(network, *batch)
        found.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        return found.detach()

    take_step = CapturedStep(take, device) if device.type == "cuda" else take
    running, started = None, time.monotonic()
    for step in range(first, schedule.steps):
        _set_rate(optimiser, schedule.rate(step))
        network.train()
        with tf32_products(True):
            found = take_step(*draw(step))
        move_average(averaged, network, min(schedule.average, (1 + step) / (10 + step)))
        running = found.clone() if running is None else running.lerp(found, 0.02)  # a GPU is not waited for
        if report:
            report(step + 1, running.item())
        if (step + 1) % _LOG_EVERY == 0:
            pace = (time.monotonic() - started) / (step + 1 - first)
            log.info("step %d of %d  loss %.5f  %.3f s a step", step + 1, schedule.steps, running.item(), pace)
        if (step + 1) % schedule.save_every == 0 or step + 1 == schedule.steps:
            _save(checkpoint, step + 1, network, averaged, optimiser, designs)
    return averaged.eval()


def _optimiser(network: nn.Module, schedule: Schedule, device: torch.device) -> torch.optim.Optimizer:
    """AdamW; on a GPU with everything there that changes from step to step, so that it can be captured."""
    on_gpu = device.type == "cuda"
    rate = torch.tensor(schedule.peak_rate, device=device) if on_gpu else schedule.peak_rate
    weight_decay = schedule.weight_decay
    return torch.optim.AdamW(network.parameters(), rate, weight_decay=weight_decay, capturable=on_gpu, fused=on_gpu)


def _set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    for group in optimiser.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate


def _resume(checkpoint: Path, network: nn.Module, averaged: nn.Module, optimiser: torch.optim.Optimizer) -> int:
    """Everything as the checkpoint has it, whatever device that was made on; returns how many steps are done."""
    state = read_checkpoint(checkpoint)
    network.load_state_dict(state["network"])
    averaged.load_state_dict(state["averaged"])
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state["optimiser"]["state"]})
    return state["step"]


def move_average(averaged: nn.Module, network: nn.Module, decay: float) -> None:
    """Move the averaged weights and batch statistics towards the network's by 1 - decay."""
    means, now = ([*net.parameters(), *net.buffers()] for net in (averaged, network))
    real = [mean.is_floating_point() for mean in means]
    get_ema_multi_avg_fn(decay)(list(compress(means, real)), list(compress(now, real)), None)
    for mean, counted, is_real in zip(means, now, real, strict=True):
        if not is_real:
            mean.copy_(counted)


def _save(
    path: Path,
    step: int,
    network: nn.Module,
    averaged: nn.Module,
    optimiser: torch.optim.Optimizer,
    designs: Sequence[str],
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {
        "step": step,
        "network": network.state_dict(),
        "averaged": averaged.state_dict(),
        "optimiser": optimiser.state_dict(),
        "designs": list(designs),
    }
    with replacing(path) as partial:
        torch.save(state, partial)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """What `fit` wrote: step, network, averaged, optimiser, designs. On the CPU, wherever it was trained."""
    return torch.load(path, map_location="cpu", weights_only=True)


def load_averaged(network: nn.Module, checkpoint: Path) -> nn.Module:
    """The network with a checkpoint's averaged weights, in eval mode."""
    network.load_state_dict(read_checkpoint(checkpoint)["averaged"])
    return network.eval()


def load_start(network: nn.Module, start: Path, part: str) -> nn.Module:
    """The network with weights to go on from: a checkpoint's averaged ones, or a model folder's ``part``.

    Raises ModelError where they are of another architecture.
    """
    if not start.is_dir():
        return load_averaged(network, start)
    weights = read_model(start).part(part)
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        what = f"the model's {part} network has another architecture than the one to be trained"
        raise ModelError(what, file=start, fix="give a model of the same architecture") from error
    return network.eval()


def designs_learnt(checkpoint: Path) -> int:
    """Of how many CFD cases a checkpoint's network was trained; 0 where it does not say."""
    return len(designs_of(checkpoint))


def designs_of(checkpoint: Path) -> list:
    """The CFD cases that a checkpoint's network was trained on; none where it does not say."""
    return read_checkpoint(checkpoint).get("designs", [])
