"""Train one network on any corpus by a recipe. All that is random is drawn from the seed and the step's number."""

from __future__ import annotations

import csv
import hashlib
import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
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
from gnn.model_config import DRAG, NetworkConfig
from gnn.networks import build_network, network_spec
from gnn.training.distributed import Processes
from gnn.training.loop import Batch, Epoch, Epochs, Optimisation, fit
from gnn.training.losses import Scale, coefficient_loss, field_loss
from gnn.training.point_store import PointStoreCar
from gnn.training.recipe import TrainingRecipe

CHECKPOINT, HISTORY, EVENTS = "checkpoint.pt", "history.csv", "events"
_LEAST_FOR_R2 = 3  # validation cars
_STRETCH, _SHIFT, _NOISE = (2 / 3, 3 / 2), 0.2, (0.01, 0.02)  # of DrivAerNet's published loader


@dataclass(frozen=True, eq=False)
class TrainedNetwork:
    """The network with the weights of its best epoch, in eval mode, and its part of a model's configuration."""

    network: nn.Module
    config: NetworkConfig
    epochs: int


def train_by_recipe(
    recipe: TrainingRecipe,
    train: Sequence[PointStoreCar],
    val: Sequence[PointStoreCar],
    run: Path,
    processes: Processes,
    workers: int = 0,
    on_epoch: Callable[[Epoch], None] = lambda _: None,
) -> TrainedNetwork:
    """Train on cars, choosing the epoch by others, to the end or until validation gains no more.

    run: folder for the checkpoint, from which the same call goes on, the history and TensorBoard's events; only the
    first of several processes writes. workers: processes that draw clouds.
    Raises DrivAerError for an architecture that the network has not, or where another training lies unfinished.
    """
    spec = network_spec(recipe.network, error=DrivAerError)
    if spec.target != recipe.model:
        raise DrivAerError(f"network = {recipe.network} predicts {spec.target}, not {recipe.model}")
    torch.manual_seed(recipe.seed)
    network = build_network(recipe.network, recipe.architecture, error=DrivAerError).to(processes.device)
    scale = _scale(train, recipe, spec.columns)
    lesson = _Lesson(recipe, train, val, scale, processes)
    steps = recipe.epochs * lesson.batches_an_epoch
    how = Optimisation(
        steps=steps,
        rate=recipe.rate,
        warm_up=max(1, min(100, steps // 20)),
        schedule=recipe.schedule,
        optimiser=recipe.optimiser,
        weight_decay=recipe.weight_decay,
        clip=recipe.clip,
        average=recipe.average,
        seed=recipe.seed,
    )

    def ended(epoch: Epoch) -> None:
        if processes.is_first:
            _write_history(run, epoch.history)
        on_epoch(epoch)

    run.mkdir(parents=True, exist_ok=True)
    trained = fit(
        network,
        lambda first: lesson.batches(first, workers),
        lesson.loss,
        how,
        run / CHECKPOINT,
        learnt_from=[car.name for car in train],
        key=_fingerprint(recipe, train, val),
        epochs=Epochs(lesson.batches_an_epoch, lesson.score, recipe.patience, ended),
        processes=processes,
        has_unused_weights=spec.has_unused_weights,
        capture=False,  # near ties between neighbours are looked for on the GPU, which a captured step cannot
    )
    config = NetworkConfig(
        network=recipe.network,
        architecture=dict(recipe.architecture),
        n_points=recipe.n_points,
        n_clouds=recipe.draws,
        mean=scale.mean,
        spread=scale.spread,
        centred=recipe.centred,
        counts={"n_cases": len(train)},
    )
    return TrainedNetwork(trained.network, config, trained.epochs)


def subset(train: Sequence[PointStoreCar], recipe: TrainingRecipe) -> list[PointStoreCar]:
    """The share of the cars that a recipe asks for: smaller shares lie within larger ones."""
    if recipe.subset >= 1:
        return list(train)
    order = np.random.default_rng(recipe.seed).permutation(len(train))
    return [train[i] for i in sorted(order[: max(2, round(recipe.subset * len(train)))])]


@dataclass(eq=False)
class _Lesson:
    """What a recipe makes of cars: batches to learn from, their loss, and a score on the validation cars."""

    recipe: TrainingRecipe
    train: Sequence[PointStoreCar]
    val: Sequence[PointStoreCar]
    scale: Scale
    processes: Processes
    variance: float = field(init=False)
    """Of the training cars' Cd."""

    def __post_init__(self):
        self.spec = network_spec(self.recipe.network)
        self.variance = float(np.var([car.coefficients["cd"] for car in self.train])) or 1.0

    @property
    def batches_an_epoch(self) -> int:
        n, batch = len(self.train), self.recipe.batch
        return max(1, n // batch if self.recipe.drop_last else -(-n // batch))

    def batches(self, first: int, workers: int) -> Iterator[Batch]:
        """This process's part of each batch from step ``first`` to the last, drawn by one set of worker processes."""
        numbers = _CloudNumbers(self, first)
        how: dict[str, Any] = {"num_workers": workers, "multiprocessing_context": spawning() if workers else None}
        return iter(DataLoader(_Clouds(self.train, self.recipe, self.scale), batch_sampler=numbers, **how))

    def loss(self, network: nn.Module, points: Tensor, normals: Tensor, target: Tensor) -> Tensor:
        with torch.autocast(points.device.type, torch.bfloat16, enabled=self.recipe.precision == "bf16"):
            output = self.spec.call(network, points, normals)
        return (coefficient_loss if self.recipe.model == DRAG else field_loss)(output.float(), target)

    @torch.inference_mode()
    def score(self, network: nn.Module) -> float:
        """Of the validation cars: R2 of Cd, or 1 less the mean relative L2 error of Cp."""
        own = [self._answer(network, i) for i in self.processes.share(range(len(self.val)))]
        pairs = np.array(self.processes.gathered(own))
        if not len(pairs):
            return math.nan
        if self.recipe.model == DRAG:
            if len(pairs) < _LEAST_FOR_R2 or not np.ptp(pairs[:, 1]) > 0:  # they have no spread: the training cars'
                return 1.0 - float(((pairs[:, 0] - pairs[:, 1]) ** 2).mean() / self.variance)
            return r2_score(pairs[:, 0], pairs[:, 1])
        return 1.0 - float(pairs[:, 0].mean())

    def _answer(self, network: nn.Module, index: int) -> tuple[float, float]:
        """Predicted and true Cd of a validation car; of a field network its relative error in Cp, and 0."""
        car, recipe = self.val[index], self.recipe
        mean, spread = self.scale.mean[0], self.scale.spread[0]
        if recipe.model == DRAG:
            clouds = [drawn(car, recipe, np.random.default_rng((7, i)), augment=False) for i in range(recipe.draws)]
            output = self._output(network, *(np.stack(rows) for rows in zip(*clouds, strict=True)))
            return float(output[:, 0].double().mean()) * spread + mean, car.coefficients["cd"]
        points, normals, values = drawn(car, recipe, np.random.default_rng((recipe.seed, 7, index)), augment=False)
        cp = self._output(network, points[None], normals[None])[0, :, 0].float().cpu().numpy() * spread + mean
        known = np.isfinite(values[:, 0])
        error = np.linalg.norm(cp[known] - values[known, 0]) / np.linalg.norm(values[known, 0])
        return float(error), 0.0

    def _output(self, network: nn.Module, points: np.ndarray, normals: np.ndarray, *_: np.ndarray) -> Tensor:
        device = self.processes.device
        return self.spec.call(network, *(torch.from_numpy(rows).to(device) for rows in (points, normals)))


class _Clouds(Dataset):
    """Points, normals and target of training cars by (epoch, car): whichever process makes one, it is the same.

    The target: (1,) standardised Cd, or (n, columns) standardised values.
    """

    def __init__(self, cars: Sequence[PointStoreCar], recipe: TrainingRecipe, scale: Scale):
        self.cars, self.recipe, self.scale = cars, recipe, scale

    def __getitem__(self, key: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
        epoch, index = key
        rng = np.random.default_rng((self.recipe.seed, epoch, index))
        arrays = drawn(self.cars[index], self.recipe, rng, augment=True)
        points, normals, values = (torch.from_numpy(np.ascontiguousarray(array)) for array in arrays)
        if self.recipe.model != DRAG:
            return points, normals, self.scale.standardised(values)
        cd = (self.cars[index].coefficients["cd"] - self.scale.mean[0]) / self.scale.spread[0]
        return points, normals, torch.tensor([cd], dtype=torch.float32)


class _CloudNumbers(Sampler):
    """For each remaining batch the (epoch, car) of the clouds in this process's part of it."""

    def __init__(self, lesson: _Lesson, first: int):
        recipe, self._processes = lesson.recipe, lesson.processes
        self._first, self._all = first, recipe.epochs * lesson.batches_an_epoch
        self._batches, self._n = lesson.batches_an_epoch, len(lesson.train)
        self._batch, self._seed = recipe.batch, recipe.seed

    def __len__(self) -> int:
        return self._all - self._first

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        # The last batch is filled up from the epoch's first cars: every process has as many, and no less than two.
        size = max(min(self._batch, self._n), 2 * self._processes.world)
        for step in range(self._first, self._all):
            epoch, place = divmod(step, self._batches)
            order = np.random.default_rng((self._seed, epoch)).permutation(self._n)
            keys = [(epoch, int(order[i % self._n])) for i in range(place * size, (place + 1) * size)]
            yield list(self._processes.share(keys))


def drawn(
    car: PointStoreCar, recipe: TrainingRecipe, rng: np.random.Generator, *, augment: bool
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


def _scale(cars: Sequence[PointStoreCar], recipe: TrainingRecipe, columns: int) -> Scale:
    """What the target is standardised by: (0, 1) where the recipe leaves drag as it is."""
    if recipe.model != DRAG:
        return Scale.of_fields(cars, columns)
    if not recipe.standardise:
        return Scale((0.0,), (1.0,))
    cd = np.array([car.coefficients["cd"] for car in cars])
    return Scale((float(cd.mean()),), (float(cd.std()) or 1.0,))


def _fingerprint(recipe: TrainingRecipe, train: Sequence[PointStoreCar], val: Sequence[PointStoreCar]) -> str:
    cars = [[f"{car.kind}/{car.name}", car.coefficients["cd"], car.points.shape[0]] for car in (*train, *val)]
    parts: list[Any] = [asdict(recipe), cars]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _write_history(run: Path, history: Sequence[dict[str, float]]) -> None:
    """The last epoch to TensorBoard's events, and all to a table."""
    from tensorboardX import SummaryWriter

    with replacing(run / HISTORY) as unfinished, unfinished.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, history[0].keys(), lineterminator="\n")
        table.writeheader()
        table.writerows(history)
    last = history[-1]
    with SummaryWriter(str(run / EVENTS), purge_step=last["epoch"]) as events:
        for name in ("loss", "score", "rate"):
            events.add_scalar(name, last[name], last["epoch"])
