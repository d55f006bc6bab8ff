"""Train one network on any corpus by a recipe; killed and started again it ends as if it had not been killed.

All that is random is drawn from the seed and the step's number, and a checkpoint holds everything else.
"""

from __future__ import annotations

import copy
import csv
import hashlib
import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Sampler

from data.errors import DrivAerError
from data.replacing import replacing
from data.spawned import spawning
from gnn.evaluation import r2_score
from gnn.field_net import FieldNet
from gnn.lone import NETWORKS
from gnn.training.distributed import Processes
from gnn.training.loop import move_average
from gnn.training.losses import coefficient_loss, field_loss_of, set_output_scale
from gnn.training.point_store import StoredCar
from gnn.training.recipe import Recipe

CHECKPOINT, HISTORY, EVENTS = "checkpoint.pt", "history.csv", "events"
_SAVE_EVERY = 120.0  # seconds
_LEAST_FOR_R2 = 3  # validation cars
_PLATEAU = {"patience": 20, "factor": 0.1}
_STRETCH, _SHIFT, _NOISE = (2 / 3, 3 / 2), 0.2, (0.01, 0.02)  # of DrivAerNet's published loader


@dataclass(frozen=True)
class Epoch:
    """What an epoch came to. loss: mean over its steps. score: on the validation cars, R2 of Cd, or 1 less the
    relative L2 error of Cp; NaN without validation cars. best: of all epochs so far. seconds_left: estimated."""

    number: int
    of: int
    loss: float
    score: float
    best: float
    rate: float
    seconds_left: float


@dataclass(frozen=True, eq=False)
class Trained:
    """The network with the weights of its best epoch, in eval mode; mean and spread of its target."""

    network: nn.Module
    mean: list[float]
    spread: list[float]
    epochs: int


class _Clouds(Dataset):
    """Clouds of training cars by (epoch, car): whichever process makes one, it is the same."""

    def __init__(self, cars: Sequence[StoredCar], recipe: Recipe):
        self.cars, self.recipe = cars, recipe

    def __getitem__(self, key: tuple[int, int]) -> dict[str, Tensor]:
        epoch, index = key
        rng = np.random.default_rng((self.recipe.seed, epoch, index))
        points, normals, values = drawn(self.cars[index], self.recipe, rng, augment=True)
        arrays = {"points": points, "normals": normals, "values": values}
        cloud = {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()}
        return {**cloud, "car": torch.tensor(index)}


class _Batches(Sampler):
    """Which clouds each of a training's remaining batches has, as this process has its part of them."""

    def __init__(self, training: Training):
        self._done, self._all = training.step, training.recipe.epochs * training.batches
        self._batches, self._processes = training.batches, training.processes
        self._n, self._batch, self._seed = len(training.train), training.recipe.batch, training.recipe.seed

    def __len__(self) -> int:
        return self._all - self._done

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        # The last batch is filled up from the epoch's first cars: every process has as many, and no less than two.
        size = max(min(self._batch, self._n), 2 * self._processes.world)
        for step in range(self._done, self._all):
            epoch, place = divmod(step, self._batches)
            order = np.random.default_rng((self._seed, epoch)).permutation(self._n)
            keys = [(epoch, int(order[i % self._n])) for i in range(place * size, (place + 1) * size)]
            yield list(self._processes.share(keys))


