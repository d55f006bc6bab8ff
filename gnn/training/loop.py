"""The training loop: every training of a network here is this one, whatever it learns from.

A step's batch follows from its number alone and a checkpoint holds everything else, so that a run that was killed and
started again ends with the weights of an unbroken one.
"""

from __future__ import annotations

import copy
import hashlib
import json
import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import compress, count
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from data.errors import DrivAerError
from data.replacing import replacing
from gnn.gpu import tf32_products
from gnn.training.captured_step import CapturedStep
from gnn.training.distributed import ALONE, Processes

log = logging.getLogger(__name__)

Batch = Sequence[Tensor]
SAVE_SECONDS = 30.0
"""Between two checkpoints: what a kill costs at most."""
_LOG_EVERY = 50  # steps
_PLATEAU: dict[str, Any] = {"patience": 20, "factor": 0.1}


@dataclass(frozen=True)
class Optimisation:
    """How the weights are moved.

    steps: of the optimiser. rate: learning rate after ``warm_up`` steps of linear growth. schedule: cosine, down to
    zero along half a cosine; plateau, a tenth after 20 epochs without progress (without warm-up).
    clip: largest norm of a gradient; 0 does not clip. average: decay of the weights' exponential moving average, which
    is what is kept (Polyak and Juditsky, 1992); 0 keeps the weights themselves.
    seed: of whatever the network draws itself, such as dropout.
    """

    steps: int
    rate: float = 2e-3
    warm_up: int = 100
    schedule: Literal["cosine", "plateau"] = "cosine"
    optimiser: Literal["adam", "adamw"] = "adamw"
    weight_decay: float = 1e-2
    clip: float = 1.0
    average: float = 0.995
    seed: int = 0

    def rate_at(self, step: int) -> float:
        """Of the cosine schedule."""
        if step < self.warm_up:
            return self.rate * (step + 1) / self.warm_up
        return 0.5 * self.rate * (1 + math.cos(math.pi * (step - self.warm_up) / max(1, self.steps - self.warm_up)))


@dataclass(frozen=True)
class Epoch:
    """What an epoch came to. loss: mean over its steps. score: on the validation cars, the higher the better; NaN
    without any. best: of all epochs so far. history: of all of them, the last one last. seconds_left: estimated."""

    number: int
    of: int
    loss: float
    score: float
    best: float
    rate: float
    history: Sequence[dict[str, float]]
    seconds_left: float


@dataclass(frozen=True)
class Epochs:
    """Validation: the weights of the epoch with the best score are kept.

    steps: in an epoch. score: of the averaged network, in eval mode, the same in all processes.
    patience: epochs without progress after which training ends; 0 never. on_epoch: called after each.
    """

    steps: int
    score: Callable[[nn.Module], float]
    patience: int = 0
    on_epoch: Callable[[Epoch], None] = lambda _: None


@dataclass(frozen=True, eq=False)
class Trained:
    """The network in eval mode, with its averaged weights or those of its best epoch. epochs: how many there were."""

    network: nn.Module
    epochs: int = 0


def by_step(draw: Callable[[int], Batch]) -> Callable[[int], Iterator[Batch]]:
    """``batches`` for :func:`fit` from a function that draws a step's batch, seeded by the step's number."""
    return lambda first: map(draw, count(first))


