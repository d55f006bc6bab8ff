"""What a training by a recipe leaves: a model folder, evaluated on its test cars, with its card."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from gnn.calibration import LEAST, conformal_half_width, leave_one_out_coverage
from gnn.card import write_card
from gnn.checkpoints import read_model, write_model
from gnn.evaluation import evaluate_cars
from gnn.figures import figures, figures_as_markdown
from gnn.model_config import DRAG, Interval, ModelConfig
from gnn.novelty import NoveltyReference, profile
from gnn.surrogate import Surrogate
from gnn.training.by_recipe import TrainedNetwork
from gnn.training.point_store import PointStoreCar
from gnn.training.recipe import TrainingRecipe

_LEVEL = 0.9
_LEAST_FOR_NOVELTY = 24


def write_recipe_model(
    folder: Path,
    name: str,
    recipe: TrainingRecipe,
    trained: TrainedNetwork,
    cars: Mapping[str, Sequence[PointStoreCar]],
    corpora: Sequence[str],
    licences: Sequence[str] = (),
) -> dict[str, Any]:
    """Write the folder; returns its metrics. cars: by split; those of ``train`` it was trained on.

    licences: of the corpora, which bind the weights too.
    """
    network: dict[str, Any] = {recipe.model: trained.config}
    config = ModelConfig(
        name=name,
        made_by="drivaer train",
        trained_on=f"{len(cars['train'])} cars of {', '.join(corpora)}",
        licences=tuple(licences),
        recipe=asdict(recipe),
        **network,
    )
    weights: dict[str, dict[str, Any]] = {recipe.model: trained.network.state_dict()}
    novelty = None if recipe.vertices else _novelty(cars["train"])
    write_model(folder, config, weights, novelty)
    model = Surrogate.of_folder(read_model(folder), "cpu")
    evaluated = evaluate_cars(model, cars["test"])
    if recipe.model == DRAG and len(evaluated) >= LEAST:
        config = replace(config, interval=_interval(np.array([j.error for j in evaluated])))
        write_model(folder, config, weights, novelty)
    metrics = {
        "counts": {split: len(own) for split, own in cars.items()},
        "epochs": trained.epochs,
        "parameters": model.n_parameters,
        "novelty": novelty is not None,
        "test": figures(evaluated),
        "cars": [asdict(j) for j in evaluated],
        "written": time.strftime("%Y-%m-%d"),
    }
    what = "Drag" if recipe.model == DRAG else "Surface fields"
    lead = f"{what} of cars by {recipe.network}, {metrics['parameters']:,} parameters."
    licence = "No published corpus is known among what it was trained on: the weights are yours to decide about."
    write_card(folder, config, metrics, lead, _sections(config, recipe, metrics), "" if licences else licence)
    return metrics


def _interval(errors: np.ndarray) -> Interval:
    coverage = leave_one_out_coverage(errors, _LEVEL) if len(errors) > LEAST else None
    return Interval(conformal_half_width(errors, _LEVEL), level=_LEVEL, coverage=coverage)


def _novelty(cars: Sequence[PointStoreCar]) -> NoveltyReference | None:
    if len(cars) < _LEAST_FOR_NOVELTY:
        return None
    vectors = [profile(car.network_points, np.asarray(car.normals, np.float32)) for car in cars]
    return NoveltyReference.fit([np.array(vectors)])


def _sections(config: ModelConfig, recipe: TrainingRecipe, metrics: Mapping[str, Any]) -> dict[str, str]:
    counts, interval = metrics["counts"], config.interval
    keys = {key: value for key, value in asdict(recipe).items() if key not in ("architecture", "model")}
    numbers = ", ".join(f"{key} {value}" for key, value in {**keys, **recipe.architecture}.items())
    held = f"None is given: it takes {LEAST} test cars, and drag."
    if interval:
        n = counts["test"]
        held = f"Cd ± {interval.half_width:.4f} at {interval.level:.0%}, conformal on the {n} test cars."
    return {
        "Trained on": f"""{config.trained_on}; {counts["val"]} validation cars chose the epoch, of \
{metrics["epochs"]}, and nothing else.
Recipe: {numbers}.""",
        f"Accuracy on {counts['test']} test cars": f"""All of them, none seen in training or in choosing the epoch; \
{recipe.draws} clouds of a car averaged.

{figures_as_markdown(metrics["test"])}""",
        "Interval and novelty": f"""{held}
Novelty is {"measured." if metrics["novelty"] else "not measured: nothing says how far a car is from these."}""",
        "Limits": "What it can do is what its corpus shows.",
    }