def drawn(
    car: StoredCar, recipe: Recipe, rng: np.random.Generator, *, augment: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points and normals (n, 3) as the network is to see them, values (n, 4)."""
    if recipe.vertices:
        points = car.raw(recipe.n_points, rng)
        if augment and recipe.augment == "published":
            points = _as_published(points, rng)
        return points, np.zeros_like(points), np.full((len(points), 4), np.nan, np.float32)
    cloud = car.draw(recipe.n_points, rng, mirror=augment and recipe.augment == "mirror", centred=recipe.centred)
    points = _as_published(cloud.points, rng) if augment and recipe.augment == "published" else cloud.points
    return points, cloud.normals, cloud.values


def _as_published(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Stretched, shifted and made noisy, which changes the car's drag but not its label."""
    moved = points * rng.uniform(*_STRETCH, 3) + rng.uniform(-_SHIFT, _SHIFT, 3)
    return (moved + np.clip(_NOISE[0] * rng.normal(size=points.shape), -_NOISE[1], _NOISE[1])).astype(np.float32)


class Training:
    """One training: its network, optimiser and place, and how it goes on from a checkpoint.

    train, val: cars. run: folder for the checkpoint, the history and TensorBoard's events. Nothing is written but by
    the first of several processes.
    """

    def __init__(
        self,
        recipe: Recipe,
        train: Sequence[StoredCar],
        val: Sequence[StoredCar],
        run: Path,
        processes: Processes,
        workers: int = 0,
    ):
        self.recipe, self.val, self.run, self.processes, self.workers = recipe, val, run, processes, workers
        self.train = _subset(train, recipe)
        torch.manual_seed(recipe.seed)
        self.network = NETWORKS[recipe.network](**recipe.architecture).to(processes.device)
        self.target, self.mean, self.spread = _targets(self.train, recipe)
        self.target_variance = float(np.var([car.coefficients["cd"] for car in self.train])) or 1.0
        if recipe.model == "field":
            self.field_mean, self.field_scale = _field_scale(self.network, self.train)
            self.mean, self.spread = self.field_mean[:1].tolist(), self.field_scale[:1].tolist()
        kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[recipe.optimiser]
        self.optimiser = kind(self.network.parameters(), lr=recipe.rate, weight_decay=recipe.weight_decay)
        self.plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(self.optimiser, **_PLATEAU)
        self.averaged = copy.deepcopy(self.network) if recipe.average else self.network
        self.step = self.stale = 0
        self.loss_sum, self.best = 0.0, -math.inf
        self.best_weights = _copy(self.averaged)
        self.history: list[dict[str, float]] = []
        self._resume()

    @property
    def batches(self) -> int:
        """In an epoch."""
        n, batch = len(self.train), self.recipe.batch
        return max(1, n // batch if self.recipe.drop_last else -(-n // batch))

    @property
    def finished(self) -> bool:
        stopped = 0 < self.recipe.patience <= self.stale
        return stopped or self.step >= self.recipe.epochs * self.batches

    def learn(self, on_epoch: Callable[[Epoch], None] = lambda _: None) -> Trained:
        """To the end, or to where validation has not gained for ``patience`` epochs."""
        wrapped = self.processes.wrapped(self.network, unused=self.recipe.network == "regdgcnn-pressure")
        started, first_step = time.monotonic(), self.step
        saved = started
        for batch in self._loader() if not self.finished else ():
            self.loss_sum += self._learn_from(wrapped, batch)
            self.step += 1
            if self.step % self.batches == 0:
                epoch = self._end_epoch((time.monotonic() - started) / (self.step - first_step))
                self._save()
                saved = time.monotonic()
                on_epoch(epoch)
                if self.finished:
                    break
            elif time.monotonic() - saved > _SAVE_EVERY:
                self._save()
                saved = time.monotonic()
        self.network.load_state_dict(self.best_weights)
        return Trained(self.network.eval(), self.mean, self.spread, len(self.history))

    def _loader(self) -> Iterator[dict[str, Tensor]]:
        """All batches that are left, this process's part of each, by the same worker processes to the end."""
        workers = {"num_workers": self.workers, "multiprocessing_context": spawning() if self.workers else None}
        return iter(DataLoader(_Clouds(self.train, self.recipe), batch_sampler=_Batches(self), **workers))

    def _learn_from(self, wrapped: nn.Module, batch: dict[str, Tensor]) -> float:
        torch.manual_seed(hash((self.recipe.seed, self.step, self.processes.rank)) % 2**63)  # dropout's
        if self.recipe.schedule == "cosine":
            self.optimiser.param_groups[0]["lr"] = _cosine(self.recipe, self.step, self.recipe.epochs * self.batches)
        self.network.train()
        device = self.processes.device
        batch = {name: tensor.to(device) for name, tensor in batch.items()}
        with torch.autocast(device.type, torch.bfloat16, enabled=self.recipe.precision == "bf16"):
            said = said_of(wrapped, self.recipe, batch["points"], batch["normals"])
        loss = self._loss(said.float(), batch)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        if self.recipe.clip:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip)
        self.optimiser.step()
        if self.recipe.average:
            move_average(self.averaged, self.network, min(self.recipe.average, (1 + self.step) / (10 + self.step)))
        return loss.item()

    def _loss(self, said: Tensor, batch: dict[str, Tensor]) -> Tensor:
        if self.recipe.model == "drag":
            return coefficient_loss(said, self.target.to(said.device)[batch["car"]])
        mean, scale = (part.to(said.device) for part in (self.field_mean, self.field_scale))
        return field_loss_of(said, (batch["values"] - mean) / scale)

    @torch.inference_mode()
    def _score(self) -> float:
        """Of the validation cars: R2 of Cd, or 1 less the mean relative L2 error of Cp."""
        network = self.averaged.eval()
        own = [self._answer(network, i) for i in self.processes.share(range(len(self.val)))]
        pairs = np.array(self.processes.gathered(own))
        if not len(pairs):
            return math.nan
        if self.recipe.model == "drag":
            if len(pairs) < _LEAST_FOR_R2 or not np.ptp(pairs[:, 1]) > 0:  # they have no spread: the training cars'
                return 1.0 - float(((pairs[:, 0] - pairs[:, 1]) ** 2).mean() / self.target_variance)
            return r2_score(pairs[:, 0], pairs[:, 1])
        return 1.0 - float(pairs[:, 0].mean())

    def _answer(self, network: nn.Module, index: int) -> tuple[float, float]:
        """Said and true Cd of a validation car; or its error in Cp, and nothing."""
        car, recipe = self.val[index], self.recipe
        if recipe.model == "drag":
            return said_drag(network, recipe, car, self.mean, self.spread), car.coefficients["cd"]
        rng = np.random.default_rng((recipe.seed, 7, index))
        points, normals, values = drawn(car, recipe, rng, augment=False)
        said = said_of(
            network, recipe, *(torch.from_numpy(a)[None].to(self.processes.device) for a in (points, normals))
        )
        cp = said[0, :, 0].float().cpu().numpy() * float(self.field_scale[0]) + float(self.field_mean[0])
        known = np.isfinite(values[:, 0])
        error = np.linalg.norm(cp[known] - values[known, 0]) / np.linalg.norm(values[known, 0])
        return float(error), 0.0

    def _end_epoch(self, pace: float) -> Epoch:
        loss = float(np.mean(self.processes.gathered([self.loss_sum / self.batches])))
        self.loss_sum = 0.0
        score = self._score()
        rate = self.optimiser.param_groups[0]["lr"]
        if self.recipe.schedule == "plateau":
            self.plateau.step(-score if math.isfinite(score) else loss)
        if score > self.best or not math.isfinite(score):
            self.best, self.stale, self.best_weights = max(self.best, score), 0, _copy(self.averaged)
        else:
            self.stale += 1
        self.history.append({"epoch": len(self.history) + 1, "loss": loss, "score": score, "rate": rate})
        left = (self.recipe.epochs * self.batches - self.step) * pace
        if self.processes.is_first:
            self._log()
        return Epoch(len(self.history), self.recipe.epochs, loss, score, self.best, rate, left)

    def _log(self) -> None:
        """The last epoch to TensorBoard's events, and all to the history."""
        from tensorboardX import SummaryWriter

        with replacing(self.run / HISTORY) as unfinished, unfinished.open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, self.history[0].keys(), lineterminator="\n")
            table.writeheader()
            table.writerows(self.history)
        last = self.history[-1]
        with SummaryWriter(str(self.run / EVENTS), purge_step=last["epoch"]) as events:
            for name in ("loss", "score", "rate"):
                events.add_scalar(name, last[name], last["epoch"])

    def _state(self) -> dict[str, Any]:
        return {
            "fingerprint": fingerprint(self.recipe, self.train, self.val, self.processes.world),
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "plateau": self.plateau.state_dict(),
            "best_weights": self.best_weights,
            "numbers": {"step": self.step, "stale": self.stale, "loss_sum": self.loss_sum, "best": self.best},
            "history": self.history,
        }

    def _save(self) -> None:
        if self.processes.is_first:
            self.run.mkdir(parents=True, exist_ok=True)
            with replacing(self.run / CHECKPOINT) as partial:
                torch.save(self._state(), partial)

    def _resume(self) -> None:
        self.run.mkdir(parents=True, exist_ok=True)
        path = self.run / CHECKPOINT
        if not path.exists():
            return
        state = torch.load(path, weights_only=True, map_location=self.processes.device)
        if state["fingerprint"] != fingerprint(self.recipe, self.train, self.val, self.processes.world):
            fix = "give the same command as then, remove the folder, or take another name"
            raise DrivAerError("another training lies unfinished there", file=self.run, fix=fix)
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.plateau.load_state_dict(state["plateau"])
        self.best_weights, self.history = state["best_weights"], state["history"]
        for name, value in state["numbers"].items():
            setattr(self, name, value)