def fit(
    network: nn.Module,
    batches: Callable[[int], Iterator[Batch]],
    loss: Callable[..., Tensor],
    how: Optimisation,
    checkpoint: Path,
    *,
    learnt_from: Sequence[str] = (),
    key: str = "",
    epochs: Epochs | None = None,
    processes: Processes = ALONE,
    has_unused_weights: bool = False,
    capture: bool = True,
    report: Callable[[int, float], None] | None = None,
) -> Trained:
    """Train ``network``, on the device it is on; resumes from ``checkpoint`` where it exists.

    batches(first) gives the batches of the steps from ``first`` on, CPU tensors of one shape each, the same whichever
    run draws them. loss(network, *batch) has them on the network's device; on a GPU the step is captured
    (`CapturedStep`) unless ``capture`` is False.
    learnt_from: the cases, noted in the checkpoint for the model's card. key: changes where anything else does that the
    weights depend on. processes: that share each batch; the first one writes. report: called after each step with how
    many are done and the running mean of the loss.

    Raises:
        DrivAerError: another training lies unfinished at ``checkpoint``.
    """
    training = _Training(network, how, epochs, processes, learnt_from, key)
    if checkpoint.exists():
        training.resume(checkpoint)
    take_step = _step(network, training, loss, has_unused_weights, capture)
    running, first, started = None, training.step, time.monotonic()
    saved = started
    for batch in batches(first) if not training.is_finished else ():
        found = take_step(*batch)
        running = found.clone() if running is None else running.lerp(found, 0.02)  # a GPU is not waited for
        training.count(found)
        pace = (time.monotonic() - started) / (training.step - first)
        if report:
            report(training.step, running.item())
        if training.step % _LOG_EVERY == 0:
            log.info("step %d of %d  loss %.5f  %.3f s a step", training.step, how.steps, running.item(), pace)
        epoch_ended = epochs is not None and training.step % epochs.steps == 0
        if epochs is not None and epoch_ended:
            epochs.on_epoch(training.end_epoch(pace))
        if epoch_ended or training.is_finished or time.monotonic() - saved > SAVE_SECONDS:
            training.save(checkpoint)
            saved = time.monotonic()
        if training.is_finished:
            break
    return training.result()


def _step(
    network: nn.Module, training: _Training, loss: Callable[..., Tensor], has_unused_weights: bool, capture: bool
) -> Callable[..., Tensor]:
    """What takes one step with a batch and returns its loss, on the network's device."""
    how, optimiser, processes = training.how, training.optimiser, training.processes
    wrapped = processes.wrapped(network, has_unused_weights)
    device = next(network.parameters()).device

    def learn(*batch: Tensor) -> Tensor:
        optimiser.zero_grad(set_to_none=True)
        found = loss(wrapped, *batch)
        found.backward()
        if how.clip:
            nn.utils.clip_grad_norm_(network.parameters(), how.clip)
        optimiser.step()
        return found.detach()

    on_gpu = device.type == "cuda"
    run = CapturedStep(learn, device) if on_gpu and capture and processes.world == 1 else learn

    def take(*batch: Tensor) -> Tensor:
        torch.manual_seed(hash((how.seed, training.step, processes.rank)) % 2**63)  # dropout's
        if how.schedule == "cosine":
            _set_rate(optimiser, how.rate_at(training.step))
        network.train()
        with tf32_products(True):
            found = run(*(batch if run is not learn else [part.to(device) for part in batch]))
        if how.average:
            step = training.step
            move_average(training.averaged, network, min(how.average, (1 + step) / (10 + step)))
        return found

    return take