def said_of(network: nn.Module, recipe: Recipe, points: Tensor, normals: Tensor) -> Tensor:
    """What the network says of clouds (B, n, 3): (B, 1 or 2) standardised coefficients or (B, n, 1 or 4) fields."""
    if recipe.network == "fieldnet":
        return network(points, normals)
    said = network(points)
    return said.transpose(1, 2) if recipe.model == "field" else said


@torch.inference_mode()
def said_drag(network: nn.Module, recipe: Recipe, car: StoredCar, mean: list[float], spread: list[float]) -> float:
    """Cd of a car: the mean over ``draws`` clouds, always the same ones."""
    device = next(network.parameters()).device
    clouds = []
    for draw in range(recipe.draws):
        rng = np.random.default_rng((7, draw))
        clouds.append(drawn(car, recipe, rng, augment=False)[0])
    said = network(torch.from_numpy(np.stack(clouds)).to(device))[:, 0]
    return float(said.double().mean()) * spread[0] + mean[0]


def fingerprint(recipe: Recipe, train: Sequence[StoredCar], val: Sequence[StoredCar], world: int) -> str:
    """Changes where anything does that the weights depend on."""
    cars = [[f"{car.kind}/{car.name}", car.coefficients["cd"], car.points.shape[0]] for car in (*train, *val)]
    return hashlib.sha256(json.dumps([asdict(recipe), cars, world], sort_keys=True).encode()).hexdigest()


def _subset(train: Sequence[StoredCar], recipe: Recipe) -> list[StoredCar]:
    """A share of the cars: smaller shares lie within larger ones."""
    if recipe.subset >= 1:
        return list(train)
    order = np.random.default_rng(recipe.seed).permutation(len(train))
    return [train[i] for i in sorted(order[: max(2, round(recipe.subset * len(train)))])]


def _targets(cars: Sequence[StoredCar], recipe: Recipe) -> tuple[Tensor, list[float], list[float]]:
    """(n, 1) Cd as the network is to say it, and the mean and spread that bring it back."""
    cd = np.array([[car.coefficients["cd"]] for car in cars])
    mean, spread = ([0.0], [1.0])
    if recipe.standardise and recipe.model == "drag":
        mean, spread = [float(cd.mean())], [float(cd.std()) or 1.0]
    return torch.from_numpy(((cd - mean) / spread).astype(np.float32)), mean, spread


def _field_scale(network: nn.Module, cars: Sequence[StoredCar]) -> tuple[Tensor, Tensor]:
    """Mean and scale of the values, as many as the network says at a point; FieldNet keeps them itself."""
    scale = network if isinstance(network, FieldNet) else FieldNet(width=4, k=1, thinning=(1,), n_waves=1)
    set_output_scale(scale, cars)
    if isinstance(network, FieldNet):
        return scale.mean.clone(), scale.scale.clone()
    return scale.mean[:1].clone(), scale.scale[:1].clone()


def _cosine(recipe: Recipe, step: int, steps: int) -> float:
    """Up over a twentieth of the steps, then half a cosine down to nothing."""
    warm_up = max(1, min(100, steps // 20))
    if step < warm_up:
        return recipe.rate * (step + 1) / warm_up
    return 0.5 * recipe.rate * (1 + math.cos(math.pi * (step - warm_up) / max(1, steps - warm_up)))


def _copy(network: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