@dataclass(eq=False)
class _Training:
    """A training on its way: all that a checkpoint holds."""

    network: nn.Module
    how: Optimisation
    epochs: Epochs | None
    processes: Processes
    learnt_from: Sequence[str]
    key: str
    step: int = 0
    stale: int = 0
    best: float = -math.inf
    best_weights: dict[str, Tensor] | None = None
    history: list[dict[str, float]] = field(default_factory=list)

    def __post_init__(self):
        device = next(self.network.parameters()).device
        self.optimiser = _optimiser(self.network, self.how, device)
        self.plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(self.optimiser, **_PLATEAU)
        self.averaged = copy.deepcopy(self.network) if self.how.average else self.network
        self.loss_sum = torch.zeros((), dtype=torch.float64, device=device)

    @property
    def is_finished(self) -> bool:
        stopped = self.epochs is not None and 0 < self.epochs.patience <= self.stale
        return stopped or self.step >= self.how.steps

    @property
    def fingerprint(self) -> str:
        """Changes where anything does that the weights depend on."""
        parts = [asdict(self.how), list(self.learnt_from), self.key, self.processes.world]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def count(self, loss: Tensor) -> None:
        """One more step is taken."""
        self.loss_sum += loss
        self.step += 1

    def end_epoch(self, pace: float) -> Epoch:
        """Validate the averaged weights and keep them where they are the best so far. pace: seconds a step."""
        assert self.epochs is not None
        steps = self.epochs.steps
        loss = float(np.mean(self.processes.gathered([self.loss_sum.item() / steps])))
        self.loss_sum.zero_()
        score = self.epochs.score(self.averaged.eval())
        rate = float(self.optimiser.param_groups[0]["lr"])
        if self.how.schedule == "plateau":
            self.plateau.step(-score if math.isfinite(score) else loss)
        if score > self.best or not math.isfinite(score):
            self.best, self.stale, self.best_weights = max(self.best, score), 0, _copied(self.averaged)
        else:
            self.stale += 1
        self.history.append({"epoch": len(self.history) + 1, "loss": loss, "score": score, "rate": rate})
        number, left = len(self.history), (self.how.steps - self.step) * pace
        return Epoch(number, self.how.steps // steps, loss, score, self.best, rate, self.history, left)

    def result(self) -> Trained:
        if self.best_weights is not None:
            self.averaged.load_state_dict(self.best_weights)
        return Trained(self.averaged.eval(), len(self.history))

    def save(self, path: Path) -> None:
        """Write the checkpoint; only the first of several processes does."""
        if not self.processes.is_first:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        state = {
            "fingerprint": self.fingerprint,
            "learnt_from": list(self.learnt_from),
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "plateau": self.plateau.state_dict(),
            "loss_sum": self.loss_sum.item(),
            **{name: getattr(self, name) for name in _NUMBERS},
        }
        with replacing(path) as partial:
            torch.save(state, partial)

    def resume(self, path: Path) -> None:
        """Set everything to the checkpoint's state, whichever device wrote it. Raises DrivAerError."""
        state = read_checkpoint(path)
        if state.get("fingerprint") != self.fingerprint:
            fix = "give the same command as then, remove the folder, or take another name"
            raise DrivAerError("another training lies unfinished there", file=path.parent, fix=fix)
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimiser.load_state_dict({**self.optimiser.state_dict(), "state": state["optimiser"]["state"]})
        self.plateau.load_state_dict(state["plateau"])
        if self.how.schedule == "plateau":
            _set_rate(self.optimiser, float(state["optimiser"]["param_groups"][0]["lr"]))
        self.loss_sum.fill_(state["loss_sum"])
        for name in _NUMBERS:
            setattr(self, name, state[name])


_NUMBERS = ("step", "stale", "best", "best_weights", "history")


def _optimiser(network: nn.Module, how: Optimisation, device: torch.device) -> torch.optim.Optimizer:
    """The optimiser. On a GPU all its state lies there, so that a step can be captured."""
    on_gpu = device.type == "cuda"
    rate = torch.tensor(how.rate, device=device) if on_gpu else how.rate
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[how.optimiser]
    moved = [p for p in network.parameters() if p.requires_grad]
    return kind(moved, rate, weight_decay=how.weight_decay, capturable=on_gpu, fused=on_gpu)


def _set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    for group in optimiser.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate


def move_average(averaged: nn.Module, network: nn.Module, decay: float) -> None:
    """Move the averaged weights and batch statistics towards the network's by 1 - decay."""
    means, now = ([*net.parameters(), *net.buffers()] for net in (averaged, network))
    real = [mean.is_floating_point() for mean in means]
    get_ema_multi_avg_fn(decay)(list(compress(means, real)), list(compress(now, real)), None)
    for mean, counted, is_real in zip(means, now, real, strict=True):
        if not is_real:
            mean.copy_(counted)


def _copied(network: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}


def read_checkpoint(path: Path) -> dict[str, Any]:
    """What :func:`fit` wrote, on the CPU wherever it was trained: step, network, averaged, learnt_from, and more."""
    return torch.load(path, map_location="cpu", weights_only=True)
